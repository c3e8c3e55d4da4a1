// The figures of a plan, and what it says of each item: sorties, hours, watched, longest revisit, conflicts, lowest battery.
import type { Plan, Programme, Refusal, Task } from "../wire.generated";
import { US } from "./days";
import type { ItemKind } from "./items";

export interface PlanFigures {
  readonly sortieCount: number;
  readonly refusedCount: number;
  readonly flyingH: number;
  /** The least share of an event that is watched; null: there is no event. */
  readonly watchedRatio: number | null;
  readonly longestRevisitS: number | null;
  readonly askedRevisitS: number | null;
  readonly conflictCount: number;
  readonly mendedCount: number;
  readonly lowestLandingRatio: number | null;
}

const least = (values: readonly number[]): number | null => (values.length ? Math.min(...values) : null);
const known = (value: number | null): value is number => value !== null;

/** What stands in the way of a plan, in the order of their numbers. */
export const refused = (plan: Plan | null): Refusal[] => (plan?.refusals ?? []).filter((each) => !each.is_warning);

/** What is said and stands in no way; what is said of several visits alike is said once. */
export function warned(plan: Plan | null): { readonly refusal: Refusal; readonly count: number }[] {
  const found = new Map<string, { refusal: Refusal; count: number }>();
  for (const refusal of (plan?.refusals ?? []).filter((each) => each.is_warning)) {
    const key = `${refusal.rule_id} ${refusal.task_id} ${refusal.reason_en}`;
    found.set(key, { refusal: found.get(key)?.refusal ?? refusal, count: (found.get(key)?.count ?? 0) + 1 });
  }
  return [...found.values()];
}

export function figuresOf(plan: Plan, programme: Programme): PlanFigures {
  const flying = plan.sorties.filter((sortie) => !sortie.is_standby && !sortie.is_refused);
  const revisits = plan.figures
    .filter((each) => each.longest_revisit_s !== null)
    .map((each) => ({ is: each.longest_revisit_s!, asked: taskOf(programme, each.task_id)?.revisit_s ?? null }))
    .sort((a, b) => b.is / (b.asked ?? b.is) - a.is / (a.asked ?? a.is));
  return {
    sortieCount: flying.length,
    refusedCount: refused(plan).length,
    flyingH: flying.reduce((sum, sortie) => sum + (sortie.landing_us - sortie.takeoff_us), 0) / (3600 * US),
    watchedRatio: least(plan.figures.map((each) => each.watched_ratio).filter(known)),
    longestRevisitS: revisits[0]?.is ?? null,
    askedRevisitS: revisits[0]?.asked ?? null,
    conflictCount: plan.conflicts.filter((each) => !each.mended_by).length,
    mendedCount: plan.conflicts.filter((each) => each.mended_by).length,
    lowestLandingRatio: least(flying.map((sortie) => sortie.landing_battery_ratio)),
  };
}

const taskOf = (programme: Programme, taskId: number): Task | undefined =>
  programme.tasks.find((task) => task.task_id === taskId);

/** How many refusals concern an item of a plan. */
export function refusalsOf(plan: Plan | null, kind: ItemKind, id: number): number {
  const field = kind === "tasks" ? "task_id" : kind === "airframes" ? "airframe_id" : null;
  return field ? refused(plan).filter((each) => each[field] === id).length : 0;
}

/** How many sorties fly for a task; what a rule refuses does not. */
export const sortiesFor = (plan: Plan | null, taskId: number): number =>
  (plan?.sorties ?? []).filter((each) => each.task_ids.includes(taskId) && !each.is_standby && !each.is_refused).length;

export const isEvent = (task: Task): boolean => task.kind === "event";
export const isSearch = (task: Task): boolean => task.kind === "search";
