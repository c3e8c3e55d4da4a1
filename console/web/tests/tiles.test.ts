// The base map comes from GeoJSON files, or from one source of vector tiles where the city has them.
import { describe, expect, it } from "vitest";
import { paletteOf } from "../src/map/palette";
import { MAP_LAYERS, type StyleChoice, styleOf } from "../src/map/style";

const CHOICE: StyleChoice = {
  palette: paletteOf("night"),
  language: "en",
  coverage: "area",
  stationId: null,
  labels: true,
  cover: null,
};
const TILES_URL = "/api/map/tiles/{z}/{x}/{y}.mvt";

describe("the base map", () => {
  it("is one GeoJSON source a layer where the city has no tiles", () => {
    const style = styleOf("https://here", { ...CHOICE, tilesUrl: null });
    for (const name of MAP_LAYERS) expect(style.sources[name]).toMatchObject({ type: "geojson" });
    expect(style.sources.base).toBeUndefined();
  });

  it("is one vector source where it has, with the same layers in the same order and look", () => {
    const plain = styleOf("https://here", CHOICE);
    const tiled = styleOf("https://here", { ...CHOICE, tilesUrl: TILES_URL });
    expect(tiled.sources.base).toMatchObject({ type: "vector", tiles: [`https://here${TILES_URL}`], maxzoom: 14 });
    expect(Object.keys(tiled.sources).filter((name) => (MAP_LAYERS as readonly string[]).includes(name))).toEqual([]);
    expect(tiled.layers.map((layer) => layer.id)).toEqual(plain.layers.map((layer) => layer.id));
    const roads = tiled.layers.filter((layer) => layer.id.startsWith("road-"));
    for (const layer of roads) expect(layer).toMatchObject({ source: "base", "source-layer": "roads" });
    const coverage = tiled.layers.find((layer) => layer.id === "cover-area-5");
    expect(coverage).toMatchObject({ source: "planned" });
  });
});
