// What a refusal's button does: the task, rule or sortie that it changes, or the form that it opens.
import type { Plan, Programme, Recurrence, Refusal, Task, Visit, Window } from "../wire.generated";
import { dayOf } from "./days";
import type { ItemKind } from "./items";

export type Remedy =
  /** Keep a task as changed, and mend the plan with it. */
  | { readonly does: "task"; readonly task: Task }
  /** Keep changed values of a rule, and plan again. */
  | { readonly does: "rule"; readonly ruleId: string; readonly values: Record<string, number | string> }
  /** Open an item's form; `field` is where the change belongs. */
  | { readonly does: "open"; readonly kind: ItemKind; readonly id: number; readonly field: string }
  /** Enter one more: an airframe, a battery. */
  | { readonly does: "more"; readonly kind: "airframes" | "batteries" | "docks" | "crews" }
  /** Enter weather for a time. */
  | { readonly does: "weather"; readonly fromUs: number }
  /** Plan again: the sortie is to be made otherwise. */
  | { readonly does: "plan" };

type Value = number | string;
const OF_TASK = ["alt_agl_m", "camera", "ground_pixel_m", "light"] as const;
const MORE = ["airframes", "batteries", "docks", "crews"] as const;
const OF_AIRFRAME = ["wind_limit_mps", "gust_limit_mps", "flies_in_rain", "endurance_s"];
const OF_SORTIE = ["takeoff_us", "lower_m", "raise_m", "keep_waypoints", "shorter_s", "detour", "delete_sortie_id"];

/** What the remedy of a refusal does; null: there is none that a program can do. */
export function remedyOf(refusal: Refusal, programme: Programme, plan: Plan | null): Remedy | null {
  const { remedy } = refusal;
  const task = programme.tasks.find((each) => each.task_id === refusal.task_id);
  if ("rule_id" in remedy) {
    const { rule_id, ...values } = remedy;
    return { does: "rule", ruleId: String(rule_id), values };
  }
  if ("observed_us" in remedy) return { does: "weather", fromUs: Number(remedy.from_us ?? remedy.observed_us) };
  if ("ground_msl_m" in remedy) return open("docks", Number(remedy.dock_id), "ground_msl_m");
  if (task && "approval" in remedy) return open("tasks", task.task_id, "approval");
  const fitted = task && fittedTask(task, refusal, programme, plan);
  if (fitted) return { does: "task", task: fitted };
  if (OF_AIRFRAME.some((name) => name in remedy) && refusal.airframe_id !== null)
    return open("airframes", refusal.airframe_id, OF_AIRFRAME.find((name) => name in remedy)!);
  if (OF_SORTIE.some((name) => name in remedy)) return { does: "plan" };
  const more = MORE.find((kind) => kind === remedy.field);
  if (more) return { does: "more", kind: more };
  if (task && typeof remedy.field === "string") return open("tasks", task.task_id, remedy.field);
  return task ? open("tasks", task.task_id, "windows") : null;
}

const open = (kind: ItemKind, id: number, field: string): Remedy => ({ does: "open", kind, id, field });

/** The task as a remedy makes it; null where the remedy is not about the task. */
export function fittedTask(task: Task, refusal: Refusal, programme: Programme, plan: Plan | null): Task | null {
  const { remedy } = refusal;
  const values: Partial<Record<string, Value>> = {};
  for (const name of OF_TASK) if (name in remedy) values[name] = remedy[name];
  const placed =
    "lat_deg" in remedy && "lon_deg" in remedy
      ? { geometry: { type: "Point", coordinates: [Number(remedy.lon_deg), Number(remedy.lat_deg)] } }
      : {};
  const moved =
    "start_us" in remedy && "end_us" in remedy
      ? movedTo(task, { start_us: Number(remedy.start_us), end_us: Number(remedy.end_us) }, refusal, programme, plan)
      : {};
  const change = { ...values, ...placed, ...moved };
  return Object.keys(change).length ? ({ ...task, ...change } as Task) : null;
}

/** Other times for one visit: its own window is replaced; of a recurrence its day is taken out and put in as a window. */
function movedTo(
  task: Task,
  to: Window,
  refusal: Refusal,
  programme: Programme,
  plan: Plan | null,
): Pick<Task, "windows" | "recurrence"> {
  const visit: Visit | undefined = plan?.visits.find((each) => each.visit_id === refusal.visit_id);
  const was = visit?.window ?? refusal.window ?? to;
  const windows = task.windows.filter((each) => each.end_us <= was.start_us || each.start_us >= was.end_us);
  const isOwn = windows.length < task.windows.length;
  const isWhole = task.windows.length === 0 && task.recurrence === null;
  const recurrence = isOwn || isWhole ? task.recurrence : withoutDay(task.recurrence, was.start_us, programme.zone);
  return { windows: [...windows, to].sort((a, b) => a.start_us - b.start_us), recurrence };
}

function withoutDay(recurrence: Recurrence | null, us: number, zone: string): Recurrence | null {
  if (!recurrence) return null;
  const day = dayOf(us, recurrence.zone || zone);
  return { ...recurrence, skip: [...new Set([...recurrence.skip, day])].sort() };
}
