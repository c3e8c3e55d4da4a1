// The store keeps what frames say, glides markers honestly and never invents a value.
import { beforeEach, describe, expect, it } from "vitest";
import { decodeFrame } from "../src/live/frame";
import { UnitStore } from "../src/live/unitStore";
import type { UnitMeta } from "../src/wire.generated";
import { goneFrame, trailFrame, unitsFrame } from "./helpers";

const meta = (unit_id: number, kind: UnitMeta["kind"] = "drone"): UnitMeta => ({
  unit_id,
  call_sign: `U${unit_id}`,
  kind,
  service: "patrol",
  duty_status: "free",
  station_id: null,
  name_zh: "",
  name_en: "",
  covert: false,
  equipment: [],
  devices: [{ device_id: unit_id, protocol: "mavlink", label: "", report_interval_s: 1 }],
});
const at = (unit_id: number, lat: number, lon: number, more = {}) => ({
  unit_id,
  lat_e7: lat * 1e7,
  lon_e7: lon * 1e7,
  age_ms: 0,
  link: 1,
  ...more,
});

let store: UnitStore;
beforeEach(() => {
  store = new UnitStore();
  store.setMeta([meta(1), meta(2, "officer")]);
});

describe("UnitStore", () => {
  it("reads unknown values as null and never as 0", () => {
    store.apply(decodeFrame(unitsFrame(1, [at(1, 36, 103)], 1000)), 1000);
    const reading = store.read(1, 1000)!;
    expect(reading.values.battery_pct).toBeNull();
    expect(reading.values.heading_ddeg).toBeNull();
    expect(reading.lat).toBeCloseTo(36, 7);
  });

  it("lets the age grow by the local clock while no frame comes", () => {
    store.apply(decodeFrame(unitsFrame(1, [at(1, 36, 103, { age_ms: 400 })], 10_000)), 10_050);
    expect(store.read(1, 10_050)!.ageMs).toBe(450);
    expect(store.read(1, 40_000)!.ageMs).toBe(30_400);
    expect(store.read(1, 40_000)!.freshness).toBe("lost");
  });

  it("has no age and no position for a unit that was never heard", () => {
    const reading = store.read(2, 5000)!;
    expect([reading.ageMs, reading.lat, reading.freshness]).toEqual([null, null, "never"]);
  });

  it("puts the first position at once and glides to the next within two intervals", () => {
    store.apply(decodeFrame(unitsFrame(1, [at(1, 36, 103)], 1000)), 1000);
    store.apply(decodeFrame(unitsFrame(2, [at(1, 36, 103.001)], 2000)), 2000);
    store.advance(2500, true);
    expect(store.table.drawn[0]).toBeCloseTo(103.0005, 6);
    store.advance(4000, true);
    expect(store.table.drawn[0]).toBeCloseTo(103.001, 7);
    expect(store.advance(5000, true)).toBe(false);
  });

  it("jumps instead of gliding where motion is reduced or the way is far", () => {
    store.apply(decodeFrame(unitsFrame(1, [at(1, 36, 103)], 1000)), 1000);
    store.apply(decodeFrame(unitsFrame(2, [at(1, 36, 103.001)], 2000)), 2000);
    store.advance(2001, false);
    expect(store.table.drawn[0]).toBeCloseTo(103.001, 7);
    store.apply(decodeFrame(unitsFrame(2, [at(1, 36, 104)], 3000)), 3000);
    expect(store.table.drawn[0]).toBeCloseTo(104, 7);
  });

  it("hides who is gone and who is missing in a snapshot", () => {
    store.apply(decodeFrame(unitsFrame(1, [at(1, 36, 103), at(2, 36, 103)], 1000)), 1000);
    store.apply(decodeFrame(goneFrame([2], 1100)), 1100);
    expect(Array.from(store.table.shown.slice(0, 2))).toEqual([1, 0]);
    store.apply(decodeFrame(unitsFrame(1, [at(2, 36, 103)], 1200)), 1200);
    expect(Array.from(store.table.shown.slice(0, 2))).toEqual([0, 1]);
  });

  it("keeps no trail of officers", () => {
    store.apply(decodeFrame(unitsFrame(1, [at(1, 36, 103), at(2, 36, 103)], 1000)), 1000);
    store.apply(decodeFrame(unitsFrame(2, [at(1, 36, 103.001), at(2, 36, 103.001)], 3000)), 3000);
    expect(store.trails.path(1, 0).length).toBe(4);
    expect(store.trails.path(2, 0)).toEqual([]);
  });

  it("takes the server's trail in place of its own", () => {
    store.apply(
      decodeFrame(
        trailFrame(
          1,
          [
            [3000, 360000000, 1030000000],
            [1000, 360000000, 1030010000],
          ],
          10_000,
        ),
      ),
      10_000,
    );
    expect(store.trails.path(1, 8000)).toEqual([103.001, 36]);
  });

  it("grows past its first capacity and keeps what it knew", () => {
    const rows = Array.from({ length: 700 }, (_, i) => at(i + 1, 36, 103 + i / 1e4));
    store.apply(decodeFrame(unitsFrame(1, rows, 1000)), 1000);
    expect(store.table.capacity).toBe(1024);
    expect(store.read(1, 1000)!.lon).toBeCloseTo(103, 7);
    expect(store.read(700, 1000)!.lon).toBeCloseTo(103.0699, 7);
  });
});
