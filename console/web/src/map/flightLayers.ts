// Flights on the operations map: the selected drone's sortie with its waypoints, where it is sent, and who else is in the air.
import type { Layer } from "@deck.gl/core";
import { PathLayer, ScatterplotLayer } from "@deck.gl/layers";
import { live } from "../live/live";
import { getDesk } from "../state/desk";
import type { HazardView } from "../wire.generated";
import { type Palette, rgba } from "./palette";

export interface ShownWaypoint {
  readonly lon: number;
  readonly lat: number;
  readonly isTransit: boolean;
}

export interface ShownSortie {
  readonly unitId: number;
  readonly waypoints: readonly ShownWaypoint[];
}

interface Leg {
  readonly path: readonly (readonly [number, number])[];
  readonly opacity: number;
}

const AHEAD = 220;
const FLOWN = 90;
/** From home to the first waypoint, and back from the last. */
const HOMEWARD = 120;
/** More waypoints than these are drawn as smaller dots: they lie close. */
const MANY = 40;

const WAYPOINT_PX = 3.5;
const HAZARD_PX = 7;
const NOBODY: readonly HazardView[] = [];

function legsOf({ waypoints, unitId }: ShownSortie): Leg[] {
  const flight = live.flights.of(unitId);
  const flown = flight?.sortie?.flown ?? 0;
  const places = waypoints.map((point) => [point.lon, point.lat] as const);
  const legs = places.slice(1).map((to, index) => ({
    path: [places[index]!, to],
    opacity: index + 1 < flown ? FLOWN : AHEAD,
  }));
  if (!flight || flight.home_lat_deg === null || flight.home_lon_deg === null) return legs;
  const home = [flight.home_lon_deg, flight.home_lat_deg] as const;
  const ends = [places[0]!, places.at(-1)!];
  return [...legs, ...ends.map((end) => ({ path: [home, end], opacity: HOMEWARD }))];
}

function sortieLayers(sortie: ShownSortie, p: Palette): Layer[] {
  const flown = live.flights.of(sortie.unitId)?.sortie?.flown ?? 0;
  const dot = sortie.waypoints.length > MANY ? WAYPOINT_PX - 1.5 : WAYPOINT_PX;
  return [
    new PathLayer<Leg>({
      id: "sortie",
      data: legsOf(sortie),
      widthUnits: "pixels",
      capRounded: true,
      jointRounded: true,
      getPath: (leg) => leg.path as never,
      getColor: (leg) => rgba(p.accent, leg.opacity),
      getWidth: 1.8,
      updateTriggers: { getColor: [p, flown] },
    }),
    new ScatterplotLayer<ShownWaypoint>({
      id: "waypoints",
      data: sortie.waypoints as ShownWaypoint[],
      radiusUnits: "pixels",
      getPosition: (point) => [point.lon, point.lat],
      getRadius: (point) => (point.isTransit ? dot - 0.5 : dot),
      getFillColor: (point) => rgba(point.isTransit ? p.land : p.accent, 255),
      getLineColor: rgba(p.accent, 230),
      stroked: true,
      lineWidthUnits: "pixels",
      getLineWidth: 1.2,
      updateTriggers: { getFillColor: p, getLineColor: p },
    }),
  ];
}

/** The place that was picked to fly to. */
function goalLayer(p: Palette): Layer[] {
  const { picking, picked } = getDesk();
  if (picking !== "goTo" || !picked) return [];
  return [
    new ScatterplotLayer<readonly [number, number]>({
      id: "goal",
      data: [[picked.lon, picked.lat] as const],
      radiusUnits: "pixels",
      getPosition: (place) => place as never,
      getRadius: 9,
      filled: false,
      stroked: true,
      lineWidthUnits: "pixels",
      getLineWidth: 2,
      getLineColor: rgba(p.accent, 255),
    }),
  ];
}

function hazardLayer(p: Palette): Layer[] {
  const hazards = live.flights?.hazards ?? NOBODY;
  if (!hazards.length) return [];
  const isNear = (hazard: HazardView): boolean => hazard.approaches.some((one) => one.is_near);
  return [
    new ScatterplotLayer<HazardView>({
      id: "hazards",
      data: hazards as HazardView[],
      radiusUnits: "pixels",
      getPosition: (hazard) => [hazard.lon_deg, hazard.lat_deg],
      getRadius: HAZARD_PX,
      filled: false,
      stroked: true,
      lineWidthUnits: "pixels",
      getLineWidth: (hazard) => (isNear(hazard) ? 2.4 : 1.4),
      getLineColor: (hazard) => rgba(isNear(hazard) ? p.alarm : p.attn, 240),
      updateTriggers: { getLineColor: [p, hazards], getLineWidth: hazards },
    }),
  ];
}

/** Flights under the units' plates, lowest first. */
export function flightLayers(sortie: ShownSortie | null, p: Palette): Layer[] {
  return [...(sortie?.waypoints.length ? sortieLayers(sortie, p) : []), ...hazardLayer(p), ...goalLayer(p)];
}
