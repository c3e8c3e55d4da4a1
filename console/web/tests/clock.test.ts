// The server's time is kept from the fastest message, waits grow with jitter up to 10 s.
import { describe, expect, it } from "vitest";
import { backoffMs } from "../src/live/backoff";
import { ServerClock } from "../src/live/serverClock";

describe("ServerClock", () => {
  it("follows the fastest of several messages", () => {
    let local = 1000;
    const clock = new ServerClock(() => local);
    clock.take(5000);
    local = 2000;
    clock.take(5800);
    expect(clock.nowMs()).toBe(6000);
    expect(clock.delayMs(5800)).toBe(200);
    local = 2100;
    clock.take(6150);
    expect(clock.nowMs()).toBe(6150);
  });

  it("forgets a fast message after a minute", () => {
    let local = 0;
    const clock = new ServerClock(() => local);
    clock.take(1000);
    local = 61_000;
    clock.take(61_900);
    expect(clock.nowMs()).toBe(61_900);
  });
});

describe("backoffMs", () => {
  it("doubles from 0.25 s to 10 s and waits at least half a step", () => {
    expect([0, 1, 2, 10, 99].map((n) => backoffMs(n, 1))).toEqual([250, 500, 1000, 10_000, 10_000]);
    expect(backoffMs(0, 0)).toBe(125);
  });
});
