// The geofences' own map: fences, units as dots, and the drawing tool while one is drawn or changed.
import { type GeoJSONSource, Map as MapLibre, type StyleSpecification, setWorkerUrl } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import { get } from "../api/client";
import { type BaseLook, baseStyle, prepareFonts } from "../map/baseMap";
import { type DrawnKind, DrawingTool, type Geometry, keepDrawn, type Place } from "../map/drawingTool";
import { loadFonts } from "../map/fonts";
import { paletteOf } from "../map/palette";
import type { GeofenceView, MapReply } from "../wire.generated";
import type { Draft, Shape } from "./fenceDesk";
import { layersOf, namesOf } from "./fenceLayers";
import {
  boundsOf,
  corridorFeatures,
  draftFeatures,
  type Features,
  fenceFeatures,
  nameFeatures,
  pixelsAtZoom0,
  shapeWithin,
} from "./fenceShapes";

setWorkerUrl(workerUrl);

const MODES: Readonly<Record<Shape, DrawnKind>> = { polygon: "polygon", circle: "point", corridor: "linestring" };
type Source = "fences" | "names" | "draft" | "corridor" | "units";
const FIT = { maxZoom: 16.5, duration: 240 } as const;
const ROOM_PX = 72;

export interface FenceLook extends BaseLook {
  readonly fences: readonly GeofenceView[];
  readonly chosen: number | null;
  readonly draft: Draft | null;
  readonly units: Features;
}

export class FenceMap {
  private readonly map: MapLibre;
  private readonly tool: DrawingTool;
  private readonly still = globalThis.matchMedia("(prefers-reduced-motion: reduce)");
  private readonly letters = new Set<string>();
  private isReady = false;
  private tellReady: () => void = () => undefined;
  /** Fulfilled once it can be drawn on. */
  readonly ready = new Promise<void>((resolve) => {
    this.tellReady = resolve;
  });

  constructor(
    container: HTMLElement,
    private readonly facts: MapReply,
    private look: FenceLook,
    onDrawn: (geometry: Geometry) => void,
    private readonly onChosen: (geofenceId: number) => void,
  ) {
    this.map = new MapLibre({
      container,
      style: this.style(),
      bounds: facts.bounds as [number, number, number, number],
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      minZoom: 9,
      maxZoom: 18.5,
      fadeDuration: 0,
      localIdeographFontFamily: '"Noto Sans SC Variable"',
      renderWorldCopies: false,
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.on("error", () => undefined);
    this.tool = new DrawingTool(this.map, look.theme, onDrawn);
    this.map.on("style.load", () => this.styled());
    this.map.on("click", (event) => {
      if (this.tool.isDrawing) return;
      const found = this.map.queryRenderedFeatures(event.point, { layers: ["fences-fill"] });
      const chosen = found.at(0)?.properties.geofence_id as number | undefined;
      if (chosen !== undefined) this.onChosen(chosen);
    });
  }

  remove(): void {
    this.tool.end();
    this.map.remove();
  }

  resize(): void {
    this.map.resize();
  }

  /** Another theme, language, fence, draft or picture of the units. */
  show(look: FenceLook): void {
    const before = this.look;
    this.look = look;
    if (look.theme !== before.theme || look.language !== before.language) this.restyle();
    if (!this.isReady) return;
    this.fill();
    this.follow();
    if (look.chosen !== before.chosen && look.chosen !== null && !look.draft) this.fit(look.chosen);
  }

  /** Draw the draft's shape anew. */
  redraw(): void {
    this.tool.redraw();
  }

  zoomBy(steps: number): void {
    this.map.zoomTo(this.map.getZoom() + steps, { animate: !this.still.matches });
  }

  /** Show the chosen fence, else the whole city. */
  fitAll(): void {
    if (this.look.chosen !== null) this.fit(this.look.chosen);
    else this.map.fitBounds(this.facts.bounds as never, { animate: !this.still.matches });
  }

  /** A shape in the middle of the view, to begin from without a mouse; its corners are dragged from there. */
  putInMiddle(): void {
    const shape = this.look.draft?.shape;
    if (!shape) return;
    const view = this.map.getBounds();
    this.tool.put(shapeWithin(shape, [view.getWest(), view.getSouth()], [view.getEast(), view.getNorth()]));
  }

  private styled(): void {
    this.isReady = true;
    this.widen();
    this.follow();
    this.tellReady();
    if (this.look.chosen !== null) this.fit(this.look.chosen);
  }

  /** Another theme or language: what is being drawn stays where it is, unfinished too. */
  private restyle(): void {
    this.map.setStyle(this.style(), { diff: true, transformStyle: keepDrawn });
    this.tool.restyle(this.look.theme, this.look.draft?.geometry ?? null);
  }

  private style(): StyleSpecification {
    const palette = paletteOf(this.look.theme);
    const sources = Object.fromEntries(
      Object.entries(this.features()).map(([name, data]) => [name, { type: "geojson" as const, data: data as never }]),
    );
    return baseStyle(this.look, this.facts.tiles_url, { sources, layers: layersOf(palette), names: namesOf(palette) });
  }

  private features(): Record<Source, Features> {
    const { fences, chosen, draft, units, language } = this.look;
    const shown = fences.filter((fence) => fence.geofence_id !== (draft?.shape ? draft.geofenceId : null));
    return {
      fences: fenceFeatures(shown, chosen),
      names: nameFeatures(shown, language, this.letters),
      draft: draftFeatures(draft),
      corridor: corridorFeatures(draft),
      units,
    };
  }

  /** Names are written once their faces are there: the map keeps a letter as it drew it first. */
  private async loadNames(): Promise<void> {
    const { fences, units } = this.look;
    const named = units.features as readonly { readonly properties: { readonly name: string } }[];
    const texts = [
      ...fences.map((fence) => fence.name_zh + fence.name_en),
      ...named.map((unit) => unit.properties.name),
    ];
    const missing = [...new Set(texts.join(""))].filter((letter) => !this.letters.has(letter));
    if (!missing.length) return;
    await loadFonts(missing.join(""));
    for (const letter of missing) this.letters.add(letter);
    if (this.isReady) this.fill();
  }

  private fill(): void {
    void this.loadNames();
    for (const [name, data] of Object.entries(this.features()))
      this.map.getSource<GeoJSONSource>(name)?.setData(data as never);
    this.widen();
  }

  /** A corridor is drawn as wide as it is on the ground. */
  private widen(): void {
    const { draft } = this.look;
    const line = draft?.geometry?.type === "LineString" ? draft.geometry.coordinates : null;
    const wide = line?.length ? pixelsAtZoom0(draft?.fields.width_m ?? 0, line[0]![1]) : 0;
    const byZoom = ["interpolate", ["exponential", 2], ["zoom"], 0, wide, 24, wide * 2 ** 24];
    this.map.setPaintProperty("corridor-band", "line-width", byZoom as never);
  }

  /** Begin, go on with or end the drawing as the draft says. */
  private follow(): void {
    const { draft } = this.look;
    const shape = draft?.shape ?? null;
    const key = draft && shape ? `${draft.geofenceId} ${shape}` : null;
    this.tool.follow(key, shape && MODES[shape], draft?.geometry ?? null);
  }

  private fit(geofenceId: number): void {
    const fence = this.look.fences.find((each) => each.geofence_id === geofenceId);
    const bounds = boundsOf((fence?.rings.flat() ?? []) as unknown as Place[]);
    if (bounds) this.map.fitBounds(bounds as never, { ...FIT, padding: this.room(), animate: !this.still.matches });
  }

  /** What is left of the map beside a panel that lies over it. */
  private room(): { top: number; bottom: number; left: number; right: number } {
    const { left, right, width } = this.map.getContainer().getBoundingClientRect();
    const panel = document.querySelector(".page.open .side")?.getBoundingClientRect();
    const over = panel && panel.left > left && panel.left < right ? right - panel.left : 0;
    const beside = Math.min(ROOM_PX, (width - over) / 4);
    return { top: ROOM_PX, bottom: ROOM_PX, left: beside, right: over + beside };
  }
}

/** Read what the map needs and put it into the container. Raises RequestError when the city cannot be read. */
export async function makeFenceMap(
  container: () => HTMLElement | null,
  look: () => FenceLook,
  onDrawn: (geometry: Geometry) => void,
  onChosen: (geofenceId: number) => void,
): Promise<FenceMap | null> {
  const facts = await get<MapReply>("/api/map");
  await prepareFonts(facts);
  const box = container();
  return box ? new FenceMap(box, facts, look(), onDrawn, onChosen) : null;
}
