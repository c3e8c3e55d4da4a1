// Builds the unit list: who needs attention, the drones, the others; filtered, in a steady order.
import { type Language, nameIn } from "../i18n/text";
import type { Freshness } from "../live/freshness";
import type { UnitStore } from "../live/unitStore";
import {
  DUTY_STATUSES,
  type DutyStatus,
  LINK_STATES,
  type StationView,
  UnitBit,
  type UnitKind,
  type UnitMeta,
  UNKNOWN,
} from "../wire.generated";

export interface UnitRow {
  readonly unitId: number;
  readonly meta: UnitMeta;
  readonly name: string;
  readonly station: StationView | null;
  readonly freshness: Freshness;
  readonly ageMs: number | null;
  readonly batteryPct: number | null;
  readonly duty: DutyStatus;
  readonly sos: boolean;
  readonly airborne: boolean;
  readonly replayed: boolean;
}

export type Group = "attention" | "drones" | "others";

export interface Counts {
  readonly online: number;
  readonly total: number;
  readonly free: number;
  readonly stale: number;
  readonly lost: number;
  readonly airborne: number;
  /** Drones without those of a replay. */
  readonly drones: number;
  /** Those in the first group of the list: who calls for help, and who fell silent. */
  readonly attention: number;
  readonly sos: number;
  readonly kinds: Readonly<Partial<Record<UnitKind, number>>>;
}

const AVAILABLE: ReadonlySet<DutyStatus> = new Set(["free", "standby"]);
const AIRBORNE = UnitBit.AIRBORNE | UnitBit.AIRBORNE_KNOWN;
/** Silent for longer than this, a unit is simply away and no longer asks for attention. */
const ATTENTION_MS = 1_800_000;

/** The moment for which freshness is told (it stands still while the connection is lost) and the one for ages. */
export interface Moments {
  readonly nowMs: number;
  readonly frozenMs: number | null;
}

function rowOf(
  store: UnitStore,
  meta: UnitMeta,
  station: StationView | null,
  { nowMs, frozenMs }: Moments,
  language: Language,
): UnitRow {
  const slot = store.table.slotFor(meta.unit_id);
  const { wire } = store.table;
  const battery = wire.battery_pct[slot]!;
  const heard = LINK_STATES[wire.link[slot]!] !== "never";
  const bits = wire.state[slot]!;
  return {
    unitId: meta.unit_id,
    meta,
    station,
    name: nameIn(language, meta) || meta.call_sign,
    freshness: store.freshness(slot, frozenMs ?? nowMs),
    ageMs: store.ageMs(slot, nowMs),
    batteryPct: battery === UNKNOWN.i1 ? null : battery,
    duty: heard ? (DUTY_STATUSES[wire.duty[slot]!] ?? meta.duty_status) : meta.duty_status,
    sos: (bits & UnitBit.SOS) !== 0,
    airborne: (bits & AIRBORNE) === AIRBORNE,
    replayed: (bits & UnitBit.REPLAYED) !== 0,
  };
}

/** A row of every unit, by call sign. */
export function allRows(
  store: UnitStore,
  stations: readonly StationView[],
  moments: Moments,
  language: Language,
): UnitRow[] {
  const stationOf = new Map(stations.map((station) => [station.station_id, station]));
  const rows = [...store.meta.values()].map((meta) =>
    rowOf(store, meta, meta.station_id === null ? null : (stationOf.get(meta.station_id) ?? null), moments, language),
  );
  return rows.sort((a, b) => (a.meta.call_sign < b.meta.call_sign ? -1 : 1));
}

/** The group in which a unit stands: once, in the first that fits. */
export function groupOf(row: UnitRow): Group {
  if (row.sos) return "attention";
  const silent = row.freshness === "stale" || row.freshness === "lost";
  if (silent && !row.replayed && row.duty !== "off_duty" && (row.ageMs ?? 0) < ATTENTION_MS) return "attention";
  return row.meta.kind === "drone" ? "drones" : "others";
}

const byAttention = (a: UnitRow, b: UnitRow): number =>
  Number(b.sos) - Number(a.sos) ||
  Number(b.meta.kind === "drone") - Number(a.meta.kind === "drone") ||
  (a.meta.call_sign < b.meta.call_sign ? -1 : 1);

/** The rows of each group. */
export function grouped(rows: readonly UnitRow[]): Record<Group, UnitRow[]> {
  const groups: Record<Group, UnitRow[]> = { attention: [], drones: [], others: [] };
  for (const row of rows) groups[groupOf(row)].push(row);
  groups.attention.sort(byAttention);
  return groups;
}

/** True if a unit fits the kind and the words looked for: its names, call sign and station. */
export function fits(row: UnitRow, kind: UnitKind | null, query: string): boolean {
  if (kind && row.meta.kind !== kind) return false;
  const { meta, station } = row;
  const haystack = [meta.call_sign, meta.name_zh, meta.name_en, station?.name_zh, station?.name_en]
    .join(" ")
    .toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => haystack.includes(word));
}

/** Online = live or stale; a unit never heard is not online, and one of a replay is nobody to send. */
export function countsOf(rows: readonly UnitRow[]): Counts {
  const kinds: Partial<Record<UnitKind, number>> = {};
  let [online, free, stale, lost, airborne, drones, attention, sos] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (const row of rows) {
    kinds[row.meta.kind] = (kinds[row.meta.kind] ?? 0) + 1;
    if (row.replayed) continue;
    if (row.meta.kind === "drone") drones++;
    const isOnline = row.freshness === "live" || row.freshness === "stale";
    if (isOnline) online++;
    if (isOnline && AVAILABLE.has(row.duty)) free++;
    if (isOnline && row.airborne && row.meta.kind === "drone") airborne++;
    if (groupOf(row) === "attention") attention++;
    if (row.sos) sos++;
    if (row.freshness === "stale") stale++;
    if (row.freshness === "lost") lost++;
  }
  return { online, total: rows.length, free, stale, lost, airborne, drones, attention, sos, kinds };
}
