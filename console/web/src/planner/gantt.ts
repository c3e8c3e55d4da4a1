// The plan as a chart over time: sorties over airframes or batteries, charging, relays, what was refused.
import { type Language, nameIn } from "../i18n/text";
import type { Plan, Programme, Refusal, Sortie, Task } from "../wire.generated";
import { HOUR_US, type Span, US } from "./days";
import { refused } from "./planFigures";

export interface Row {
  readonly key: string;
  readonly title: string;
  readonly subtitle: string;
}

export interface Block extends Span {
  readonly key: string;
  readonly row: string;
  readonly planId: number;
  readonly sortie: Sortie;
  readonly label: string;
  /** The names of its tasks in full. */
  readonly names: string;
  readonly isEvent: boolean;
}

export interface Charge extends Span {
  readonly key: string;
  readonly row: string;
}

export interface RefusedBlock extends Span {
  readonly row: string;
  /** As in the list beside the chart, from 1. */
  readonly number: number;
  readonly refusal: Refusal;
}

export interface Bar extends Span {
  readonly sortieId: number;
  /** 0 is above, 1 below. */
  readonly half: 0 | 1;
}

/** How an event is watched: who stands there when, and where two stand there at a handover. */
export interface Lane {
  readonly taskId: number;
  readonly title: string;
  readonly letter: string;
  readonly bars: readonly Bar[];
  readonly overlaps: readonly Span[];
  readonly isUnbroken: boolean;
}

export interface Chart {
  readonly rows: readonly Row[];
  readonly lanes: readonly Lane[];
  readonly blocks: readonly Block[];
  readonly charges: readonly Charge[];
  readonly refused: readonly RefusedBlock[];
}

export interface Drawn {
  readonly plan: Plan;
  readonly programme: Programme;
}

const UNPLACED = "unplaced";
const LEAST_CHARGE_US = 60 * US;
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const byName = new Intl.Collator("zh-CN", { numeric: true });

/** Letters of the events, in the order of the programme: A, B ... */
export function lettersOf(tasks: readonly Task[]): ReadonlyMap<number, string> {
  const events = tasks.filter((task) => task.kind === "event");
  return new Map(events.map((task, i) => [task.task_id, LETTERS[i % LETTERS.length]!]));
}

/** The chart of plans, one of a day or those of a week, over airframes or batteries. */
export function chartOf(drawn: readonly Drawn[], over: "airframes" | "batteries", language: Language): Chart {
  const programme = drawn.at(0)?.programme;
  if (!programme) return { rows: [], lanes: [], blocks: [], charges: [], refused: [] };
  const rows = over === "airframes" ? airframeRows(programme) : batteryRows(programme);
  const key = (sortie: Sortie): string =>
    over === "airframes" ? `a${sortie.airframe_id}` : `b${sortie.battery_id ?? `a${sortie.airframe_id}`}`;
  const blocks = drawn.flatMap(({ plan, programme: of }) => blocksOf(plan, of, language, key));
  const told = drawn.length === 1 ? refusedBlocks(drawn[0]!.plan, over, rows) : [];
  const places = [...new Set(told.map((each) => each.row))].filter((row) => row.startsWith(UNPLACED)).sort();
  const used = new Set(blocks.map((block) => block.row));
  const others = [...used].filter((row) => !rows.some((each) => each.key === row));
  return {
    rows: [
      ...rows,
      ...others.map((row) => ({ key: row, title: row.slice(1), subtitle: "" })),
      ...places.map((row) => ({ key: row, title: "", subtitle: "" })),
    ],
    lanes: drawn.length === 1 ? lanesOf(drawn[0]!, language) : [],
    blocks,
    charges: chargesOf(blocks),
    refused: told,
  };
}

function airframeRows({ airframes, docks }: Programme): Row[] {
  const names = new Map(docks.map((dock) => [dock.dock_id, dock.name]));
  return airframes
    .map((each) => ({ key: `a${each.airframe_id}`, title: names.get(each.dock_id) ?? "", subtitle: each.name }))
    .sort((a, b) => byName.compare(a.title, b.title) || byName.compare(a.subtitle, b.subtitle));
}

function batteryRows({ batteries, docks }: Programme): Row[] {
  const names = new Map(docks.map((dock) => [dock.dock_id, dock.name]));
  return batteries
    .map((each) => ({ key: `b${each.battery_id}`, title: names.get(each.dock_id) ?? "", subtitle: each.name }))
    .sort((a, b) => byName.compare(a.title, b.title) || byName.compare(a.subtitle, b.subtitle));
}

function blocksOf(plan: Plan, programme: Programme, language: Language, key: (sortie: Sortie) => string): Block[] {
  const letters = lettersOf(programme.tasks);
  const tasks = new Map(programme.tasks.map((task) => [task.task_id, task]));
  return plan.sorties.map((sortie) => {
    const named = (id: number): string => (tasks.has(id) ? nameIn(language, tasks.get(id)!) : "");
    const { task_ids } = sortie;
    return {
      key: `${plan.plan_id} ${sortie.sortie_id}`,
      row: key(sortie),
      planId: plan.plan_id,
      sortie,
      label: task_ids.map((id) => letters.get(id) ?? named(id)).join(" · "),
      names: task_ids.map((id) => [letters.get(id), named(id)].filter(Boolean).join(" · ")).join(" · "),
      isEvent: task_ids.some((id) => letters.has(id)),
      start_us: sortie.takeoff_us,
      end_us: sortie.landing_us,
    };
  });
}

function chargesOf(blocks: readonly Block[]): Charge[] {
  return blocks
    .filter(({ sortie }) => !sortie.is_standby && sortie.free_us - sortie.landing_us > LEAST_CHARGE_US)
    .map(({ key, row, sortie }) => ({ key, row, start_us: sortie.landing_us, end_us: sortie.free_us }));
}

/** Refusals at their airframe's row; those of no airframe stand below, beside each other where there is room. */
function refusedBlocks(plan: Plan, over: "airframes" | "batteries", rows: readonly Row[]): RefusedBlock[] {
  const ends: number[] = [];
  return refused(plan).map((refusal, i) => {
    const visit = plan.visits.find((each) => each.visit_id === refusal.visit_id);
    const span = refusal.window ?? visit?.window ?? plan.window;
    const own = over === "airframes" && refusal.airframe_id !== null ? `a${refusal.airframe_id}` : null;
    const isOwn = own !== null && rows.some((row) => row.key === own) && refusal.visit_id !== null;
    let row = own ?? "";
    if (!isOwn) {
      const free = ends.findIndex((end) => end <= span.start_us);
      const lane = free < 0 ? ends.length : free;
      ends[lane] = span.end_us;
      row = `${UNPLACED} ${lane}`;
    }
    return { row, number: i + 1, refusal, start_us: span.start_us, end_us: span.end_us };
  });
}

/** The relays of a plan's events. */
export function lanesOf({ plan, programme }: Drawn, language: Language): Lane[] {
  const letters = lettersOf(programme.tasks);
  return programme.tasks
    .filter((task) => letters.has(task.task_id))
    .flatMap((task) => {
      const bars = barsOf(plan, task.task_id);
      if (!bars.length) return [];
      const figures = plan.figures.find((each) => each.task_id === task.task_id);
      return {
        taskId: task.task_id,
        title: nameIn(language, task),
        letter: letters.get(task.task_id)!,
        bars,
        overlaps: overlapsOf(bars),
        isUnbroken: (figures?.longest_gap_s ?? 0) <= 0 && (figures?.watched_ratio ?? 0) >= 0.9995,
      };
    });
}

function barsOf(plan: Plan, taskId: number): Bar[] {
  return plan.sorties
    .filter((sortie) => sortie.on_watch && sortie.task_ids.includes(taskId) && !sortie.is_standby)
    .map((sortie) => ({ ...sortie.on_watch!, sortieId: sortie.sortie_id }))
    .sort((a, b) => a.start_us - b.start_us)
    .map((bar, i) => ({ ...bar, half: i % 2 === 0 ? 0 : 1 }) as const);
}

function overlapsOf(bars: readonly Bar[]): Span[] {
  return bars.flatMap((bar, i) => {
    const next = bars[i + 1];
    const end_us = next ? Math.min(bar.end_us, next.end_us) : 0;
    return next && next.start_us < end_us ? [{ start_us: next.start_us, end_us }] : [];
  });
}

const MARGIN_US = HOUR_US / 3;

/** What of the day the chart shows at first: from before the first take-off to after the last airframe is free. */
export function firstRange(plan: Plan, day: Span): Span {
  const sorties = plan.sorties.filter((sortie) => !sortie.is_standby);
  const spans = refused(plan).flatMap((each) => each.window ?? []);
  const starts = [...sorties.map((each) => each.takeoff_us), ...spans.map((each) => each.start_us)];
  const ends = [...sorties.map((each) => each.free_us), ...spans.map((each) => each.end_us)];
  if (!starts.length) return day;
  const least = plan.window.start_us;
  const most = Math.max(plan.window.end_us, ...sorties.map((each) => each.landing_us));
  return {
    start_us: Math.max(Math.min(...starts), least) - MARGIN_US,
    end_us: Math.min(Math.max(...ends), most) + MARGIN_US,
  };
}

/** Nearer or farther round the middle, or to one side, within the day. */
export function zoomed(range: Span, factor: number, within: Span, shift = 0): Span {
  const whole = within.end_us - within.start_us;
  const wide = Math.min(whole, Math.max(HOUR_US / 2, (range.end_us - range.start_us) * factor));
  const middle = (range.start_us + range.end_us) / 2 + shift * wide;
  const start_us = Math.round(Math.min(Math.max(within.start_us, middle - wide / 2), within.end_us - wide));
  return { start_us, end_us: Math.round(start_us + wide) };
}

const STEPS_MIN = [5, 10, 15, 30, 60, 120, 180, 360, 720, 1440];

/** Whole times at which the axis is named, at most so many; `offsetUs` is what the zone is ahead of UTC. */
export function ticksOf(range: Span, most: number, offsetUs: number): number[] {
  const minute = 60 * US;
  const step = (STEPS_MIN.find((each) => (range.end_us - range.start_us) / (each * minute) <= most) ?? 1440) * minute;
  const first = Math.ceil((range.start_us + offsetUs) / step) * step - offsetUs;
  const count = Math.max(0, Math.floor((range.end_us - first) / step) + 1);
  return Array.from({ length: count }, (_, i) => first + i * step);
}

/** When gusts are above what the weakest airframe takes, within a span. */
export function gustySpans({ weather, airframes }: Programme, within: Span): (Span & { readonly gust_mps: number })[] {
  const limit = gustLimit(airframes);
  const steps = [...weather].sort((a, b) => a.from_us - b.from_us);
  return steps.flatMap((step, i) => {
    const start_us = Math.max(step.from_us, within.start_us);
    const end_us = Math.min(steps[i + 1]?.from_us ?? within.end_us, within.end_us);
    const gust_mps = step.gust_mps ?? 0;
    return limit !== null && gust_mps > limit && start_us < end_us ? [{ start_us, end_us, gust_mps }] : [];
  });
}

export const gustLimit = (airframes: Programme["airframes"]): number | null =>
  airframes.length ? Math.min(...airframes.map((each) => each.gust_limit_mps)) : null;
