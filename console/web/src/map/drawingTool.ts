// Drawing on a small map: polygons, lines and points, dragged by their corners; in the theme's colours.
import type { Map as MapLibre, StyleSpecification } from "maplibre-gl";
import {
  TerraDraw,
  TerraDrawLineStringMode,
  TerraDrawPointMode,
  TerraDrawPolygonMode,
  TerraDrawSelectMode,
} from "terra-draw";
import { TerraDrawMapLibreGLAdapter } from "terra-draw-maplibre-gl-adapter";
import type { Theme } from "../state/settings";
import { pathCrosses, ringCrosses } from "./crossings";
import { type Palette, paletteOf } from "./palette";

export type Place = readonly [number, number];
export type DrawnKind = "polygon" | "linestring" | "point";

/** The geometries that people draw. */
export type Geometry =
  | { readonly type: "Polygon"; readonly coordinates: Place[][] }
  | { readonly type: "Point"; readonly coordinates: Place }
  | { readonly type: "LineString"; readonly coordinates: Place[] };

/** Who is told of what is drawn. */
export interface Drawing {
  /** Each time that a shape is finished or changed. */
  readonly onDrawn: (geometry: Geometry) => void;
  /** While a border is drawn or dragged: each time that it begins or ceases to cross itself. */
  readonly onCrossing: (isCrossing: boolean) => void;
}

/** What the drawing tool adds to the style; another theme must leave it where it is. */
const DRAWN_BY_TOOL = /^td-/;
/** So near to the first corner a click ends a border, px: small areas can be drawn, and a finger still meets it. */
const SNAP_PX = 20;

export class DrawingTool {
  private readonly draw: TerraDraw;
  private drawing: { readonly key: string; readonly kind: DrawnKind } | null = null;
  private isCrossing = false;

  constructor(
    private readonly map: MapLibre,
    private theme: Theme,
    private readonly told: Drawing,
  ) {
    this.draw = this.make();
  }

  get isDrawing(): boolean {
    return this.drawing !== null;
  }

  /** Begin, go on with or end a drawing; `key` names it, null is none. */
  follow(key: string | null, kind: DrawnKind | null, geometry: Geometry | null): void {
    if (key === (this.drawing?.key ?? null)) return;
    this.end();
    if (key === null || kind === null) return;
    this.drawing = { key, kind };
    this.draw.start();
    this.paint(this.theme);
    if (geometry) this.load(geometry);
    else this.draw.setMode(kind);
  }

  /** Draw it anew from nothing. */
  redraw(): void {
    if (!this.drawing || !this.draw.enabled) return;
    this.draw.clear();
    this.draw.setMode(this.drawing.kind);
  }

  /** Put a shape in place of what is drawn; its corners are dragged from there. */
  put(geometry: Geometry): void {
    if (!this.drawing || !this.draw.enabled) return;
    this.draw.clear();
    this.load(geometry);
    this.told.onDrawn(geometry);
  }

  /** Take another theme's colours; `geometry` is what is drawn so far, which a new style loses. */
  restyle(theme: Theme, geometry: Geometry | null): void {
    this.paint(theme);
    if (!this.drawing || !geometry) return;
    this.draw.clear();
    this.load(geometry);
  }

  end(): void {
    if (this.draw.enabled) this.draw.stop();
    this.drawing = null;
    this.tellCrossing();
  }

  /** Give the tool the theme's colours; it takes them only while it draws. */
  private paint(theme: Theme): void {
    this.theme = theme;
    if (!this.draw.enabled) return;
    const styles = this.styles();
    for (const mode of Object.keys(styles) as (keyof typeof styles)[])
      this.draw.updateModeOptions(mode, { styles: styles[mode] } as never);
  }

  private load(geometry: Geometry): void {
    const feature = { type: "Feature", properties: { mode: this.drawing?.kind }, geometry };
    const [added] = this.draw.addFeatures([feature as never]);
    this.draw.setMode("select");
    if (added?.valid && added.id !== undefined) this.draw.selectFeature(added.id);
  }

  private make(): TerraDraw {
    const coordinates = { midpoints: true, draggable: true, deletable: true };
    const shaped = { feature: { draggable: true, selfIntersectable: true, coordinates } };
    const styles = this.styles();
    const draw = new TerraDraw({
      adapter: new TerraDrawMapLibreGLAdapter({ map: this.map, coordinatePrecision: 7 }),
      modes: [
        new TerraDrawPolygonMode({ styles: styles.polygon, pointerDistance: SNAP_PX }),
        new TerraDrawLineStringMode({ styles: styles.linestring, pointerDistance: SNAP_PX }),
        new TerraDrawPointMode({ styles: styles.point }),
        new TerraDrawSelectMode({
          styles: styles.select,
          flags: { polygon: shaped, linestring: shaped, point: { feature: { draggable: true } } },
        }),
      ],
    });
    draw.on("change", () => this.tellCrossing());
    draw.on("finish", (id) => {
      this.tell();
      if (this.draw.getMode() !== "select") {
        this.draw.setMode("select");
        this.draw.selectFeature(id);
      }
    });
    return draw;
  }

  private styles() {
    const palette = paletteOf(this.theme);
    return drawStyles(palette, () => (this.isCrossing ? palette.alarm : palette.accent) as Hex);
  }

  /** The newest feature of the shape's own kind; the handles that the tool adds while it draws are none. */
  private newest() {
    const { drawing } = this;
    if (!drawing || !this.draw.enabled) return undefined;
    const isShape = (mode: unknown, type: string): boolean =>
      mode === drawing.kind && type.toLowerCase() === drawing.kind;
    return this.draw.getSnapshot().findLast((each) => isShape(each.properties.mode, each.geometry.type));
  }

  /** Say whether the border crosses itself; while corners are added, the way back to the first is not drawn yet. */
  private tellCrossing(): void {
    const geometry = this.newest()?.geometry;
    const ring = geometry?.type === "Polygon" ? (geometry.coordinates[0] as unknown as Place[]) : [];
    const isWhole = this.drawing !== null && this.draw.enabled && this.draw.getMode() === "select";
    const isCrossing = isWhole ? ringCrosses(ring) : pathCrosses(ring.slice(0, -1));
    if (isCrossing === this.isCrossing) return;
    this.isCrossing = isCrossing;
    this.told.onCrossing(isCrossing);
  }

  /** Say what was drawn. */
  private tell(): void {
    const newest = this.newest();
    if (newest) this.told.onDrawn(newest.geometry as unknown as Geometry);
  }
}

/** Carry what the drawing tool added over to another style. */
export function keepDrawn(before: StyleSpecification | undefined, next: StyleSpecification): StyleSpecification {
  if (!before) return next;
  const sources = Object.entries(before.sources).filter(([name]) => DRAWN_BY_TOOL.test(name));
  const layers = before.layers.filter((layer) => DRAWN_BY_TOOL.test(layer.id));
  return { ...next, sources: { ...next.sources, ...Object.fromEntries(sources) }, layers: [...next.layers, ...layers] };
}

type Hex = `#${string}`;

/** The drawing tool's styles by its modes; `border` is what a border is drawn in as it is now. */
function drawStyles(p: Palette, border: () => Hex) {
  const tone = p.accent as Hex;
  const edge = p.halo as Hex;
  const handle = p.ink as Hex;
  return {
    polygon: {
      fillColor: border,
      fillOpacity: 0.18,
      outlineColor: border,
      outlineWidth: 2,
      closingPointColor: handle,
      closingPointOutlineColor: tone,
      closingPointOutlineWidth: 2,
      closingPointWidth: 6,
    },
    linestring: {
      lineStringColor: tone,
      lineStringWidth: 2,
      closingPointColor: handle,
      closingPointOutlineColor: tone,
      closingPointOutlineWidth: 2,
      closingPointWidth: 6,
    },
    point: { pointColor: tone, pointWidth: 6, pointOutlineColor: handle, pointOutlineWidth: 2 },
    select: {
      selectedPolygonColor: border,
      selectedPolygonFillOpacity: 0.2,
      selectedPolygonOutlineColor: border,
      selectedPolygonOutlineWidth: 2,
      selectedLineStringColor: tone,
      selectedLineStringWidth: 2,
      selectedPointColor: tone,
      selectedPointWidth: 7,
      selectedPointOutlineColor: handle,
      selectedPointOutlineWidth: 2,
      selectionPointColor: handle,
      selectionPointOutlineColor: tone,
      selectionPointOutlineWidth: 2,
      selectionPointWidth: 6,
      midPointColor: tone,
      midPointOutlineColor: edge,
      midPointOutlineWidth: 1,
      midPointWidth: 4,
    },
  };
}
