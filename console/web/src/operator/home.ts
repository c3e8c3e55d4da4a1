// How far a drone is from its home.
import { live } from "../live/live";
import type { FlightView } from "../wire.generated";

const METRES_PER_DEGREE = 111_195;

/** Metres between two places, on a plane: good to a thousandth over the way that a drone flies. */
export function metresBetween(lat1: number, lon1: number, lat2: number, lon2: number): number {
  const north = (lat2 - lat1) * METRES_PER_DEGREE;
  const east = (lon2 - lon1) * METRES_PER_DEGREE * Math.cos(((lat1 + lat2) / 2) * (Math.PI / 180));
  return Math.hypot(north, east);
}

/** Metres to the home that the drone told; null while either place is not known. */
export function homeDistanceM(flight: FlightView | null, unitId: number): number | null {
  const slot = live.store.table.slotOf(unitId);
  if (!flight || flight.home_lat_deg === null || flight.home_lon_deg === null || slot === undefined) return null;
  if (!live.store.table.shown[slot]) return null;
  const { drawn } = live.store.table;
  return metresBetween(drawn[slot * 3 + 1]!, drawn[slot * 3]!, flight.home_lat_deg, flight.home_lon_deg);
}
