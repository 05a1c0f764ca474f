//! Checking syntax without running anything.

use rquickjs::context::EvalOptions;
use rquickjs::{Context, Ctx, Runtime};

/// Memory for compiling one text; a text at the limit of its length needs a fraction of it.
const MEMORY_BYTES: usize = 64 * 1024 * 1024;

/// Native stack for the parser: deep nesting ends in an error and not in a crash, on any thread.
const STACK_BYTES: usize = 256 * 1024;

/// Longest source of a code node.
const MAX_CODE_BYTES: usize = 1024 * 1024;

/// Compiles JavaScript and never runs it.
///
/// A script is parsed to its end before its first statement runs. That statement is put in front of the
/// text: `throw 0`. So the exception that comes back tells whether the text was parsed, and none
/// of it ever runs.
pub struct SyntaxChecker {
    context: Context,
}

impl SyntaxChecker {
    /// A checker with a runtime of its own.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn new() -> Result<Self, String> {
        let runtime = Runtime::new().map_err(|error| error.to_string())?;
        runtime.set_memory_limit(MEMORY_BYTES);
        runtime.set_max_stack_size(STACK_BYTES);
        let context = Context::full(&runtime).map_err(|error| error.to_string())?;
        Ok(Self { context })
    }

    /// Whether the text is one JavaScript expression.
    ///
    /// # Errors
    /// What the parser says.
    pub fn check_expression(&self, code: &str) -> Result<(), String> {
        self.check(&format!("throw 0;(\n{code}\n)")).map_err(|(message, _)| message)
    }

    /// The message and the line of the script, when it does not parse.
    fn check(&self, script: &str) -> Result<(), (String, Option<usize>)> {
        if script.contains('\0') {
            return Err(("a NUL character is not allowed".to_owned(), None));
        }
        self.context.with(|ctx| {
            let mut options = EvalOptions::default();
            options.strict = false;
            match ctx.eval_with_options::<(), _>(script, options) {
                Err(rquickjs::Error::Exception) => thrown_syntax_error(&ctx),
                Err(error) => Err((error.to_string(), None)),
                Ok(()) => Ok(()),
            }
        })
    }
}

fn thrown_syntax_error(ctx: &Ctx<'_>) -> Result<(), (String, Option<usize>)> {
    let thrown = ctx.catch();
    if thrown.as_int() == Some(0) {
        return Ok(());
    }
    let Some(exception) = thrown.as_exception() else {
        return Err(("it needs too much memory to compile".to_owned(), None));
    };
    let message = exception.message().filter(|message| !message.is_empty());
    let line = exception.stack().and_then(|stack| stack.rsplit(':').nth(1)?.parse().ok());
    Err((message.unwrap_or_else(|| "it cannot be parsed".to_owned()), line))
}

/// Checks the source of a code node: the body of an async function.
///
/// # Errors
/// What the parser says, with the line.
pub fn check_code(source: &str) -> Result<(), String> {
    if source.len() > MAX_CODE_BYTES {
        return Err(format!("the code is longer than {MAX_CODE_BYTES} bytes"));
    }
    let checker = SyntaxChecker::new()?;
    checker.check(&format!("throw 0;(async function () {{{source}\n}})")).map_err(
        |(message, line)| match line {
            Some(line) => format!("line {line}: {message}"),
            None => message,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_told_from_what_is_none() {
        let checker = SyntaxChecker::new().unwrap();
        for code in ["1", "{a: 1}", "a => { return a }", "x // why", "`}}${1}`", "010", "await_", "1, 2"] {
            assert_eq!(checker.check_expression(code), Ok(()), "{code}");
        }
        for code in ["", "1 +", "return 1", "var a", "a b", "'", ")(", "1) } {(", "{{}", "import.meta"] {
            assert!(checker.check_expression(code).is_err(), "{code}");
        }
    }

    #[test]
    fn checking_never_runs_the_code() {
        let checker = SyntaxChecker::new().unwrap();
        for code in ["globalThis.hacked = 1", "1); globalThis.hacked = 1; (2", "(() => { hacked = 1 })()"] {
            let _ = checker.check_expression(code);
        }
        checker.context.with(|ctx| {
            assert!(!ctx.globals().contains_key("hacked").unwrap());
        });
    }

    #[test]
    fn deep_nesting_is_an_error_and_no_crash() {
        let checker = SyntaxChecker::new().unwrap();
        for open in ["(", "[", "{a:", "!", "a=>", "-", "`${", "new ", "(()=>{"] {
            let _ = checker.check_expression(&open.repeat(60_000 / open.len()));
        }
        let _ = checker.check_expression(&format!("/{}/", "(".repeat(60_000)));
        assert_eq!(checker.check_expression("1"), Ok(()));
    }

    #[test]
    fn code_is_the_body_of_an_async_function() {
        assert_eq!(check_code("const a = await 1;\nreturn a // end"), Ok(()));
        let error = check_code("const a = 1;\nreturn a b").unwrap_err();
        assert!(error.starts_with("line 2: "), "{error}");
    }
}
