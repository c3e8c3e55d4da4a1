// Keeps the base map's names away from labels that must be read: an unseen text of the same size stands in their place.
import type { GeoJSONSource, LayerSpecification, Map as MapLibre } from "maplibre-gl";
import { ALWAYS, type PlacedLabel } from "./placement";

export const CLAIMS = "claims";
export const NO_CLAIMS = { type: "FeatureCollection", features: [] } as const;

const EVERY_MS = 700;
const TEXT_PX = 12;
/** Decimals of a degree: finer moves are not worth a new placement of all names. */
const PLACES = 4;

/** The layer above all names, so that the map places it first. */
export function claimsLayer(fonts: readonly string[]): LayerSpecification {
  return {
    id: CLAIMS,
    type: "symbol",
    source: CLAIMS,
    layout: {
      "text-field": ["get", "text"],
      "text-font": [...fonts],
      "text-size": TEXT_PX,
      "text-anchor": "left",
      "text-justify": "left",
      "text-max-width": 60,
      "text-offset": ["array", "number", 2, ["get", "offset"]],
      "text-allow-overlap": true,
      "text-padding": 4,
    },
    paint: { "text-color": "rgba(0,0,0,0)" },
  };
}

const claimed = ({ wish }: PlacedLabel): boolean => wish.rank >= ALWAYS || wish.tone === "station";

/** Tells the map where those labels stand, seldom and only when one has changed. */
export class Claims {
  private told = "";
  private toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly map: MapLibre) {}

  /** A new style has forgotten them. */
  forget(): void {
    this.told = "";
  }

  tell(labels: readonly PlacedLabel[], lonLat: (label: PlacedLabel) => readonly [number, number]): void {
    const nowMs = performance.now();
    if (nowMs - this.toldAtMs < EVERY_MS) return;
    const source = this.map.getSource<GeoJSONSource>(CLAIMS);
    if (!source) return;
    const features = labels.filter(claimed).map((label) => ({
      type: "Feature" as const,
      properties: { text: label.wish.text, offset: [label.dx / TEXT_PX, label.dy / TEXT_PX] },
      geometry: {
        type: "Point" as const,
        coordinates: lonLat(label).map((degrees) => Number(degrees.toFixed(PLACES))),
      },
    }));
    const now = JSON.stringify(features);
    if (now === this.told) return;
    this.told = now;
    this.toldAtMs = nowMs;
    source.setData({ type: "FeatureCollection", features });
  }
}
