// Geofences on the operations map: quiet outlines under the names, their own names nearer by, and the way to their page.
import type { GeoJSONSource, Map as MapLibre, Point, StyleSpecification } from "maplibre-gl";
import { openFence } from "../geofences/fenceDesk";
import { type Features, fenceFeatures, nameFeatures } from "../geofences/fenceShapes";
import type { Language } from "../i18n/text";
import { getDesk } from "../state/desk";
import { getFences, onFences, watchFences } from "../state/fences";
import { screenOf } from "../state/roles";
import { getSettings, type Settings } from "../state/settings";
import { showScreen } from "../supervisor/keys";
import { CLAIMS } from "./claims";
import { loadFonts } from "./fonts";
import type { Palette } from "./palette";
import { FONTS } from "./style";

const NAMES_FROM_ZOOM = 12.6;
const REACH_PX = 5;
const LINES = "geofences";
const LINE = "geofences-line";
const WATCH = "geofences-watch";
const NAMES = "geofences-names";
type Layers = StyleSpecification["layers"];

function outlines(p: Palette): Layers {
  const alarmed = ["all", ["get", "alarm"], ["get", "inside"]];
  const tone = ["case", alarmed, p.alarm, ["get", "alarm"], p.attn, p.quiet] as never;
  const border = (id: string, alarm: boolean, dash: number[]): Layers[number] => ({
    id,
    type: "line",
    source: LINES,
    filter: ["==", ["get", "alarm"], alarm],
    paint: { "line-color": tone, "line-width": 1.2, "line-opacity": 0.75, "line-dasharray": dash },
  });
  return [border(LINE, false, [6, 2]), border(WATCH, true, [3, 2])];
}

function names(p: Palette): Layers[number] {
  return {
    id: NAMES,
    type: "symbol",
    source: NAMES,
    minzoom: NAMES_FROM_ZOOM,
    layout: { "text-field": ["get", "name"], "text-font": FONTS, "text-size": 12, "text-max-width": 10 },
    paint: {
      "text-color": ["case", ["get", "alarm"], p.attn, p.quiet],
      "text-halo-color": p.halo,
      "text-halo-width": 1.5,
    },
  };
}

/** The outlines of the geofences, while they are shown. */
export class FenceOutlines {
  private readonly letters = new Set<string>();
  private stop: (() => void) | null = null;
  private readonly forget = onFences(() => void this.changed());

  constructor(private readonly mapNow: () => MapLibre) {}

  /** Show them from now on, or not, as the settings have it for the screen. */
  follow({ fencesOn, screen }: Settings): void {
    if (fencesOn.includes(screenOf(getDesk().role, screen))) this.stop ??= watchFences();
    else this.remove();
  }

  private remove(): void {
    this.stop?.();
    this.stop = null;
  }

  end(): void {
    this.remove();
    this.forget();
  }

  private async changed(): Promise<void> {
    const text = getFences()
      .map((fence) => fence.name_zh + fence.name_en)
      .join("");
    await loadFonts(text);
    for (const letter of text) this.letters.add(letter);
    if (this.stop) this.fill();
  }

  private fill(): void {
    const map = this.mapNow();
    const sources = Object.entries(this.data(getSettings().language));
    if (!sources.every(([name]) => map.getSource(name))) void map.once("idle", () => this.stop && this.fill());
    else for (const [name, data] of sources) map.getSource<GeoJSONSource>(name)?.setData(data as never);
  }

  private data(language: Language): Readonly<Record<string, Features>> {
    const fences = getFences();
    return { [LINES]: fenceFeatures(fences, null), [NAMES]: nameFeatures(fences, language, this.letters) };
  }

  /** The style with the outlines under its names; names claimed by labels of units keep their room. */
  within(style: StyleSpecification, palette: Palette, language: Language): StyleSpecification {
    if (!this.stop) return style;
    const sources = Object.fromEntries(
      Object.entries(this.data(language)).map(([name, data]) => [
        name,
        { type: "geojson" as const, data: data as never },
      ]),
    );
    const top = style.layers.findIndex((layer) => layer.id === CLAIMS);
    const first = style.layers.findIndex((layer) => layer.type === "symbol");
    const { layers } = style;
    return {
      ...style,
      sources: { ...style.sources, ...sources },
      layers: [
        ...layers.slice(0, first),
        ...outlines(palette),
        ...layers.slice(first, top),
        names(palette),
        ...layers.slice(top),
      ],
    };
  }

  /** Open the page of the geofence whose border or name is at a point of the map. */
  openAt(map: MapLibre, { x, y }: Point): boolean {
    if (!this.stop || !map.getLayer(LINE)) return false;
    const box: [[number, number], [number, number]] = [
      [x - REACH_PX, y - REACH_PX],
      [x + REACH_PX, y + REACH_PX],
    ];
    const found = map.queryRenderedFeatures(box, { layers: [LINE, WATCH, NAMES] }).at(0);
    if (!found) return false;
    openFence(found.properties.geofence_id as number);
    showScreen("geofences");
    return true;
  }
}
