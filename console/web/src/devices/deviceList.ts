// The devices that are looked for, in a steady order, and how many there are of each state.
import { age } from "../format/figures";
import { type Language, nameIn, type Translate } from "../i18n/text";
import type { DeviceView, EnrolmentRuleView, LinkState, UnitMeta } from "../wire.generated";

export interface DeviceRow {
  readonly device: DeviceView;
  readonly unit: UnitMeta | null;
  /** The unit's name; "" for a device that speaks for nobody. */
  readonly unitName: string;
}

export type DeviceFilter = "all" | LinkState | "idle" | "revoked" | "waiting";
export const DEVICE_FILTERS: readonly DeviceFilter[] = [
  "all",
  "live",
  "stale",
  "lost",
  "never",
  "idle",
  "waiting",
  "revoked",
];

/** Devices with their units: by unit, those that speak for nobody last. */
export function deviceRows(
  devices: readonly DeviceView[],
  units: ReadonlyMap<number, UnitMeta>,
  language: Language,
): DeviceRow[] {
  const rows = devices.map((device) => {
    const unit = device.unit_id === null ? null : (units.get(device.unit_id) ?? null);
    return { device, unit, unitName: unit ? nameIn(language, unit) || unit.call_sign : "" };
  });
  const keyOf = (row: DeviceRow): string => row.unit?.call_sign ?? "\uffff";
  return rows.sort((a, b) => {
    const [one, other] = [keyOf(a), keyOf(b)];
    return one === other ? a.device.device_id - b.device.device_id : one < other ? -1 : 1;
  });
}

/** True for a device that belongs to the filter; revoked ones stand under their own name alone. */
export function belongs({ device }: DeviceRow, filter: DeviceFilter): boolean {
  if (filter === "revoked") return device.revoked;
  if (device.revoked) return false;
  if (filter === "all") return true;
  if (filter === "idle") return device.unit_id === null;
  if (filter === "waiting") return device.secret_state === "waiting" || device.secret_state === "late";
  return device.link === filter;
}

/** True if every word looked for stands in the device's names, address, protocol or unit. */
export function fitsDevice({ device, unit }: DeviceRow, query: string): boolean {
  const haystack = [
    String(device.device_id),
    device.protocol,
    device.address,
    device.label,
    device.registered_at,
    unit?.call_sign,
    unit?.name_zh,
    unit?.name_en,
  ]
    .join(" ")
    .toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => haystack.includes(word));
}

/** How many devices belong to each filter. */
export function countDevices(rows: readonly DeviceRow[]): Readonly<Record<DeviceFilter, number>> {
  const count = (filter: DeviceFilter): number => rows.filter((row) => belongs(row, filter)).length;
  return Object.fromEntries(DEVICE_FILTERS.map((filter) => [filter, count(filter)])) as Record<DeviceFilter, number>;
}

/** The device beside another in the list, the first where none was chosen. */
export function deviceBeside(rows: readonly DeviceRow[], deviceId: number | null, step: number): number | null {
  if (rows.length === 0) return null;
  const at = rows.findIndex((row) => row.device.device_id === deviceId);
  const next = at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.max(0, Math.min(rows.length - 1, at + step));
  return rows[next]!.device.device_id;
}

/** True if an address has its protocol's form; a token has none. */
export const hasForm = (rule: EnrolmentRuleView, address: string): boolean =>
  rule.secret === "token" || new RegExp(`^(?:${rule.form})$`).test(address.trim());

/** A zone as people write it: +08:00. */
export function zoneText(offsetS: number): string {
  const minutes = Math.round(Math.abs(offsetS) / 60);
  const two = (n: number): string => String(n).padStart(2, "0");
  return `${offsetS < 0 ? "−" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** How long ago a device was heard, in whole seconds: in a table nothing flickers. */
export function heardAgo(heardMs: number | null, nowMs: number, t: Translate): string {
  if (heardMs === null) return "–";
  const ms = Math.max(0, nowMs - heardMs);
  return ms < 9950 ? t("age.s", { n: Math.floor(ms / 1000) }) : age(ms, t);
}

/** The protocols that there are devices of. */
export const protocolsOf = (rows: readonly DeviceRow[]): string[] =>
  [...new Set(rows.map((row) => row.device.protocol))].sort();
