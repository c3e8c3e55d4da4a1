// How the geofences' map paints: fences, the one being drawn, and units.
import type { StyleSpecification } from "maplibre-gl";
import type { Palette } from "../map/palette";
import { FONTS } from "../map/style";

type Layers = StyleSpecification["layers"];

const NAMES_FROM_ZOOM = 11;
const UNIT_NAMES_FROM_ZOOM = 14;

/** Fences lie under the names; who raises an alarm is dashed, and red while somebody is inside. */
export function layersOf(p: Palette): Layers {
  const alarmed = ["all", ["get", "alarm"], ["get", "inside"]];
  const tone = ["case", alarmed, p.alarm, ["get", "alarm"], p.attn, p.accent] as never;
  const when = (strong: number, plain: number) => ["case", ["get", "chosen"], strong, plain] as never;
  const border = (id: string, alarm: boolean, dash: number[]): Layers[number] => ({
    id,
    type: "line",
    source: "fences",
    filter: ["==", ["get", "alarm"], alarm],
    paint: { "line-color": tone, "line-width": when(2.6, 1.4), ...(dash.length ? { "line-dasharray": dash } : {}) },
  });
  return [
    {
      id: "fences-fill",
      type: "fill",
      source: "fences",
      paint: { "fill-color": tone, "fill-opacity": when(0.14, 0.06) },
    },
    border("fences-line", false, []),
    border("fences-watch", true, [4, 2]),
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
        "circle-radius": ["case", ["get", "inside"], 4.5, 3.2],
        "circle-color": ["case", ["get", "inside"], p.accent, p.mini],
        "circle-stroke-color": p.halo,
        "circle-stroke-width": 1.2,
      },
    },
  ];
}

/** Names, over everything of the base map. */
export function namesOf(p: Palette): Layers {
  const named = { "text-field": ["get", "name"] as never, "text-font": FONTS, "text-padding": 4 };
  const halo = { "text-halo-color": p.halo, "text-halo-width": 1.6 };
  return [
    {
      id: "units-names",
      type: "symbol",
      source: "units",
      minzoom: UNIT_NAMES_FROM_ZOOM,
      layout: { ...named, "text-size": 12, "text-anchor": "left", "text-offset": [0.7, 0], "text-optional": true },
      paint: { ...halo, "text-color": ["case", ["get", "inside"], p.accent, p.quiet] },
    },
    {
      id: "fences-names",
      type: "symbol",
      source: "names",
      minzoom: NAMES_FROM_ZOOM,
      layout: { ...named, "text-size": 13, "text-max-width": 10, "symbol-sort-key": 0 },
      paint: { ...halo, "text-color": ["case", ["get", "alarm"], p.attn, p.accent] },
    },
  ];
}
