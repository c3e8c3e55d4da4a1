// The planner's own map: what is asked for, closed air, docks, the ways of sorties, and the drawing tool.
import { boundsOf, shapeWithin } from "../geofences/fenceShapes";
import type { BaseLook } from "../map/baseMap";
import { DrawingMap, type Laid, makeDrawingMap } from "../map/drawingMap";
import type { Drawing, DrawnKind, Geometry, Place } from "../map/drawingTool";
import { type Palette, paletteOf } from "../map/palette";
import type { MapReply } from "../wire.generated";
import { geometryOf, placesOf, toolOf } from "./items";
import type { Chosen } from "./planDesk";
import { PIXEL_RATIO, picturesOf } from "./planImages";
import { layersOf, namesOf } from "./planLayers";
import {
  boundsOfProgramme,
  conflictFeatures,
  markFeatures,
  nameFeatures,
  previewFeatures,
  type Shown,
  taskFeatures,
  wayFeatures,
  wayOf,
  zoneFeatures,
} from "./planShapes";

const FIT = { maxZoom: 16.5, duration: 240 } as const;
const ROOM_PX = 64;
const PICKED = ["mark-dots", "mark-docks", "task-fill", "task-band", "task-line", "zone-fill", "zone-line"];
const SHAPES = { polygon: "polygon", point: "circle", linestring: "corridor" } as const;

export interface PlanLook extends BaseLook, Shown {}

export class PlanMap extends DrawingMap<PlanLook> {
  private isFitted = false;

  constructor(
    container: HTMLElement,
    facts: MapReply,
    look: PlanLook,
    drawing: Drawing,
    onChosen: (chosen: Chosen) => void,
  ) {
    super(container, facts, look, drawing);
    this.map.on("styleimagemissing", () => this.addPictures());
    this.map.on("click", (event) => {
      if (this.tool.isDrawing) return;
      const layers = PICKED.filter((id) => this.map.getLayer(id));
      const found = this.map.queryRenderedFeatures(event.point, { layers }).at(0);
      if (found) onChosen({ kind: found.properties.kind, id: found.properties.id } as Chosen);
    });
  }

  override resize(): void {
    super.resize();
    if (this.isReady && !this.isFitted && this.look.programme) this.fitAll();
  }

  /** Show all that is asked for, else the city. */
  fitAll(): void {
    const { programme } = this.look;
    const { clientWidth, clientHeight } = this.map.getContainer();
    if (!clientWidth || !clientHeight) return;
    this.isFitted = programme !== null;
    const bounds = programme && boundsOfProgramme(programme);
    const room = { padding: ROOM_PX, animate: false };
    this.map.fitBounds((bounds ?? this.facts.bounds) as never, { ...FIT, ...(bounds ? room : {}), animate: false });
  }

  /** A shape in the middle of the view, to begin from without a mouse; its corners are dragged or written from there. */
  inMiddle(): Geometry | null {
    const { draft } = this.look;
    const tool = draft && toolOf(draft.kind, draft.item);
    if (!tool) return null;
    return shapeWithin(SHAPES[tool], ...this.corners());
  }

  protected override styled(): void {
    this.addPictures();
    this.fill();
    this.follow();
    if (this.look.programme && !this.isFitted) this.fitAll();
  }

  protected override shown(before: PlanLook): void {
    const { look } = this;
    const isElsewhere =
      JSON.stringify(look.chosen) !== JSON.stringify(before.chosen) || look.sortieId !== before.sortieId;
    if (!this.isFitted && look.programme) this.fitAll();
    else if (isElsewhere && !look.draft) this.bringIn();
  }

  private addPictures(): void {
    for (const [name, picture] of picturesOf(paletteOf(this.look.theme)))
      if (this.map.hasImage(name)) this.map.updateImage(name, picture);
      else this.map.addImage(name, picture, { pixelRatio: PIXEL_RATIO });
  }

  protected override restyle(): void {
    super.restyle();
    if (this.isReady) this.addPictures();
  }

  protected override laid(palette: Palette): Laid {
    return { layers: layersOf(palette), names: namesOf(palette) };
  }

  protected override features() {
    const { look, letters } = this;
    return {
      zones: zoneFeatures(look),
      tasks: taskFeatures(look),
      ways: wayFeatures(look),
      preview: previewFeatures(look),
      conflicts: conflictFeatures(look),
      marks: markFeatures(look, look.language, letters),
      names: nameFeatures(look, look.language, letters),
    };
  }

  protected override named(): string[] {
    const { programme } = this.look;
    if (!programme) return [];
    const { tasks, zones, docks } = programme;
    return [...tasks.map((task) => task.name_zh + task.name_en), ...[...zones, ...docks].map((each) => each.name)];
  }

  /** What the tool holds: the border alone of an area with holes, nothing while a hole is drawn. */
  protected override drawn(): Geometry | null {
    const { draft } = this.look;
    const geometry = draft && !draft.isHole ? geometryOf(draft.kind, draft.item) : null;
    return geometry?.type === "Polygon" ? { ...geometry, coordinates: [geometry.coordinates[0]!] } : geometry;
  }

  protected override follow(): void {
    const { draft } = this.look;
    const tool: DrawnKind | null = draft && toolOf(draft.kind, draft.item);
    const key = draft && tool ? `${draft.kind} ${draft.id} ${tool} ${draft.isHole} ${draft.drawnAnew}` : null;
    this.tool.follow(key, tool, this.drawn());
  }

  private bringIn(): void {
    const bounds = boundsOf(this.chosenPlaces());
    if (!bounds) return;
    const view = this.map.getBounds();
    const [[west, south], [east, north]] = bounds;
    if (view.contains([west, south]) && view.contains([east, north])) return;
    this.map.fitBounds(bounds as never, { ...FIT, padding: ROOM_PX, animate: !this.still.matches });
  }

  private chosenPlaces(): Place[] {
    const { chosen, programme, plan, sortieId } = this.look;
    const sortie = plan?.sorties.find((each) => each.sortie_id === sortieId);
    if (sortie && programme) return wayOf(sortie, programme);
    if (chosen?.kind === "tasks")
      return placesOf(programme?.tasks.find((each) => each.task_id === chosen.id)?.geometry);
    if (chosen?.kind === "zones")
      return placesOf(programme?.zones.find((each) => each.zone_id === chosen.id)?.geometry);
    const dock = chosen?.kind === "docks" && programme?.docks.find((each) => each.dock_id === chosen.id);
    return dock ? [[dock.lon_deg, dock.lat_deg]] : [];
  }
}

/** Make the map in a container, as `makeDrawingMap` does. */
export const makePlanMap = (
  container: () => HTMLElement | null,
  look: () => PlanLook,
  drawing: Drawing,
  onChosen: (chosen: Chosen) => void,
): Promise<PlanMap | null> =>
  makeDrawingMap(container, (box, facts) => new PlanMap(box, facts, look(), drawing, onChosen));
