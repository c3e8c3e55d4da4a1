// Rings of recent places by unit, for the short trails on the map; filled from frames as they come.
const POINTS = 240;
const APART_MS = 900;

interface Ring {
  readonly lonLat: Float64Array;
  readonly atMs: Float64Array;
  next: number;
  length: number;
}

/** Recent places of one unit, oldest first, as [lon, lat, lon, lat, ...]. */
export type Path = number[];

/** The last four minutes of every unit that may have a trail. */
export class TrailRings {
  private rings = new Map<number, Ring>();

  /** Remember a place, at most one each 0.9 s, times ascending. */
  add(unitId: number, lon: number, lat: number, atMs: number): void {
    let ring = this.rings.get(unitId);
    if (!ring) {
      ring = { lonLat: new Float64Array(POINTS * 2), atMs: new Float64Array(POINTS), next: 0, length: 0 };
      this.rings.set(unitId, ring);
    }
    const last = (ring.next + POINTS - 1) % POINTS;
    if (ring.length > 0 && atMs - ring.atMs[last]! < APART_MS) return;
    ring.lonLat[ring.next * 2] = lon;
    ring.lonLat[ring.next * 2 + 1] = lat;
    ring.atMs[ring.next] = atMs;
    ring.next = (ring.next + 1) % POINTS;
    ring.length = Math.min(POINTS, ring.length + 1);
  }

  /** Replace a unit's ring with what the server remembers. */
  replace(unitId: number, places: readonly { lon: number; lat: number; atMs: number }[]): void {
    this.rings.delete(unitId);
    for (const { lon, lat, atMs } of places) this.add(unitId, lon, lat, atMs);
  }

  /** The places since `sinceMs`, oldest first. */
  path(unitId: number, sinceMs: number): Path {
    const ring = this.rings.get(unitId);
    if (!ring) return [];
    const path: Path = [];
    for (let i = 0; i < ring.length; i++) {
      const at = (ring.next + POINTS - ring.length + i) % POINTS;
      if (ring.atMs[at]! >= sinceMs) path.push(ring.lonLat[at * 2]!, ring.lonLat[at * 2 + 1]!);
    }
    return path;
  }

  forget(unitId: number): void {
    this.rings.delete(unitId);
  }
}
