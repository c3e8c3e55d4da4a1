// Fixed marks of the map: stations and docks, as the overlay draws them.
import type { PostView, StationView } from "../wire.generated";

export interface StationMark {
  readonly stationId: number;
  readonly number: string;
  readonly name_zh: string;
  readonly name_en: string;
  readonly lon: number;
  readonly lat: number;
}

export interface DockMark {
  readonly name_zh: string;
  readonly name_en: string;
  readonly lon: number;
  readonly lat: number;
}

export const stationMark = (station: StationView): StationMark => ({
  stationId: station.station_id,
  number: String(station.number).padStart(2, "0"),
  name_zh: station.name_zh,
  name_en: station.name_en,
  lon: station.lon_deg,
  lat: station.lat_deg,
});

export const dockMarks = (posts: readonly PostView[]): DockMark[] =>
  posts
    .filter((post) => post.kind === "dock")
    .map((post) => ({ name_zh: post.name_zh, name_en: post.name_en, lon: post.lon_deg, lat: post.lat_deg }));
