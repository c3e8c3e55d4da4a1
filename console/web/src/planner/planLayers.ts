// How the planner's map paints: accent is what is planned, amber what is refused or closed, quiet what stands.
import type { StyleSpecification } from "maplibre-gl";
import type { Palette } from "../map/palette";
import { FONTS } from "../map/style";

type Layers = StyleSpecification["layers"];
type Layer = Layers[number];

const strong = (chosen: number, plain: number) => ["case", ["get", "chosen"], chosen, plain] as never;
const ofType = (...types: string[]) =>
  ["in", ["geometry-type"], ["literal", types.flatMap((type) => [type, `Multi${type}`])]] as never;

function tasks(p: Palette): Layers {
  const tone = ["case", ["get", "refused"], p.attn, p.accent] as never;
  const round = ["case", ["get", "event"], ["literal", [3, 2.4]], ["literal", [1, 0]]] as never;
  return [
    {
      id: "task-fill",
      type: "fill",
      source: "tasks",
      filter: ofType("Polygon"),
      paint: { "fill-color": tone, "fill-opacity": strong(0.2, 0.08) },
    },
    {
      id: "task-band",
      type: "line",
      source: "tasks",
      filter: ofType("LineString"),
      layout: { "line-cap": "round", "line-join": "round" },
      paint: { "line-color": tone, "line-opacity": strong(0.32, 0.18), "line-width": 10 },
    },
    {
      id: "task-line",
      type: "line",
      source: "tasks",
      layout: { "line-join": "round" },
      paint: { "line-color": tone, "line-width": strong(2.4, 1.5), "line-dasharray": round },
    },
  ];
}

function zones(p: Palette): Layers {
  const keepIn = ["==", ["get", "zone"], "keep_in"];
  const tone = ["case", keepIn, p.accent, p.attn] as never;
  return [
    {
      id: "zone-fill",
      type: "fill",
      source: "zones",
      filter: ["!=", ["get", "zone"], "keep_in"],
      paint: { "fill-pattern": "hatch", "fill-opacity": strong(0.95, 0.6) },
    },
    {
      id: "zone-line",
      type: "line",
      source: "zones",
      paint: { "line-color": tone, "line-width": strong(2.4, 1.5), "line-dasharray": [4, 3] },
    },
  ];
}

function ways(p: Palette): Layers {
  const way = (id: string, filter: unknown, paint: object): Layer => ({
    id,
    type: "line",
    source: "ways",
    filter: filter as never,
    layout: { "line-join": "round" },
    paint: { "line-color": p.accent, ...paint },
  });
  return [
    way("way-plain", ["!", ["get", "strong"]], {
      "line-color": p.quiet,
      "line-width": 1,
      "line-opacity": 0.35,
      "line-dasharray": [3, 3],
    }),
    way("way-strong", ["all", ["get", "strong"], ["!", ["get", "selected"]]], {
      "line-width": 1.4,
      "line-opacity": 0.7,
    }),
    way("way-casing", ["get", "selected"], { "line-color": p.halo, "line-width": 6, "line-opacity": 0.9 }),
    way("way-selected", ["get", "selected"], { "line-width": 2.8 }),
  ];
}

function preview(p: Palette): Layers {
  const part = (name: string) => ["==", ["get", "part"], name] as never;
  const { accent } = p;
  return [
    {
      id: "preview-footprint",
      type: "fill",
      source: "preview",
      filter: part("footprint"),
      paint: { "fill-color": p.cover, "fill-opacity": 0.22 },
    },
    {
      id: "preview-line",
      type: "line",
      source: "preview",
      filter: part("line"),
      layout: { "line-join": "round" },
      paint: { "line-color": p.cover1, "line-width": 1.8 },
    },
    {
      id: "preview-round",
      type: "line",
      source: "preview",
      filter: ["in", ["get", "part"], ["literal", ["round", "hole"]]],
      paint: { "line-color": accent, "line-width": 1.6, "line-dasharray": [3, 2.4] },
    },
  ];
}

/** What lies under the names of the base map. */
export const layersOf = (p: Palette): Layers => [...zones(p), ...tasks(p), ...ways(p), ...preview(p)];

/** Marks and names, over everything of the base map. */
export function namesOf(p: Palette): Layers {
  const halo = { "text-halo-color": p.halo, "text-halo-width": 1.6 };
  const named = { "text-field": ["get", "name"] as never, "text-font": FONTS, "text-padding": 3 };
  const isEvent = ["==", ["get", "mark"], "event"] as never;
  return [
    {
      id: "plan-names",
      type: "symbol",
      source: "names",
      minzoom: 11,
      layout: { ...named, "text-size": 13, "text-max-width": 12, "text-anchor": "bottom", "text-offset": [0, -0.4] },
      paint: { ...halo, "text-color": ["case", ["get", "zone"], p.attn, p.accent] },
    },
    {
      id: "conflict-dots",
      type: "circle",
      source: "conflicts",
      paint: {
        "circle-radius": 9,
        "circle-color": p.alarm,
        "circle-opacity": 0.25,
        "circle-stroke-color": p.alarm,
        "circle-stroke-width": 1.6,
      },
    },
    {
      id: "mark-dots",
      type: "circle",
      source: "marks",
      filter: ["!=", ["get", "mark"], "dock"],
      paint: {
        "circle-radius": ["case", isEvent, 10, 5] as never,
        "circle-color": p.accent,
        "circle-stroke-color": ["case", ["get", "chosen"], p.ink, p.halo],
        "circle-stroke-width": 2,
      },
    },
    {
      id: "mark-names",
      type: "symbol",
      source: "marks",
      minzoom: 11.5,
      layout: {
        ...named,
        "text-size": 13,
        "text-optional": true,
        "text-variable-anchor": ["left", "right", "top", "bottom"],
        "text-radial-offset": 1.15,
      },
      paint: { ...halo, "text-color": ["case", ["get", "chosen"], p.accent, p.quiet] },
    },
    {
      id: "mark-docks",
      type: "symbol",
      source: "marks",
      filter: ["==", ["get", "mark"], "dock"],
      layout: { "icon-image": ["case", ["get", "chosen"], "dock-chosen", "dock"], "icon-allow-overlap": true },
    },
    {
      id: "mark-letters",
      type: "symbol",
      source: "marks",
      filter: isEvent,
      layout: {
        "text-field": ["get", "letter"],
        "text-font": FONTS,
        "text-size": 12,
        "text-allow-overlap": true,
      },
      paint: { "text-color": p.accentInk },
    },
  ];
}
