// What if: a question asked of the plan, the change that it is to the server, and which tasks fare otherwise for it.
import type { Plan, PlanChange, Programme, Refusal, Task, Weather } from "../wire.generated";
import { sortiesFor } from "./planFigures";

export const QUESTIONS = ["without", "wind", "priority"] as const;
/** What may fall out. */
export type Falling = "airframes" | "batteries" | "crews";
export type Question =
  | { readonly about: "without"; readonly of: Falling; readonly id: number }
  /** Steady wind of such strength from now to the plan's end, whatever was forecast. */
  | { readonly about: "wind"; readonly windMps: number }
  | { readonly about: "priority"; readonly taskId: number; readonly priority: number };

/** A task that fares otherwise: its sorties, the share of it that is watched or flown, and why not more of it. */
export interface Shift {
  readonly task: Task;
  readonly sorties: readonly [number, number];
  /** Ratios 0..1; null where the plan has no figures of it. */
  readonly done: readonly [number | null, number | null];
  readonly refusal: Refusal | null;
}

const WITHOUT = {
  airframes: "without_airframe_ids",
  batteries: "without_battery_ids",
  crews: "without_crew_ids",
} as const;

/** What the server is asked to change. */
export function changeOf(question: Question, programme: Programme, plan: Plan, nowUs: number): PlanChange {
  if (question.about === "without") return { [WITHOUT[question.of]]: [question.id] };
  if (question.about === "priority") return { priorities: { [question.taskId]: question.priority } };
  return { weather: windFrom(programme.weather, question.windMps, nowUs, plan) };
}

/** The same weather with another wind: one entry for now, and one in place of each that begins later. */
function windFrom(log: readonly Weather[], windMps: number, nowUs: number, { window }: Plan): Weather[] {
  const fromUs = Math.max(nowUs, window.start_us);
  const begun = log.filter((each) => each.from_us <= fromUs).sort((a, b) => b.from_us - a.from_us);
  const later = log.filter((each) => each.from_us > fromUs && each.from_us < window.end_us);
  const calm = {
    wind_from_deg: null,
    visibility_m: null,
    rain_mmph: null,
    cloud_base_agl_m: null,
    temperature_c: null,
  };
  const now: Weather = { ...calm, thunderstorm: false, ...begun[0], source: "", from_us: fromUs } as Weather;
  const newestUs = Math.max(nowUs, ...log.map((each) => each.observed_us + 1));
  return [now, ...later].map((each) => ({ ...each, wind_mps: windMps, gust_mps: windMps, observed_us: newestUs }));
}

/** Which tasks fare otherwise in another plan, those that lose first. */
export function shiftsOf(before: Plan, after: Plan, programme: Programme): Shift[] {
  const lost = new Map<number, Refusal>();
  const old = new Set(before.refusals.filter((each) => !each.is_warning).map(keyOf));
  for (const each of after.refusals)
    if (!each.is_warning && each.task_id !== null && !old.has(keyOf(each)) && !lost.has(each.task_id))
      lost.set(each.task_id, each);
  return programme.tasks
    .map((task): Shift => {
      const { task_id } = task;
      return {
        task,
        sorties: [sortiesFor(before, task_id), sortiesFor(after, task_id)],
        done: [doneOf(before, task_id), doneOf(after, task_id)],
        refusal: lost.get(task_id) ?? null,
      };
    })
    .filter(({ sorties, done, refusal }) => refusal || sorties[0] !== sorties[1] || !isNear(done[0], done[1]))
    .sort((a, b) => lossOf(b) - lossOf(a));
}

/** How much less of a task is done; above 0: less. */
export const lossOf = ({ done: [from, to], refusal }: Shift): number => (from ?? 0) - (to ?? 0) + (refusal ? 0.001 : 0);

const keyOf = ({ rule_id, task_id, visit_id }: Refusal): string => `${rule_id} ${task_id} ${visit_id}`;
const isNear = (a: number | null, b: number | null): boolean => a === b || Math.abs((a ?? 0) - (b ?? 0)) < 0.0005;

/** The share of an event's time that is watched, else of a task's visits that are planned. */
function doneOf(plan: Plan, taskId: number): number | null {
  const figures = plan.figures.find((each) => each.task_id === taskId);
  if (!figures) return null;
  return figures.watched_ratio ?? (figures.visit_count ? figures.planned_count / figures.visit_count : null);
}
