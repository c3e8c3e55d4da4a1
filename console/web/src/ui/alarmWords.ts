// An alarm in words: its kind, what it is about, whether it came late, how it stands.
import { clockTime, duration } from "../format/figures";
import { type Language, nameIn, type Translate } from "../i18n/text";
import { isUnacknowledged } from "../live/alarmBook";
import type { Alarm, GeofenceView } from "../wire.generated";

/** What an alarm is about beyond its kind: the geofence, speed and limit, the nearest other unit, the device's own words. */
export function aboutText(t: Translate, language: Language, alarm: Alarm, fences: readonly GeofenceView[]): string {
  const fence = fences.find((each) => each.geofence_id === alarm.geofence_id);
  const name = fence ? nameIn(language, fence) : "";
  if (alarm.kind === "geofence") return name || alarm.text;
  if (alarm.kind === "speeding" && alarm.geofence_id !== null) return [alarm.text, name].filter(Boolean).join(" · ");
  if (alarm.kind === "officer_alone")
    return alarm.text ? t("alarms.nearest", { distance: alarm.text }) : t("alarms.nobodyNear");
  return alarm.text;
}

/** Who has it, or how long it has waited. */
export function standingText(t: Translate, alarm: Alarm, nowMs: number): string {
  if (!isUnacknowledged(alarm)) return t("alarms.acknowledged", { who: alarm.owner ?? alarm.acknowledged_by ?? "" });
  return t("alarms.unacknowledged", { age: duration(nowMs - alarm.raised_us / 1000) });
}

/** When the device saw what it told late; empty where it told at once. */
export const lateText = (t: Translate, alarm: Alarm): string =>
  alarm.is_late ? t("alarms.late", { time: clockTime(alarm.observed_us / 1000) }) : "";
