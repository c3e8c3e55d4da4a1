// What the planner's screen asks without a browser: what if, and whether a border that is drawn crosses itself.
import { describe, expect, it } from "vitest";
import { pathCrosses, ringCrosses } from "../src/map/crossings";
import { dayWindow, HOUR_US } from "../src/planner/days";
import { newTask } from "../src/planner/items";
import { changeOf, shiftsOf } from "../src/planner/whatIf";
import type { Plan, Programme, Refusal, Sortie, Task, TaskFigures, Weather } from "../src/wire.generated";

const DAY = dayWindow("2026-09-19", "Asia/Shanghai");
const NOON = DAY.start_us + 12 * HOUR_US;

const weather = (from_us: number, wind_mps: number): Weather =>
  ({ from_us, observed_us: DAY.start_us, source: "", wind_mps, gust_mps: null, visibility_m: 9000 }) as Weather;
const tasks = [1, 2].map((task_id): Task => ({ ...newTask("area", null), task_id, name_en: `Task ${task_id}` }));
const programme = { tasks, airframes: [], weather: [weather(NOON, 3), weather(NOON + 3 * HOUR_US, 4)] };
const asked = programme as unknown as Programme;

const plan = (flown: readonly number[], planned: number, refusals: readonly Partial<Refusal>[] = []): Plan => {
  const sorties = flown.map((id, i) => ({ sortie_id: i + 1, task_ids: [id] }) as unknown as Sortie);
  const figures = [{ task_id: 1, visit_count: 4, planned_count: planned, watched_ratio: null } as TaskFigures];
  return { window: DAY, sorties, figures, refusals, conflicts: [] } as unknown as Plan;
};

describe("what if", () => {
  it("asks for a drone or a battery, a priority, or for another wind in the place of all that was forecast", () => {
    expect(changeOf({ about: "without", of: "airframes", id: 7 }, asked, plan([], 0), NOON)).toEqual({
      without_airframe_ids: [7],
    });
    expect(changeOf({ about: "without", of: "batteries", id: 3 }, asked, plan([], 0), NOON)).toEqual({
      without_battery_ids: [3],
    });
    expect(changeOf({ about: "priority", taskId: 2, priority: 9 }, asked, plan([], 0), NOON)).toEqual({
      priorities: { 2: 9 },
    });
    const winds = changeOf({ about: "wind", windMps: 12 }, asked, plan([], 0), NOON + HOUR_US).weather!;
    expect(winds.map((each) => [each.from_us, each.wind_mps, each.visibility_m])).toEqual([
      [NOON + HOUR_US, 12, 9000],
      [NOON + 3 * HOUR_US, 12, 9000],
    ]);
    expect(winds.every((each) => each.observed_us > DAY.start_us)).toBe(true);
  });

  it("says which tasks fare otherwise, how much less of them is done, and why", () => {
    const why = { rule_id: "R-11", task_id: 1, visit_id: 3, is_warning: false };
    const [shift, ...others] = shiftsOf(plan([1, 1, 2], 4), plan([1, 2], 2, [why]), asked);
    expect(shift).toMatchObject({ sorties: [2, 1], done: [1, 0.5], refusal: why });
    expect(others).toEqual([]);
    expect(shiftsOf(plan([1], 1), plan([1], 1), asked)).toEqual([]);
  });
});

describe("a border", () => {
  const square = [[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]] as const; // biome-ignore format: read as a shape
  const bow = [[0, 0], [4, 4], [4, 0], [0, 4], [0, 0]] as const; // biome-ignore format: read as a shape

  it("crosses itself where two sides meet that are not neighbours", () => {
    expect(ringCrosses(square)).toBe(false);
    expect(ringCrosses(bow)).toBe(true);
    expect(
      ringCrosses([
        [0, 0],
        [4, 0],
        [4, 4],
        [2, 0],
        [0, 4],
        [0, 0],
      ]),
    ).toBe(true); // touches its own side
    expect(ringCrosses([])).toBe(false);
  });

  it("does not cross itself by the way back that is not drawn yet, nor by a corner clicked twice", () => {
    const hook = [
      [0, 0],
      [4, 0],
      [4, 4],
      [2, -2],
    ] as const;
    expect(pathCrosses(hook.slice(0, 3))).toBe(false);
    expect(pathCrosses(hook)).toBe(true);
    expect(
      pathCrosses([
        [0, 0],
        [4, 0],
        [4, 0],
        [4, 4],
      ]),
    ).toBe(false);
    expect(pathCrosses([[0, 0]])).toBe(false);
  });
});
