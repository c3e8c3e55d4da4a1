// The list groups, filters and counts units by what is true of them.
import { describe, expect, it } from "vitest";
import { decodeFrame } from "../src/live/frame";
import { UnitStore } from "../src/live/unitStore";
import { allRows, countsOf, fits, groupOf, grouped } from "../src/state/rows";
import { listItems, unitBeside, visibleItems } from "../src/ui/listItems";
import type { StationView, UnitMeta } from "../src/wire.generated";
import { unitsFrame } from "./helpers";

const meta = (unit_id: number, kind: UnitMeta["kind"], call_sign: string): UnitMeta => ({
  unit_id,
  call_sign,
  kind,
  service: "patrol",
  duty_status: "free",
  station_id: 1,
  name_zh: `单位${unit_id}`,
  name_en: `Unit ${unit_id}`,
  covert: false,
  equipment: [],
  devices: [{ device_id: unit_id, protocol: "osmand", label: "", report_interval_s: 2 }],
});
const station: StationView = {
  station_id: 1,
  number: 11,
  name_zh: "水车",
  name_en: "Shuiche",
  lat_deg: 36,
  lon_deg: 103,
  ring_order: 1,
};
const at = { lat_e7: 360000000, lon_e7: 1030000000, link: 1, duty: 2 };

function force(): UnitStore {
  const store = new UnitStore();
  store.setMeta([
    meta(1, "drone", "Hawk 01"),
    meta(2, "officer", "Officer 02"),
    meta(3, "car", "Car 03"),
    meta(4, "officer", "Officer 04"),
    meta(5, "car", "Car 05"),
  ]);
  const rows = [
    { unit_id: 1, age_ms: 100, ...at, state: 15 },
    { unit_id: 2, age_ms: 100, ...at, state: 16 },
    { unit_id: 3, age_ms: 12_000, ...at },
    { unit_id: 4, age_ms: 100, ...at, duty: 3 },
  ];
  store.apply(decodeFrame(unitsFrame(1, rows, 100_000)), 100_000);
  return store;
}
const rowsAt = (nowMs: number, frozenMs: number | null = null) =>
  allRows(force(), [station], { nowMs, frozenMs }, "zh");

describe("rows", () => {
  it("puts a call for help first, then who is silent, and each unit in one group only", () => {
    const groups = grouped(rowsAt(100_000));
    expect(groups.attention.map((row) => row.unitId)).toEqual([2, 3]);
    expect(groups.drones.map((row) => row.unitId)).toEqual([1]);
    expect(groups.others.map((row) => row.unitId)).toEqual([5, 4]);
  });

  it("counts a unit that was never heard as not online and an engaged one as not free", () => {
    expect(countsOf(rowsAt(100_000))).toMatchObject({
      online: 4,
      total: 5,
      free: 3,
      stale: 1,
      lost: 0,
      airborne: 1,
      kinds: { drone: 1, officer: 2, car: 2 },
    });
  });

  it("counts nobody of a replay as online, free or silent", () => {
    const replayed = rowsAt(100_000).map((row) => ({ ...row, replayed: true, sos: false }));
    expect(countsOf(replayed)).toMatchObject({ online: 0, free: 0, airborne: 0, drones: 0, attention: 0, total: 5 });
    expect(grouped(replayed).attention).toEqual([]);
  });

  it("stands still while the connection is lost, but lets the ages grow", () => {
    const drone = rowsAt(160_000, 100_000).find((row) => row.unitId === 1)!;
    expect([drone.freshness, drone.ageMs, groupOf(drone)]).toEqual(["live", 60_100, "drones"]);
  });

  it("finds units by names in both languages, call sign and station", () => {
    const officer = rowsAt(100_000).find((row) => row.unitId === 4)!;
    for (const query of ["单位4", "unit 4", "officer", "水车", "shuiche 04", ""])
      expect(fits(officer, null, query), query).toBe(true);
    expect(fits(officer, "drone", "")).toBe(false);
    expect(fits(officer, null, "hawk")).toBe(false);
  });
});

describe("listItems", () => {
  it("steps over headings and stops at both ends", () => {
    const items = listItems(grouped(rowsAt(100_000)), 44);
    expect([
      unitBeside(items, null, 1),
      unitBeside(items, 2, 1),
      unitBeside(items, 3, 1),
      unitBeside(items, 2, -1),
      unitBeside(items, 4, 1),
    ]).toEqual([2, 3, 1, 2, 4]);
  });

  it("draws only what is near the view", () => {
    const rows = rowsAt(100_000);
    const many = Array.from({ length: 5000 }, (_, i) => ({ ...rows[0]!, unitId: i }));
    const items = listItems({ attention: [], drones: [], others: many }, 44);
    expect(visibleItems(items, 100_000, 800).length).toBeLessThan(40);
  });
});
