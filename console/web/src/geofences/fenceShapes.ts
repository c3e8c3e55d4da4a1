// Geofences as the map draws them: borders, a circle's and a corridor's outline while it is drawn, units as dots.
import type { GeofenceView } from "../wire.generated";
import { type Language, nameIn } from "../i18n/text";
import type { Geometry, Place } from "../map/drawingTool";
import type { Draft, Shape } from "./fenceDesk";

const M_PER_DEGREE = 111_320;
const CORNERS = 72;

export interface Features {
  readonly type: "FeatureCollection";
  readonly features: readonly object[];
}

const collection = (features: readonly object[]): Features => ({ type: "FeatureCollection", features });

/** A circle as a ring; exact enough for a picture. */
export function ringOf(centre: Place, radiusM: number): Place[] {
  const north = radiusM / M_PER_DEGREE;
  const east = north / Math.cos((centre[1] * Math.PI) / 180);
  return Array.from({ length: CORNERS + 1 }, (_, i) => {
    const turn = (2 * Math.PI * i) / CORNERS;
    return [centre[0] + east * Math.cos(turn), centre[1] + north * Math.sin(turn)] as const;
  });
}

/** Fences as areas; `chosen` is drawn stronger. */
export function fenceFeatures(fences: readonly GeofenceView[], chosen: number | null): Features {
  return collection(
    fences.map((fence) => ({
      type: "Feature",
      properties: {
        geofence_id: fence.geofence_id,
        chosen: fence.geofence_id === chosen,
        alarm: fence.raises_alarm,
        inside: fence.inside_unit_ids.length > 0,
      },
      geometry: polygonsOf(fence),
    })),
  );
}

/** The names of fences, each at the middle of its box; those whose letters are not there yet wait. */
export function nameFeatures(
  fences: readonly GeofenceView[],
  language: Language,
  letters: ReadonlySet<string>,
): Features {
  const isWritable = (fence: GeofenceView): boolean => [...nameIn(language, fence)].every((each) => letters.has(each));
  return collection(
    fences.filter(isWritable).flatMap((fence) => {
      const bounds = boundsOf(fence.rings.flat() as unknown as Place[]);
      if (!bounds) return [];
      const [[west, south], [east, north]] = bounds;
      const { geofence_id, raises_alarm: alarm } = fence;
      const properties = { geofence_id, name: nameIn(language, fence), alarm };
      const coordinates = [(west + east) / 2, (south + north) / 2];
      return [{ type: "Feature", properties, geometry: { type: "Point", coordinates } }];
    }),
  );
}

/** A shape to begin from within the view between two corners: the middle third of it. */
export function shapeWithin(shape: Shape, southWest: Place, northEast: Place): Geometry {
  const [west, south, east, north] = [...southWest, ...northEast];
  const at = (x: number, y: number): Place => [
    round7(west! + (east! - west!) * x),
    round7(south! + (north! - south!) * y),
  ];
  if (shape === "circle") return { type: "Point", coordinates: at(0.5, 0.5) };
  if (shape === "corridor") return { type: "LineString", coordinates: [at(0.35, 0.5), at(0.5, 0.5), at(0.65, 0.5)] };
  const ring = [at(0.36, 0.36), at(0.64, 0.36), at(0.64, 0.64), at(0.36, 0.64), at(0.36, 0.36)];
  return { type: "Polygon", coordinates: [ring] };
}

const round7 = (degrees: number): number => Math.round(degrees * 1e7) / 1e7;

/** The border as it is watched; with several parts each ring that lies in none before it is one of its own. */
function polygonsOf(fence: GeofenceView): object {
  if (fence.geometry.type === "MultiPolygon" || fence.geometry.type === "Polygon") return fence.geometry;
  return { type: "Polygon", coordinates: fence.rings };
}

/** What belongs to a draft and the drawing tool does not draw: the circle round its centre. */
export function draftFeatures(draft: Draft | null): Features {
  if (draft?.geometry?.type !== "Point" || !draft.fields.radius_m) return collection([]);
  const ring = ringOf(draft.geometry.coordinates, draft.fields.radius_m);
  return collection([{ type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [ring] } }]);
}

/** A corridor's line, drawn as wide as it is on the ground. */
export function corridorFeatures(draft: Draft | null): Features {
  if (draft?.geometry?.type !== "LineString") return collection([]);
  return collection([{ type: "Feature", properties: {}, geometry: draft.geometry }]);
}

/** Pixels at zoom 0 of so many metres at a latitude: MapLibre's world is 512 pixels wide there. */
export const pixelsAtZoom0 = (widthM: number, latDeg: number): number =>
  (widthM * 512) / (40_075_016 * Math.cos((latDeg * Math.PI) / 180));

/** The south-west and north-east corners of places. */
export function boundsOf(places: readonly Place[]): [Place, Place] | null {
  if (!places.length) return null;
  const lons = places.map((place) => place[0]);
  const lats = places.map((place) => place[1]);
  return [
    [Math.min(...lons), Math.min(...lats)],
    [Math.max(...lons), Math.max(...lats)],
  ];
}
