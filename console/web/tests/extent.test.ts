// The whole city in view: its bounds with every station, clear of what lies over the map.
import { describe, expect, it } from "vitest";
import { boundsWith, roomIn } from "../src/map/extent";

const box = (left: number, right: number, top = 0, bottom = 600) => ({ left, right, top, bottom });

describe("the whole city", () => {
  it("holds the stations outside its bounds too", () => {
    expect(
      boundsWith(
        [10, 20, 11, 21],
        [
          { lon: 10.5, lat: 20.5 },
          { lon: 9.8, lat: 20.2 },
          { lon: 10.1, lat: 21.4 },
        ],
      ),
    ).toEqual([9.8, 20, 11, 21.4]);
  });

  it("is clear of the tools and of a panel over the map", () => {
    expect(roomIn(box(0, 1000), null, true)).toEqual({ top: 60, left: 24, right: 24, bottom: 60 });
    expect(roomIn(box(0, 1000), box(1000, 1400), false)).toEqual({ top: 24, left: 24, right: 24, bottom: 24 });
    expect(roomIn(box(0, 1000), box(700, 1000), true).right).toBe(324);
  });

  it("leaves a small map most of its room", () => {
    expect(roomIn(box(0, 400, 0, 100), box(50, 400), true)).toEqual({ top: 20, left: 24, right: 24, bottom: 20 });
  });
});
