// What is stale or lost is said so by age, whatever the server said last.
import { describe, expect, it } from "vitest";
import { freshnessOf, freshnessOfAge } from "../src/live/freshness";
import { LINK_STATES } from "../src/wire.generated";

const link = (name: (typeof LINK_STATES)[number]): number => LINK_STATES.indexOf(name);

describe("freshness", () => {
  it("is stale after three intervals and lost after ten or 10 s, whichever is longer", () => {
    expect(freshnessOfAge(2000, 1)).toBe("live");
    expect(freshnessOfAge(5000, 1)).toBe("stale");
    expect(freshnessOfAge(12_000, 1)).toBe("lost");
    expect(freshnessOfAge(12_000, 10)).toBe("live");
    expect(freshnessOfAge(40_000, 10)).toBe("stale");
    expect(freshnessOfAge(102_000, 10)).toBe("lost");
  });

  it("takes the worse of the server's word and the age seen here", () => {
    expect(freshnessOf(link("live"), 30_000, 1)).toBe("lost");
    expect(freshnessOf(link("stale"), 100, 1)).toBe("stale");
    expect(freshnessOf(link("lost"), 5000, 1)).toBe("lost");
    expect(freshnessOf(link("live"), 100, 1)).toBe("live");
  });

  it("is never heard without an age", () => {
    expect(freshnessOf(link("live"), null, 1)).toBe("never");
  });
});
