// Figures of the supervisor's strip and lists: who was reached in time, the trend's end, a place that the title names.
import { describe, expect, it } from "vitest";
import { onTargetOf, placeBeside } from "../src/format/incidents";
import { labelHeights, upToNow } from "../src/supervisor/trendScale";
import type { CoverageChanged, TrendReply, UrgencyFigures } from "../src/wire.generated";

const urgency = (part: Partial<UrgencyFigures>): UrgencyFigures =>
  ({ on_target_ratio: null, ...part }) as UrgencyFigures;

describe("the supervisor's figures", () => {
  it("counts who was reached in time of those who were reached, and leaves out who waits", () => {
    const rows = [
      urgency({ urgency: 1, count: 4, answered: 0 }),
      urgency({ urgency: 2, count: 5, answered: 3, on_target_ratio: 2 / 3 }),
      urgency({ urgency: 3, count: 1, answered: 1, on_target_ratio: 1 }),
    ];
    expect(onTargetOf(rows)).toEqual({ onTarget: 3, answered: 4 });
    expect(onTargetOf([])).toEqual({ onTarget: 0, answered: 0 });
  });

  it("ends the trend at the figure that is read beside it, and never goes back in time", () => {
    const trend = {
      at_ms: [1_000, 2_000],
      shares: [
        [0.1, 0.5, 0.9],
        [0.2, 0.6, 0.9],
      ],
      plan: [0.2, 0.7, 1],
    } as TrendReply;
    const now = { at_ms: 3_000, shares: [0.3, 0.65, 0.9] } as CoverageChanged;
    expect(upToNow(trend, now).shares.at(-1)).toEqual(now.shares);
    expect(upToNow(trend, now).at_ms).toEqual([1_000, 2_000, 3_000]);
    expect(upToNow(trend, { ...now, at_ms: 2_000 })).toBe(trend);
    expect(upToNow(trend, null)).toBe(trend);
  });

  it("writes value and plan apart, never above the chart", () => {
    expect(labelHeights(10, 14)).toEqual([10, 23]);
    expect(labelHeights(14, 10)).toEqual([23, 10]);
    expect(labelHeights(10, 40)).toEqual([10, 40]);
    expect(labelHeights(10, null)).toEqual([10, 10]);
  });

  it("tells a place once, where the title names it already", () => {
    expect(placeBeside({ title: "Anquan Bank: Dispute", place_text: "Anquan Bank" })).toBe("");
    expect(placeBeside({ title: "Dispute", place_text: "Anquan Bank" })).toBe("Anquan Bank");
  });
});
