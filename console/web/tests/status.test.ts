// Statuses of units: what was said stays until it is said anew, missions are segments or a bar, severities have tones.
import { describe, expect, it } from "vitest";
import { missionOf, toneOf } from "../src/format/status";
import { StatusBook } from "../src/live/statusBook";
import type { StatusView, UnitMeta } from "../src/wire.generated";

const status = (unit_id: number, more: Partial<StatusView> = {}): StatusView => ({
  unit_id,
  mode: null,
  mission_item: null,
  mission_total: null,
  text: null,
  text_level: null,
  text_at_ms: null,
  ...more,
});

const mission = (item: number | null, total: number | null) =>
  missionOf(status(1, { mission_item: item, mission_total: total }));

describe("StatusBook", () => {
  it("keeps the units that a message does not name", () => {
    const book = new StatusBook();
    book.take([status(1, { mode: "AUTO" }), status(2, { mode: "RTL" })]);
    book.take([status(2, { mode: "LAND" })]);
    expect([book.of(1)?.mode, book.of(2)?.mode, book.of(3)]).toEqual(["AUTO", "LAND", null]);
  });

  it("forgets units that may be seen no longer, and all when the server started anew", () => {
    const book = new StatusBook();
    book.take([status(1), status(2)]);
    book.keepOnly(new Map([[2, {} as UnitMeta]]));
    expect([book.of(1), book.of(2)?.unit_id]).toEqual([null, 2]);
    book.restart();
    expect(book.of(2)).toBeNull();
  });
});

describe("a mission", () => {
  it("is one segment a waypoint: those flown, the present one, those ahead", () => {
    expect(mission(2, 4)?.segments).toEqual(["done", "now", "ahead", "ahead"]);
    expect(mission(0, 2)?.segments).toEqual(["ahead", "ahead"]);
    expect(mission(9, 14)?.segments?.filter((segment) => segment === "done")).toHaveLength(8);
  });

  it("of more than 30 waypoints is a bar", () => {
    expect(mission(30, 30)?.segments).toHaveLength(30);
    expect(mission(31, 62)).toEqual({ item: 31, total: 62, segments: null, share: 0.5 });
  });

  it("is unknown without its length, and never longer than that", () => {
    expect([missionOf(null), mission(3, null), mission(null, 3), mission(0, 0)]).toEqual([null, null, null, null]);
    expect(mission(9, 8)).toMatchObject({ item: 8, share: 1 });
  });
});

describe("the tone of a text", () => {
  it("follows MAV_SEVERITY", () => {
    expect([0, 3, 4, 5, 7, null].map(toneOf)).toEqual(["alarm", "alarm", "attn", "", "", ""]);
  });
});
