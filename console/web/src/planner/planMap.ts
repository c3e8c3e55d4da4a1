// The planner's own map: what is asked for, closed air, docks, the ways of sorties, and the drawing tool.
import { type GeoJSONSource, Map as MapLibre, type StyleSpecification, setWorkerUrl } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import { get } from "../api/client";
import { boundsOf, shapeWithin } from "../geofences/fenceShapes";
import { type BaseLook, baseStyle, prepareFonts } from "../map/baseMap";
import { type DrawnKind, DrawingTool, type Geometry, keepDrawn, type Place } from "../map/drawingTool";
import { loadFonts } from "../map/fonts";
import { paletteOf } from "../map/palette";
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

setWorkerUrl(workerUrl);

const FIT = { maxZoom: 16.5, duration: 240 } as const;
const ROOM_PX = 64;
const PICKED = ["mark-dots", "mark-docks", "task-fill", "task-band", "task-line", "zone-fill", "zone-line"];
const SHAPES = { polygon: "polygon", point: "circle", linestring: "corridor" } as const;

export interface PlanLook extends BaseLook, Shown {}

export class PlanMap {
  private readonly map: MapLibre;
  private readonly tool: DrawingTool;
  private readonly still = globalThis.matchMedia("(prefers-reduced-motion: reduce)");
  private readonly letters = new Set<string>("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
  private isReady = false;
  private isFitted = false;
  private tellReady: () => void = () => undefined;
  /** Fulfilled once it can be drawn on. */
  readonly ready = new Promise<void>((resolve) => {
    this.tellReady = resolve;
  });

  constructor(
    container: HTMLElement,
    private readonly facts: MapReply,
    private look: PlanLook,
    onDrawn: (geometry: Geometry) => void,
    onChosen: (chosen: Chosen) => void,
  ) {
    this.map = new MapLibre({
      container,
      style: this.style(),
      bounds: facts.bounds as [number, number, number, number],
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      minZoom: 9,
      maxZoom: 18.5,
      fadeDuration: 0,
      localIdeographFontFamily: '"Noto Sans SC Variable"',
      renderWorldCopies: false,
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.on("error", () => undefined);
    this.map.on("styleimagemissing", () => this.addPictures());
    this.tool = new DrawingTool(this.map, look.theme, onDrawn);
    this.map.on("style.load", () => this.styled());
    this.map.on("click", (event) => {
      if (this.tool.isDrawing) return;
      const layers = PICKED.filter((id) => this.map.getLayer(id));
      const found = this.map.queryRenderedFeatures(event.point, { layers }).at(0);
      if (found) onChosen({ kind: found.properties.kind, id: found.properties.id } as Chosen);
    });
  }

  remove(): void {
    this.tool.end();
    this.map.remove();
  }

  resize(): void {
    this.map.resize();
    if (this.isReady && !this.isFitted && this.look.programme) this.fitAll();
  }

  /** Another theme, language, plan, choice or drawing. */
  show(look: PlanLook): void {
    const before = this.look;
    this.look = look;
    if (look.theme !== before.theme || look.language !== before.language) this.restyle();
    if (!this.isReady) return;
    this.fill();
    this.follow();
    const isElsewhere =
      JSON.stringify(look.chosen) !== JSON.stringify(before.chosen) || look.sortieId !== before.sortieId;
    if (!this.isFitted && look.programme) this.fitAll();
    else if (isElsewhere && !look.draft) this.bringIn();
  }

  zoomBy(steps: number): void {
    this.map.zoomTo(this.map.getZoom() + steps, { animate: !this.still.matches });
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
    const view = this.map.getBounds();
    return shapeWithin(SHAPES[tool], [view.getWest(), view.getSouth()], [view.getEast(), view.getNorth()]);
  }

  private styled(): void {
    this.isReady = true;
    this.addPictures();
    this.fill();
    this.follow();
    this.tellReady();
    if (this.look.programme && !this.isFitted) this.fitAll();
  }

  private addPictures(): void {
    for (const [name, picture] of picturesOf(paletteOf(this.look.theme)))
      if (this.map.hasImage(name)) this.map.updateImage(name, picture);
      else this.map.addImage(name, picture, { pixelRatio: PIXEL_RATIO });
  }

  private restyle(): void {
    this.map.setStyle(this.style(), { diff: true, transformStyle: keepDrawn });
    if (this.isReady) this.addPictures();
    this.tool.restyle(this.look.theme, this.drawn());
  }

  private style(): StyleSpecification {
    const palette = paletteOf(this.look.theme);
    const sources = Object.fromEntries(
      Object.entries(this.features()).map(([name, data]) => [name, { type: "geojson" as const, data: data as never }]),
    );
    return baseStyle(this.look, this.facts.tiles_url, { sources, layers: layersOf(palette), names: namesOf(palette) });
  }

  private features() {
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

  private fill(): void {
    void this.loadNames();
    for (const [name, data] of Object.entries(this.features()))
      this.map.getSource<GeoJSONSource>(name)?.setData(data as never);
  }

  /** Names are written once their faces are there: the map keeps a letter as it drew it first. */
  private async loadNames(): Promise<void> {
    const { programme } = this.look;
    if (!programme) return;
    const tasks = programme.tasks.map((task) => task.name_zh + task.name_en);
    const text = [...tasks, ...programme.zones.map((each) => each.name), ...programme.docks.map((each) => each.name)];
    const missing = [...new Set(text.join(""))].filter((letter) => !this.letters.has(letter));
    if (!missing.length) return;
    await loadFonts(missing.join(""));
    for (const letter of missing) this.letters.add(letter);
    if (this.isReady) this.fill();
  }

  /** What the tool holds: the border alone of an area with holes, nothing while a hole is drawn. */
  private drawn(): Geometry | null {
    const { draft } = this.look;
    const geometry = draft && !draft.isHole ? geometryOf(draft.kind, draft.item) : null;
    return geometry?.type === "Polygon" ? { ...geometry, coordinates: [geometry.coordinates[0]!] } : geometry;
  }

  /** Begin, go on with or end the drawing as the draft says. */
  private follow(): void {
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

/** Read what the map needs and put it into the container. Raises RequestError when the city cannot be read. */
export async function makePlanMap(
  container: () => HTMLElement | null,
  look: () => PlanLook,
  onDrawn: (geometry: Geometry) => void,
  onChosen: (chosen: Chosen) => void,
): Promise<PlanMap | null> {
  const facts = await get<MapReply>("/api/map");
  await prepareFonts(facts);
  const box = container();
  return box ? new PlanMap(box, facts, look(), onDrawn, onChosen) : null;
}
