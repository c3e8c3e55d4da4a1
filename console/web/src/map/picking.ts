// Finds units and stations by place on the screen: under the pointer, or the next one in a direction.
import type { UnitStore } from "../live/unitStore";
import type { StationMark } from "./marks";
import type { Projection } from "./projection";

const REACH_PX = 18;

/** The unit whose marker is nearest to a point, at most 18 px away. */
export function nearestUnit(store: UnitStore, projection: Projection, x: number, y: number): number | null {
  const { table } = store;
  let best: number | null = null;
  let bestPx = REACH_PX;
  for (let slot = 0; slot < table.count; slot++) {
    if (!table.shown[slot]) continue;
    const px = Math.hypot(projection.x(table.drawn[slot * 3]!) - x, projection.y(table.drawn[slot * 3 + 1]!) - y);
    if (px <= bestPx) [best, bestPx] = [table.wire.unit_id[slot]!, px];
  }
  return best;
}

/** The station whose shield is at a point. */
export function nearestStation(
  stations: readonly StationMark[],
  projection: Projection,
  x: number,
  y: number,
): number | null {
  const hit = stations.find(
    (station) => Math.hypot(projection.x(station.lon) - x, projection.y(station.lat) - y) <= REACH_PX,
  );
  return hit?.stationId ?? null;
}

/** The nearest unit within 45° of a direction (0 up, 1 right, 2 down, 3 left), sideways distance counting double. */
export function unitTowards(
  store: UnitStore,
  projection: Projection,
  fromId: number | null,
  direction: number,
): number | null {
  const { table } = store;
  const from = fromId === null ? undefined : table.slotOf(fromId);
  const placed = from !== undefined && table.shown[from];
  const x0 = placed ? projection.x(table.drawn[from * 3]!) : projection.view.width / 2;
  const y0 = placed ? projection.y(table.drawn[from * 3 + 1]!) : projection.view.height / 2;
  const angle = (direction * Math.PI) / 2;
  let best: number | null = null;
  let bestCost = Number.POSITIVE_INFINITY;
  for (let slot = 0; slot < table.count; slot++) {
    if (!table.shown[slot] || slot === from) continue;
    const dx = projection.x(table.drawn[slot * 3]!) - x0;
    const dy = projection.y(table.drawn[slot * 3 + 1]!) - y0;
    const ahead = dx * Math.sin(angle) - dy * Math.cos(angle);
    const aside = Math.abs(dx * Math.cos(angle) + dy * Math.sin(angle));
    if (ahead <= 0 || aside > ahead) continue;
    const cost = ahead + aside * 2;
    if (cost < bestCost) [best, bestCost] = [table.wire.unit_id[slot]!, cost];
  }
  return best;
}

/** How many units stand in the view. */
export function countInView({ table }: UnitStore, projection: Projection): number {
  let count = 0;
  for (let slot = 0; slot < table.count; slot++) {
    const [x, y] = [projection.x(table.drawn[slot * 3]!), projection.y(table.drawn[slot * 3 + 1]!)];
    if (table.shown[slot] && projection.contains(x, y)) count++;
  }
  return count;
}
