// Turns wire values into figures for people: unknown is an en dash and never 0, minus is U+2212, a thin space before units.
import type { Translate } from "../i18n/text";

export const UNKNOWN_FIGURE = "–";
export const THIN_SPACE = "\u2009";
const MINUS = "\u2212";

type Value = number | null | undefined;

const missing = (value: Value): value is null | undefined =>
  value === null || value === undefined || Number.isNaN(value);

/** A figure with `digits` after the point. */
export function figure(value: Value, digits = 0): string {
  if (missing(value)) return UNKNOWN_FIGURE;
  const shown = Math.abs(value).toFixed(digits);
  return value < 0 && Number(shown) !== 0 ? MINUS + shown : shown;
}

/** A figure and its unit, a thin space between; an unknown stands without unit. */
export function measure(value: Value, unit: string, digits = 0): string {
  return missing(value) ? UNKNOWN_FIGURE : `${figure(value, digits)}${THIN_SPACE}${unit}`;
}

/** Divide what is known; unknown stays unknown. */
export const scaled = (value: Value, divisor: number): number | null => (missing(value) ? null : value / divisor);

/** Tenths of a degree as whole degrees 000 to 359. */
export function bearing(ddeg: Value): string {
  if (missing(ddeg)) return UNKNOWN_FIGURE;
  return `${String(Math.round(ddeg / 10) % 360).padStart(3, "0")}°`;
}

/** A share 0..1 as percent. */
export const percent = (share: Value, digits = 1): string =>
  missing(share) ? UNKNOWN_FIGURE : figure(share * 100, digits);

/** An age in the largest unit that says enough: 4.2 s, 48 s, 3 min, 2 h, 5 d. */
export function age(ms: Value, t: Translate): string {
  if (missing(ms)) return UNKNOWN_FIGURE;
  const seconds = ms / 1000;
  if (seconds < 9.95) return t("age.s", { n: seconds.toFixed(1) });
  if (seconds < 120) return t("age.s", { n: Math.round(seconds) });
  if (seconds < 7200) return t("age.min", { n: Math.round(seconds / 60) });
  if (seconds < 172_800) return t("age.h", { n: Math.round(seconds / 3600) });
  return t("age.d", { n: Math.round(seconds / 86_400) });
}

/** A duration as minutes and seconds, 0:41; hours before them where there are any. */
export function duration(ms: Value): string {
  if (missing(ms)) return UNKNOWN_FIGURE;
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number): string => String(n).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** Clock time of a moment (milliseconds since 1970) in the browser's zone, 21:47:32. */
export function clockTime(ms: Value): string {
  if (missing(ms)) return UNKNOWN_FIGURE;
  const at = new Date(ms);
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map((n) => String(n).padStart(2, "0")).join(":");
}

/** Day of a moment, as 9月18日 周五 or Fri 18 Sep. */
export function day(ms: number, language: "zh" | "en"): string {
  const at = new Date(ms);
  if (language === "zh") return `${at.getMonth() + 1}月${at.getDate()}日 周${"日一二三四五六"[at.getDay()]}`;
  return new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short" })
    .format(at)
    .replace(",", "");
}

/** Square kilometres with one decimal, two below a tenth. */
export const area = (km2: Value): string => (missing(km2) ? UNKNOWN_FIGURE : figure(km2, km2 < 0.095 ? 2 : 1));

/** A distance in metres or, from 950 m on, in kilometres. */
export function distance(metres: Value): string {
  if (missing(metres)) return UNKNOWN_FIGURE;
  return metres < 950
    ? `${figure(Math.round(metres / 10) * 10)}${THIN_SPACE}m`
    : `${figure(metres / 1000, 1)}${THIN_SPACE}km`;
}

/** A change of a share (−1..1) in percent points with its sign: −0.5, ±0.0, +1.2. */
export function shift(share: Value): string {
  if (missing(share)) return UNKNOWN_FIGURE;
  const points = Math.round(share * 1000) / 10;
  if (points === 0) return "±0.0";
  return points > 0 ? `+${points.toFixed(1)}` : `−${(-points).toFixed(1)}`;
}
