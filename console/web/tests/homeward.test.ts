import { describe, expect, it } from "vitest";
import { BatteryLog, dropOf, homewardOf, RESERVE_RATIO } from "../src/operator/homeward";
import { metresBetween } from "../src/operator/home";

const falling = (from: number, perS: number, seconds: number) =>
  Array.from({ length: seconds + 1 }, (_, s) => ({ atMs: s * 1000, ratio: from - perS * s }));

describe("the way home against the battery", () => {
  it("knows no drop before it has seen enough", () => {
    expect(dropOf(falling(0.9, 0.001, 5))).toBeNull();
    expect(dropOf([])).toBeNull();
  });

  it("finds the drop of a battery that falls steadily", () => {
    expect(dropOf(falling(0.9, 0.0008, 60))).toBeCloseTo(0.0008, 9);
  });

  it("takes a battery that does not fall for one of which nothing is known", () => {
    expect(dropOf(falling(0.9, 0, 60))).toBeNull();
    expect(homewardOf(falling(0.9, 0, 60), 500).marginMs).toBeNull();
  });

  it("reckons the margin from the way home and the reserve", () => {
    const { neededRatio, marginMs } = homewardOf(falling(0.6, 0.001, 100), 800);
    expect(neededRatio).toBeCloseTo(0.1 + RESERVE_RATIO, 9);
    expect(marginMs).toBeCloseTo(((0.5 - 0.3) / 0.001) * 1000, 3);
  });

  it("says how late it is when the margin is gone", () => {
    expect(homewardOf(falling(0.35, 0.001, 100), 4000).marginMs).toBeLessThan(0);
  });

  it("says nothing of the way home where the home is not known", () => {
    expect(homewardOf(falling(0.6, 0.001, 100), null).neededRatio).toBeNull();
  });

  it("begins anew with a fresh battery and forgets what is old", () => {
    const log = new BatteryLog();
    for (const sample of falling(0.5, 0.001, 100)) log.take(1, sample);
    expect(log.take(1, { atMs: 110_000, ratio: 1 })).toEqual([{ atMs: 110_000, ratio: 1 }]);
    expect(log.take(1, { atMs: 110_000, ratio: 0.9 })).toHaveLength(1);
    expect(log.take(1, { atMs: 600_000, ratio: 0.9 })).toEqual([{ atMs: 600_000, ratio: 0.9 }]);
  });
});

describe("metres between places", () => {
  it("is right to a thousandth near 36 degrees north", () => {
    expect(metresBetween(36, 103, 36.01, 103)).toBeCloseTo(1111.95, 0);
    expect(metresBetween(36, 103, 36, 103.01)).toBeCloseTo(899.6, 0);
  });
});
