// Ground that one set of polygons has and another has not, as strips.
import { describe, expect, it } from "vitest";
import { groundLess } from "../src/map/strips";

const square = (west: number, south: number, size: number): number[][][] => [
  [
    [west, south],
    [west + size, south],
    [west + size, south + size],
    [west, south + size],
    [west, south],
  ],
];
const area = (rings: number[][][]): number =>
  rings.reduce((sum, [a, , c]) => sum + (c![0]! - a![0]!) * (c![1]! - a![1]!), 0);
const ROW_M = 111.32;

describe("groundLess", () => {
  it("is everything where the others have nothing, and nothing where they have all", () => {
    expect(area(groundLess([square(0, 0, 1)], [], ROW_M))).toBeCloseTo(1, 6);
    expect(groundLess([square(0, 0, 1)], [square(-1, -1, 3)], ROW_M)).toEqual([]);
  });

  it("is what remains of an overlap, holes counted", () => {
    expect(area(groundLess([square(0, 0, 1)], [square(0.5, 0, 1)], ROW_M))).toBeCloseTo(0.5, 6);
    const holed = [...square(0, 0, 1), square(0.25, 0.25, 0.5)[0]!];
    expect(area(groundLess([holed], [], ROW_M))).toBeCloseTo(0.75, 3);
    expect(area(groundLess([square(0, 0, 1)], [holed], ROW_M))).toBeCloseTo(0.25, 3);
  });

  it("counts ground once where its own polygons overlap", () => {
    expect(area(groundLess([square(0, 0, 1), square(0.5, 0, 1)], [], ROW_M))).toBeCloseTo(1.5, 6);
  });

  it("is nothing of nothing", () => {
    expect(groundLess([], [square(0, 0, 1)], ROW_M)).toEqual([]);
  });
});
