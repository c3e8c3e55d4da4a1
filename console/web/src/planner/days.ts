// Days and clock times of the programme's own time zone, whatever the browser's is; moments are microseconds since 1970.

export const US = 1_000_000;
export const DAY_S = 86_400;
export const HOUR_US = 3600 * US;

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  let found = formats.get(zone);
  if (!found) {
    const figures = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" } as const;
    found = new Intl.DateTimeFormat("en-CA", { timeZone: zone, hourCycle: "h23", second: "2-digit", ...figures });
    formats.set(zone, found);
  }
  return found;
}

/** Whether this browser knows a time zone by that name. */
export function isZone(zone: string): boolean {
  try {
    formatOf(zone);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

const known = (zone: string): string => (isZone(zone) ? zone : "UTC");

/** A moment as the zone's wall clock has it: "2026-09-19T21:47:32". */
export function wallOf(us: number, zone: string): string {
  const parts = formatOf(known(zone)).formatToParts(us / 1000);
  const at = (type: string): string => parts.find((part) => part.type === type)?.value ?? "";
  return `${at("year")}-${at("month")}-${at("day")}T${at("hour")}:${at("minute")}:${at("second")}`;
}

/** The moment of a wall clock's time in a zone; null where the text is no time. */
export function momentOf(wall: string, zone: string): number | null {
  const asUtc = Date.parse(`${wall.length === 16 ? `${wall}:00` : wall}Z`);
  if (Number.isNaN(asUtc)) return null;
  const offset = (us: number): number => Date.parse(`${wallOf(us, zone)}Z`) * 1000 - us;
  const first = asUtc * 1000 - offset(asUtc * 1000);
  return asUtc * 1000 - offset(first);
}

export const dayOf = (us: number, zone: string): string => wallOf(us, zone).slice(0, 10);
export const clockOf = (us: number, zone: string): string => wallOf(us, zone).slice(11, 16);

/** A day so many days later. */
export const dayAfter = (day: string, days: number): string =>
  new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_S * 1000).toISOString().slice(0, 10);

export interface Span {
  readonly start_us: number;
  readonly end_us: number;
}

/** A day from midnight to midnight, 23 or 25 hours where the clock changes. */
export function dayWindow(day: string, zone: string, days = 1): Span {
  return {
    start_us: momentOf(`${day}T00:00:00`, zone) ?? 0,
    end_us: momentOf(`${dayAfter(day, days)}T00:00:00`, zone) ?? 0,
  };
}

/** The Monday of a day's week. */
export function mondayOf(day: string): string {
  const weekday = new Date(`${day}T00:00:00Z`).getUTCDay();
  return dayAfter(day, -((weekday + 6) % 7));
}

/** A day in words, such as Sat 19 Sep. */
export function dayText(day: string, language: "zh" | "en", { isShort = false } = {}): string {
  const at = new Date(`${day}T00:00:00Z`);
  const options = { timeZone: "UTC", month: language === "zh" ? "long" : "short", day: "numeric" } as const;
  const locale = language === "zh" ? "zh-CN" : "en-GB";
  const date = new Intl.DateTimeFormat(locale, options).format(at);
  const weekday = new Intl.DateTimeFormat(locale, { timeZone: "UTC", weekday: "short" }).format(at);
  if (isShort) return `${weekday} ${at.getUTCDate()}`;
  return language === "zh" ? `${date} ${weekday}` : `${weekday} ${date}`;
}

/** What a plan of a day is asked for: the whole day, or what is left of it. Null: it is over. */
export function planWindow(day: string, zone: string, nowUs: number): Span | null {
  const whole = dayWindow(day, zone);
  const minute = 60 * US;
  const start_us = Math.max(whole.start_us, Math.ceil(nowUs / minute) * minute);
  return start_us < whole.end_us ? { start_us, end_us: whole.end_us } : null;
}

export const spanText = (span: Span, zone: string): string =>
  `${clockOf(span.start_us, zone)}–${clockOf(span.end_us, zone)}`;

export const overlaps = (a: Span, b: Span): boolean => a.start_us < b.end_us && b.start_us < a.end_us;
