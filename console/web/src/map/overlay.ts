// The canvas over the map: keeps label places for a quarter of a second and draws everything in step with the map.
import { live } from "../live/live";
import type { UnitStore } from "../live/unitStore";
import type { Language } from "../i18n/text";
import { UNIT_KINDS, UNKNOWN } from "../wire.generated";
import { AIR_R, GROUND_R } from "./atlas";
import { type DeskMarks, NO_MARKS } from "./deskMarks";
import { drawOver, drawPlates, drawUnder } from "./deskSketch";
import { type PlacedPlate, placePlates, plateBox } from "./platePlaces";
import type { Markers } from "./markers";
import type { DockMark, StationMark } from "./marks";
import type { Palette } from "./palette";
import { ALWAYS, type Box, type PlacedLabel, placeLabels, type View } from "./placement";
import type { Projection } from "./projection";
import { drawAccuracy, drawAlarmRings, drawBrackets, drawDock, drawLabel, drawStation } from "./sketch";
import { stationWishes, unitWishes } from "./wishes";

const PLACES_KEPT_MS = 250;
const DRONE = UNIT_KINDS.indexOf("drone");
const SMALL_DOCKS_BELOW_ZOOM = 12.5;

export interface OverlayChoice {
  readonly palette: Palette;
  readonly language: Language;
  readonly labels: boolean;
  readonly selectedId: number | null;
  readonly hoveredId: number | null;
  readonly stationId: number | null;
  readonly stillMotion: boolean;
}

export class Overlay {
  stations: readonly StationMark[] = [];
  docks: readonly DockMark[] = [];
  desk: DeskMarks = NO_MARKS;
  /** How many alarms still pulse: the map keeps drawing meanwhile. */
  pulsing = 0;
  private placed: PlacedLabel[] = [];
  private plates: PlacedPlate[] = [];
  private placedAtMs = Number.NEGATIVE_INFINITY;
  private alarmedSince = new Map<number, number>();
  private readonly pen: CanvasRenderingContext2D;

  constructor(private readonly canvas: HTMLCanvasElement) {
    this.pen = canvas.getContext("2d")!;
  }

  /** The labels that stand now. */
  get labels(): readonly PlacedLabel[] {
    return this.placed;
  }

  /** Longitude and latitude of what a label names, now. */
  placeOf({ wish }: PlacedLabel, store: UnitStore): readonly [number, number] {
    const { drawn } = store.table;
    return wish.slot === null ? [wish.lon, wish.lat] : [drawn[wish.slot * 3]!, drawn[wish.slot * 3 + 1]!];
  }

  /** Place the labels anew at the next drawing. */
  replace(): void {
    this.placedAtMs = Number.NEGATIVE_INFINITY;
  }

  draw(store: UnitStore, markers: Markers, projection: Projection, choice: OverlayChoice): void {
    const nowMs = performance.now();
    const { view } = projection;
    this.fit(view.width, view.height);
    this.pen.clearRect(0, 0, view.width, view.height);
    if (nowMs - this.placedAtMs > PLACES_KEPT_MS) {
      this.plates = placePlates(this.desk, projection, this.room(projection), this.pen);
      this.placed = this.place(store, markers, projection, choice);
      this.placedAtMs = nowMs;
    }
    drawUnder(this.pen, this.desk, projection, choice.palette);
    this.drawFixed(projection, choice, this.urgent(store, markers, projection));
    this.drawAlarms(store, markers, projection, choice, nowMs);
    this.drawSelected(store, projection, choice);
    this.drawLabels(store, projection, choice.palette);
    drawPlates(this.pen, this.plates, projection, choice.palette);
    drawOver(this.pen, this.desk, projection, choice.palette);
  }

  /** The room for what is written: the view less the panels over it. */
  private room({ view }: Projection): View {
    return { width: view.width, height: view.height, covered: this.covered() };
  }

  private fit(width: number, height: number): void {
    const ratio = globalThis.devicePixelRatio || 1;
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.canvas.width !== w || this.canvas.height !== h) {
      this.canvas.width = w;
      this.canvas.height = h;
    }
    this.pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  private place(store: UnitStore, markers: Markers, projection: Projection, choice: OverlayChoice): PlacedLabel[] {
    const wishChoice = { ...choice, nowMs: live.nowMs(), isLive: live.isLive, zoom: projection.view.zoom };
    const wishes = unitWishes(store, markers, projection, wishChoice).filter(
      (wish) => choice.labels || wish.rank >= ALWAYS,
    );
    const stations = choice.labels ? stationWishes(this.stations, projection, wishChoice) : [];
    const room = this.room(projection);
    const plates = this.plates.map((each) => plateBox(each, projection));
    return placeLabels([...wishes, ...stations], this.marks(store, markers, projection), {
      ...room,
      covered: [...room.covered, ...plates],
    });
  }

  /** The panels that float over the map, in its pixels. */
  private covered(): Box[] {
    const { left, top } = this.canvas.getBoundingClientRect();
    return [...document.querySelectorAll(".ctl, .scale, .sheet")].map((panel) => {
      const box = panel.getBoundingClientRect();
      return [box.left - left, box.top - top, box.right - left, box.bottom - top];
    });
  }

  private marks(store: UnitStore, markers: Markers, projection: Projection): [number, number, number][] {
    const { table } = store;
    const marks: [number, number, number][] = this.stations.map((s) => [projection.x(s.lon), projection.y(s.lat), 12]);
    for (const { place } of this.desk.pins) marks.push([projection.x(place[0]), projection.y(place[1]) - 12, 12]);
    for (let slot = 0; slot < table.count; slot++) {
      if (!table.shown[slot]) continue;
      const x = projection.x(table.drawn[slot * 3]!);
      const y = projection.y(table.drawn[slot * 3 + 1]!);
      const half = projection.view.zoom < 12.5 && table.kind[slot] !== DRONE ? 3 : (markers.sizes[slot]! / 48) * 11;
      if (projection.contains(x, y)) marks.push([x, y, half]);
    }
    return marks;
  }

  /** Where units in need stand: no shield may hide them. */
  private urgent(store: UnitStore, markers: Markers, projection: Projection): [number, number][] {
    const { drawn, shown, count } = store.table;
    const places: [number, number][] = [];
    for (let slot = 0; slot < count; slot++) {
      if (shown[slot] && markers.states[slot] === "alarm")
        places.push([projection.x(drawn[slot * 3]!), projection.y(drawn[slot * 3 + 1]!)]);
    }
    return places;
  }

  private drawFixed(projection: Projection, choice: OverlayChoice, urgent: readonly [number, number][]): void {
    const small = projection.view.zoom < SMALL_DOCKS_BELOW_ZOOM;
    for (const dock of this.docks)
      drawDock(this.pen, dock, projection.x(dock.lon), projection.y(dock.lat), choice.palette, small);
    for (const station of this.stations) {
      const [x, y] = [projection.x(station.lon), projection.y(station.lat)];
      const hides = urgent.some(([ux, uy]) => Math.hypot(ux - x, uy - y) < GROUND_R * 2);
      if (projection.contains(x, y, 20) && !hides)
        drawStation(this.pen, station, x, y, choice.palette, station.stationId === choice.stationId);
    }
  }

  private drawAlarms(
    store: UnitStore,
    markers: Markers,
    projection: Projection,
    choice: OverlayChoice,
    nowMs: number,
  ): void {
    this.pulsing = 0;
    const { table } = store;
    for (let slot = 0; slot < table.count; slot++) {
      if (markers.states[slot] !== "alarm" || !table.shown[slot]) {
        if (this.alarmedSince.size) this.alarmedSince.delete(slot);
        continue;
      }
      const since = this.alarmedSince.get(slot) ?? nowMs;
      this.alarmedSince.set(slot, since);
      const sinceMs = choice.stillMotion ? Number.POSITIVE_INFINITY : nowMs - since;
      if (sinceMs < 3000) this.pulsing++;
      const radius = table.kind[slot] === DRONE ? AIR_R : GROUND_R;
      const [x, y] = [projection.x(table.drawn[slot * 3]!), projection.y(table.drawn[slot * 3 + 1]!)];
      drawAlarmRings(this.pen, x, y, radius, sinceMs, choice.palette.alarm);
    }
  }

  private drawSelected(store: UnitStore, projection: Projection, choice: OverlayChoice): void {
    if (choice.selectedId === null) return;
    const slot = store.table.slotOf(choice.selectedId);
    if (slot === undefined || !store.table.shown[slot]) return;
    const [x, y] = [projection.x(store.table.drawn[slot * 3]!), projection.y(store.table.drawn[slot * 3 + 1]!)];
    const radius = store.table.kind[slot] === DRONE ? AIR_R : GROUND_R;
    drawBrackets(this.pen, x, y, radius, choice.palette.accent);
    const accuracy = store.table.wire.accuracy_dm[slot]!;
    const circle = accuracy / 10 / projection.metresPerPixel();
    if (accuracy !== UNKNOWN.i2 && circle > radius + 4) drawAccuracy(this.pen, x, y, circle, choice.palette.attn);
  }

  private drawLabels(store: UnitStore, projection: Projection, palette: Palette): void {
    const { shown } = store.table;
    for (const label of [...this.placed].reverse()) {
      const { slot } = label.wish;
      if (slot !== null && !shown[slot]) continue;
      const [lon, lat] = this.placeOf(label, store);
      drawLabel(this.pen, label, projection.x(lon), projection.y(lat), palette);
    }
  }
}
