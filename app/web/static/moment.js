// Days, times and moments without the browser's own Date, whose zone is the
// phone's: a form is filled in by the clock of its round's zone. A date is days
// since 1970; a time the fraction of a day; a moment days since 1970 in UTC.
// The counterpart of survey/expr/moment.go; fixtures/expressions.json holds
// both to the same results.

export const DAY = 86400e3;

// civil gives the calendar day of days since 1970 (Howard Hinnant's algorithm).
export function civil(days) {
  const z = days + 719468;
  const era = Math.floor(z / 146097);
  const doe = z - era * 146097;
  const yoe = Math.floor((doe - Math.floor(doe / 1460) + Math.floor(doe / 36524) - Math.floor(doe / 146096)) / 365);
  const doy = doe - (365 * yoe + Math.floor(yoe / 4) - Math.floor(yoe / 100));
  const mp = Math.floor((5 * doy + 2) / 153);
  const month = mp < 10 ? mp + 3 : mp - 9;
  return { year: yoe + era * 400 + (month <= 2 ? 1 : 0), month, day: doy - Math.floor((153 * mp + 2) / 5) + 1 };
}

// dayNumber gives the days since 1970 of a calendar day, null if there is none such.
export function dayNumber(year, month, day) {
  const lengths = [31, year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  if (month < 1 || month > 12 || day < 1 || day > lengths[month - 1]) return null;
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yoe = y - era * 400;
  const doy = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return era * 146097 + yoe * 365 + Math.floor(yoe / 4) - Math.floor(yoe / 100) + doy - 719468;
}

// roundAway rounds to a whole number, halves away from zero.
export const roundAway = (x) => (x < 0 ? -Math.floor(-x + 0.5) : Math.floor(x + 0.5));

// milliseconds gives a moment in milliseconds since 1970, kept within reason.
export function milliseconds(days) {
  if (Number.isNaN(days)) days = 0;
  return roundAway(Math.max(-4e6, Math.min(4e6, days)) * DAY);
}

const pad = (n, width) => (n < 0 ? '-' + String(-n).padStart(width, '0') : String(n).padStart(width, '0'));

// clockOf takes milliseconds on a clock apart.
export function clockOf(ms) {
  const days = Math.floor(ms / DAY);
  const rest = ms - days * DAY;
  return {
    days, ...civil(days), hour: Math.floor(rest / 3600e3), minute: Math.floor(rest / 60e3) % 60,
    second: Math.floor(rest / 1e3) % 60, milli: rest % 1000,
  };
}

export const dateText = (days) => {
  const c = civil(days);
  return pad(c.year, 4) + '-' + pad(c.month, 2) + '-' + pad(c.day, 2);
};

export const timeText = (c) => pad(c.hour, 2) + ':' + pad(c.minute, 2) + ':' + pad(c.second, 2) + '.' + pad(c.milli, 3);

const formats = new Map();

// zoneOffset gives how far a zone's clock is ahead of UTC at a moment, in
// milliseconds. A zone is an IANA name or an offset as in "+07:00"; one that the
// browser does not know counts as +07:00, as on the server.
function zoneOffset(zone, ms) {
  const fixed = /^([+-])(\d\d):(\d\d)$/.exec(zone);
  if (fixed) return (fixed[1] === '-' ? -1 : 1) * (fixed[2] * 3600e3 + fixed[3] * 60e3);
  let format = formats.get(zone);
  if (format === undefined) {
    try {
      format = new Intl.DateTimeFormat('en-US', {
        timeZone: zone, hourCycle: 'h23', era: 'short', year: 'numeric', month: 'numeric', day: 'numeric',
        hour: 'numeric', minute: 'numeric', second: 'numeric',
      });
    } catch {
      format = null;
    }
    formats.set(zone, format);
  }
  if (format === null) return 7 * 3600e3;
  const p = {};
  for (const { type, value } of format.formatToParts(ms)) p[type] = value;
  const year = p.era === 'BC' ? 1 - p.year : +p.year;
  const wall = dayNumber(year, +p.month, +p.day) * DAY + p.hour * 3600e3 + p.minute * 60e3 + p.second * 1e3;
  return wall - Math.floor(ms / 1000) * 1000;
}

// Clock is the host's: what time it is, and in which zone.
export class Clock {
  // now is a number of milliseconds since 1970, or a Date. steady {from, offset}
  // says that from a moment on the zone's clock is always so far ahead of UTC,
  // all in milliseconds: to ask the browser costs a cheap phone a third of a second.
  constructor(now, zone, steady = null) {
    this.now = +now;
    this.zone = zone;
    this.steady = steady;
    this.hours = new Map();
  }

  // offset remembers by the quarter of an hour: clocks change at no other moment.
  offset(ms) {
    if (this.steady && ms >= this.steady.from) return this.steady.offset;
    const key = Math.floor(ms / 900e3);
    let o = this.hours.get(key);
    if (o === undefined) {
      o = zoneOffset(this.zone, ms);
      this.hours.set(key, o);
    }
    return o;
  }

  // wall gives the days since 1970 that the clock shows at a moment.
  wall(days) {
    const ms = milliseconds(days);
    return (ms + this.offset(ms)) / DAY;
  }

  // fromWall gives the moment at which the clock shows so many days since 1970.
  fromWall(days) {
    const ms = milliseconds(days);
    const first = this.offset(ms);
    return (first === 0 ? ms : ms - this.offset(ms - first)) / DAY;
  }

  today() {
    return Math.floor((this.now + this.offset(this.now)) / DAY);
  }

  // text writes a moment as RFC 3339 in the clock's zone.
  text(days) {
    const ms = milliseconds(days);
    const offset = this.offset(ms);
    const c = clockOf(ms + offset);
    const minutes = Math.trunc(offset / 60e3);
    const zone = minutes === 0 ? 'Z'
      : (minutes < 0 ? '-' : '+') + pad(Math.floor(Math.abs(minutes) / 60), 2) + ':' + pad(Math.abs(minutes) % 60, 2);
    return dateText(c.days) + 'T' + timeText(c) + zone;
  }
}

const millis = (digits) => (digits ? Math.floor(+('0.' + digits.slice(0, 9)) * 1000 + 1e-7) : 0);

// readZone gives an offset in milliseconds; null for none, undefined for a wrong one.
function readZone(sign, hours, minutes) {
  if (+hours > 24 || +(minutes ?? 0) > 60) return undefined;
  return (sign === '-' ? -1 : 1) * (hours * 3600e3 + (minutes ?? 0) * 60e3);
}

function readClock(h, m, s, fraction) {
  if (+h > 23 || +m > 59 || +(s ?? 0) > 59) return null;
  return h * 3600e3 + m * 60e3 + (s ?? 0) * 1e3 + millis(fraction);
}

const momentShape = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:T(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,](\d+))?)?(Z|([+-])(\d\d)(?::(\d\d))?)?)?$/;

// parseMoment reads a date or a moment, null if it is none: the clock's zone
// holds where the text names none.
export function parseMoment(text, clock) {
  if (text.length > 40) return null;
  const m = momentShape.exec(text);
  if (!m) return null;
  const day = dayNumber(+m[1], +m[2], +m[3]);
  const time = m[4] === undefined ? 0 : readClock(m[4], m[5], m[6], m[7]);
  if (day === null || time === null) return null;
  const wall = day * DAY + time;
  if (m[8] === undefined) return clock.fromWall(wall / DAY);
  const offset = m[8] === 'Z' ? 0 : readZone(m[9], m[10], m[11]);
  return offset === undefined ? null : (wall - offset) / DAY;
}

const clockShape = /^(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,](\d+))?)?(?:Z|([+-])(\d\d)(?::(\d\d))?)?$/;

// parseClock reads a time of day as a fraction of the day, null if it is none.
// A zone behind it says whose clock it was and changes nothing.
export function parseClock(text) {
  if (text.length > 40) return null;
  const m = clockShape.exec(text);
  if (!m || (m[5] && readZone(m[5], m[6], m[7]) === undefined)) return null;
  const time = readClock(m[1], m[2], m[3], m[4]);
  return time === null ? null : time / DAY;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const weekdays = ['Thu', 'Fri', 'Sat', 'Sun', 'Mon', 'Tue', 'Wed']; // 1970 began on a Thursday

// isoWeek gives the week of ISO 8601: that of the year in which its Thursday lies.
function isoWeek(days) {
  const thursday = days - (((days + 3) % 7) + 7) % 7 + 3;
  return Math.floor((thursday - dayNumber(civil(thursday).year, 1, 1)) / 7) + 1;
}

// formatDate writes what a clock shows by the codes of ODK.
export function formatDate(wallMs, pattern) {
  const c = clockOf(wallMs);
  const parts = {
    Y: () => pad(c.year, 4), y: () => pad(((c.year % 100) + 100) % 100, 2), m: () => pad(c.month, 2), n: () => String(c.month),
    b: () => months[c.month - 1], d: () => pad(c.day, 2), e: () => String(c.day), a: () => weekdays[((c.days % 7) + 7) % 7],
    W: () => String(isoWeek(c.days)), H: () => pad(c.hour, 2), h: () => String(c.hour), M: () => pad(c.minute, 2),
    S: () => pad(c.second, 2), 3: () => pad(c.milli, 3), '%': () => '%',
  };
  return pattern.replace(/%([\s\S])/g, (_, code) => (Object.hasOwn(parts, code) ? parts[code]() : ''));
}
