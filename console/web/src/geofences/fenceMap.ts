// The geofences' own map: fences, units as dots, and the drawing tool while one is drawn or changed.
import { type GeoJSONSource, Map as MapLibre, type StyleSpecification, setWorkerUrl } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import {
  TerraDraw,
  TerraDrawLineStringMode,
  TerraDrawPointMode,
  TerraDrawPolygonMode,
  TerraDrawSelectMode,
} from "terra-draw";
import { TerraDrawMapLibreGLAdapter } from "terra-draw-maplibre-gl-adapter";
import { get } from "../api/client";
import { type BaseLook, baseStyle, prepareFonts } from "../map/baseMap";
import { type Palette, paletteOf } from "../map/palette";
import type { GeofenceView, MapReply } from "../wire.generated";
import type { Draft, Geometry, Place, Shape } from "./fenceDesk";
import { boundsOf, corridorFeatures, draftFeatures, type Features, fenceFeatures, pixelsAtZoom0 } from "./fenceShapes";

setWorkerUrl(workerUrl);

const MODES: Readonly<Record<Shape, string>> = { polygon: "polygon", circle: "point", corridor: "linestring" };
const SOURCES = ["fences", "draft", "corridor", "units"] as const;
type Source = (typeof SOURCES)[number];
const EMPTY: Features = { type: "FeatureCollection", features: [] };
const FIT = { padding: 72, maxZoom: 16.5, duration: 240 } as const;

export interface FenceLook extends BaseLook {
  readonly fences: readonly GeofenceView[];
  readonly chosen: number | null;
  readonly draft: Draft | null;
  readonly units: Features;
}

type Layers = StyleSpecification["layers"];

function layersOf(p: Palette): Layers {
  const tone = ["case", ["get", "alarm"], p.alarm, p.accent] as never;
  const when = (strong: number, plain: number) => ["case", ["get", "chosen"], strong, plain] as never;
  return [
    {
      id: "fences-fill",
      type: "fill",
      source: "fences",
      paint: { "fill-color": tone, "fill-opacity": when(0.22, 0.09) },
    },
    { id: "fences-line", type: "line", source: "fences", paint: { "line-color": tone, "line-width": when(2.4, 1.4) } },
    { id: "draft-fill", type: "fill", source: "draft", paint: { "fill-color": p.accent, "fill-opacity": 0.2 } },
    { id: "draft-line", type: "line", source: "draft", paint: { "line-color": p.accent, "line-width": 2 } },
    {
      id: "corridor-band",
      type: "line",
      source: "corridor",
      layout: { "line-cap": "round", "line-join": "round" },
      paint: { "line-color": p.accent, "line-opacity": 0.24, "line-width": 0 },
    },
    {
      id: "units-dots",
      type: "circle",
      source: "units",
      paint: {
        "circle-radius": 3.5,
        "circle-color": p.accent,
        "circle-stroke-color": p.halo,
        "circle-stroke-width": 1,
      },
    },
  ];
}

export class FenceMap {
  private readonly map: MapLibre;
  private readonly draw: TerraDraw;
  private readonly still = globalThis.matchMedia("(prefers-reduced-motion: reduce)");
  private drawing: { readonly key: string; readonly shape: Shape } | null = null;
  private isReady = false;

  constructor(
    container: HTMLElement,
    private readonly facts: MapReply,
    private look: FenceLook,
    private readonly onDrawn: (geometry: Geometry) => void,
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
    this.draw = this.makeDraw();
    this.map.on("style.load", () => this.styled());
    this.map.on("click", (event) => {
      if (this.drawing) return;
      const found = this.map.queryRenderedFeatures(event.point, { layers: ["fences-fill"] });
      const chosen = found.at(0)?.properties.geofence_id as number | undefined;
      if (chosen !== undefined) this.onChosen(chosen);
    });
  }

  remove(): void {
    if (this.draw.enabled) this.draw.stop();
    this.map.remove();
  }

  resize(): void {
    this.map.resize();
  }

  /** Another theme, language, fence, draft or picture of the units. */
  show(look: FenceLook): void {
    const before = this.look;
    this.look = look;
    if (look.theme !== before.theme || look.language !== before.language) {
      this.endDrawing();
      this.isReady = false;
      this.map.setStyle(this.style());
      return;
    }
    if (!this.isReady) return;
    this.fill();
    this.follow();
    if (look.chosen !== before.chosen && look.chosen !== null && !look.draft) this.fit(look.chosen);
  }

  /** Draw the draft's shape anew. */
  redraw(): void {
    const { draft } = this.look;
    if (!draft?.shape || !this.draw.enabled) return;
    this.draw.clear();
    this.draw.setMode(MODES[draft.shape]);
  }

  private styled(): void {
    this.isReady = true;
    this.fill();
    this.follow();
    if (this.look.chosen !== null) this.fit(this.look.chosen);
  }

  private style(): StyleSpecification {
    const sources = Object.fromEntries(
      SOURCES.map((name) => [name, { type: "geojson" as const, data: EMPTY as never }]),
    );
    return baseStyle(this.look, this.facts.tiles_url, { sources, layers: layersOf(paletteOf(this.look.theme)) });
  }

  private put(source: Source, data: Features): void {
    this.map.getSource<GeoJSONSource>(source)?.setData(data as never);
  }

  private fill(): void {
    const { fences, chosen, draft, units } = this.look;
    this.put("fences", fenceFeatures(fences, chosen, draft?.shape ? draft.geofenceId : null));
    this.put("draft", draftFeatures(draft));
    this.put("corridor", corridorFeatures(draft));
    this.put("units", units);
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
    if (key === (this.drawing?.key ?? null)) return;
    this.endDrawing();
    if (!draft || !shape || key === null) return;
    this.drawing = { key, shape };
    this.draw.start();
    if (draft.geometry) this.load(draft.geometry, shape);
    else this.draw.setMode(MODES[shape]);
  }

  private load(geometry: Geometry, shape: Shape): void {
    const feature = { type: "Feature", properties: { mode: MODES[shape] }, geometry };
    const [added] = this.draw.addFeatures([feature as never]);
    this.draw.setMode("select");
    if (added?.valid && added.id !== undefined) this.draw.selectFeature(added.id);
  }

  private endDrawing(): void {
    if (this.draw.enabled) this.draw.stop();
    this.drawing = null;
  }

  private fit(geofenceId: number): void {
    const fence = this.look.fences.find((each) => each.geofence_id === geofenceId);
    const bounds = boundsOf((fence?.rings.flat() ?? []) as unknown as Place[]);
    if (bounds) this.map.fitBounds(bounds as never, { ...FIT, animate: !this.still.matches });
  }

  private makeDraw(): TerraDraw {
    const coordinates = { midpoints: true, draggable: true, deletable: true };
    const shaped = { feature: { draggable: true, coordinates } };
    const draw = new TerraDraw({
      adapter: new TerraDrawMapLibreGLAdapter({ map: this.map, coordinatePrecision: 7 }),
      modes: [
        new TerraDrawPolygonMode(),
        new TerraDrawLineStringMode(),
        new TerraDrawPointMode(),
        new TerraDrawSelectMode({
          flags: { polygon: shaped, linestring: shaped, point: { feature: { draggable: true } } },
        }),
      ],
    });
    draw.on("finish", (id) => {
      this.tell();
      if (this.draw.getMode() !== "select") {
        this.draw.setMode("select");
        this.draw.selectFeature(id);
      }
    });
    return draw;
  }

  /** Say what was drawn: the newest feature of the shape's own kind. */
  private tell(): void {
    const { drawing } = this;
    if (!drawing) return;
    const drawn = this.draw.getSnapshot().filter((each) => each.properties.mode === MODES[drawing.shape]);
    const newest = drawn.at(-1);
    if (newest) this.onDrawn(newest.geometry as unknown as Geometry);
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
