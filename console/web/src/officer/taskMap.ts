// A task's own small map: the base map, the way, and where the camera stands; loaded only when a task has one to show.
import {
  type GeoJSONSource,
  LngLatBounds,
  Map as MapLibre,
  type PaddingOptions,
  type StyleSpecification,
  setWorkerUrl,
} from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import { get } from "../api/client";
import type { Language } from "../i18n/text";
import { baseStyle, prepareFonts } from "../map/baseMap";
import { type Palette, paletteOf } from "../map/palette";
import type { Theme } from "../state/settings";
import type { MapReply } from "../wire.generated";
import type { Place } from "./route";

setWorkerUrl(workerUrl);

const FLY_MS = 240;
const CLOSEST_ZOOM = 16;
const SIDE_PX = 40;
/** Nearer to the edge, or under the buttons at the foot, a place is not seen. */
const EDGE_PX = 20;
const FOOT_PX = 60;

export interface Look {
  readonly theme: Theme;
  readonly language: Language;
  readonly way: readonly Place[];
}

const wayData = (way: readonly Place[]) =>
  ({ type: "Feature", properties: {}, geometry: { type: "LineString", coordinates: way } }) as never;

function wayLayers(p: Palette): StyleSpecification["layers"] {
  const line = (id: string, color: string, width: number): StyleSpecification["layers"][number] => ({
    id,
    type: "line",
    source: "way",
    layout: { "line-cap": "round", "line-join": "round" },
    paint: { "line-color": color, "line-width": width },
  });
  return [line("way-casing", p.halo, 8), line("way", p.accent, 4)];
}

/** The base map with the way under the names. */
const styleWith = ({ theme, language, way }: Look, tilesUrl: string | null): StyleSpecification =>
  baseStyle({ theme, language }, tilesUrl, {
    sources: { way: { type: "geojson", data: wayData(way) } },
    layers: wayLayers(paletteOf(theme)),
  });

export class TaskMap {
  private readonly map: MapLibre;
  /** The officer moved the map: it stays where it was put until it is asked to show all. */
  private isOfficers = false;
  private places: readonly Place[] = [];
  private readonly still = globalThis.matchMedia("(prefers-reduced-motion: reduce)");

  constructor(
    container: HTMLElement,
    readonly facts: MapReply,
    private looks: Look,
    onMove: () => void,
  ) {
    this.map = new MapLibre({
      container,
      style: styleWith(looks, facts.tiles_url),
      bounds: facts.bounds as [number, number, number, number],
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      keyboard: false,
      minZoom: 9,
      maxZoom: 18.5,
      fadeDuration: 0,
      localIdeographFontFamily: '"Noto Sans SC Variable"',
      renderWorldCopies: false,
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.on("move", onMove);
    this.map.on("resize", () => {
      this.keepInView();
      onMove();
    });
    this.map.on("movestart", (event) => {
      if (event.originalEvent) this.isOfficers = true;
    });
    this.map.on("error", () => undefined);
    this.map.once("idle", () => this.leaveKeyboard());
    this.leaveKeyboard();
  }

  remove(): void {
    this.map.remove();
  }

  resize(): void {
    this.map.resize();
  }

  /** Another theme, language or way. */
  show(look: Look): void {
    const before = this.looks;
    this.looks = look;
    if (look.theme !== before.theme || look.language !== before.language)
      this.map.setStyle(styleWith(look, this.facts.tiles_url));
    else if (look.way !== before.way) this.map.getSource<GeoJSONSource>("way")?.setData(wayData(look.way));
  }

  /** What is to be seen: the way, where to, and me. The camera follows only when something left the picture. */
  look(places: readonly Place[]): void {
    this.places = places;
    this.keepInView();
  }

  /** Show all of it now. */
  fit(): void {
    this.isOfficers = false;
    const wanted = new LngLatBounds();
    for (const place of this.places) wanted.extend(place as [number, number]);
    this.map.fitBounds(this.places.length > 0 ? wanted : (this.facts.bounds as [number, number, number, number]), {
      padding: this.padding(),
      maxZoom: CLOSEST_ZOOM,
      duration: FLY_MS,
      animate: !this.still.matches,
    });
  }

  /** Room for the pin's height above and for the buttons below, less of it on a low map. */
  private padding(): PaddingOptions {
    const { clientHeight } = this.map.getContainer();
    return {
      top: Math.min(48, clientHeight * 0.2),
      bottom: Math.min(FOOT_PX + 24, clientHeight * 0.42),
      left: SIDE_PX,
      right: SIDE_PX,
    };
  }

  private keepInView(): void {
    if (this.isOfficers || this.map.isMoving()) return;
    const { clientWidth, clientHeight } = this.map.getContainer();
    const seen = this.places.every((place) => {
      const { x, y } = this.at(place);
      return x > EDGE_PX && x < clientWidth - EDGE_PX && y > EDGE_PX && y < clientHeight - FOOT_PX;
    });
    if (!seen) this.fit();
  }

  /** Where a place is on the map, pixels. */
  at(place: Place): { readonly x: number; readonly y: number } {
    return this.map.project(place as [number, number]);
  }

  /** The map is no stop of the keyboard: its three buttons are. */
  private leaveKeyboard(): void {
    for (const each of this.map.getContainer().querySelectorAll<HTMLElement>("canvas, [tabindex]")) each.tabIndex = -1;
  }
}

/** Read what the map needs and put it into `container`. Raises RequestError when the city cannot be read. */
export async function makeTaskMap(
  container: () => HTMLElement | null,
  look: () => Look,
  onMove: () => void,
): Promise<TaskMap | null> {
  const facts = await get<MapReply>("/api/map");
  // The map's own worker cannot be asked for twice: in a network that may go at any moment it is in the cache first.
  await Promise.all([prepareFonts(facts), fetch(workerUrl).then((reply) => reply.blob())]);
  const box = container();
  return box ? new TaskMap(box, facts, look(), onMove) : null;
}
