// The planner's screen without a browser: days in a zone, recurrences, remedies, figures, the chart, what is drawn.
import { beforeEach, describe, expect, it } from "vitest";
import { chartOf, firstRange, gustySpans, lanesOf, ticksOf, zoomed } from "../src/planner/gantt";
import { clockOf, dayAfter, dayOf, dayWindow, HOUR_US, momentOf, mondayOf, planWindow, US } from "../src/planner/days";
import { geometryFrom, newTask, placesText } from "../src/planner/items";
import { changePlanDesk, drawHole, getPlanDesk, redraft, stepBack, takeDrawn } from "../src/planner/planDesk";
import { figuresOf, refusalsOf, warned } from "../src/planner/planFigures";
import { ruleOf, toldOf } from "../src/planner/recurrence";
import { remedyOf } from "../src/planner/remedies";
import { sunOf } from "../src/planner/sun";
import type { Plan, Programme, Refusal, Sortie, Task, Weather } from "../src/wire.generated";

const ZONE = "Asia/Shanghai";
const DAY = dayWindow("2026-09-19", ZONE);
const at = (hour: number): number => DAY.start_us + hour * HOUR_US;

const task = (task_id: number, part: Partial<Task> = {}): Task => ({ ...newTask("area", null), task_id, ...part });

const sortie = (sortie_id: number, from: number, until: number, part: Partial<Sortie> = {}): Sortie =>
  ({
    sortie_id,
    airframe_id: 1,
    dock_id: 1,
    takeoff_us: at(from),
    landing_us: at(until),
    free_us: at(until + 0.5),
    visit_ids: [],
    task_ids: [1],
    waypoints: [],
    length_m: 1000,
    landing_battery_ratio: 0.4,
    on_watch: null,
    is_standby: false,
    state: "planned",
    battery_id: null,
    ...part,
  }) as Sortie;

const refusal = (part: Partial<Refusal>): Refusal => ({
  rule_id: "R-01",
  reason_zh: "高",
  reason_en: "high",
  remedy_zh: "降",
  remedy_en: "lower",
  numbers: {},
  remedy: {},
  task_id: null,
  visit_id: null,
  airframe_id: null,
  window: null,
  is_warning: false,
  ...part,
});

const plan = (part: Partial<Plan>): Plan => ({
  window: DAY,
  visits: [],
  sorties: [],
  refusals: [],
  conflicts: [],
  figures: [],
  plan_id: 1,
  version: 1,
  state: "draft",
  seed: 1,
  score: 0,
  made_us: 0,
  made_by: "",
  note: "",
  terrain: "",
  ...part,
});

const programme = (part: Partial<Programme>): Programme => ({
  zone: ZONE,
  tasks: [],
  airframes: [],
  docks: [],
  batteries: [],
  crews: [],
  zones: [],
  weather: [],
  holidays: [],
  rule_set: "default",
  rules: {},
  ...part,
});

describe("days", () => {
  it("begin at midnight of the programme's zone, wherever the browser is", () => {
    expect(new Date(DAY.start_us / 1000).toISOString()).toBe("2026-09-18T16:00:00.000Z");
    expect(clockOf(at(21.5), ZONE)).toBe("21:30");
    expect(dayOf(at(23.9), ZONE)).toBe("2026-09-19");
    expect(dayAfter("2026-02-28", 1)).toBe("2026-03-01");
    expect(mondayOf("2026-09-20")).toBe("2026-09-14");
  });

  it("have 23 hours where the clock goes forward, and a wall clock's time is found on both sides of it", () => {
    const spring = dayWindow("2026-03-29", "Europe/Berlin");
    expect((spring.end_us - spring.start_us) / HOUR_US).toBe(23);
    for (const wall of ["2026-03-29T01:30:00", "2026-03-29T04:30:00"])
      expect(clockOf(momentOf(wall, "Europe/Berlin")!, "Europe/Berlin")).toBe(wall.slice(11, 16));
    expect(momentOf("soon", ZONE)).toBeNull();
  });

  it("are planned from now on, and not once they are over", () => {
    expect(planWindow("2026-09-19", ZONE, at(-3))).toEqual(DAY);
    expect(planWindow("2026-09-19", ZONE, at(10) + 1)?.start_us).toBe(at(10) + 60 * US);
    expect(planWindow("2026-09-19", ZONE, at(24))).toBeNull();
  });

  it("end with the sunset of the place, to some minutes", () => {
    const { set_us, rise_us } = sunOf(at(12), 36.06, 103.83);
    expect(Math.abs(set_us! - at(19 + 7 / 60)) / US).toBeLessThan(120);
    expect(rise_us!).toBeLessThan(at(8));
    expect(sunOf(momentOf("2026-06-21T12:00:00", "UTC")!, 80, 0)).toEqual({ rise_us: null, set_us: null });
  });
});

describe("recurrences", () => {
  it("are told as people say them and written as the standard does, both ways", () => {
    for (const rule of ["FREQ=DAILY", "FREQ=DAILY;INTERVAL=3", "FREQ=WEEKLY;BYDAY=WE,SU", "FREQ=MONTHLY;BYMONTHDAY=15"])
      expect(ruleOf(toldOf(rule), "")).toBe(rule);
    expect(toldOf("RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR").rhythm).toBe("weekdays");
  });

  it("that say more are custom and kept as they are", () => {
    for (const rule of ["FREQ=WEEKLY;BYDAY=MO;COUNT=4", "FREQ=MONTHLY;BYDAY=1MO", "FREQ=YEARLY"]) {
      expect(toldOf(rule).rhythm).toBe("custom");
      expect(ruleOf(toldOf(rule), rule)).toBe(rule);
    }
  });
});

describe("a remedy", () => {
  const asked = task(7, { alt_agl_m: 150 });
  const held = programme({ tasks: [asked] });

  it("changes the field of the task that it names", () => {
    const told = refusal({ task_id: 7, remedy: { alt_agl_m: 120 } });
    expect(remedyOf(told, held, null)).toMatchObject({ does: "task", task: { task_id: 7, alt_agl_m: 120 } });
  });

  it("puts another time in the place of the window that was refused", () => {
    const windowed = task(7, {
      windows: [
        { start_us: at(9), end_us: at(10) },
        { start_us: at(20), end_us: at(22) },
      ],
    });
    const told = refusal({
      task_id: 7,
      visit_id: 3,
      remedy: { start_us: at(19), end_us: at(21) },
    });
    const visits = [{ visit_id: 3, task_id: 7, number: 2, window: { start_us: at(20), end_us: at(22) } }];
    const found = remedyOf(told, programme({ tasks: [windowed] }), plan({ visits }));
    expect(found).toMatchObject({ does: "task" });
    expect(found?.does === "task" && found.task.windows).toEqual([
      { start_us: at(9), end_us: at(10) },
      { start_us: at(19), end_us: at(21) },
    ]);
  });

  it("takes a recurring day out and puts its new time in", () => {
    const recurrence = {
      rule: "FREQ=DAILY",
      first_on: "2026-01-01",
      since: "08:00:00",
      until: "18:00:00",
      zone: ZONE,
      skip: [],
      extra: [],
      holidays: "as_others" as const,
    };
    const told = refusal({
      task_id: 7,
      window: { start_us: at(8), end_us: at(18) },
      remedy: { start_us: at(6), end_us: at(7) },
    });
    const found = remedyOf(told, programme({ tasks: [task(7, { recurrence })] }), null);
    expect(found?.does === "task" && found.task.recurrence?.skip).toEqual(["2026-09-19"]);
    expect(found?.does === "task" && found.task.windows).toEqual([{ start_us: at(6), end_us: at(7) }]);
  });

  it("opens what only a person can say, changes a rule, enters weather, plans again or asks for one more", () => {
    const does = (remedy: Refusal["remedy"]) => remedyOf(refusal({ task_id: 7, remedy }), held, null);
    expect(does({ approval: "?" })).toMatchObject({ does: "open", kind: "tasks", id: 7, field: "approval" });
    expect(does({ rule_id: "R-08", action: "hold" })).toEqual({
      does: "rule",
      ruleId: "R-08",
      values: { action: "hold" },
    });
    expect(does({ dock_id: 3, ground_msl_m: "?" })).toMatchObject({ kind: "docks", id: 3, field: "ground_msl_m" });
    expect(does({ observed_us: 5, from_us: 9 })).toEqual({ does: "weather", fromUs: 9 });
    expect(does({ takeoff_us: 5 })).toEqual({ does: "plan" });
    expect(does({ field: "batteries" })).toEqual({ does: "more", kind: "batteries" });
    expect(remedyOf(refusal({ remedy: { terrain: "?" } }), held, null)).toBeNull();
  });
});

describe("the figures of a plan", () => {
  it("count flights without the spare, and tell the least of what matters", () => {
    const shown = plan({
      sorties: [
        sortie(1, 19, 19.5),
        sortie(2, 20, 20.5, { landing_battery_ratio: 0.26 }),
        sortie(3, 19, 22, { is_standby: true }),
      ],
      refusals: [
        refusal({ task_id: 1 }),
        refusal({ task_id: 1, is_warning: true }),
        refusal({ task_id: 1, is_warning: true }),
      ],
      figures: [
        {
          task_id: 1,
          visit_count: 1,
          planned_count: 1,
          refused_count: 0,
          covered_ratio: null,
          watched_ratio: 0.87,
          longest_gap_s: 10,
          least_overlap_s: 60,
          longest_revisit_s: 1080,
        },
      ],
    });
    expect(figuresOf(shown, programme({ tasks: [task(1, { revisit_s: 1200 })] }))).toMatchObject({
      sortieCount: 2,
      refusedCount: 1,
      flyingH: 1,
      watchedRatio: 0.87,
      longestRevisitS: 1080,
      askedRevisitS: 1200,
      lowestLandingRatio: 0.26,
    });
    expect(refusalsOf(shown, "tasks", 1)).toBe(1);
    expect(warned(shown)).toMatchObject([{ count: 2 }]);
  });
});

describe("the chart", () => {
  const event = task(1, { kind: "event", name_zh: "灯会", name_en: "Lanterns" });
  const watch = (from: number, until: number) => ({ on_watch: { start_us: at(from), end_us: at(until) } });
  const shown = plan({
    sorties: [sortie(1, 19, 19.5, watch(19.1, 19.4)), sortie(2, 19.3, 19.8, { airframe_id: 2, ...watch(19.35, 19.7) })],
    refusals: [
      refusal({ task_id: 1, airframe_id: 2, visit_id: 1, window: { start_us: at(22), end_us: at(23) } }),
      refusal({ task_id: 1 }),
    ],
    figures: [],
  });
  const airframes = [2, 10, 1].map((id) => ({
    airframe_id: id,
    name: `Hawk-${id}`,
    dock_id: 1,
    gust_limit_mps: 8 + id,
  }));
  const held = programme({
    tasks: [event],
    airframes: airframes as never,
    docks: [{ dock_id: 1, name: "Dock" }] as never,
  });

  it("has a row for each airframe in the order of their numbers, and refusals in theirs or below", () => {
    const chart = chartOf([{ plan: shown, programme: held }], "airframes", "en");
    expect(chart.rows.map((row) => row.key)).toEqual(["a1", "a2", "a10", "unplaced 0"]);
    expect(chart.refused.map((each) => [each.number, each.row])).toEqual([
      [1, "a2"],
      [2, "unplaced 0"],
    ]);
    expect(chart.blocks.map((block) => [block.label, block.isEvent])).toEqual([
      ["A", true],
      ["A", true],
    ]);
    expect(chart.charges).toHaveLength(2);
  });

  it("alternates a relay's watches and marks where two stand there", () => {
    const [lane] = lanesOf({ plan: shown, programme: held }, "zh");
    expect(lane?.bars.map((bar) => bar.half)).toEqual([0, 1]);
    expect(lane?.overlaps).toEqual([{ start_us: at(19.35), end_us: at(19.4) }]);
  });

  it("begins with what flies, zooms within the day and names whole hours", () => {
    const range = firstRange(plan({ sorties: [sortie(1, 19, 20)] }), DAY);
    expect([range.start_us, range.end_us]).toEqual([at(19) - HOUR_US / 3, at(20.5) + HOUR_US / 3]);
    expect(zoomed(range, 100, DAY)).toEqual(DAY);
    expect(ticksOf({ start_us: at(17.9), end_us: at(23.2) }, 7, 8 * HOUR_US).map((us) => clockOf(us, ZONE))).toEqual([
      "18:00",
      "19:00",
      "20:00",
      "21:00",
      "22:00",
      "23:00",
    ]);
  });

  it("hatches the time in which gusts are above what the weakest airframe takes", () => {
    const step = (hour: number, gust_mps: number): Weather => ({ from_us: at(hour), gust_mps }) as Weather;
    const windy = { ...held, weather: [step(22, 9.6), step(18, 5), step(23, 6)] };
    expect(gustySpans(windy, DAY)).toEqual([{ start_us: at(22), end_us: at(23), gust_mps: 9.6 }]);
  });
});

describe("what is drawn", () => {
  const ring = (size: number) =>
    [
      [0, 0],
      [size, 0],
      [size, size],
      [0, 0],
    ] as [number, number][];

  beforeEach(() => {
    const draft = {
      kind: "tasks" as const,
      id: null,
      version: null,
      stationId: null,
      item: newTask("area", null),
      isHole: false,
      isTouched: false,
      drawnAnew: 0,
    };
    changePlanDesk({ draft, isLeaving: false, chosen: null, sortieId: null, refusal: null, dry: null, whatIf: null });
  });

  const geometry = (): unknown => (getPlanDesk().draft?.item as Task | undefined)?.geometry;

  it("gets holes one by one and keeps them when its border is dragged", () => {
    takeDrawn({ type: "Polygon", coordinates: [ring(9)] });
    drawHole(true);
    takeDrawn({ type: "Polygon", coordinates: [ring(2)] });
    takeDrawn({ type: "Polygon", coordinates: [ring(8)] });
    expect(geometry()).toEqual({ type: "Polygon", coordinates: [ring(8), ring(2)] });
  });

  it("is written as places and read back, and refused where a line is none", () => {
    const shape = { type: "Polygon" as const, coordinates: [ring(9), ring(2)] };
    expect(geometryFrom(placesText(shape), "polygon")).toEqual(shape);
    expect(geometryFrom("36.1, 103.8", "point")).toEqual({ type: "Point", coordinates: [103.8, 36.1] });
    for (const wrong of ["", "36.1", "north, east", "97, 10"]) expect(geometryFrom(wrong, "point")).toBeNull();
  });

  it("is left only after asking once something was changed", () => {
    redraft<"tasks">({ priority: 9 });
    stepBack();
    expect(getPlanDesk()).toMatchObject({ isLeaving: true });
    stepBack();
    expect(getPlanDesk()).toMatchObject({ isLeaving: false });
    expect(getPlanDesk().draft?.item).toMatchObject({ priority: 9 });
    changePlanDesk({ draft: null });
    expect(stepBack()).toBe(false);
  });
});
