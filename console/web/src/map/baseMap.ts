// The base map for small maps of their own: the operations map's style without coverage, and the faces of its names.
import type { StyleSpecification } from "maplibre-gl";
import { get, RequestError } from "../api/client";
import type { Language } from "../i18n/text";
import { zh } from "../i18n/zh";
import type { Theme } from "../state/settings";
import type { MapReply } from "../wire.generated";
import { CLAIMS } from "./claims";
import { charactersIn, loadFonts } from "./fonts";
import { paletteOf } from "./palette";
import { styleOf } from "./style";

const NAMED = ["labels", "places", "roads"];
/** What only the operations map draws. */
const LEFT_OUT: ReadonlySet<string> = new Set(["planned", CLAIMS]);

export interface BaseLook {
  readonly theme: Theme;
  readonly language: Language;
}

type Layers = StyleSpecification["layers"];

/** The base map with further sources, whose layers lie under the names; `names` lie over them. */
export function baseStyle(
  { theme, language }: BaseLook,
  tilesUrl: string | null,
  added: { readonly sources: StyleSpecification["sources"]; readonly layers: Layers; readonly names?: Layers },
): StyleSpecification {
  const palette = paletteOf(theme);
  const choice = { palette, language, coverage: "off" as const, stationId: null, labels: true, cover: null, tilesUrl };
  const whole = styleOf(location.origin, choice);
  const layers = whole.layers.filter((layer) => !("source" in layer) || !LEFT_OUT.has(layer.source as string));
  const names = layers.findIndex((layer) => layer.type === "symbol");
  const sources = Object.fromEntries(Object.entries(whole.sources).filter(([name]) => !LEFT_OUT.has(name)));
  return {
    ...whole,
    sources: { ...sources, ...added.sources },
    layers: [...layers.slice(0, names), ...added.layers, ...layers.slice(names), ...(added.names ?? [])],
  };
}

/** The bundled faces for the map's names; where the base map comes in tiles, a phone need not read every name first. */
export async function prepareFonts(facts: MapReply): Promise<void> {
  if (facts.tiles_url) return loadFonts(charactersIn([]));
  const read = async (layer: string): Promise<string> => JSON.stringify(await get(`/api/map/${layer}.geojson`));
  const texts = await Promise.all(NAMED.map((layer) => read(layer).catch(ignoreRefusal)));
  await loadFonts(charactersIn(texts) + Object.values(zh).join(""));
}

function ignoreRefusal(error: unknown): string {
  if (error instanceof RequestError) return "";
  throw error;
}
