// What the person chose: language, theme, layers, selection. Kept outside React; the lasting part in local storage.
import { useSyncExternalStore } from "react";
import type { Language } from "../i18n/text";
import type { UnitKind } from "../wire.generated";

export type Theme = "night" | "day";
export type CoverageMode = "area" | "lines" | "off";
export type Tab = "units" | "alarms" | "incidents" | "map" | "more";
export type Screen = "operator" | "supervisor" | "plan" | "devices" | "links" | "geofences";
/** What the supervisor's map shows of coverage: as it is, as planned, what differs, nothing. */
export type CoverView = "now" | "plan" | "change" | "off";

export interface ShownTrack {
  readonly unitId: number;
  readonly path: readonly [number, number][];
  readonly minutes: number;
}

export interface Settings {
  /** The screen that was chosen last; null: the role's own. */
  readonly screen: Screen | null;
  readonly cover: CoverView;
  readonly language: Language;
  readonly theme: Theme;
  readonly coverage: CoverageMode;
  readonly trails: boolean;
  readonly labels: boolean;
  /** On which screens' maps the geofences are outlined. */
  readonly fencesOn: readonly Screen[];
  readonly sound: boolean;
  readonly listCollapsed: boolean;
  readonly follow: boolean;
  readonly selectedId: number | null;
  /** The row on which the list's focus stands. */
  readonly cursorId: number | null;
  readonly stationId: number | null;
  readonly kind: UnitKind | null;
  readonly query: string;
  readonly helpOpen: boolean;
  readonly tab: Tab;
  readonly track: ShownTrack | null;
}

const LASTING = [
  "screen",
  "cover",
  "language",
  "theme",
  "coverage",
  "trails",
  "labels",
  "fencesOn",
  "sound",
  "listCollapsed",
] as const;
const KEY = "skybeat";

function readLasting(): Partial<Settings> {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Settings>;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof DOMException) return {};
    throw error;
  }
}

function writeLasting(settings: Settings): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(Object.fromEntries(LASTING.map((key) => [key, settings[key]]))));
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
  }
}

let settings: Settings = {
  screen: null,
  cover: "now",
  language: navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en",
  theme: "night",
  coverage: "area",
  trails: true,
  labels: true,
  fencesOn: ["operator"],
  sound: true,
  listCollapsed: false,
  follow: false,
  selectedId: null,
  cursorId: null,
  stationId: null,
  kind: null,
  query: "",
  helpOpen: false,
  tab: "units",
  track: null,
  ...readLasting(),
};

const listeners = new Set<() => void>();

/** The settings now. */
export const getSettings = (): Settings => settings;

/** Change some settings and tell everyone. */
export function change(part: Partial<Settings>): void {
  settings = { ...settings, ...part };
  if (LASTING.some((key) => key in part)) writeLasting(settings);
  for (const listener of listeners) listener();
}

/** Be told of changes. */
export function onChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The settings in a component. */
export const useSettings = (): Settings => useSyncExternalStore(onChange, getSettings);
