// The base map as a MapLibre style: our own GeoJSON layers in the design's order and colours, text drawn locally.
import type { ExpressionSpecification, FilterSpecification, LayerSpecification, StyleSpecification } from "maplibre-gl";
import type { Language } from "../i18n/text";
import type { CoverageMode } from "../state/settings";
import { CLAIMS, claimsLayer, NO_CLAIMS } from "./claims";
import { type CoverChoice, coverLayers, coverSources } from "./coverStyle";
import type { Palette } from "./palette";

export const MAP_LAYERS = ["relief", "valley", "water", "parks", "blocks", "roads", "labels", "places"] as const;
export type MapLayer = (typeof MAP_LAYERS)[number];

/** The faces of every name on a map, in order. */
export const FONTS = ["Inter Variable", "Noto Sans SC Variable"];

/** Road classes as the map layer has them: 0 trunk and ring, 1 primary, 2 secondary, 3 local. */
const WIDTHS: readonly [number, number, number][] = [
  [2.6, 6.4, 8.6],
  [1.9, 4.6, 6.4],
  [1.3, 3.2, 4.6],
  [0.9, 2.2, 3],
];

const byZoom = (z12: number, z14: number, z16: number): ExpressionSpecification => [
  "interpolate",
  ["exponential", 1.4],
  ["zoom"],
  10,
  z12 * 0.5,
  12,
  z12,
  14,
  z14,
  16,
  z16,
  18,
  z16 * 2.4,
];

const ofClass = (value: number): FilterSpecification => ["==", ["get", "class"], value];
const ofKind = (...kinds: string[]): FilterSpecification => ["in", ["get", "kind"], ["literal", kinds]];

function fill(id: string, source: string, color: string, filter?: FilterSpecification): LayerSpecification {
  return {
    id,
    type: "fill",
    source,
    paint: { "fill-color": color, "fill-antialias": true },
    ...(filter ? { filter } : {}),
  };
}

function road(cls: number, color: string): LayerSpecification {
  const [z12, z14, z16] = WIDTHS[cls]!;
  return {
    id: `road-${cls}`,
    type: "line",
    source: "roads",
    filter: ofClass(cls),
    layout: { "line-cap": "round", "line-join": "round" },
    paint: { "line-color": color, "line-width": byZoom(z12, z14, z16) },
    ...(cls === 3 ? { minzoom: 11.5 } : {}),
  };
}

function casing(color: string): LayerSpecification {
  const [z12, z14, z16] = WIDTHS[0]!;
  return {
    id: "road-casing",
    type: "line",
    source: "roads",
    filter: ofClass(0),
    layout: { "line-cap": "round", "line-join": "round" },
    paint: { "line-color": color, "line-width": byZoom(z12 + 1.6, z14 + 2.4, z16 + 3) },
  };
}

/** The union of all stations has no station_id; a chosen station has its own contours. */
function plan(minutes: number, stationId: number | null): FilterSpecification {
  const whose: ExpressionSpecification =
    stationId === null ? ["!", ["to-boolean", ["get", "station_id"]]] : ["==", ["get", "station_id"], stationId];
  return ["all", ["==", ["get", "minutes"], minutes], whose];
}

function coverage(p: Palette, mode: CoverageMode, stationId: number | null): LayerSpecification[] {
  if (mode === "off") return [];
  const lines: [number, string, number, number[] | null][] = [
    [5, p.cover5, 1.2, [4.2, 3.3]],
    [3, p.cover3, 1.4, null],
    [1, p.cover1, 1.6, null],
  ];
  const fills: [number, number][] = [
    [5, p.opacity5],
    [3, p.opacity3],
    [1, p.opacity1],
  ];
  const areas = fills.map(
    ([minutes, opacity]): LayerSpecification => ({
      id: `cover-area-${minutes}`,
      type: "fill",
      source: "planned",
      filter: plan(minutes, stationId),
      paint: { "fill-color": p.cover, "fill-opacity": opacity },
    }),
  );
  const solid = lines.map(
    ([minutes, color, width, dash]): LayerSpecification => ({
      id: `cover-line-${minutes}`,
      type: "line",
      source: "planned",
      filter: plan(minutes, stationId),
      layout: { "line-join": "round" },
      paint: { "line-color": color, "line-width": width, ...(dash ? { "line-dasharray": dash } : {}) },
    }),
  );
  const dots = lines.map(
    ([minutes]): LayerSpecification => ({
      id: `cover-plan-${minutes}`,
      type: "line",
      source: "planned",
      filter: plan(minutes, stationId),
      layout: { "line-cap": "round", "line-join": "round" },
      paint: { "line-color": p.plan, "line-width": 1.4, "line-dasharray": [0.6, 3.2], "line-opacity": 0.75 },
    }),
  );
  return mode === "area" ? [...areas, ...solid] : dots;
}

interface LabelLook {
  readonly size: number | ExpressionSpecification;
  readonly color: string;
  readonly spacing?: number;
  readonly minzoom?: number;
  readonly halo?: number;
  readonly padding?: number;
}

function label(
  id: string,
  source: string,
  filter: FilterSpecification,
  name: ExpressionSpecification,
  p: Palette,
  look: LabelLook,
): LayerSpecification {
  return {
    id,
    type: "symbol",
    source,
    filter,
    ...(look.minzoom ? { minzoom: look.minzoom } : {}),
    layout: {
      "text-field": name,
      "text-font": FONTS,
      "text-size": look.size,
      "text-letter-spacing": look.spacing ?? 0,
      "text-padding": look.padding ?? 6,
      "text-max-width": 12,
    },
    paint: { "text-color": look.color, "text-halo-color": p.halo, "text-halo-width": look.halo ?? 1.5 },
  };
}

function labels(p: Palette, language: Language, lifted: boolean): LayerSpecification[] {
  const name: ExpressionSpecification = [
    "coalesce",
    ["get", language === "zh" ? "name_zh" : "name_en"],
    ["get", "name_zh"],
    "",
  ];
  const road = (id: string, classes: number[], minzoom: number): LayerSpecification => ({
    id,
    type: "symbol",
    source: "roads",
    minzoom,
    filter: ["all", ["in", ["get", "class"], ["literal", classes]], ["has", "name_zh"]],
    layout: {
      "symbol-placement": "line",
      "symbol-spacing": 480,
      "text-field": name,
      "text-font": FONTS,
      "text-size": 12,
      "text-max-angle": 35,
      "text-padding": 24,
      "text-letter-spacing": language === "zh" ? 0.06 : 0,
    },
    paint: { "text-color": lifted ? p.liftedRoad : p.labelRoad, "text-halo-color": p.halo, "text-halo-width": 1.5 },
  });
  return [
    road("label-road-minor", [2, 3], 14.5),
    road("label-road", [1], 12.6),
    road("label-road-trunk", [0], 12),
    label("label-place", "places", ofKind("place"), ["concat", "• ", name] as ExpressionSpecification, p, {
      size: 12,
      color: lifted ? p.liftedPlace : p.labelPlace,
      minzoom: 13,
    }),
    label("label-bridge", "labels", ofKind("bridge"), name, p, {
      size: 12,
      color: lifted ? p.liftedRoad : p.labelRoad,
      minzoom: 12.6,
    }),
    label("label-park", "labels", ofKind("park", "scenic_area", "wetland", "campus"), name, p, {
      size: 12,
      color: lifted ? p.liftedPark : p.labelPark,
      minzoom: 11.4,
    }),
    label("label-river", "labels", ofKind("river"), name, p, {
      size: 14,
      color: lifted ? p.liftedWater : p.labelWater,
      spacing: 0.2,
      halo: 0,
    }),
    label(
      "label-district",
      "labels",
      ofKind("district"),
      language === "en" ? (["upcase", name] as ExpressionSpecification) : name,
      p,
      {
        size: ["interpolate", ["linear"], ["zoom"], 11, 13, 14, 17],
        color: lifted ? p.liftedDistrict : p.labelDistrict,
        spacing: 0.28,
      },
    ),
  ];
}

export interface StyleChoice {
  readonly palette: Palette;
  readonly language: Language;
  readonly coverage: CoverageMode;
  readonly stationId: number | null;
  readonly labels: boolean;
  /** The supervisor's coverage; null: the operator's, which is the plan. */
  readonly cover: CoverChoice | null;
  /** Where vector tiles of the base map's layers are; without them each layer is one GeoJSON file. */
  readonly tilesUrl?: string | null;
}

const TILES = "base";
const TILE_ZOOMS = { minzoom: 8, maxzoom: 14 };

const isBase = (source: unknown): boolean => (MAP_LAYERS as readonly unknown[]).includes(source);

/** The base map's layers drawn from one source of vector tiles: of a large city only what is in view is loaded. */
function overTiles(style: StyleSpecification, tilesUrl: string): StyleSpecification {
  const others = Object.entries(style.sources).filter(([name]) => !isBase(name));
  const layers = style.layers.map((layer) =>
    "source" in layer && isBase(layer.source) ? { ...layer, source: TILES, "source-layer": layer.source } : layer,
  );
  const base = { type: "vector" as const, tiles: [tilesUrl], ...TILE_ZOOMS };
  return {
    ...style,
    sources: { ...Object.fromEntries(others), [TILES]: base },
    layers: layers as LayerSpecification[],
  };
}

/** The whole style for a choice of theme, language and layers; MapLibre applies only what differs. */
export function styleOf(origin: string, choice: StyleChoice): StyleSpecification {
  const { palette: p } = choice;
  const lifted = choice.cover ? choice.cover.view !== "off" : choice.coverage === "area";
  const sources: StyleSpecification["sources"] = {
    planned: { type: "geojson", data: `${origin}/api/coverage/planned`, tolerance: 0.3 },
    ...(choice.cover ? coverSources(choice.cover.feeds) : {}),
  };
  for (const name of MAP_LAYERS)
    sources[name] = { type: "geojson", data: `${origin}/api/map/${name}.geojson`, tolerance: 0.3 };
  sources[CLAIMS] = { type: "geojson", data: NO_CLAIMS as never };
  const style: StyleSpecification = {
    version: 8,
    sources,
    layers: [
      { id: "land", type: "background", paint: { "background-color": p.land } },
      {
        id: "relief",
        type: "line",
        source: "relief",
        paint: { "line-color": p.contour, "line-width": ["case", ["get", "index"], 1.4, 0.8] },
      },
      fill("valley", "valley", p.valley),
      fill("parks", "parks", p.park, ofKind("park", "scenic_area", "campus")),
      fill("works", "parks", p.works, ofKind("works")),
      { ...fill("blocks", "blocks", p.block), minzoom: 12 } as LayerSpecification,
      fill("river", "water", p.water, ofKind("river")),
      fill("wetland", "water", p.park, ofKind("wetland")),
      road(3, p.local),
      road(2, p.secondary),
      road(1, p.primary),
      casing(p.casing),
      road(0, p.trunk),
      ...(choice.cover ? coverLayers(p, choice.cover) : coverage(p, choice.coverage, choice.stationId)),
      ...(choice.labels ? labels(p, choice.language, lifted) : []),
      claimsLayer(FONTS),
    ],
  };
  return choice.tilesUrl ? overTiles(style, `${origin}${choice.tilesUrl}`) : style;
}
