// Which icon, size and turn each unit has now: typed arrays that deck.gl takes as they are.
import type { UnitStore } from "../live/unitStore";
import { DUTY_STATUSES, UNIT_KINDS, UnitBit, UNKNOWN } from "../wire.generated";
import { type Atlas, CELL_PX, chevronIcon, type MarkerState, miniIcon, plateIcon } from "./atlas";

const ENGAGED = new Set(
  ["engaged", "en_route", "on_scene"].map((duty) => DUTY_STATUSES.indexOf(duty as (typeof DUTY_STATUSES)[number])),
);
const DRONE = UNIT_KINDS.indexOf("drone");
const OFFICER = UNIT_KINDS.indexOf("officer");
const MOTORCYCLE = UNIT_KINDS.indexOf("motorcycle");
const MINI_BELOW_ZOOM = 12.5;
const SMALL_OFFICERS_BELOW_ZOOM = 15;
/** Officers are drawn 17 wide of 23 between the two zooms. */
const SMALL = 17 / 23;
const STANDING_CMPS = 40;
const ICON_NUMBERS = 7;

export interface MarkerChoice {
  readonly zoom: number;
  readonly selectedId: number | null;
  /** The connection stands: otherwise everything is hollow. */
  readonly isLive: boolean;
  readonly nowMs: number;
}

/** The state that a unit's marker shows. */
export function markerState(store: UnitStore, slot: number, choice: MarkerChoice): MarkerState {
  if (store.alarmed(slot)) return "alarm";
  const freshness = store.freshness(slot, choice.nowMs);
  if (freshness === "lost" || freshness === "never") return "offline";
  if (freshness === "stale" || !choice.isLive) return "stale";
  if (store.table.wire.state[slot]! & UnitBit.REPLAYED) return "replayed";
  if (store.table.wire.unit_id[slot] === choice.selectedId) return "selected";
  return ENGAGED.has(store.table.wire.duty[slot]!) ? "engaged" : "free";
}

/** Tenths of a degree that the chevron points to: the nose of a drone, the course of what drives; null: none shown. */
function pointing(store: UnitStore, slot: number): number | null {
  const { wire, kind } = store.table;
  const heading = wire.heading_ddeg[slot]!;
  if (heading !== UNKNOWN.i2) return heading;
  const speed = wire.speed_cmps[slot]!;
  const course = wire.course_ddeg[slot]!;
  if (kind[slot] === OFFICER || course === UNKNOWN.i2 || speed === UNKNOWN.i2 || speed < STANDING_CMPS) return null;
  return course;
}

/** Looks of all units; arrays are made anew only when the store has grown. */
export class Markers {
  plates = new Float32Array(0);
  chevrons = new Float32Array(0);
  sizes = new Float32Array(0);
  /** Sizes of those drawn before all others: alarms, the selected unit, what flies. */
  frontSizes = new Float32Array(0);
  chevronSizes = new Float32Array(0);
  angles = new Float32Array(0);
  plateAngles = new Float32Array(0);
  states: MarkerState[] = [];

  /** Work out the looks of every slot. */
  update(store: UnitStore, atlas: Atlas, choice: MarkerChoice): void {
    const { count, capacity } = store.table;
    if (this.sizes.length !== capacity) this.allot(capacity);
    for (let slot = 0; slot < count; slot++) this.place(store, atlas, choice, slot);
  }

  private allot(capacity: number): void {
    this.plates = new Float32Array(capacity * ICON_NUMBERS);
    this.chevrons = new Float32Array(capacity * ICON_NUMBERS);
    this.sizes = new Float32Array(capacity);
    this.frontSizes = new Float32Array(capacity);
    this.chevronSizes = new Float32Array(capacity);
    this.angles = new Float32Array(capacity);
    this.plateAngles = new Float32Array(capacity);
  }

  private place(store: UnitStore, atlas: Atlas, choice: MarkerChoice, slot: number): void {
    if (!store.table.shown[slot]) {
      this.sizes[slot] = this.frontSizes[slot] = this.chevronSizes[slot] = 0;
      return;
    }
    const kind = store.table.kind[slot]!;
    const state = markerState(store, slot, choice);
    this.states[slot] = state;
    const big = state === "alarm" || store.table.wire.unit_id[slot] === choice.selectedId;
    const mini = choice.zoom < MINI_BELOW_ZOOM && !big;
    const icon = mini ? miniIcon(kind, state) : plateIcon(kind, state);
    this.plates.set(atlas.frames.subarray(icon * ICON_NUMBERS, (icon + 1) * ICON_NUMBERS), slot * ICON_NUMBERS);
    const small = !mini && !big && kind === OFFICER && choice.zoom < SMALL_OFFICERS_BELOW_ZOOM;
    this.sizes[slot] = CELL_PX * (small ? SMALL : 1);
    this.frontSizes[slot] = big || kind === DRONE ? this.sizes[slot]! : 0;
    this.turn(store, atlas, slot, { kind, state, mini });
  }

  private turn(
    store: UnitStore,
    atlas: Atlas,
    slot: number,
    look: { kind: number; state: MarkerState; mini: boolean },
  ): void {
    const ddeg = pointing(store, slot);
    const degrees = ddeg === null ? 0 : -ddeg / 10;
    this.plateAngles[slot] = look.mini && look.kind === MOTORCYCLE ? degrees : 0;
    const fresh = look.state !== "stale" && look.state !== "offline";
    const shown = ddeg !== null && fresh && (!look.mini || look.kind === DRONE);
    this.chevronSizes[slot] = shown ? (look.mini ? CELL_PX * (21 / 27) : CELL_PX) : 0;
    this.angles[slot] = degrees;
    const icon = chevronIcon(look.kind === DRONE, look.state);
    this.chevrons.set(atlas.frames.subarray(icon * ICON_NUMBERS, (icon + 1) * ICON_NUMBERS), slot * ICON_NUMBERS);
  }
}
