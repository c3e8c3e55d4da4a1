// What the supervisor's work puts over the map: pins of incidents, plates of gaps and open links, who goes where.
import { area } from "../format/figures";
import { whyOpen } from "../format/ring";
import { type Language, type Translate, translator } from "../i18n/text";
import { isToSend, liveDispatches } from "../live/incidentBook";
import { live } from "../live/live";
import { getDesk } from "../state/desk";
import { incidentOnDesk } from "../state/incidents";
import { moves } from "../state/moveUp";
import { getPlaces } from "../state/places";
import type { CoverView } from "../state/settings";
import { bridgesClosed, movedStations, waysClosed } from "../state/whatIf";
import type { IncidentView, RingLink } from "../wire.generated";
import { gapsShown, ringShown } from "./coverFeed";

type Place = readonly [number, number];

export interface Pin {
  readonly incidentId: number;
  readonly place: Place;
  readonly urgency: number;
  readonly chosen: boolean;
  readonly toSend: boolean;
  readonly title: string;
}

export interface Plate {
  /** Empty: the cross alone. */
  readonly text: string;
  readonly place: Place;
  /** A small gap is told by amber words alone, without a plate. */
  readonly big: boolean;
  readonly gapLabel: string | null;
  /** A cross stands at the place and a leader leads to the plate. */
  readonly cross: boolean;
}

export interface Leg {
  readonly from: Place;
  readonly to: Place;
  readonly isSent: boolean;
}

export interface Ghost {
  readonly from: Place;
  readonly to: Place;
  readonly number: string;
}

/** A way to drive, or a stretch that is closed. */
export interface Way {
  readonly path: readonly (readonly number[])[];
  readonly isClosed: boolean;
}

export interface DeskMarks {
  readonly pins: readonly Pin[];
  readonly plates: readonly Plate[];
  readonly legs: readonly Leg[];
  readonly ghosts: readonly Ghost[];
  readonly ways: readonly Way[];
  readonly closed: readonly Place[];
  readonly picked: Place | null;
}

export const NO_MARKS: DeskMarks = { pins: [], plates: [], legs: [], ghosts: [], ways: [], closed: [], picked: null };
const PLATE_FROM_KM2 = 1;
/** Where the ring is open in many places, only the worst are named; each keeps its cross. */
const MOST_BREAKS = 3;

function pins(chosen: IncidentView | null): Pin[] {
  return live.summary
    .get()
    .incidents.filter((each) => each.lat_deg !== null && each.lon_deg !== null)
    .map((each) => ({
      incidentId: each.incident_id,
      place: [each.lon_deg!, each.lat_deg!] as const,
      urgency: each.urgency,
      chosen: each.incident_id === chosen?.incident_id,
      toSend: isToSend(each),
      title: each.title,
    }))
    .sort((a, b) => Number(a.chosen) - Number(b.chosen) || b.urgency - a.urgency);
}

function unitPlace(unitId: number): Place | null {
  const slot = live.store.table.slotOf(unitId);
  if (slot === undefined || !live.store.table.shown[slot]) return null;
  return [live.store.table.drawn[slot * 3]!, live.store.table.drawn[slot * 3 + 1]!];
}

/** Lines from those who go, and from those who would be sent, to the incident. */
function legs(chosen: IncidentView | null): Leg[] {
  if (!chosen || chosen.lat_deg === null || chosen.lon_deg === null) return [];
  const to: Place = [chosen.lon_deg, chosen.lat_deg];
  const sent = liveDispatches(chosen).map((each) => each.unit_id);
  const { chosenIds, candidatesOf } = getDesk();
  const meant = candidatesOf === chosen.incident_id ? chosenIds.filter((unitId) => !sent.includes(unitId)) : [];
  const leg = (unitId: number, isSent: boolean): Leg[] => {
    const from = unitPlace(unitId);
    return from ? [{ from, to, isSent }] : [];
  };
  return [...sent.flatMap((unitId) => leg(unitId, true)), ...meant.flatMap((unitId) => leg(unitId, false))];
}

/** Open links with a worst point, the longest missing first. */
const openLinks = (): RingLink[] =>
  (ringShown()?.links ?? [])
    .filter((link) => !link.closed && link.worst_lat_deg !== null)
    .sort((a, b) => (b.missing_s ?? Number.POSITIVE_INFINITY) - (a.missing_s ?? Number.POSITIVE_INFINITY));

const stationNumber = (stationId: number): string => {
  const station = getPlaces().stations.find((each) => each.station_id === stationId);
  return station ? String(station.number).padStart(2, "0") : "–";
};

const breakText = (link: RingLink, t: Translate): string =>
  t("ring.plate", {
    from: stationNumber(link.from_station_id),
    to: stationNumber(link.to_station_id),
    why: whyOpen(link, live.summary.get().coverage?.stations ?? [], stationNumber, t),
  });

function plates(language: Language, view: CoverView): Plate[] {
  const t = translator(language);
  const holes = (view === "off" ? [] : gapsShown()).map(
    (gap): Plate => ({
      text: t("gap.plate", { label: gap.label, area: area(gap.area_km2) }),
      place: [gap.lon_deg, gap.lat_deg],
      big: gap.area_km2 >= PLATE_FROM_KM2,
      gapLabel: gap.label,
      cross: false,
    }),
  );
  const breaks = openLinks().map(
    (link, i): Plate => ({
      text: i < MOST_BREAKS ? breakText(link, t) : "",
      place: [link.worst_lon_deg!, link.worst_lat_deg!],
      big: true,
      gapLabel: null,
      cross: true,
    }),
  );
  return [...breaks, ...holes];
}

/** What is to be drawn now. */
export function deskMarks(language: Language, isSupervising: boolean, view: CoverView): DeskMarks {
  const chosen = isSupervising ? incidentOnDesk() : null;
  const base = { ...NO_MARKS, pins: pins(chosen) };
  if (!isSupervising) return base;
  const { picked, panel } = getDesk();
  return {
    pins: base.pins,
    plates: plates(language, view),
    legs: legs(chosen),
    ghosts: movedStations().map(({ station, lon, lat }) => ({
      from: [station.lon_deg, station.lat_deg] as const,
      to: [lon, lat] as const,
      number: String(station.number).padStart(2, "0"),
    })),
    ways: [
      ...waysClosed().map((path) => ({ path, isClosed: true })),
      ...(panel === "moveup" ? moves().map(({ way }) => ({ path: way, isClosed: false })) : []),
    ],
    closed: bridgesClosed().map(({ lon, lat }) => [lon, lat] as const),
    picked: picked ? [picked.lon, picked.lat] : null,
  };
}
