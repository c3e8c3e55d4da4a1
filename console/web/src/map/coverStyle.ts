// The supervisor's layers: coverage now, as planned or what differs, gaps with their hatch, the ring's chain.
import type { FilterSpecification, LayerSpecification, Map as MapLibre, SourceSpecification } from "maplibre-gl";
import type { CoverView } from "../state/settings";
import { FEEDS, type Features, type FeedName } from "./coverFeed";
import type { Palette } from "./palette";

export interface CoverChoice {
  readonly view: CoverView;
  readonly feeds: Readonly<Record<FeedName, Features>>;
  /** A what-if is shown: its contours stand where else those of now do. */
  readonly imagined: boolean;
}

const minutesAre = (minutes: number): FilterSpecification => ["==", ["get", "minutes"], minutes];
const ofForce = (minutes: number): FilterSpecification => [
  "all",
  ["==", ["get", "minutes"], minutes],
  ["!", ["to-boolean", ["get", "station_id"]]],
];
const isChange = (what: string): FilterSpecification => ["==", ["get", "what"], what];

/** The sources of the supervisor's layers, with what they show now. */
export const coverSources = (feeds: CoverChoice["feeds"]): Record<string, SourceSpecification> =>
  Object.fromEntries(
    FEEDS.map((name) => [name, { type: "geojson", data: feeds[name] as never, tolerance: 0.3 } as SourceSpecification]),
  );

function fillsNow(p: Palette): LayerSpecification[] {
  const fills: [number, number][] = [
    [5, p.opacity5],
    [3, p.opacity3],
    [1, p.opacity1],
  ];
  return fills.map(([minutes, opacity]) => ({
    id: `now-area-${minutes}`,
    type: "fill",
    source: "now",
    filter: minutesAre(minutes),
    paint: { "fill-color": p.cover, "fill-opacity": opacity, "fill-antialias": false },
  }));
}

function linesNow(p: Palette, which: readonly number[]): LayerSpecification[] {
  const lines: [number, string, number, number[] | null][] = [
    [5, p.cover5, 1.2, [4.2, 3.3]],
    [3, p.cover3, 1.4, null],
    [1, p.cover1, 1.6, null],
  ];
  return lines
    .filter(([minutes]) => which.includes(minutes))
    .map(([minutes, color, width, dash]) => ({
      id: `now-line-${minutes}`,
      type: "line",
      source: "now",
      filter: minutesAre(minutes),
      layout: { "line-join": "round" },
      paint: { "line-color": color, "line-width": width, ...(dash ? { "line-dasharray": dash } : {}) },
    }));
}

/** The plan of the whole force as dots: the outermost lightest. */
function dotsOfPlan(p: Palette, which: readonly number[]): LayerSpecification[] {
  return which.map((minutes) => ({
    id: `plan-${minutes}`,
    type: "line",
    source: "planned",
    filter: ofForce(minutes),
    layout: { "line-cap": "round", "line-join": "round" },
    paint: {
      "line-color": p.plan,
      "line-width": 1.4,
      "line-dasharray": [0.1, 3.9],
      "line-opacity": minutes === 5 && which.length > 1 ? 0.45 : 0.75,
    },
  }));
}

function changed(p: Palette): LayerSpecification[] {
  return [
    {
      id: "change-gained",
      type: "fill",
      source: "change",
      filter: isChange("gained"),
      paint: { "fill-pattern": `dots:${p.cover1}`, "fill-antialias": false },
    },
    {
      id: "change-lost",
      type: "fill",
      source: "change",
      filter: isChange("lost"),
      paint: { "fill-pattern": `hatch:${p.gap}`, "fill-antialias": false },
    },
  ];
}

function gaps(p: Palette): LayerSpecification[] {
  return [
    { id: "gap-area", type: "fill", source: "gaps", paint: { "fill-color": p.gap, "fill-opacity": 0.1 } },
    {
      id: "gap-hatch",
      type: "fill",
      source: "gaps",
      paint: { "fill-pattern": `hatch:${p.gap}`, "fill-antialias": false },
    },
    {
      id: "gap-line",
      type: "line",
      source: "gaps",
      layout: { "line-join": "round" },
      paint: { "line-color": p.gap, "line-width": ["case", ["get", "chosen"], 3, 1.6] },
    },
  ];
}

function ring(p: Palette): LayerSpecification[] {
  const layout = { "line-cap": "round", "line-join": "round" } as const;
  return [
    {
      id: "ring-closed",
      type: "line",
      source: "ring",
      filter: ["get", "closed"] as never,
      layout,
      paint: { "line-color": p.ring, "line-width": 2.2, "line-opacity": 0.8 },
    },
    {
      id: "ring-open",
      type: "line",
      source: "ring",
      filter: ["!", ["get", "closed"]],
      layout,
      paint: { "line-color": p.gap, "line-width": 2.8, "line-dasharray": [0.4, 2.8] },
    },
  ];
}

/** The supervisor's layers, lowest first. */
export function coverLayers(p: Palette, { view, imagined: isImagined }: CoverChoice): LayerSpecification[] {
  const ground: Readonly<Record<CoverView, LayerSpecification[]>> = {
    now: [...fillsNow(p), ...linesNow(p, [5, 3, 1]), ...dotsOfPlan(p, [3])],
    plan: isImagined ? [...fillsNow(p), ...linesNow(p, [3])] : dotsOfPlan(p, [5, 3, 1]),
    change: [...changed(p), ...linesNow(p, [3]), ...dotsOfPlan(p, [3])],
    off: [],
  };
  return [...ground[view], ...(view === "off" ? [] : gaps(p)), ...ring(p)];
}

const SIDE = 26;

function pattern(draw: (pen: CanvasRenderingContext2D) => void): ImageData {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE;
  const pen = canvas.getContext("2d")!;
  draw(pen);
  return pen.getImageData(0, 0, SIDE, SIDE);
}

/** 45° lines 2.2 wide, 9 apart, as a tile of twice the pixels. */
const hatch = (colour: string): ImageData =>
  pattern((pen) => {
    pen.strokeStyle = colour;
    pen.globalAlpha = 0.62;
    pen.lineWidth = 4.4;
    for (const from of [-SIDE, 0, SIDE]) {
      pen.beginPath();
      pen.moveTo(from - 4, SIDE + 4);
      pen.lineTo(from + SIDE + 4, -4);
      pen.stroke();
    }
  });

const dots = (colour: string): ImageData =>
  pattern((pen) => {
    pen.fillStyle = colour;
    pen.globalAlpha = 0.9;
    for (const [x, y] of [
      [6.5, 6.5],
      [19.5, 19.5],
    ] as const) {
      pen.beginPath();
      pen.arc(x, y, 2.8, 0, Math.PI * 2);
      pen.fill();
    }
  });

/** Give the map the pattern that a layer asks for, drawn in the colour that its name carries. */
export function drawMissing(map: MapLibre, id: string): void {
  const [kind, colour] = id.split(":");
  if (!colour || map.hasImage(id)) return;
  if (kind === "hatch") map.addImage(id, hatch(colour), { pixelRatio: 2 });
  if (kind === "dots") map.addImage(id, dots(colour), { pixelRatio: 2 });
}
