// Builds frames as the server does, for tests.
import { ALIGNMENT_BYTES, HEADER_BYTES, TRAIL_COLUMNS, UNIT_COLUMNS, type UnitColumn } from "../src/wire.generated";

type Row = Partial<Record<UnitColumn, number>> & { unit_id: number };

const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;

export function header(buffer: ArrayBuffer, kind: number, n: number, tMs: number, seq = 1): void {
  const view = new DataView(buffer);
  view.setUint8(0, 0x53);
  view.setUint8(1, 0x4b);
  view.setUint8(2, 1);
  view.setUint8(3, kind);
  view.setUint32(8, n, true);
  view.setUint32(12, 7, true);
  view.setBigUint64(16, BigInt(seq), true);
  view.setFloat64(24, tMs, true);
}

function put(view: DataView, type: string, at: number, value: number): void {
  if (type === "i1") view.setInt8(at, value);
  else if (type === "i2") view.setInt16(at, value, true);
  else view.setInt32(at, value, true);
}

export function unitsFrame(kind: 1 | 2, rows: readonly Row[], tMs: number): ArrayBuffer {
  const size = UNIT_COLUMNS.reduce((sum, column) => sum + aligned(column.bytes * rows.length), HEADER_BYTES);
  const buffer = new ArrayBuffer(size);
  header(buffer, kind, rows.length, tMs);
  const view = new DataView(buffer);
  let offset = HEADER_BYTES;
  for (const { name, type, bytes, unknown } of UNIT_COLUMNS) {
    for (const [i, row] of rows.entries()) put(view, type, offset + i * bytes, row[name] ?? unknown ?? 0);
    offset += aligned(bytes * rows.length);
  }
  return buffer;
}

export function goneFrame(unitIds: readonly number[], tMs: number): ArrayBuffer {
  const buffer = new ArrayBuffer(HEADER_BYTES + aligned(unitIds.length * 4));
  header(buffer, 3, unitIds.length, tMs);
  const view = new DataView(buffer);
  for (const [i, id] of unitIds.entries()) view.setInt32(HEADER_BYTES + i * 4, id, true);
  return buffer;
}

export function trailFrame(unitId: number, points: readonly [number, number, number][], tMs: number): ArrayBuffer {
  const step = aligned(points.length * 4);
  const buffer = new ArrayBuffer(HEADER_BYTES + ALIGNMENT_BYTES + step * TRAIL_COLUMNS.length);
  header(buffer, 4, points.length, tMs);
  const view = new DataView(buffer);
  view.setInt32(HEADER_BYTES, unitId, true);
  for (const [i, point] of points.entries()) {
    for (const [c, value] of point.entries()) {
      view.setInt32(HEADER_BYTES + ALIGNMENT_BYTES + c * step + i * 4, value, true);
    }
  }
  return buffer;
}
