// The keys of the planner's screen; those of the map and of the chart rest while it has the focus.
import { answerPageKey } from "../map/pageKeys";
import { stepDay } from "./DayHead";
import { planDay } from "./acts";
import { zoomChart } from "./GanttPane";
import { geometryOf, listed } from "./items";
import { changeItem, changePlanDesk, choose, getPlanDesk, stepBack, takeDrawn } from "./planDesk";
import { planMap } from "./PlanPane";

let mayPlan = false;

/** Tell the keys whether the account may change anything. */
export function allowPlanning(isAllowed: boolean): void {
  mayPlan = isAllowed;
}

/** The next task of the list, events first, as the list has them. */
function moveTask(step: number): void {
  const { programme, chosen, draft } = getPlanDesk();
  if (!programme || draft) return;
  const rank = (kind: string): number => (kind === "event" ? 0 : kind === "search" ? 2 : 1);
  const tasks = listed("tasks", programme.programme, []).sort((a, b) => rank(a.item.kind) - rank(b.item.kind));
  if (!tasks.length) return;
  const at = tasks.findIndex((each) => chosen?.kind === "tasks" && chosen.id === each.id);
  const next = at < 0 ? (step > 0 ? 0 : tasks.length - 1) : (at + step + tasks.length) % tasks.length;
  choose("tasks", tasks[next]!.id);
}

function inMiddle(): void {
  const { draft } = getPlanDesk();
  if (!draft || geometryOf(draft.kind, draft.item)) return;
  const shape = planMap()?.inMiddle();
  if (shape) takeDrawn(shape, { isPut: true });
}

function plan(isKept: boolean): void {
  const { draft, programme, busy } = getPlanDesk();
  if (mayPlan && !draft && !busy && programme?.programme.tasks.length) void planDay({ isKept });
}

const ACTS: Readonly<Record<string, () => unknown>> = {
  n: () => mayPlan && document.querySelector<HTMLElement>('[data-testid="plan-new"]')?.click(),
  e: () => {
    const { chosen, draft } = getPlanDesk();
    if (mayPlan && chosen && !draft) changeItem(chosen.kind, chosen.id);
  },
  m: inMiddle,
  r: () => plan(true),
  t: () => plan(false),
  j: () => moveTask(1),
  k: () => moveTask(-1),
  ArrowDown: () => moveTask(1),
  ArrowUp: () => moveTask(-1),
  "[": () => stepDay(-1),
  "]": () => stepDay(1),
  "+": () => zoomChart(1 / 1.6),
  "=": () => zoomChart(1 / 1.6),
  "-": () => zoomChart(1.6),
  ",": () => zoomChart(1, -0.3),
  ".": () => zoomChart(1, 0.3),
  w: () => changePlanDesk({ span: getPlanDesk().span === "day" ? "week" : "day" }),
  g: () => document.querySelector<HTMLElement>('[data-testid="gantt-sortie"][tabindex="0"]')?.focus(),
  Escape: stepBack,
};

/** Answer a key on the planner's screen. */
export function answerPlanKey(key: string): boolean {
  if (document.activeElement?.closest("[role=menu]")) return false;
  return answerPageKey(key, ACTS);
}
