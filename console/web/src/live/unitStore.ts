// The one store of live units: fed by frames, read by the map each animation frame and by React twice a second.
import { UNIT_COLUMNS, UNIT_KINDS, UnitBit, UNKNOWN, type UnitColumn, type UnitMeta } from "../wire.generated";
import type { Frame, TrailFrame, UnitsFrame } from "./frame";
import { type Freshness, freshnessOf } from "./freshness";
import { TrailRings } from "./trails";
import { UnitTable } from "./unitTable";

const E7 = 1e7;
/** Farther than this (degrees, about 900 m) a marker does not glide: it is put there. */
const GLIDE_LIMIT_DEG = 0.008;
const DEFAULT_INTERVAL_S = 1;
/** Markers interpolate over two reporting intervals at most. */
const GLIDE_INTERVALS = 2;
const GLIDE_AT_LEAST_MS = 200;
const WITHOUT_TRAIL = UNIT_KINDS.indexOf("officer");

const COPIED: readonly UnitColumn[] = UNIT_COLUMNS.map((column) => column.name).filter(
  (name) => name !== "unit_id" && name !== "age_ms",
);
const UNKNOWN_OF = Object.fromEntries(UNIT_COLUMNS.map(({ name, unknown }) => [name, unknown]));

/** What is known of one unit now; null is unknown and never 0. */
export interface UnitReading {
  readonly unitId: number;
  readonly lon: number | null;
  readonly lat: number | null;
  readonly observedMs: number | null;
  readonly freshness: Freshness;
  readonly ageMs: number | null;
  readonly bits: number;
  readonly values: Readonly<Record<UnitColumn, number | null>>;
}

export class UnitStore {
  readonly table = new UnitTable();
  readonly trails = new TrailRings();
  meta: ReadonlyMap<number, UnitMeta> = new Map();
  frames = 0;
  deltas = 0;
  /** Grows with every change of any unit. */
  version = 0;
  /** Grows with every change of the units' names and kinds. */
  metaVersion = 0;

  /** Take the units' names and kinds; units that are not among them are shown no longer. */
  setMeta(units: readonly UnitMeta[]): void {
    this.meta = new Map(units.map((unit) => [unit.unit_id, unit]));
    for (const unit of units) this.placeMeta(unit);
    for (let slot = 0; slot < this.table.count; slot++) {
      if (!this.meta.has(this.table.wire.unit_id[slot]!)) this.table.shown[slot] = 0;
    }
    this.version++;
    this.metaVersion++;
  }

  private placeMeta(unit: UnitMeta): void {
    const slot = this.table.slotFor(unit.unit_id);
    this.table.kind[slot] = UNIT_KINDS.indexOf(unit.kind);
    const intervals = unit.devices.map((device) => device.report_interval_s).filter((seconds) => seconds > 0);
    this.table.intervalS[slot] = intervals.length ? Math.min(...intervals) : DEFAULT_INTERVAL_S;
  }

  /** Take a frame that arrived at `nowMs` (server's clock). */
  apply(frame: Frame, nowMs: number): void {
    this.frames++;
    this.version++;
    if (frame.kind === "gone") this.hide(frame.unitIds);
    else if (frame.kind === "trail") this.takeTrail(frame);
    else this.takeUnits(frame, nowMs);
  }

  private hide(unitIds: ArrayLike<number>): void {
    for (let i = 0; i < unitIds.length; i++) {
      const slot = this.table.slotOf(unitIds[i]!);
      if (slot !== undefined) this.table.shown[slot] = 0;
    }
  }

  private takeUnits(frame: UnitsFrame, nowMs: number): void {
    if (frame.kind === "delta") this.deltas++;
    else this.table.shown.fill(0);
    for (let row = 0; row < frame.n; row++) this.takeRow(frame, row, nowMs);
  }

  private takeRow(frame: UnitsFrame, row: number, nowMs: number): void {
    const { columns } = frame;
    const slot = this.table.slotFor(columns.unit_id[row]!);
    const { wire } = this.table;
    const before = this.table.observedMs[slot]!;
    for (const name of COPIED) wire[name][slot] = columns[name][row]!;
    const age = columns.age_ms[row]!;
    const observedMs = age === UNKNOWN.i4 ? Number.NaN : frame.tMs - age;
    this.table.observedMs[slot] = observedMs;
    const placed = wire.lat_e7[slot] !== UNKNOWN.i4 && wire.lon_e7[slot] !== UNKNOWN.i4;
    this.table.shown[slot] = placed ? 1 : 0;
    if (placed) this.movedTo(slot, wire.lon_e7[slot]! / E7, wire.lat_e7[slot]! / E7, before, observedMs, nowMs);
  }

  private movedTo(slot: number, lon: number, lat: number, before: number, observedMs: number, nowMs: number): void {
    const { table } = this;
    if (table.toLonLat[slot * 2] === lon && table.toLonLat[slot * 2 + 1] === lat) return;
    const far =
      Number.isNaN(before) ||
      Math.abs(table.drawn[slot * 3]! - lon) > GLIDE_LIMIT_DEG ||
      Math.abs(table.drawn[slot * 3 + 1]! - lat) > GLIDE_LIMIT_DEG;
    table.fromLonLat[slot * 2] = far ? lon : table.drawn[slot * 3]!;
    table.fromLonLat[slot * 2 + 1] = far ? lat : table.drawn[slot * 3 + 1]!;
    table.toLonLat[slot * 2] = lon;
    table.toLonLat[slot * 2 + 1] = lat;
    table.moveStartMs[slot] = nowMs;
    const longestMs = GLIDE_INTERVALS * table.intervalS[slot]! * 1000;
    table.moveForMs[slot] = far ? 0 : Math.min(longestMs, Math.max(GLIDE_AT_LEAST_MS, observedMs - before));
    if (far) this.put(slot, lon, lat);
    if (table.kind[slot] !== WITHOUT_TRAIL) this.trails.add(table.wire.unit_id[slot]!, lon, lat, observedMs);
  }

  private put(slot: number, lon: number, lat: number): void {
    this.table.drawn[slot * 3] = lon;
    this.table.drawn[slot * 3 + 1] = lat;
  }

  private takeTrail(frame: TrailFrame): void {
    const places = Array.from(frame.ageMs, (age, i) => ({
      lon: frame.lonE7[i]! / E7,
      lat: frame.latE7[i]! / E7,
      atMs: frame.tMs - age,
    }));
    this.trails.replace(frame.unitId, places);
  }

  /** Move drawn markers to where they belong at `nowMs`; returns true if any moved. `glide` off: jump at each report. */
  advance(nowMs: number, glide: boolean): boolean {
    const { table } = this;
    let moved = false;
    for (let slot = 0; slot < table.count; slot++) {
      if (!table.shown[slot]) continue;
      const toLon = table.toLonLat[slot * 2]!;
      const toLat = table.toLonLat[slot * 2 + 1]!;
      if (table.drawn[slot * 3] === toLon && table.drawn[slot * 3 + 1] === toLat) continue;
      const forMs = table.moveForMs[slot]!;
      const part = glide && forMs > 0 ? Math.min(1, (nowMs - table.moveStartMs[slot]!) / forMs) : 1;
      if (part >= 1) this.put(slot, toLon, toLat);
      else {
        const fromLon = table.fromLonLat[slot * 2]!;
        const fromLat = table.fromLonLat[slot * 2 + 1]!;
        this.put(slot, fromLon + (toLon - fromLon) * part, fromLat + (toLat - fromLat) * part);
      }
      moved = true;
    }
    return moved;
  }

  /** Milliseconds since the sensor saw what is shown; null: never heard. */
  ageMs(slot: number, nowMs: number): number | null {
    const observedMs = this.table.observedMs[slot]!;
    return Number.isNaN(observedMs) ? null : Math.max(0, nowMs - observedMs);
  }

  freshness(slot: number, nowMs: number): Freshness {
    return freshnessOf(this.table.wire.link[slot]!, this.ageMs(slot, nowMs), this.table.intervalS[slot]!);
  }

  /** True while the unit asks for help. */
  alarmed(slot: number): boolean {
    return (this.table.wire.state[slot]! & UnitBit.SOS) !== 0;
  }

  /** Everything about one unit, null where unknown; undefined if there is no such unit. */
  read(unitId: number, nowMs: number): UnitReading | undefined {
    const slot = this.table.slotOf(unitId);
    if (slot === undefined) return undefined;
    const { wire, observedMs } = this.table;
    const values = {} as Record<UnitColumn, number | null>;
    for (const { name } of UNIT_COLUMNS) {
      const value = wire[name][slot]!;
      values[name] = value === UNKNOWN_OF[name] ? null : value;
    }
    const heard = !Number.isNaN(observedMs[slot]!);
    return {
      unitId,
      lon: values.lon_e7 === null ? null : values.lon_e7 / E7,
      lat: values.lat_e7 === null ? null : values.lat_e7 / E7,
      observedMs: heard ? observedMs[slot]! : null,
      freshness: this.freshness(slot, nowMs),
      ageMs: this.ageMs(slot, nowMs),
      bits: wire.state[slot]!,
      values,
    };
  }
}
