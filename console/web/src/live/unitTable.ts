// The live columns of every unit, one slot a unit, growing; nothing in here is an object per unit.
import { UNIT_COLUMNS, type UnitColumn } from "../wire.generated";
import type { Column } from "./frame";

const FIRST_CAPACITY = 256;

function emptyColumn(type: "i1" | "i2" | "i4", capacity: number, unknown: number | null): Column {
  const column =
    type === "i1" ? new Int8Array(capacity) : type === "i2" ? new Int16Array(capacity) : new Int32Array(capacity);
  if (unknown !== null) column.fill(unknown);
  return column;
}

function grownColumns(capacity: number, old?: Record<UnitColumn, Column>): Record<UnitColumn, Column> {
  const columns = {} as Record<UnitColumn, Column>;
  for (const { name, type, unknown } of UNIT_COLUMNS) {
    columns[name] = emptyColumn(type, capacity, unknown);
    if (old) columns[name].set(old[name]);
  }
  return columns;
}

function grown<T extends Float64Array | Uint8Array>(make: (n: number) => T, capacity: number, old?: T): T {
  const column = make(capacity);
  if (old) column.set(old);
  return column;
}

const doubles = (n: number): Float64Array<ArrayBuffer> => new Float64Array(n);
const bytes = (n: number): Uint8Array<ArrayBuffer> => new Uint8Array(n);

/** Columns by slot. Degrees in doubles; times are the server's milliseconds; `shown` is 0 for units out of the view. */
export class UnitTable {
  count = 0;
  capacity = FIRST_CAPACITY;
  wire = grownColumns(FIRST_CAPACITY);
  observedMs = doubles(FIRST_CAPACITY).fill(Number.NaN);
  fromLonLat = doubles(FIRST_CAPACITY * 2);
  toLonLat = doubles(FIRST_CAPACITY * 2);
  moveStartMs = doubles(FIRST_CAPACITY);
  moveForMs = doubles(FIRST_CAPACITY);
  intervalS = doubles(FIRST_CAPACITY).fill(1);
  shown = bytes(FIRST_CAPACITY);
  kind = bytes(FIRST_CAPACITY);
  /** Where markers are drawn: lon, lat, 0 by slot. */
  drawn = doubles(FIRST_CAPACITY * 3);
  private slots = new Map<number, number>();

  /** The slot of a unit, undefined if it was never named. */
  slotOf(unitId: number): number | undefined {
    return this.slots.get(unitId);
  }

  /** The slot of a unit, made if missing. */
  slotFor(unitId: number): number {
    const known = this.slots.get(unitId);
    if (known !== undefined) return known;
    if (this.count === this.capacity) this.grow();
    const slot = this.count++;
    this.slots.set(unitId, slot);
    this.wire.unit_id[slot] = unitId;
    return slot;
  }

  private grow(): void {
    const capacity = this.capacity * 2;
    this.wire = grownColumns(capacity, this.wire);
    const observedMs = doubles(capacity).fill(Number.NaN);
    observedMs.set(this.observedMs);
    this.observedMs = observedMs;
    const intervalS = doubles(capacity).fill(1);
    intervalS.set(this.intervalS);
    this.intervalS = intervalS;
    this.fromLonLat = grown(doubles, capacity * 2, this.fromLonLat);
    this.toLonLat = grown(doubles, capacity * 2, this.toLonLat);
    this.moveStartMs = grown(doubles, capacity, this.moveStartMs);
    this.moveForMs = grown(doubles, capacity, this.moveForMs);
    this.shown = grown(bytes, capacity, this.shown);
    this.kind = grown(bytes, capacity, this.kind);
    this.drawn = grown(doubles, capacity * 3, this.drawn);
    this.capacity = capacity;
  }
}
