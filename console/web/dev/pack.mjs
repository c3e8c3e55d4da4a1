// Packs rows into the binary frames of skb1, as the server does.
const COLUMNS = [
  ["unit_id", 4],
  ["lat_e7", 4],
  ["lon_e7", 4],
  ["alt_msl_dm", 4],
  ["alt_home_dm", 4],
  ["age_ms", 4],
  ["quality", 4],
  ["state", 4],
  ["speed_cmps", 2],
  ["climb_cmps", 2],
  ["heading_ddeg", 2],
  ["course_ddeg", 2],
  ["accuracy_dm", 2],
  ["battery_pct", 1],
  ["satellites", 1],
  ["fix", 1],
  ["link", 1],
  ["duty", 1],
];
const UNKNOWN = { 1: -128, 2: -32768, 4: -2147483648 };
const aligned = (bytes) => Math.ceil(bytes / 8) * 8;

function header(view, kind, n, epoch, seq, tMs) {
  view.setUint16(0, 19283, true);
  view.setUint8(2, 1);
  view.setUint8(3, kind);
  view.setUint32(8, n, true);
  view.setUint32(12, epoch >>> 0, true);
  view.setBigUint64(16, BigInt(seq), true);
  view.setFloat64(24, tMs, true);
}

const put = (view, bytes, at, value) =>
  bytes === 1 ? view.setInt8(at, value) : bytes === 2 ? view.setInt16(at, value, true) : view.setInt32(at, value, true);

export function packUnits(kind, rows, epoch, seq, tMs) {
  const size = COLUMNS.reduce((sum, [, bytes]) => sum + aligned(bytes * rows.length), 32);
  const buffer = new ArrayBuffer(size);
  const view = new DataView(buffer);
  header(view, kind, rows.length, epoch, seq, tMs);
  let offset = 32;
  for (const [name, bytes] of COLUMNS) {
    rows.forEach((row, i) => {
      const value = name === "age_ms" ? (row.observed_ms ? tMs - row.observed_ms : null) : row[name];
      put(view, bytes, offset + i * bytes, Math.round(value ?? UNKNOWN[bytes]));
    });
    offset += aligned(bytes * rows.length);
  }
  return buffer;
}

export function packTrail(unitId, places, epoch, tMs) {
  const step = aligned(places.length * 4);
  const buffer = new ArrayBuffer(40 + step * 3);
  const view = new DataView(buffer);
  header(view, 4, places.length, epoch, 0, tMs);
  view.setInt32(32, unitId, true);
  places.forEach((place, i) => {
    view.setInt32(40 + i * 4, Math.round(tMs - place.observed_ms), true);
    view.setInt32(40 + step + i * 4, place.lat_e7, true);
    view.setInt32(40 + step * 2 + i * 4, place.lon_e7, true);
  });
  return buffer;
}
