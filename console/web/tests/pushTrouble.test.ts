// What the supervisor is told of a push that nobody has or nobody answers.
import { describe, expect, it } from "vitest";
import { troubleOf } from "../src/supervisor/pushTrouble";

const push = (state: "queued" | "sent" | "received" | "accepted", channel = "page") => ({
  state,
  channel,
  queued_ms: 0,
  received_ms: state === "received" || state === "accepted" ? 1 : null,
});

describe("a push", () => {
  it("that nothing carries is called by radio at once and for as long as it is queued", () => {
    expect(troubleOf(push("queued", "none"), 3, 0)).toBe("no_channel");
    expect(troubleOf(push("queued", "none"), 1, 600_000)).toBe("no_channel");
    expect(troubleOf(push("accepted", "none"), 1, 600_000)).toBeNull();
  });

  it("is unanswered after half a minute for the most urgent and after a minute for others", () => {
    expect([30_000, 30_001].map((now) => troubleOf(push("received"), 1, now))).toEqual([null, "unanswered"]);
    expect([60_000, 60_001].map((now) => troubleOf(push("received"), 2, now))).toEqual([null, "unanswered"]);
    expect(troubleOf(push("accepted"), 1, 600_000)).toBeNull();
  });

  it("that is not received for a quarter of a minute says so before it counts as unanswered", () => {
    expect([15_000, 15_001, 30_001].map((now) => troubleOf(push("sent"), 1, now))).toEqual([
      null,
      "not_received",
      "unanswered",
    ]);
  });
});
