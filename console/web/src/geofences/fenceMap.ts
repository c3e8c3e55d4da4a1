// The geofences' own map: fences, units as dots, and the drawing tool while one is drawn or changed.
import type { BaseLook } from "../map/baseMap";
import { DrawingMap, type Laid, makeDrawingMap } from "../map/drawingMap";
import type { Drawing, DrawnKind, Geometry, Place } from "../map/drawingTool";
import type { Palette } from "../map/palette";
import type { GeofenceView, MapReply } from "../wire.generated";
import type { Draft, Shape } from "./fenceDesk";
import { layersOf, namesOf } from "./fenceLayers";
import {
  boundsOf,
  corridorFeatures,
  draftFeatures,
  type Features,
  fenceFeatures,
  nameFeatures,
  pixelsAtZoom0,
  shapeWithin,
} from "./fenceShapes";

const MODES: Readonly<Record<Shape, DrawnKind>> = { polygon: "polygon", circle: "point", corridor: "linestring" };
type Source = "fences" | "names" | "draft" | "corridor" | "units";
const FIT = { maxZoom: 16.5, duration: 240 } as const;
const ROOM_PX = 72;

export interface FenceLook extends BaseLook {
  readonly fences: readonly GeofenceView[];
  readonly chosen: number | null;
  readonly draft: Draft | null;
  readonly units: Features;
}

export class FenceMap extends DrawingMap<FenceLook> {
  constructor(
    container: HTMLElement,
    facts: MapReply,
    look: FenceLook,
    drawing: Drawing,
    onChosen: (geofenceId: number) => void,
  ) {
    super(container, facts, look, drawing);
    this.map.on("click", (event) => {
      if (this.tool.isDrawing) return;
      const found = this.map.queryRenderedFeatures(event.point, { layers: ["fences-fill"] });
      const chosen = found.at(0)?.properties.geofence_id as number | undefined;
      if (chosen !== undefined) onChosen(chosen);
    });
  }

  /** Draw the draft's shape anew. */
  redraw(): void {
    this.tool.redraw();
  }

  /** Show the chosen fence, else the whole city. */
  fitAll(): void {
    if (this.look.chosen !== null) this.fit(this.look.chosen);
    else this.map.fitBounds(this.facts.bounds as never, { animate: !this.still.matches });
  }

  /** A shape in the middle of the view, to begin from without a mouse; its corners are dragged from there. */
  putInMiddle(): void {
    const shape = this.look.draft?.shape;
    if (shape) this.tool.put(shapeWithin(shape, ...this.corners()));
  }

  protected override styled(): void {
    this.widen();
    this.follow();
    if (this.look.chosen !== null) this.fit(this.look.chosen);
  }

  protected override shown(before: FenceLook): void {
    const { chosen, draft } = this.look;
    if (chosen !== before.chosen && chosen !== null && !draft) this.fit(chosen);
  }

  protected override laid(palette: Palette): Laid {
    return { layers: layersOf(palette), names: namesOf(palette) };
  }

  protected override drawn(): Geometry | null {
    return this.look.draft?.geometry ?? null;
  }

  protected override features(): Record<Source, Features> {
    const { fences, chosen, draft, units, language } = this.look;
    const shown = fences.filter((fence) => fence.geofence_id !== (draft?.shape ? draft.geofenceId : null));
    return {
      fences: fenceFeatures(shown, chosen),
      names: nameFeatures(shown, language, this.letters),
      draft: draftFeatures(draft),
      corridor: corridorFeatures(draft),
      units,
    };
  }

  protected override named(): string[] {
    const { fences, units } = this.look;
    const named = units.features as readonly { readonly properties: { readonly name: string } }[];
    return [...fences.map((fence) => fence.name_zh + fence.name_en), ...named.map((unit) => unit.properties.name)];
  }

  protected override fill(): void {
    super.fill();
    this.widen();
  }

  /** A corridor is drawn as wide as it is on the ground. */
  private widen(): void {
    const { draft } = this.look;
    const line = draft?.geometry?.type === "LineString" ? draft.geometry.coordinates : null;
    const wide = line?.length ? pixelsAtZoom0(draft?.fields.width_m ?? 0, line[0]![1]) : 0;
    const byZoom = ["interpolate", ["exponential", 2], ["zoom"], 0, wide, 24, wide * 2 ** 24];
    this.map.setPaintProperty("corridor-band", "line-width", byZoom as never);
  }

  protected override follow(): void {
    const { draft } = this.look;
    const shape = draft?.shape ?? null;
    const key = draft && shape ? `${draft.geofenceId} ${shape}` : null;
    this.tool.follow(key, shape && MODES[shape], this.drawn());
  }

  private fit(geofenceId: number): void {
    const fence = this.look.fences.find((each) => each.geofence_id === geofenceId);
    const bounds = boundsOf((fence?.rings.flat() ?? []) as unknown as Place[]);
    if (bounds) this.map.fitBounds(bounds as never, { ...FIT, padding: this.room(), animate: !this.still.matches });
  }

  /** What is left of the map beside a panel that lies over it. */
  private room(): { top: number; bottom: number; left: number; right: number } {
    const { left, right, width } = this.map.getContainer().getBoundingClientRect();
    const panel = document.querySelector(".page.open .side")?.getBoundingClientRect();
    const over = panel && panel.left > left && panel.left < right ? right - panel.left : 0;
    const beside = Math.min(ROOM_PX, (width - over) / 4);
    return { top: ROOM_PX, bottom: ROOM_PX, left: beside, right: over + beside };
  }
}

/** Make the map in a container, as `makeDrawingMap` does. */
export const makeFenceMap = (
  container: () => HTMLElement | null,
  look: () => FenceLook,
  drawing: Drawing,
  onChosen: (geofenceId: number) => void,
): Promise<FenceMap | null> =>
  makeDrawingMap(container, (box, facts) => new FenceMap(box, facts, look(), drawing, onChosen));
