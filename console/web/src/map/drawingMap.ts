// A small map of its own that things are drawn on: the base map, what a page lays over it, and the drawing tool.
import { type GeoJSONSource, Map as MapLibre, type StyleSpecification, setWorkerUrl } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import { get } from "../api/client";
import type { MapReply } from "../wire.generated";
import { type BaseLook, baseStyle, prepareFonts } from "./baseMap";
import { type Drawing, DrawingTool, type Geometry, keepDrawn } from "./drawingTool";
import { loadFonts } from "./fonts";
import { type Palette, paletteOf } from "./palette";

setWorkerUrl(workerUrl);

type Layers = StyleSpecification["layers"];

export interface Laid {
  /** What lies under the names of the base map. */
  readonly layers: Layers;
  readonly names: Layers;
}

/** Its page says what lies on it; the constructor already asks for it, so that answers come from `look` alone. */
export abstract class DrawingMap<Look extends BaseLook> {
  protected readonly map: MapLibre;
  protected readonly tool: DrawingTool;
  protected readonly still = globalThis.matchMedia("(prefers-reduced-motion: reduce)");
  /** Whose faces are there: the map keeps a letter as it drew it first. */
  protected readonly letters = new Set<string>("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
  protected isReady = false;
  private tellReady: () => void = () => undefined;
  /** Fulfilled once it can be drawn on. */
  readonly ready = new Promise<void>((resolve) => {
    this.tellReady = resolve;
  });

  constructor(
    container: HTMLElement,
    protected readonly facts: MapReply,
    protected look: Look,
    drawing: Drawing,
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
    this.tool = new DrawingTool(this.map, look.theme, drawing);
    this.map.on("style.load", () => {
      this.isReady = true;
      this.styled();
      this.tellReady();
    });
  }

  /** The features of each source that the layers name. */
  protected abstract features(): Readonly<Record<string, unknown>>;
  protected abstract laid(palette: Palette): Laid;
  /** The names whose letters are drawn. */
  protected abstract named(): readonly string[];
  /** What the tool holds. */
  protected abstract drawn(): Geometry | null;
  /** Begin, go on with or end the drawing as the look says. */
  protected abstract follow(): void;
  /** The style is there: draw all of it. */
  protected abstract styled(): void;
  /** Another look was taken. */
  protected abstract shown(before: Look): void;

  remove(): void {
    this.tool.end();
    this.map.remove();
  }

  resize(): void {
    this.map.resize();
  }

  zoomBy(steps: number): void {
    this.map.zoomTo(this.map.getZoom() + steps, { animate: !this.still.matches });
  }

  /** Another theme, language, choice or drawing. */
  show(look: Look): void {
    const before = this.look;
    this.look = look;
    if (look.theme !== before.theme || look.language !== before.language) this.restyle();
    if (!this.isReady) return;
    this.fill();
    this.follow();
    this.shown(before);
  }

  /** The view's corners, south-west and north-east, as [longitude, latitude] degrees. */
  protected corners(): readonly [[number, number], [number, number]] {
    const view = this.map.getBounds();
    return [
      [view.getWest(), view.getSouth()],
      [view.getEast(), view.getNorth()],
    ];
  }

  /** Another theme or language: what is being drawn stays where it is, unfinished too. */
  protected restyle(): void {
    this.map.setStyle(this.style(), { diff: true, transformStyle: keepDrawn });
    this.tool.restyle(this.look.theme, this.drawn());
  }

  protected fill(): void {
    void this.loadNames();
    for (const [name, data] of Object.entries(this.features()))
      this.map.getSource<GeoJSONSource>(name)?.setData(data as never);
  }

  private style(): StyleSpecification {
    const sources = Object.fromEntries(
      Object.entries(this.features()).map(([name, data]) => [name, { type: "geojson" as const, data: data as never }]),
    );
    return baseStyle(this.look, this.facts.tiles_url, { sources, ...this.laid(paletteOf(this.look.theme)) });
  }

  private async loadNames(): Promise<void> {
    const missing = [...new Set(this.named().join(""))].filter((letter) => !this.letters.has(letter));
    if (!missing.length) return;
    await loadFonts(missing.join(""));
    for (const letter of missing) this.letters.add(letter);
    if (this.isReady) this.fill();
  }
}

/** Read what a map needs and put it into the container; null once its page is gone. Raises RequestError when the city cannot be read. */
export async function makeDrawingMap<M>(
  container: () => HTMLElement | null,
  make: (box: HTMLElement, facts: MapReply) => M,
): Promise<M | null> {
  const facts = await get<MapReply>("/api/map");
  await prepareFonts(facts);
  const box = container();
  return box ? make(box, facts) : null;
}
