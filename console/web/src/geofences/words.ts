// A geofence in words: when it holds, at which heights, whom it concerns, what it watches for.
import { figure } from "../format/figures";
import { nameIn, type Language, type Translate } from "../i18n/text";
import type { GeofenceView, StationView } from "../wire.generated";

const KMH_PER_MPS = 3.6;
const DAY_MINUTES = 1440;

/** Minutes of the day as 08:30; 24:00 is the day's end. */
export const minuteText = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;

/** 08:30 as minutes of the day; the end of a day may be written 24:00. Null for what is no time. */
export function minuteOf(text: string): number | null {
  const found = /^(\d{1,2}):(\d{2})$/.exec(text.trim());
  if (!found) return null;
  const minute = Number(found[1]) * 60 + Number(found[2]);
  return Number(found[2]) < 60 && minute <= DAY_MINUTES ? minute : null;
}

export const toKmh = (mps: number | null): number | null => (mps === null ? null : mps * KMH_PER_MPS);
export const ofKmh = (kmh: number | null): number | null => (kmh === null ? null : kmh / KMH_PER_MPS);

/** When it holds: days and hours; always in one word. */
export function windowText(t: Translate, fence: Pick<GeofenceView, "days" | "from_minute" | "to_minute">): string {
  const isAllDay = fence.from_minute === 0 && fence.to_minute === DAY_MINUTES;
  if (fence.days.length === 7 && isAllDay) return t("fence.always");
  const days =
    fence.days.length === 7 ? t("fence.daily") : fence.days.map((each) => t(`fence.day.${each as 1}`)).join(" ");
  return isAllDay ? days : `${days} ${minuteText(fence.from_minute)}–${minuteText(fence.to_minute)}`;
}

/** At which heights it holds; empty at any. */
export function heightText(t: Translate, fence: Pick<GeofenceView, "lowest_m" | "highest_m" | "height_above">): string {
  if (fence.lowest_m === null && fence.highest_m === null) return "";
  const above = t(fence.height_above === "home" ? "fence.aboveHome" : "fence.aboveSea");
  return `${fence.lowest_m === null ? "" : figure(fence.lowest_m)}–${fence.highest_m === null ? "" : figure(fence.highest_m)} m ${above}`;
}

/** Whom it concerns. */
export function concernText(
  t: Translate,
  language: Language,
  fence: Pick<GeofenceView, "kinds" | "services" | "station_ids" | "unit_ids">,
  stations: readonly StationView[],
): string {
  const parts = [
    ...fence.kinds.map((kind) => t(`kind.${kind}`)),
    ...fence.services.map((service) => t(`service.${service}`)),
    ...stations.filter((each) => fence.station_ids.includes(each.station_id)).map((each) => nameIn(language, each)),
  ];
  if (fence.unit_ids.length) parts.push(t("fence.units", { count: fence.unit_ids.length }));
  return parts.length ? parts.join(" · ") : t("fence.everyUnit");
}
