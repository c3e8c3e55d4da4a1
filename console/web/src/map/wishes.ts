// Decides which labels the map would like to show at a zoom: alarm, selected, air, stations, vehicles, the rest.
import { age } from "../format/figures";
import { type Language, nameIn, translator } from "../i18n/text";
import type { UnitStore } from "../live/unitStore";
import { UNIT_KINDS, UnitBit } from "../wire.generated";
import { AIR_R, GROUND_R } from "./atlas";
import type { Markers } from "./markers";
import type { StationMark } from "./marks";
import type { LabelTone, LabelWish } from "./placement";
import type { Projection } from "./projection";
import { fontOf } from "./sketch";

const DRONE = UNIT_KINDS.indexOf("drone");
const OFFICER = UNIT_KINDS.indexOf("officer");
const VEHICLES_FROM_ZOOM = 13.2;
const ALL_FROM_ZOOM = 15;
const STATIONS_FROM_ZOOM = 11.2;
const STALE_FROM_ZOOM = 12.5;

const RANK = { alarm: 100, selected: 90, hovered: 85, air: 70, station: 60, vehicle: 40, stale: 30, officer: 20 };

const pen = document.createElement("canvas").getContext("2d")!;
const widths = new Map<string, number>();

function widthOf(text: string, tone: LabelTone): number {
  const font = fontOf(tone);
  const key = font + text;
  let width = widths.get(key);
  if (width === undefined) {
    if (widths.size > 20_000) widths.clear();
    pen.font = font;
    width = pen.measureText(text).width;
    widths.set(key, width);
  }
  return width;
}

/** Widths measured before the fonts came are wrong. */
export const forgetWidths = (): void => widths.clear();

export interface WishChoice {
  readonly language: Language;
  readonly selectedId: number | null;
  readonly hoveredId: number | null;
  readonly nowMs: number;
  /** The connection stands. */
  readonly isLive: boolean;
  readonly zoom: number;
}

interface Saying {
  readonly text: string;
  readonly tone: LabelTone;
  readonly rank: number;
}

/** What is written beside a unit, null for nothing. */
function saying(store: UnitStore, markers: Markers, slot: number, choice: WishChoice): Saying | null {
  const state = markers.states[slot];
  const unitId = store.table.wire.unit_id[slot]!;
  const meta = store.meta.get(unitId);
  if (!meta || store.table.wire.state[slot]! & UnitBit.COVERT) return null;
  const t = translator(choice.language);
  const name = nameIn(choice.language, meta) || meta.call_sign;
  const aged = `${name} · ${age(store.ageMs(slot, choice.nowMs), t)}`;
  if (state === "replayed" && unitId !== choice.selectedId)
    return { text: `${t("state.replayed")} · ${name}`, tone: "dim", rank: RANK.air };
  const old = state === "stale" || state === "offline";
  const silent = !choice.isLive || store.freshness(slot, choice.nowMs) !== "live";
  if (state === "alarm") return { text: `${t("map.sos")} · ${silent ? aged : name}`, tone: "alarm", rank: RANK.alarm };
  if (unitId === choice.selectedId) return { text: old ? aged : name, tone: "accent", rank: RANK.selected };
  if (unitId === choice.hoveredId) return { text: old ? aged : name, tone: "plain", rank: RANK.hovered };
  const kind = store.table.kind[slot]!;
  if (kind === DRONE) return { text: old ? aged : name, tone: old ? "attn" : "plain", rank: RANK.air };
  if (state === "stale" && choice.zoom >= STALE_FROM_ZOOM)
    return { text: age(store.ageMs(slot, choice.nowMs), t), tone: "dim", rank: RANK.stale };
  if (state === "offline") return null;
  if (kind === OFFICER) return choice.zoom >= ALL_FROM_ZOOM ? { text: name, tone: "dim", rank: RANK.officer } : null;
  return choice.zoom >= VEHICLES_FROM_ZOOM ? { text: name, tone: "dim", rank: RANK.vehicle } : null;
}

/** Wishes of all units in the view. */
export function unitWishes(
  store: UnitStore,
  markers: Markers,
  projection: Projection,
  choice: WishChoice,
): LabelWish[] {
  const wishes: LabelWish[] = [];
  const { table } = store;
  for (let slot = 0; slot < table.count; slot++) {
    if (!table.shown[slot]) continue;
    const lon = table.drawn[slot * 3]!;
    const lat = table.drawn[slot * 3 + 1]!;
    const x = projection.x(lon);
    const y = projection.y(lat);
    if (!projection.contains(x, y, 40)) continue;
    const said = saying(store, markers, slot, choice);
    if (!said) continue;
    const radius = table.kind[slot] === DRONE ? AIR_R : GROUND_R;
    const ringed = said.tone === "alarm" || said.tone === "accent";
    wishes.push({
      ...said,
      x,
      y,
      width: widthOf(said.text, said.tone),
      gap: radius + (said.tone === "alarm" ? 18 : ringed ? 14 : 8),
      slot,
      lon,
      lat,
    });
  }
  return wishes;
}

/** Names of the stations in the view, below their shields. */
export function stationWishes(
  stations: readonly StationMark[],
  projection: Projection,
  choice: WishChoice,
): LabelWish[] {
  if (choice.zoom < STATIONS_FROM_ZOOM) return [];
  return stations.map((station) => {
    const text = nameIn(choice.language, station);
    const [x, y] = [projection.x(station.lon), projection.y(station.lat)];
    return {
      text,
      tone: "station",
      rank: RANK.station,
      x,
      y,
      width: widthOf(text, "station"),
      gap: 14,
      slot: null,
      lon: station.lon,
      lat: station.lat,
    };
  });
}
