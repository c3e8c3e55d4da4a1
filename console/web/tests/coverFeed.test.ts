// The map's sources of coverage: rebuilt only when what they show is another.
import { describe, expect, it } from "vitest";
import { live } from "../src/live/live";
import { CoverFeed } from "../src/map/coverFeed";

const square = [
  [
    [103, 36],
    [103.1, 36],
    [103.1, 36.1],
    [103, 36],
  ],
];
const contours = (contour_id: string, minutes: number) =>
  ({ type: "contours", at_ms: 1, reset: false, gone: [], added: [{ contour_id, minutes, polygon: square }] }) as const;

describe("CoverFeed", () => {
  it("tells the contours that came, and nothing when nothing changed", () => {
    const feed = new CoverFeed(() => undefined);
    feed.refresh("now");
    live.contours.take({ ...contours("a", 3), gone: [], added: [...contours("a", 3).added] });
    expect(feed.refresh("now")).toEqual(["now"]);
    expect(feed.shown.now.features.map((each) => each.properties.minutes)).toEqual([3]);
    expect(feed.refresh("now")).toEqual([]);
  });

  it("begins anew on a reset and shows each time once", () => {
    const feed = new CoverFeed(() => undefined);
    live.contours.take({ type: "contours", at_ms: 2, reset: true, gone: [], added: [] });
    for (const minutes of [1, 5, 3])
      live.contours.take({
        ...contours(String(minutes), minutes),
        gone: [],
        added: [...contours(String(minutes), minutes).added],
      });
    feed.refresh("now");
    expect(feed.shown.now.features.length).toBe(3);
  });
});
