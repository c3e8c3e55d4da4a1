// What one set of polygons has and another has not, as thin strips: exact along a row, cheap, and never a failed polygon clipping.
type Point = readonly number[];
type Polygon = readonly (readonly Point[])[];
/** West and east ends of ground on one row, degrees. */
type Span = readonly [number, number];

const DEGREE_M = 111_320;

function bounds(polygons: readonly Polygon[]): { south: number; north: number } | null {
  let [south, north] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const polygon of polygons) {
    for (const [, lat] of polygon[0] ?? []) {
      south = Math.min(south, lat!);
      north = Math.max(north, lat!);
    }
  }
  return south < north ? { south, north } : null;
}

/** Longitudes at which the edges of one polygon cross each row's middle. */
function crossings(polygon: Polygon, south: number, stepDeg: number, rows: number): number[][] {
  const found: number[][] = Array.from({ length: rows }, () => []);
  for (const ring of polygon) {
    for (let i = 1; i < ring.length; i++) {
      const [x0, y0] = [ring[i - 1]![0]!, ring[i - 1]![1]!];
      const [x1, y1] = [ring[i]![0]!, ring[i]![1]!];
      if (y0 === y1) continue;
      const [low, high] = y0 < y1 ? [y0, y1] : [y1, y0];
      const first = Math.max(0, Math.ceil((low - south) / stepDeg - 0.5));
      const last = Math.min(rows - 1, Math.ceil((high - south) / stepDeg - 0.5) - 1);
      for (let row = first; row <= last; row++) {
        const y = south + (row + 0.5) * stepDeg;
        found[row]!.push(x0 + ((y - y0) / (y1 - y0)) * (x1 - x0));
      }
    }
  }
  return found;
}

/** Spans of the union of polygons on each row, west to east. */
function unionRows(polygons: readonly Polygon[], south: number, stepDeg: number, rows: number): Span[][] {
  const all: Span[][] = Array.from({ length: rows }, () => []);
  for (const polygon of polygons) {
    for (const [row, xs] of crossings(polygon, south, stepDeg, rows).entries()) {
      xs.sort((a, b) => a - b);
      for (let i = 1; i < xs.length; i += 2) all[row]!.push([xs[i - 1]!, xs[i]!]);
    }
  }
  return all.map(merged);
}

function merged(spans: Span[]): Span[] {
  const result: [number, number][] = [];
  for (const [west, east] of spans.sort((a, b) => a[0] - b[0])) {
    const last = result.at(-1);
    if (last && west <= last[1]) last[1] = Math.max(last[1], east);
    else result.push([west, east]);
  }
  return result;
}

function less(spans: readonly Span[], others: readonly Span[]): Span[] {
  const result: Span[] = [];
  for (const [west, east] of spans) {
    let from = west;
    for (const [otherWest, otherEast] of others) {
      if (otherEast <= from || otherWest >= east) continue;
      if (otherWest > from) result.push([from, otherWest]);
      from = Math.max(from, otherEast);
    }
    if (from < east) result.push([from, east]);
  }
  return result;
}

/** Ground of `polygons` that is not in `others`, as rectangles `rowM` metres high; each is one closed ring of [lon, lat]. */
export function groundLess(polygons: readonly Polygon[], others: readonly Polygon[], rowM: number): number[][][] {
  const extent = bounds(polygons);
  if (!extent) return [];
  const stepDeg = rowM / DEGREE_M;
  const rows = Math.max(1, Math.ceil((extent.north - extent.south) / stepDeg));
  const mine = unionRows(polygons, extent.south, stepDeg, rows);
  const theirs = unionRows(others, extent.south, stepDeg, rows);
  return mine.flatMap((spans, row) => {
    const [low, high] = [extent.south + row * stepDeg, extent.south + (row + 1) * stepDeg];
    return less(spans, theirs[row]!).map(([west, east]) => [
      [west, low],
      [east, low],
      [east, high],
      [west, high],
      [west, low],
    ]);
  });
}
