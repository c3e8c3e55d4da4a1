// The supervisor's desk: which candidates have keys, which screen a role sees, figures of change, the trend's scale.
import { describe, expect, it } from "vitest";
import { area, distance, shift } from "../src/format/figures";
import { mayDispatch, mayPlan, screenOf, screensOf } from "../src/state/roles";
import { keyed } from "../src/supervisor/keyed";
import { scaleOf } from "../src/supervisor/trendScale";
import type { CandidatesReply, CandidateView } from "../src/wire.generated";

const unit = (unit_id: number, more: Partial<CandidateView> = {}): CandidateView => ({
  unit_id,
  in_air: false,
  travel_s: unit_id,
  turnout_s: 0,
  distance_m: 0,
  suits: true,
  unsuited: [],
  lacks: [],
  cover_change_ratio: null,
  opens_gap: null,
  opens_ring: null,
  battery_ratio: null,
  advised: false,
  ...more,
});

const reply = (ground: CandidateView[], air: CandidateView[] = []): CandidatesReply => ({
  ground,
  air,
  as_of_ms: 0,
  place_is_known: true,
  off_map_count: 0,
  wanted: [],
  wanted_in_air: [],
  off_map_unit_ids: [],
  unlocated_unit_ids: [],
  estimated: false,
});

const ids = (list: readonly CandidateView[]): number[] => list.map((each) => each.unit_id);

describe("candidates", () => {
  it("have keys: four on the ground by arrival, two in the air", () => {
    const { ground, air } = keyed(
      reply(
        [1, 2, 3, 4, 5].map((id) => unit(id)),
        [6, 7, 8].map((id) => unit(id)),
      ),
      [],
    );
    expect([ids(ground), ids(air)]).toEqual([
      [1, 2, 3, 4],
      [6, 7],
    ]);
  });

  it("always show who is advised, even where others are nearer", () => {
    const list = [1, 2, 3, 4, 5].map((id) => unit(id, { advised: id === 5 }));
    expect(ids(keyed(reply(list), []).ground)).toEqual([1, 2, 3, 5]);
  });

  it("leave out who goes already", () => {
    expect(ids(keyed(reply([unit(1), unit(2)]), [1]).ground)).toEqual([2]);
  });
});

describe("screens", () => {
  it("are the operator's and the supervisor's for who may see incidents, none for an officer", () => {
    expect(screensOf("viewer")).toEqual(["operator", "supervisor", "plan", "geofences"]);
    expect(screensOf("officer")).toEqual([]);
  });

  it("begin with the role's own and keep what was chosen", () => {
    expect(screenOf("supervisor", null)).toBe("supervisor");
    expect(screenOf("admin", null)).toBe("operator");
    expect(screenOf("admin", "supervisor")).toBe("supervisor");
    expect(screenOf("officer", "supervisor")).toBe("operator");
  });

  it("let only who may send send, and only who may plan plan", () => {
    expect([mayDispatch("viewer"), mayDispatch("operator")]).toEqual([false, true]);
    expect([mayPlan("operator"), mayPlan("supervisor")]).toEqual([false, true]);
  });
});

describe("figures of the desk", () => {
  it("say a change with its sign, and no change as plus or minus nothing", () => {
    expect([shift(-0.005), shift(0.0123), shift(0.0001), shift(null)]).toEqual(["−0.5", "+1.2", "±0.0", "–"]);
  });

  it("say distances in metres below a kilometre, and small areas with two decimals", () => {
    expect([distance(704), distance(1040), distance(null)]).toEqual(["700\u2009m", "1.0\u2009km", "–"]);
    expect([area(4.04), area(0.05), area(null)]).toEqual(["4.0", "0.05", "–"]);
  });
});

describe("the trend's scale", () => {
  it("keeps noise flat: a hardly changing share spans a small part of the height", () => {
    const trend = {
      at_ms: [0, 60_000],
      shares: [
        [0, 0.8, 1],
        [0, 0.81, 1],
      ],
      plan: [0.3, 0.82, 1],
    };
    const { x, y } = scaleOf(trend);
    expect(x(60_000)).toBeGreaterThan(x(0));
    expect(y(0.8) - y(0.81)).toBeLessThan(10);
    expect(y(0.8) - y(0.81)).toBeGreaterThan(0);
  });
});
