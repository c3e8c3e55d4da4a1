// What a person can do, in one place for buttons, keys and the phone.
import { RequestError, write } from "../api/client";
import { live } from "../live/live";
import { isUnacknowledged } from "../live/alarmBook";
import { currentMap } from "../map/current";
import type { AlarmReply } from "../wire.generated";
import { type CoverageMode, change, getSettings } from "./settings";

const COVERAGE_ORDER: readonly CoverageMode[] = ["area", "lines", "off"];

/** Show a unit's details and bring it to the middle of the map. */
export function selectUnit(unitId: number): void {
  const { selectedId, track } = getSettings();
  change({ selectedId: unitId, cursorId: unitId, stationId: null, track: unitId === selectedId ? track : null });
  currentMap()?.centre(unitId);
}

export const deselect = (): void => change({ selectedId: null, follow: false, track: null });

export function toggleFollow(): void {
  const { follow, selectedId } = getSettings();
  if (selectedId === null) return;
  change({ follow: !follow });
  if (!follow) currentMap()?.centre(selectedId);
}

export function cycleCoverage(): void {
  const at = COVERAGE_ORDER.indexOf(getSettings().coverage);
  change({ coverage: COVERAGE_ORDER[(at + 1) % COVERAGE_ORDER.length]! });
}

export const toggleTrails = (): void => change({ trails: !getSettings().trails });
export const toggleLabels = (): void => change({ labels: !getSettings().labels });
export const toggleTheme = (): void => change({ theme: getSettings().theme === "night" ? "day" : "night" });
export const toggleLanguage = (): void => change({ language: getSettings().language === "zh" ? "en" : "zh" });
export const toggleSound = (): void => change({ sound: !getSettings().sound });

/** Take an alarm upon oneself; resolves to null, or to the error that kept it from being taken. */
export async function acknowledge(alarmId: string): Promise<RequestError | null> {
  try {
    const reply = await write<AlarmReply>("POST", `/api/alarms/${encodeURIComponent(alarmId)}/acknowledge`);
    if (reply) live.putAlarm(reply.alarm);
    return null;
  } catch (error) {
    if (error instanceof RequestError) return error;
    throw error;
  }
}

/** The most urgent alarm that nobody took. */
export const mostUrgent = () => live.book.open().find(isUnacknowledged);
