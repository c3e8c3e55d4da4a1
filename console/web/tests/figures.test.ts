// Figures are honest: unknown is a dash, minus is a minus, ages choose their unit.
import { describe, expect, it } from "vitest";
import { age, bearing, day, duration, figure, measure, percent, scaled } from "../src/format/figures";
import { translator } from "../src/i18n/text";

const en = translator("en");
const zh = translator("zh");

describe("figures", () => {
  it("shows unknown as an en dash and never as 0", () => {
    expect([
      figure(null),
      measure(null, "m"),
      bearing(null),
      percent(undefined),
      age(null, en),
      duration(null),
    ]).toEqual(Array(6).fill("–"));
    expect(scaled(null, 10)).toBeNull();
  });

  it("writes a true minus and no minus before zero", () => {
    expect(figure(-3.26, 1)).toBe("\u22123.3");
    expect(figure(-0.01, 1)).toBe("0.0");
  });

  it("puts a thin space before the unit", () => {
    expect(measure(8.44, "m/s", 1)).toBe("8.4\u2009m/s");
  });

  it("rounds bearings within the circle", () => {
    expect([bearing(2740), bearing(3597), bearing(46)]).toEqual(["274°", "000°", "005°"]);
  });

  it("says ages in the unit that fits", () => {
    expect([400, 48_000, 180_000, 7_300_000, 200_000_000].map((ms) => age(ms, en))).toEqual([
      "0.4 s",
      "48 s",
      "3 min",
      "2 h",
      "2 d",
    ]);
    expect(age(180_000, zh)).toBe("3 分");
  });

  it("says durations as minutes and seconds", () => {
    expect([duration(41_900), duration(3_723_000), duration(-5)]).toEqual(["0:41", "1:02:03", "0:00"]);
  });

  it("writes the day in both languages", () => {
    const friday = new Date(2026, 8, 18, 21).getTime();
    expect([day(friday, "zh"), day(friday, "en")]).toEqual(["9月18日 周五", expect.stringMatching(/^Fri 18 Sept?$/)]);
  });
});
