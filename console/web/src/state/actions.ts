// What a person can do, in one place for buttons, keys and the phone.
import { RequestError, write } from "../api/client";
import { live } from "../live/live";
import { isUnacknowledged } from "../live/alarmBook";
import { currentMap } from "../map/current";
import type { AlarmReply } from "../wire.generated";
import { getDesk } from "./desk";
import { screenOf } from "./roles";
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

/** Outline the geofences on the map of the screen that is shown, or no longer. */
export function toggleFences(): void {
  const { fencesOn, screen: chosen } = getSettings();
  const screen = screenOf(getDesk().role, chosen);
  change({ fencesOn: fencesOn.includes(screen) ? fencesOn.filter((each) => each !== screen) : [...fencesOn, screen] });
}

export const toggleTheme = (): void => change({ theme: getSettings().theme === "night" ? "day" : "night" });
export const toggleLanguage = (): void => change({ language: getSettings().language === "zh" ? "en" : "zh" });
export const toggleSound = (): void => change({ sound: !getSettings().sound });

async function decide(alarmId: string, what: string, body?: unknown): Promise<RequestError | null> {
  try {
    const reply = await write<AlarmReply>("POST", `/api/alarms/${encodeURIComponent(alarmId)}/${what}`, body);
    if (reply) live.putAlarm(reply.alarm);
    return null;
  } catch (error) {
    if (error instanceof RequestError) return error;
    throw error;
  }
}

/** Take an alarm upon oneself; resolves to null, or to the error that kept it from being taken. */
export const acknowledge = (alarmId: string) => decide(alarmId, "acknowledge");

/** Give an alarm that somebody has taken to another account. */
export const handOverAlarm = (alarmId: string, account_id: number, note: string) =>
  decide(alarmId, "hand-over", { account_id, note });

/** Say that an alarm is over and what became of it. */
export const closeAlarm = (alarmId: string, note: string) => decide(alarmId, "close", { note });

/** The most urgent alarm that nobody took. */
export const mostUrgent = () => live.book.open().find(isUnacknowledged);
