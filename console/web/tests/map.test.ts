// Labels do not overlap, the projection agrees with Web Mercator, the scale bar is round.
import { describe, expect, it } from "vitest";
import { placeLabels } from "../src/map/placement";
import { Projection, scaleBar } from "../src/map/projection";

describe("placeLabels", () => {
  const wish = (text: string, x: number, rank: number) => ({
    text,
    x,
    y: 100,
    width: 60,
    gap: 14,
    rank,
    tone: "plain" as const,
    slot: null,
    lon: 0,
    lat: 0,
  });

  it("drops the lesser of two labels that have no room rather than overlapping", () => {
    const marks = [76, 100, 124].flatMap((y) =>
      Array.from({ length: 14 }, (_, i): [number, number, number] => [16 + i * 12, y, 12]),
    );
    expect(placeLabels([wish("a", 100, 1)], marks)).toEqual([]);
    expect(placeLabels([wish("low", 100, 1), wish("high", 102, 9)], []).map((label) => label.wish.text)[0]).toBe(
      "high",
    );
  });

  it("shows who needs help even where it covers others", () => {
    expect(placeLabels([wish("help", 100, 100)], [[100, 100, 200]]).length).toBe(1);
  });

  it("keeps a call for help within the view and off the panels over it, where it hides least", () => {
    const panel = [60, 60, 140, 96] as const;
    const view = { width: 200, height: 200, covered: [panel] };
    const [right] = placeLabels([wish("help", 180, 100)], [], view);
    expect(right!.dx + 180 + 60).toBeLessThanOrEqual(200);
    const [low] = placeLabels(
      [wish("help", 100, 100)],
      [
        [150, 100, 20],
        [50, 100, 20],
      ],
      view,
    );
    expect(low!.dy).toBeGreaterThan(0);
    const [corner] = placeLabels([{ ...wish("help", 2, 100), y: 198 }], [], view);
    expect([2 + corner!.dx >= 0, corner!.dy < 0]).toEqual([true, true]);
  });

  it("takes the next side where the first is covered", () => {
    const placed = placeLabels([wish("a", 100, 1)], [[140, 100, 14]]);
    expect(placed[0]!.dx).toBeLessThan(0);
  });
});

describe("Projection", () => {
  const projection = new Projection({ lon: 103.8, lat: 36.05, zoom: 12, width: 1000, height: 600 });

  it("puts the middle in the middle and north above", () => {
    expect(projection.x(103.8)).toBeCloseTo(500, 6);
    expect(projection.y(36.05)).toBeCloseTo(300, 6);
    expect(projection.y(36.06)).toBeLessThan(300);
  });

  it("has the scale of a 512-pixel world", () => {
    expect(projection.x(104.8) - 500).toBeCloseTo((512 * 4096) / 360, 3);
    expect(projection.metresPerPixel()).toBeCloseTo(15.4496, 2);
  });

  it("gives a round scale bar that fits", () => {
    expect(scaleBar(15.45, 100)).toEqual({ metres: 1000, px: 1000 / 15.45 });
  });
});
