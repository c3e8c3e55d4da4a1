// What the planner's screen has open: the day, the plan, what is chosen, the item being drawn. Kept outside React, never stored.
import { useSyncExternalStore } from "react";
import type { RequestError } from "../api/client";
import type { Geometry, Place } from "../map/drawingTool";
import type { Plan, PlanChange, PlanFullReply, PlanProgress, ProgrammeReply, TaskKind } from "../wire.generated";
import { dayOf, dayWindow, HOUR_US, planWindow, type Span } from "./days";
import { findItem, geometryOf, hasShape, type Item, type ItemKind, type Items, newItem, newTask } from "./items";
import type { Question } from "./whatIf";

export interface Chosen {
  readonly kind: ItemKind;
  readonly id: number;
}

/** An item while it is drawn or changed. */
export interface Draft {
  readonly kind: ItemKind;
  /** Null: a new one. */
  readonly id: number | null;
  readonly version: number | null;
  readonly stationId: number | null;
  readonly item: Item;
  /** A hole of the area is being drawn. */
  readonly isHole: boolean;
  readonly isTouched: boolean;
  /** Counts what was put in place of the drawing by other means than drawing. */
  readonly drawnAnew: number;
}

export interface WhatIf {
  readonly question: Question;
  readonly change: PlanChange;
  readonly plan: Plan;
}

export type Dialog = "none" | "settings" | "import" | "state";
export type Tab = "list" | "map" | "plan" | "side";

export interface PlanDesk {
  readonly programme: ProgrammeReply | null;
  /** The day looked at; null: today. */
  readonly day: string | null;
  /** The plan looked at; null: the day's newest. */
  readonly planId: number | null;
  readonly full: PlanFullReply | null;
  /** A plan that was asked for and is not kept. */
  readonly dry: Plan | null;
  readonly whatIf: WhatIf | null;
  /** Somebody else made another version of the plan that is shown; null: a newer one is not known. */
  readonly newerVersion: number | null;
  readonly chosen: Chosen | null;
  readonly sortieId: number | null;
  /** The refusal pointed at, by its number in the list from 1. */
  readonly refusal: number | null;
  readonly draft: Draft | null;
  readonly isLeaving: boolean;
  /** The border that is being drawn crosses itself. */
  readonly isCrossing: boolean;
  readonly range: Span | null;
  readonly span: "day" | "week";
  readonly rows: "airframes" | "batteries";
  readonly isTable: boolean;
  readonly tab: Tab;
  readonly dialog: Dialog;
  readonly busy: "" | "plan" | "dry" | "whatIf" | "remedy" | "state" | "save";
  readonly progress: PlanProgress | null;
  readonly problem: RequestError | null;
  readonly effortS: number;
}

const FRESH: PlanDesk = {
  programme: null,
  day: null,
  planId: null,
  full: null,
  dry: null,
  whatIf: null,
  newerVersion: null,
  chosen: null,
  sortieId: null,
  refusal: null,
  draft: null,
  isLeaving: false,
  isCrossing: false,
  range: null,
  span: "day",
  rows: "airframes",
  isTable: false,
  tab: "list",
  dialog: "none",
  busy: "",
  progress: null,
  problem: null,
  effortS: 5,
};

let desk: PlanDesk = FRESH;
const listeners = new Set<() => void>();

export const getPlanDesk = (): PlanDesk => desk;

export function changePlanDesk(part: Partial<PlanDesk>): void {
  desk = { ...desk, ...part };
  for (const listener of listeners) listener();
}

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const usePlanDesk = (): PlanDesk => useSyncExternalStore(subscribe, getPlanDesk);

export const zoneOf = (of: PlanDesk = desk): string => of.programme?.programme.zone ?? "Asia/Shanghai";

/** The day looked at. */
export const dayShown = (nowMs: number, of: PlanDesk = desk): string => of.day ?? dayOf(nowMs * 1000, zoneOf(of));

/** The plan that is looked at: the dry run, else what if, else the kept one. */
export const planShown = (of: PlanDesk = desk): Plan | null => of.dry ?? of.whatIf?.plan ?? of.full?.plan ?? null;

/** Look at another day: what was chosen of the old one goes. */
export function showDay(day: string | null): void {
  const gone = {
    full: null,
    dry: null,
    whatIf: null,
    newerVersion: null,
    sortieId: null,
    refusal: null,
    problem: null,
  };
  changePlanDesk({ day, planId: null, range: null, ...gone });
}

export const choose = (kind: ItemKind, id: number): void =>
  changePlanDesk({ chosen: { kind, id }, sortieId: null, refusal: null });

/** Choose a sortie of the shown plan, and its first task with it. */
export function chooseSortie(sortieId: number | null): void {
  const sortie = planShown()?.sorties.find((each) => each.sortie_id === sortieId);
  const task = sortie?.task_ids.at(0);
  const chosen = task === undefined ? desk.chosen : { kind: "tasks" as const, id: task };
  changePlanDesk({ sortieId, chosen, refusal: null });
}

function begin(kind: ItemKind, item: Item): void {
  const draft: Draft = {
    kind,
    id: null,
    version: null,
    stationId: null,
    item,
    isHole: false,
    isTouched: false,
    drawnAnew: 0,
  };
  changePlanDesk({ draft, isLeaving: false, problem: null, sortieId: null, tab: hasShape(kind) ? "map" : "side" });
}

/** Begin a task of a kind; an event is first thought of as this evening's, from now on if that is later. */
export function beginTask(kind: TaskKind, nowMs: number): void {
  const day = dayShown(nowMs);
  const evening = dayWindow(day, zoneOf());
  const left = planWindow(day, zoneOf(), nowMs * 1000);
  const start_us = Math.max(evening.start_us + 19 * HOUR_US, left?.start_us ?? 0);
  const end_us = Math.max(evening.start_us + 22 * HOUR_US, start_us + 2 * HOUR_US);
  begin("tasks", newTask(kind, { start_us, end_us }));
}

export function beginItem(kind: Exclude<ItemKind, "tasks">, nowMs: number): void {
  if (desk.programme) begin(kind, newItem(kind, desk.programme.programme, nowMs * 1000));
}

/** Begin to change an item of the programme. */
export function changeItem(kind: ItemKind, id: number): void {
  const { programme } = desk;
  const found = programme && findItem(programme, kind, id);
  if (!programme || !found) return;
  const draft: Draft = {
    kind,
    id,
    version: programme.versions[kind]?.[id] ?? null,
    stationId: programme.station_ids[kind]?.[id] ?? null,
    item: found.item,
    isHole: false,
    isTouched: false,
    drawnAnew: 0,
  };
  changePlanDesk({ draft, chosen: { kind, id }, isLeaving: false, problem: null, sortieId: null, tab: "side" });
}

/** Say something else of what is drawn. */
export function redraft<K extends ItemKind>(part: Partial<Items[K]>): void {
  const { draft } = desk;
  if (draft) changePlanDesk({ draft: { ...draft, item: { ...draft.item, ...part } as Item, isTouched: true } });
}

/** Take the shape that was drawn: of an area its border with the holes it had, or one hole more. */
export function takeDrawn(drawn: Geometry | null, { isPut = false } = {}): void {
  const { draft } = desk;
  if (!draft) return;
  const before = geometryOf(draft.kind, draft.item);
  const geometry = drawn && !isPut ? withHoles(drawn, before, draft.isHole) : drawn;
  const item =
    draft.kind === "docks"
      ? { ...draft.item, ...placeOfDock(geometry) }
      : { ...draft.item, geometry: (geometry ?? {}) as unknown as Record<string, unknown> };
  const drawnAnew = draft.drawnAnew + (isPut || draft.isHole || !drawn ? 1 : 0);
  changePlanDesk({ draft: { ...draft, item: item as Item, isHole: false, isTouched: true, drawnAnew } });
}

function placeOfDock(geometry: Geometry | null): { lat_deg: number; lon_deg: number } {
  const [lon_deg, lat_deg] = geometry?.type === "Point" ? geometry.coordinates : [Number.NaN, Number.NaN];
  return { lat_deg, lon_deg };
}

function withHoles(drawn: Geometry, before: Geometry | null, isHole: boolean): Geometry {
  if (drawn.type !== "Polygon" || before?.type !== "Polygon") return drawn;
  const [border, ...holes] = before.coordinates as [Place[], ...Place[][]];
  const ring = drawn.coordinates[0]!;
  return { type: "Polygon", coordinates: isHole ? [border, ...holes, ring] : [ring, ...holes] };
}

/** Begin or leave the drawing of a hole. */
export function drawHole(isHole: boolean): void {
  if (desk.draft) changePlanDesk({ draft: { ...desk.draft, isHole }, tab: "map" });
}

export const discard = (): void => changePlanDesk({ draft: null, isLeaving: false, problem: null });

/** Leave what is open, one thing at a time, asking first where that loses something; false where nothing is. */
export function stepBack(): boolean {
  if (desk.isLeaving) changePlanDesk({ isLeaving: false });
  else if (desk.draft?.isHole) drawHole(false);
  else if (desk.draft?.isTouched) changePlanDesk({ isLeaving: true });
  else if (desk.draft) discard();
  else if (desk.dry) changePlanDesk({ dry: null });
  else if (desk.whatIf) changePlanDesk({ whatIf: null });
  else if (desk.sortieId !== null || desk.refusal !== null) changePlanDesk({ sortieId: null, refusal: null });
  else if (desk.chosen) changePlanDesk({ chosen: null });
  else return false;
  return true;
}
