// The operations map: base map, moving layers and overlay, driven by animation frames outside React.
import { MapLibreOverlay } from "@deck.gl/maplibre";
import { type GeoJSONSource, Map as MapLibre, type MapMouseEvent, setWorkerUrl } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import { live } from "../live/live";
import { getDesk, onDesk } from "../state/desk";
import { screenOf } from "../state/roles";
import { change, getSettings, onChange, type Settings } from "../state/settings";
import { onMoveUp } from "../state/moveUp";
import { imagined, onWhatIf } from "../state/whatIf";
import type { MapReply } from "../wire.generated";
import { type Atlas, drawAtlas } from "./atlas";
import { Camera } from "./camera";
import { Claims } from "./claims";
import { CoverFeed } from "./coverFeed";
import { type CoverChoice, drawMissing } from "./coverStyle";
import { DeskHand } from "./deskHand";
import { deskMarks } from "./deskMarks";
import { boundsWith, freeRoom } from "./extent";
import { FenceOutlines } from "./fenceOutlines";
import { movingLayers, type TrailLine, trailLines } from "./layers";
import { Markers } from "./markers";
import { Overlay } from "./overlay";
import { Pace } from "./pace";
import { type Palette, paletteOf } from "./palette";
import { countInView, nearestStation, nearestUnit, unitTowards } from "./picking";
import type { Projection } from "./projection";
import { SortieFeed } from "./sortieFeed";
import { styleOf } from "./style";

setWorkerUrl(workerUrl);

const MARKERS_EVERY_MS = 200;
const TRAILS_EVERY_MS = 1000;
const SELECT_ZOOM = 14;

export interface MapFigures {
  readonly zoom: number;
  readonly metresPerPixel: number;
}

export class OperationsMap {
  readonly overlay: Overlay;
  readonly camera: Camera;
  isIdle = false;
  private readonly map: MapLibre;
  private readonly deck: MapLibreOverlay;
  private readonly claims: Claims;
  private readonly markers = new Markers();
  private readonly pace = new Pace();
  private atlas: Atlas;
  private palette: Palette;
  private settings: Settings;
  private trails: TrailLine[] = [];
  private hoveredId: number | null = null;
  private frame = 0;
  private dirty = true;
  private seenVersion = -1;
  private markedAtMs = 0;
  private trailedAtMs = 0;
  private readonly hand: DeskHand;
  private readonly feed = new CoverFeed(() => this.showCover());
  private readonly fences = new FenceOutlines(() => this.map);
  private readonly sorties = new SortieFeed(() => {
    this.dirty = true;
  });
  private readonly forget: (() => void)[];

  constructor(
    container: HTMLElement,
    canvas: HTMLCanvasElement,
    private readonly facts: MapReply,
    private readonly onView: (figures: MapFigures) => void,
  ) {
    this.settings = getSettings();
    this.fences.follow(this.settings);
    this.palette = paletteOf(this.settings.theme);
    this.atlas = drawAtlas(this.palette);
    this.overlay = new Overlay(canvas);
    this.map = new MapLibre({
      container,
      style: this.style(),
      bounds: facts.bounds as [number, number, number, number],
      fitBoundsOptions: { padding: 24 },
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      keyboard: false,
      minZoom: 9,
      maxZoom: 18.5,
      fadeDuration: 0,
      localIdeographFontFamily: '"Noto Sans SC Variable"',
      renderWorldCopies: false,
    });
    this.camera = new Camera(this.map);
    this.claims = new Claims(this.map);
    this.hand = new DeskHand(this.map, this.overlay, () => this.projection());
    this.map.touchZoomRotate.disableRotation();
    // An operator begins near the middle; a supervisor with the whole city.
    if (!this.isSupervising || document.querySelector(".sheet")) this.camera.begin(facts.center as [number, number]);
    this.deck = new MapLibreOverlay({
      interleaved: false,
      layers: [],
      useDevicePixels: true,
      onLoad: () => this.leaveKeyboard(),
    });
    this.map.addControl(this.deck);
    this.listen();
    this.forget = [
      onChange(() => this.changed(getSettings())),
      live.summary.subscribe(() => this.told()),
      onDesk(() => this.deskChanged()),
      onWhatIf(() => this.deskChanged()),
      onMoveUp(() => this.deskChanged()),
    ];
    this.showCover();
    this.frame = requestAnimationFrame(this.tick);
  }

  remove(): void {
    cancelAnimationFrame(this.frame);
    for (const forget of this.forget) forget();
    this.fences.end();
    this.map.remove();
  }

  private listen(): void {
    this.map.once("idle", () => {
      this.isIdle = true;
      this.leaveKeyboard();
    });
    this.map.on("move", () => this.drawOverlay());
    this.map.on("moveend", () => this.moved());
    this.map.on("resize", () => this.moved());
    this.map.on("movestart", (event) => {
      if ("originalEvent" in event && event.originalEvent) this.camera.wasMoved = true;
    });
    this.map.on("dragstart", () => {
      if (this.settings.follow) change({ follow: false });
    });
    this.map.on("click", (event) => this.clicked(event));
    this.map.on("mousedown", (event) => this.isSupervising && this.hand.pressed(event));
    this.map.setMissingStyleImageResolver((id) => drawMissing(this.map, id));
    this.map.on("mousemove", (event) => this.hovered(event));
    this.map.on("styledata", () => {
      this.claims.forget();
      this.showCover();
    });
    this.map.on("error", () => undefined);
    this.moved();
  }

  /** The pane is the one stop of the keyboard: nothing that the libraries put within it is another. */
  private leaveKeyboard(): void {
    for (const each of this.map.getContainer().querySelectorAll<HTMLElement>("canvas, [tabindex]")) each.tabIndex = -1;
  }

  private style() {
    const { language, coverage, stationId, labels } = this.settings;
    const { palette } = this;
    const cover = this.cover();
    const choice = { palette, language, coverage, stationId, labels, cover, tilesUrl: this.facts.tiles_url };
    return this.fences.within(styleOf(location.origin, choice), palette, language);
  }

  private get isSupervising(): boolean {
    return screenOf(getDesk().role, this.settings.screen) === "supervisor";
  }

  private cover(): CoverChoice | null {
    if (!this.isSupervising) return null;
    return { view: this.settings.cover, feeds: this.feed.shown, imagined: imagined() !== null };
  }

  private told(): void {
    this.showCover();
    this.sorties.follow(this.settings.selectedId);
  }

  /** Bring coverage, gaps and ring up to date; what did not change is left alone. */
  private showCover(): void {
    if (!this.isSupervising || !this.map.getSource("now")) return;
    for (const name of this.feed.refresh(this.settings.cover))
      this.map.getSource<GeoJSONSource>(name)?.setData(this.feed.shown[name] as never);
    this.dirty = true;
  }

  private wasImagined = false;
  private wasSupervising = screenOf(getDesk().role, getSettings().screen) === "supervisor";

  private deskChanged(): void {
    this.showCover();
    const isImagined = imagined() !== null;
    if (isImagined !== this.wasImagined) this.map.setStyle(this.style(), { diff: true });
    this.wasImagined = isImagined;
    this.map.getCanvas().style.cursor = getDesk().picking === "none" ? "" : "crosshair";
    this.overlay.replace();
    this.dirty = true;
  }

  private changed(next: Settings): void {
    const before = this.settings;
    this.settings = next;
    if (next.theme !== before.theme) {
      this.palette = paletteOf(next.theme);
      this.atlas = drawAtlas(this.palette);
      this.markers.update(live.store, this.atlas, this.choice());
    }
    const styled = ["theme", "language", "coverage", "stationId", "labels", "screen", "cover", "fencesOn"] as const;
    this.fences.follow(this.settings);
    if (this.isSupervising) this.feed.refresh(next.cover);
    if (styled.some((key) => next[key] !== before[key])) this.map.setStyle(this.style(), { diff: true });
    if (this.isSupervising && !this.wasSupervising) this.enterSupervising();
    this.overlay.replace();
    this.dirty = true;
    this.sorties.follow(next.selectedId);
    this.seenVersion = -1;
    this.trailedAtMs = 0;
  }

  /** The first view of the supervisor's screen is the whole city, wherever the operator's was; once its panels stand. */
  private enterSupervising(): void {
    [this.wasSupervising, this.camera.wasMoved] = [true, false];
    requestAnimationFrame(() => this.fitFirst());
  }

  private projection(): Projection {
    return this.camera.projection();
  }

  private choice() {
    return { zoom: this.map.getZoom(), selectedId: this.settings.selectedId, isLive: live.isLive, nowMs: live.nowMs() };
  }

  private tick = (nowMs: number): void => {
    this.frame = requestAnimationFrame(this.tick);
    if (!this.pace.due(nowMs)) return;
    const glide = !this.camera.stillMotion.matches;
    const moved = live.isLive && live.store.advance(live.drawnAtMs(), glide);
    this.refresh(nowMs);
    if (!moved && !this.dirty && this.overlay.pulsing === 0) return;
    if (moved && this.settings.follow) this.followSelected();
    this.drawMoving();
    this.drawOverlay();
    this.dirty = false;
    this.pace.drew(nowMs);
  };

  private refresh(nowMs: number): void {
    const aged = nowMs - this.markedAtMs > 1000;
    if ((this.seenVersion !== live.store.version || aged) && nowMs - this.markedAtMs > MARKERS_EVERY_MS) {
      this.markers.update(live.store, this.atlas, this.choice());
      this.seenVersion = live.store.version;
      this.markedAtMs = nowMs;
      this.dirty = true;
    }
    if (nowMs - this.trailedAtMs > TRAILS_EVERY_MS) {
      this.trails = this.settings.trails ? trailLines(live.store, this.settings.selectedId, live.nowMs()) : [];
      this.trailedAtMs = nowMs;
    }
  }

  private drawMoving(): void {
    const { atlas, palette, trails } = this;
    const [track, sortie] = [this.settings.track, this.sorties.shown];
    const layers = movingLayers(live.store, this.markers, { atlas, palette, trails, track, sortie });
    this.deck.setProps({ layers });
  }

  private drawOverlay(): void {
    const { palette, hoveredId } = this;
    const { language, labels, selectedId, stationId } = this.settings;
    this.overlay.desk = deskMarks(language, this.isSupervising, this.settings.cover);
    this.overlay.draw(live.store, this.markers, this.projection(), {
      palette,
      language,
      labels,
      selectedId,
      hoveredId,
      stationId,
      stillMotion: this.camera.stillMotion.matches,
    });
    this.claims.tell(this.overlay.labels, (label) => this.overlay.placeOf(label, live.store));
  }

  private moved(): void {
    this.overlay.replace();
    this.markers.update(live.store, this.atlas, this.choice());
    this.dirty = true;
    this.onView({ zoom: this.map.getZoom(), metresPerPixel: this.projection().metresPerPixel() });
  }

  private clicked(event: MapMouseEvent): void {
    if (this.hand.clicked(event, this.isSupervising)) return;
    const unitId = nearestUnit(live.store, this.projection(), event.point.x, event.point.y);
    if (unitId !== null) {
      change({ selectedId: unitId, cursorId: unitId, track: null, stationId: null });
      return;
    }
    const stationId = nearestStation(this.overlay.stations, this.projection(), event.point.x, event.point.y);
    if (stationId === null && this.fences.openAt(this.map, event.point)) return;
    change({ stationId: stationId === this.settings.stationId ? null : stationId });
  }

  private hovered(event: MapMouseEvent): void {
    const unitId = nearestUnit(live.store, this.projection(), event.point.x, event.point.y);
    if (unitId === this.hoveredId) return;
    this.hoveredId = unitId;
    const picking = getDesk().picking !== "none";
    this.map.getCanvas().style.cursor = picking ? "crosshair" : unitId === null ? "" : "pointer";
    this.overlay.replace();
    this.dirty = true;
  }

  private followSelected(): void {
    if (this.map.isMoving()) return; // a zoom or a flight under way would be cut short
    const place = this.placeOf(this.settings.selectedId);
    if (place) this.camera.hold(place);
  }

  private placeOf(unitId: number | null): [number, number] | null {
    const slot = unitId === null ? undefined : live.store.table.slotOf(unitId);
    if (slot === undefined || !live.store.table.shown[slot]) return null;
    return [live.store.table.drawn[slot * 3]!, live.store.table.drawn[slot * 3 + 1]!];
  }

  /** Bring a unit to the middle, near enough to see it. */
  centre(unitId: number): void {
    const place = this.placeOf(unitId);
    if (place) this.camera.go(place, Math.max(this.map.getZoom(), SELECT_ZOOM));
  }

  fit(): void {
    const bounds = boundsWith(this.facts.bounds, this.overlay.stations);
    const padding = freeRoom(this.map.getContainer(), {
      hasTools: this.isSupervising,
      sheet: -2 * this.camera.offset()[1],
    });
    this.camera.fit(bounds, { padding, isStill: !this.isIdle });
  }

  /** Show a supervisor the whole city with its stations, until somebody has moved the map. */
  fitFirst(): void {
    if (!this.isSupervising || this.camera.wasMoved || document.querySelector(".sheet")) return;
    this.map.resize();
    this.fit();
  }

  resize(): void {
    this.map.resize();
  }

  /** The next unit from the selected one (or the middle) in a direction: 0 up, 1 right, 2 down, 3 left. */
  towards(direction: number): number | null {
    return unitTowards(live.store, this.projection(), this.settings.selectedId, direction);
  }

  /** How many units stand in the view. */
  inView(): number {
    return countInView(live.store, this.projection());
  }
}
