// Decodes the binary frames of skb1: a 32-byte header, then columns that are laid over the buffer without copying.
import {
  ALIGNMENT_BYTES,
  type ColumnType,
  FrameKind,
  GONE_COLUMNS,
  HEADER_BYTES,
  HEADER_OFFSET,
  MAGIC,
  PROTOCOL_VERSION,
  TRAIL_COLUMNS,
  UNIT_COLUMNS,
  type UnitColumn,
} from "../wire.generated";

export type Column = Int8Array | Int16Array | Int32Array;
export type UnitColumns = Readonly<Record<UnitColumn, Column>>;

interface Head {
  readonly n: number;
  readonly epoch: number;
  readonly seq: number;
  readonly tMs: number;
}

export interface UnitsFrame extends Head {
  readonly kind: "snapshot" | "delta";
  readonly columns: UnitColumns;
}

export interface GoneFrame extends Head {
  readonly kind: "gone";
  readonly unitIds: Column;
}

export interface TrailFrame extends Head {
  readonly kind: "trail";
  readonly unitId: number;
  readonly ageMs: Column;
  readonly latE7: Column;
  readonly lonE7: Column;
}

export type Frame = UnitsFrame | GoneFrame | TrailFrame;

/** A frame that cannot be read; says what was found and what is allowed. */
export class FrameError extends Error {}

const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;

function columnAt(buffer: ArrayBuffer, offset: number, type: ColumnType, n: number): Column {
  if (type === "i1") return new Int8Array(buffer, offset, n);
  if (type === "i2") return new Int16Array(buffer, offset, n);
  return new Int32Array(buffer, offset, n);
}

interface ColumnPlan {
  readonly name: string;
  readonly type: ColumnType;
  readonly bytes: number;
}

function columnsAt(buffer: ArrayBuffer, start: number, plan: readonly ColumnPlan[], n: number): Record<string, Column> {
  const size = plan.reduce((sum, column) => sum + aligned(column.bytes * n), start);
  if (buffer.byteLength < size) {
    throw new FrameError(`frame has ${buffer.byteLength} bytes, ${n} rows need ${size}: reconnect`);
  }
  const columns: Record<string, Column> = {};
  let offset = start;
  for (const { name, type, bytes } of plan) {
    columns[name] = columnAt(buffer, offset, type, n);
    offset += aligned(bytes * n);
  }
  return columns;
}

function readHead(view: DataView): Head & { kind: number } {
  if (view.byteLength < HEADER_BYTES)
    throw new FrameError(`frame has ${view.byteLength} bytes, at least ${HEADER_BYTES}`);
  if (view.getUint16(HEADER_OFFSET.magic, true) !== MAGIC) throw new FrameError("frame does not begin with SK");
  const version = view.getUint8(HEADER_OFFSET.version);
  if (version !== PROTOCOL_VERSION) {
    throw new FrameError(`frame has version ${version}, this page speaks ${PROTOCOL_VERSION}: reload it`);
  }
  return {
    kind: view.getUint8(HEADER_OFFSET.kind),
    n: view.getUint32(HEADER_OFFSET.n, true),
    epoch: view.getUint32(HEADER_OFFSET.epoch, true),
    seq: Number(view.getBigUint64(HEADER_OFFSET.seq, true)),
    tMs: view.getFloat64(HEADER_OFFSET.t_ms, true),
  };
}

/** Read one frame; its columns are views over `buffer`. Raises FrameError for what is no frame of this version. */
export function decodeFrame(buffer: ArrayBuffer): Frame {
  const { kind, ...head } = readHead(new DataView(buffer));
  if (kind === FrameKind.SNAPSHOT || kind === FrameKind.DELTA) {
    const columns = columnsAt(buffer, HEADER_BYTES, UNIT_COLUMNS, head.n) as unknown as UnitColumns;
    return { ...head, kind: kind === FrameKind.SNAPSHOT ? "snapshot" : "delta", columns };
  }
  if (kind === FrameKind.GONE) {
    const columns = columnsAt(buffer, HEADER_BYTES, GONE_COLUMNS, head.n);
    return { ...head, kind: "gone", unitIds: columns.unit_id! };
  }
  if (kind === FrameKind.TRAIL) {
    const columns = columnsAt(buffer, HEADER_BYTES + ALIGNMENT_BYTES, TRAIL_COLUMNS, head.n);
    const unitId = new DataView(buffer).getInt32(HEADER_BYTES, true);
    return { ...head, kind: "trail", unitId, ageMs: columns.age_ms!, latE7: columns.lat_e7!, lonE7: columns.lon_e7! };
  }
  throw new FrameError(`frame kind ${kind} is unknown, 1 to 4 are known: reload the page`);
}
