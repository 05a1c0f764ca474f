// `$now` and `$today`: moments in a time zone. The small part of luxon's DateTime that needs no data about
// languages: the same names, the same results. Immutable.
//
// Properties: year month day hour minute second millisecond weekday ordinal zoneName offset
// Methods: plus minus startOf endOf setZone toUTC toISO toISODate toFormat toMillis toSeconds toJSDate
(function (zoneOffset, defaultZone) {
  'use strict';

  const MINUTE_MS = 60_000;
  const DAY_MS = 86_400_000;
  const TIME_UNITS = { hour: 3_600_000, minute: MINUTE_MS, second: 1000, millisecond: 1 };
  const CALENDAR_UNITS = ['year', 'quarter', 'month', 'week', 'day'];
  const MONTHS = [
    'January', 'February', 'March', 'April', 'May', 'June',
    'July', 'August', 'September', 'October', 'November', 'December',
  ];
  const WEEKDAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
  const UTC = Date.UTC;
  const BaseDate = Date;

  const pad = (value, length = 2) => String(Math.abs(value)).padStart(length, '0');

  function unitName(given) {
    const name = String(given).toLowerCase().replace(/s$/, '');
    if (!CALENDAR_UNITS.includes(name) && !(name in TIME_UNITS)) throw new Error(`Invalid unit ${given}`);
    return name;
  }

  // The moment at which clocks in the zone show these UTC fields: in a gap the one after it, in an overlap the first.
  function fromLocal(localMs, zone, guess) {
    let ms = localMs - guess * MINUTE_MS;
    const second = zoneOffset(zone, ms);
    if (second === guess) return ms;
    ms -= (second - guess) * MINUTE_MS;
    const third = zoneOffset(zone, ms);
    return third === second ? ms : localMs - Math.min(second, third) * MINUTE_MS;
  }

  class DateTime {
    #ms;
    #zone;
    #offset;
    #local;

    constructor(ms, zone) {
      if (!Number.isFinite(ms) || Math.abs(ms) > 8.64e15) throw new Error('Invalid DateTime');
      this.#ms = ms;
      this.#zone = zone;
      this.#offset = zoneOffset(zone, ms);
      this.#local = new BaseDate(ms + this.#offset * MINUTE_MS);
    }

    get year() { return this.#local.getUTCFullYear(); }
    get month() { return this.#local.getUTCMonth() + 1; }
    get day() { return this.#local.getUTCDate(); }
    get hour() { return this.#local.getUTCHours(); }
    get minute() { return this.#local.getUTCMinutes(); }
    get second() { return this.#local.getUTCSeconds(); }
    get millisecond() { return this.#local.getUTCMilliseconds(); }
    get weekday() { return this.#local.getUTCDay() || 7; }
    get ordinal() { return Math.floor((this.#local - UTC(this.year, 0, 1)) / DAY_MS) + 1; }
    get quarter() { return Math.ceil(this.month / 3); }
    get offset() { return this.#offset; }
    get zoneName() { return this.#zone; }
    get isValid() { return true; }

    plus(duration) { return this.#add(duration, 1); }
    minus(duration) { return this.#add(duration, -1); }

    #add(duration, sign) {
      const amounts = { year: 0, quarter: 0, month: 0, week: 0, day: 0, hour: 0, minute: 0, second: 0, millisecond: 0 };
      const given = typeof duration === 'number' ? { milliseconds: duration } : duration;
      if (given === null || typeof given !== 'object') throw new Error(`Unknown duration argument ${duration}`);
      for (const [name, value] of Object.entries(given)) amounts[unitName(name)] += sign * Number(value);
      const months = this.month - 1 + amounts.year * 12 + amounts.quarter * 3 + amounts.month;
      const year = this.year + Math.floor(months / 12);
      const month = ((months % 12) + 12) % 12;
      const lastDay = new BaseDate(UTC(year, month + 1, 0)).getUTCDate();
      const timeOfDay = this.#local - UTC(this.year, this.month - 1, this.day);
      const day = Math.min(this.day, lastDay) + amounts.week * 7 + amounts.day;
      const local = UTC(year, month, day) + timeOfDay;
      const isSameDay = local === this.#local.getTime();
      let ms = isSameDay ? this.#ms : fromLocal(local, this.#zone, this.#offset);
      for (const [name, length] of Object.entries(TIME_UNITS)) ms += amounts[name] * length;
      return new DateTime(ms, this.#zone);
    }

    startOf(unit) {
      const name = unitName(unit);
      if (name in TIME_UNITS) {
        const length = TIME_UNITS[name];
        const local = this.#local.getTime();
        return new DateTime(this.#ms - (((local % length) + length) % length), this.#zone);
      }
      let month = this.month - 1;
      let day = this.day;
      if (name === 'year') month = 0;
      if (name === 'quarter') month -= month % 3;
      if (name === 'week') day -= this.weekday - 1;
      else if (name !== 'day') day = 1;
      return new DateTime(fromLocal(UTC(this.year, month, day), this.#zone, this.#offset), this.#zone);
    }

    endOf(unit) {
      return this.startOf(unit).plus({ [unitName(unit)]: 1 }).minus(1);
    }

    setZone(zone) { return new DateTime(this.#ms, String(zone)); }
    toUTC() { return this.setZone('UTC'); }

    toMillis() { return this.#ms; }
    toSeconds() { return this.#ms / 1000; }
    toJSDate() { return new BaseDate(this.#ms); }
    toISODate() { return this.toFormat('yyyy-MM-dd'); }
    toISO() {
      const offset = /^utc$/i.test(this.#zone) ? 'Z' : this.toFormat('ZZ');
      return `${this.toFormat("yyyy-MM-dd'T'HH:mm:ss.SSS")}${offset}`;
    }
    toString() { return this.toISO(); }
    toJSON() { return this.toISO(); }
    valueOf() { return this.#ms; }

    toFormat(format) {
      const pattern = /'([^']*)'|y+|M+|L+|d+|E+|c+|H+|h+|m+|s+|S+|a|o+|q|Z+|z|X|x/g;
      return String(format).replace(pattern, (token, quoted) => (quoted === undefined ? this.#token(token) : quoted));
    }

    #token(token) {
      const sized = (value) => (token.length === 1 ? String(value) : pad(value, token.length));
      const named = (names, position) =>
        token.length === 3 ? names[position - 1].slice(0, 3) : token.length === 4 ? names[position - 1] : undefined;
      switch (token[0]) {
        case 'y': return token.length === 2 ? pad(this.year % 100) : sized(this.year);
        case 'M': case 'L': return named(MONTHS, this.month) ?? sized(this.month);
        case 'E': case 'c': return named(WEEKDAYS, this.weekday) ?? String(this.weekday);
        case 'd': return sized(this.day);
        case 'H': return sized(this.hour);
        case 'h': return sized(this.hour % 12 || 12);
        case 'm': return sized(this.minute);
        case 's': return sized(this.second);
        case 'S': return token.length === 1 ? String(this.millisecond) : pad(this.millisecond, 3);
        case 'a': return this.hour < 12 ? 'AM' : 'PM';
        case 'o': return sized(this.ordinal);
        case 'q': return String(this.quarter);
        case 'z': return this.#zone;
        case 'X': return String(Math.floor(this.#ms / 1000));
        case 'x': return String(this.#ms);
        case 'Z': {
          const minutes = Math.abs(this.#offset);
          const [hours, rest] = [Math.trunc(minutes / 60), minutes % 60];
          const sign = this.#offset < 0 ? '-' : '+';
          if (token.length === 1) return `${sign}${hours}${rest === 0 ? '' : `:${pad(rest)}`}`;
          return `${sign}${pad(hours)}${token.length === 2 ? ':' : ''}${pad(rest)}`;
        }
      }
      return token;
    }
  }

  return { at: (ms) => new DateTime(ms, defaultZone) };
})
