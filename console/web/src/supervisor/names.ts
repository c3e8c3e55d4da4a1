// Names of units, stations and ring links as the supervisor's screen writes them.

import { UNKNOWN_FIGURE } from "../format/figures";
import { nameIn } from "../i18n/text";
import { usePlaces } from "../state/places";
import { useSettings } from "../state/settings";
import { useLive } from "../state/useLive";
import type { RingLink, UnitMeta } from "../wire.generated";

type NumberOf = (stationId: number | null) => string;

/** The two digits of a station. */
export function useStationNumber(): NumberOf {
  const { stations } = usePlaces();
  return (stationId) => {
    const station = stations.find((each) => each.station_id === stationId);
    return station ? String(station.number).padStart(2, "0") : UNKNOWN_FIGURE;
  };
}

/** A station's name in the chosen language, empty where it has none. */
export function useStationName(): NumberOf {
  const { stations } = usePlaces();
  const { language } = useSettings();
  return (stationId) => {
    const station = stations.find((each) => each.station_id === stationId);
    return station ? nameIn(language, station) : "";
  };
}

/** A unit's name in the chosen language; units out of the scope are a dash. */
export function useUnitName(): (unitId: number | null) => string {
  const { units } = useLive();
  const { language } = useSettings();
  return (unitId) => {
    const meta = unitId === null ? undefined : units.get(unitId);
    return meta ? nameIn(language, meta) || meta.call_sign : UNKNOWN_FIGURE;
  };
}

export function useUnitMeta(): (unitId: number) => UnitMeta | undefined {
  const { units } = useLive();
  return (unitId) => units.get(unitId);
}

/** A link as its two stations' numbers, 06–07. */
export const linkNames = (link: Pick<RingLink, "from_station_id" | "to_station_id">, numberOf: NumberOf): string =>
  `${numberOf(link.from_station_id)}–${numberOf(link.to_station_id)}`;
