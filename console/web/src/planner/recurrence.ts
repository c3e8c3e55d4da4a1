// Recurrences as people say them (daily, weekdays, weekly on, monthly) and as RFC 5545 writes them.
export const WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"] as const;
export type Weekday = (typeof WEEKDAYS)[number];
export type Rhythm = "daily" | "weekdays" | "weekly" | "monthly" | "custom";
export const RHYTHMS: readonly Rhythm[] = ["daily", "weekdays", "weekly", "monthly", "custom"];

export interface Told {
  readonly rhythm: Rhythm;
  readonly days: readonly Weekday[];
  /** Of the month, 1 to 31; −1 is the last. */
  readonly monthDay: number;
  /** Every so many days, weeks or months. */
  readonly every: number;
}

const WORKING: readonly Weekday[] = ["MO", "TU", "WE", "TH", "FR"];
const PLAIN: Told = { rhythm: "daily", days: ["MO"], monthDay: 1, every: 1 };
const SAID: ReadonlySet<string> = new Set(["FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY"]);

const isWeekdays = (words: readonly string[]): words is Weekday[] =>
  words.length > 0 && words.every((word) => (WEEKDAYS as readonly string[]).includes(word));

/** What a rule says; one that says more than these words can is custom. */
export function toldOf(rule: string): Told {
  const parts = new Map(
    rule
      .toUpperCase()
      .replace(/^RRULE:/, "")
      .split(";")
      .filter(Boolean)
      .map((part) => part.split("=", 2) as [string, string]),
  );
  const custom: Told = { ...PLAIN, rhythm: "custom" };
  if ([...parts.keys()].some((name) => !SAID.has(name))) return custom;
  const every = Number(parts.get("INTERVAL") ?? 1);
  const days = parts.get("BYDAY")?.split(",") ?? [];
  const monthDay = Number(parts.get("BYMONTHDAY") ?? Number.NaN);
  const frequency = parts.get("FREQ");
  if (!Number.isInteger(every) || every < 1) return custom;
  if (frequency === "DAILY" && !days.length && Number.isNaN(monthDay)) return { ...PLAIN, every };
  if (frequency === "WEEKLY" && isWeekdays(days) && Number.isNaN(monthDay)) {
    const isWorking = every === 1 && days.length === WORKING.length && WORKING.every((day) => days.includes(day));
    return { ...PLAIN, rhythm: isWorking ? "weekdays" : "weekly", days, every };
  }
  if (frequency === "MONTHLY" && Number.isInteger(monthDay) && !days.length)
    return { ...PLAIN, rhythm: "monthly", monthDay, every };
  return custom;
}

/** The rule that says it; `before` is kept where it is custom. */
export function ruleOf(told: Told, before: string): string {
  const interval = told.every > 1 ? `;INTERVAL=${told.every}` : "";
  if (told.rhythm === "daily") return `FREQ=DAILY${interval}`;
  if (told.rhythm === "weekdays") return `FREQ=WEEKLY;BYDAY=${WORKING.join(",")}`;
  if (told.rhythm === "monthly") return `FREQ=MONTHLY${interval};BYMONTHDAY=${told.monthDay}`;
  if (told.rhythm === "custom") return before;
  const days = WEEKDAYS.filter((day) => told.days.includes(day));
  return `FREQ=WEEKLY${interval};BYDAY=${(days.length ? days : ["MO"]).join(",")}`;
}
