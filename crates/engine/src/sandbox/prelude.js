// What user code sees in a realm. Evaluated once per realm as one function expression; nothing of it is
// reachable from user code except through the globals that it defines.
//
// `native` holds the functions of the host, `request` is what data.rs writes. The function returns JSON
// text: the rows of an evaluation, or a promise of the result of a code node.
(function boot(native, request) {
  'use strict';

  const { stringify, parse } = JSON;
  const { defineProperty } = Object;
  const FunctionConstructor = Function;
  const evaluateScript = eval;
  const OriginalDate = Date;

  const MAX_LOG_LINES = 1000;
  const MAX_LOG_CHARACTERS = 256 * 1024;

  // A clock that is finer than anything a workflow needs.
  delete globalThis.performance;

  const items = request.items;
  const execution = request.execution;
  let current = 0;

  const define = (name, get) => defineProperty(globalThis, name, { get, configurable: true });

  // ---- Time: stands still in an expression, runs on from the host's clock in a code node.

  const started = OriginalDate.now();
  const clock = () => request.nowMs + (request.source === null ? 0 : OriginalDate.now() - started);

  function FrozenDate(...given) {
    if (new.target === undefined) return new OriginalDate(clock()).toString();
    return Reflect.construct(OriginalDate, given.length === 0 ? [clock()] : given, new.target);
  }
  defineProperty(FrozenDate, 'name', { value: 'Date' });
  FrozenDate.prototype = OriginalDate.prototype;
  FrozenDate.prototype.constructor = FrozenDate;
  FrozenDate.UTC = OriginalDate.UTC;
  FrozenDate.parse = OriginalDate.parse;
  FrozenDate.now = clock;
  defineProperty(globalThis, 'Date', { value: FrozenDate, writable: true, configurable: true });

  let moments;
  const moment = () => (moments ??= native.moments()(native.zoneOffset, execution.timezone));
  define('$now', () => moment().at(clock()));
  define('$today', () => moment().at(clock()).startOf('day'));

  // ---- Data of other nodes, fetched when it is asked for.

  const known = new Map();
  const lists = new Map();

  function factsOf(name) {
    let facts = known.get(name);
    if (facts === undefined) {
      facts = parse(native.need(stringify({ node: name })));
      known.set(name, facts);
    }
    return facts;
  }

  function listOf(name, run, output) {
    const key = stringify([name, run, output]);
    let list = lists.get(key);
    if (list === undefined) {
      list = parse(native.need(stringify({ node: name, list: [run, output] })));
      lists.set(key, list);
    }
    return list;
  }

  const index = (value, fallback) =>
    Number.isInteger(value) && value >= 0 ? value : fallback;

  function itemsOf(name, output, run) {
    const facts = factsOf(name);
    const runs = facts.outputs.length;
    if (runs === 0) throw new Error(`the node ${stringify(name)} has not run, so it has no data to refer to`);
    return listOf(name, index(run, runs - 1), index(output, facts.defaultOutput));
  }

  function pairedItem(name, item) {
    const facts = factsOf(name);
    if (facts.outputs.length === 0) {
      throw new Error(`the node ${stringify(name)} has not run, so it has no data to refer to`);
    }
    const origin = facts.origins[item];
    const found = origin ? listOf(name, origin[0], origin[1])[origin[2]] : undefined;
    if (found === undefined) {
      throw new Error(
        `cannot tell which item of the node ${stringify(name)} item ${item} was made from; ` +
          'use .first(), .last() or .all()',
      );
    }
    return found;
  }

  function node(given) {
    const name = String(given);
    const facts = factsOf(name);
    return {
      all: (output, run) => itemsOf(name, output, run),
      first: (output, run) => itemsOf(name, output, run)[0],
      last: (output, run) => itemsOf(name, output, run).at(-1),
      itemMatching: (item) => pairedItem(name, index(item, current)),
      pairedItem: (item) => pairedItem(name, index(item, current)),
      get item() {
        return pairedItem(name, current);
      },
      get isExecuted() {
        return facts.outputs.length > 0;
      },
      get params() {
        return facts.parameters;
      },
    };
  }

  function sameIndex(name) {
    const list = itemsOf(name);
    if (current >= list.length) {
      throw new Error(`the node ${stringify(name)} gave out ${list.length} items, so it has no item ${current}`);
    }
    return list[current];
  }

  const nodeByProperty = new Proxy({}, {
    get: (_, name) =>
      typeof name !== 'string'
        ? undefined
        : {
            get json() {
              return sameIndex(name).json;
            },
            get binary() {
              return sameIndex(name).binary;
            },
            get parameter() {
              return factsOf(name).parameters;
            },
            get runIndex() {
              return factsOf(name).outputs.length - 1;
            },
          },
  });

  // ---- The names.

  const previous = request.previous;
  const input = {
    all: () => items,
    first: () => items[0],
    last: () => items.at(-1),
    get item() {
      return items[current];
    },
    get params() {
      return previous?.parameters;
    },
  };
  const constants = {
    $: node,
    $node: nodeByProperty,
    $input: input,
    $items: (name, output, run) => itemsOf(name === undefined ? previous?.name : String(name), index(output, 0), run),
    $runIndex: request.runIndex,
    $parameter: request.parameters,
    $execution: { id: execution.id, mode: execution.mode, resumeUrl: execution.resumeUrl },
    $workflow: execution.workflow,
    $vars: execution.vars,
    $prevNode: {
      name: previous?.name,
      outputIndex: previous?.outputIndex,
      runIndex: previous?.runIndex,
    },
  };
  for (const name of Object.keys(constants)) define(name, () => constants[name]);
  define('$json', () => items[current]?.json);
  define('$binary', () => items[current]?.binary);
  define('$itemIndex', () => current);

  // ---- Failures.

  // When memory ends there may be none left for an exception: then `null` is thrown.
  const isOutOfMemory = (error) =>
    error === null || (error instanceof InternalError && error.message === 'out of memory');

  // n8n's rule that makes long paths convenient: what is not there is `undefined`, at any depth.
  const isMissingProperty = (error) =>
    error instanceof TypeError && /^cannot read property .* of (undefined|null)$/.test(error.message);

  function describe(error) {
    try {
      if (error instanceof Error) {
        const { name, message } = error;
        if (!message) return String(name);
        return name && name !== 'Error' ? `${name}: ${message}` : String(message);
      }
      return typeof error === 'string' ? error : `threw ${stringify(error)}`;
    } catch {
      return 'threw something that cannot be described';
    }
  }

  let outputLength = 0;
  function counted(text) {
    outputLength += text.length;
    if (outputLength > native.outputBytes) {
      native.fail(stringify({ kind: 'output', message: `it is longer than ${native.outputBytes} bytes` }));
    }
    return text;
  }

  // ---- Expressions.

  function encoded(value, asText) {
    if (asText) {
      return value || value === 0 || value === false ? stringify(String(value)) : '""';
    }
    switch (typeof value) {
      case 'function':
        throw new Error('it gives a function; call it with ()');
      case 'symbol':
        throw new Error('it gives a symbol');
      case 'bigint':
        throw new Error('it gives a BigInt; convert it with Number() or String()');
    }
    if (value instanceof Promise) throw new Error('it gives a promise; expressions cannot wait, a code node can');
    return stringify(value) ?? 'null';
  }

  function cell(run, asText) {
    try {
      let value;
      try {
        value = run();
      } catch (error) {
        if (!isMissingProperty(error)) throw error;
      }
      return `{"v":${encoded(value, asText)}}`;
    } catch (error) {
      if (isOutOfMemory(error)) throw error;
      return `{"e":${stringify(describe(error))}}`;
    }
  }

  function evaluate() {
    const scripts = request.scripts.map(({ code, text }) => ({
      run: FunctionConstructor(`return (\n${code}\n)`),
      text,
    }));
    let rows = '';
    for (current = 0; current < request.rows; current++) {
      let row = '';
      for (const { run, text } of scripts) row += (row === '' ? '' : ',') + cell(run, text);
      rows += (current === 0 ? '' : ',') + counted(`[${row}]`);
    }
    return `[${rows}]`;
  }

  // ---- Code nodes.

  const logs = [];
  let logLength = 0;

  function log(level, given) {
    if (logs.length > MAX_LOG_LINES || logLength > MAX_LOG_CHARACTERS) return;
    if (logs.length === MAX_LOG_LINES) {
      logs.push(['warn', `only the first ${MAX_LOG_LINES} lines are kept`]);
      return;
    }
    const line = given.map((part) => (typeof part === 'string' ? part : printed(part))).join(' ');
    logs.push([level, line.slice(0, MAX_LOG_CHARACTERS - logLength)]);
    logLength += line.length;
    if (logLength > MAX_LOG_CHARACTERS) logs.push(['warn', 'the log is full; further lines are left out']);
  }

  function printed(value) {
    try {
      if (value instanceof Error) return describe(value);
      return (typeof value === 'object' ? stringify(value) : undefined) ?? String(value);
    } catch {
      return '[unprintable]';
    }
  }

  function failedCode(error, item) {
    if (isOutOfMemory(error)) throw error;
    const stack = error instanceof Error && typeof error.stack === 'string' ? userStack(error.stack) : undefined;
    const failure = { kind: 'thrown', message: describe(error), item, stack, logs };
    native.fail(stringify(failure));
  }

  // Lines of the user's code only, without the names that the wrapper brings in.
  function userStack(stack) {
    const lines = stack.split('\n').filter((line) => line.includes('<input>:'));
    return lines.map((line) => line.trim().replace('<input>:', 'line ')).join('\n');
  }

  async function code() {
    const console = {};
    const levels = { log: 'info', info: 'info', debug: 'debug', trace: 'debug', warn: 'warn', error: 'error' };
    for (const name of Object.keys(levels)) console[name] = (...given) => log(levels[name], given);
    defineProperty(globalThis, 'console', { value: console, writable: true, configurable: true });

    let run;
    try {
      run = evaluateScript(`(async function () {${request.source}\n})`);
    } catch (error) {
      failedCode(error);
    }
    if (!request.eachItem) {
      globalThis.items = items;
      return finished(await attempt(run));
    }
    let values = '';
    for (let item = 0; item < items.length; item++) {
      current = item;
      globalThis.item = items[item];
      values += (item === 0 ? '' : ',') + counted(await attempt(run, item));
    }
    return finished(`[${values}]`);
  }

  async function attempt(run, item) {
    try {
      return stringify(await run()) ?? 'null';
    } catch (error) {
      failedCode(error, item);
    }
  }

  const finished = (value) => `{"value":${value},"logs":${stringify(logs)}}`;

  return request.source === null ? evaluate() : code();
})
