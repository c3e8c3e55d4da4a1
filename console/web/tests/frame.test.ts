// The decoder reads what the server writes and refuses what it does not.
import { describe, expect, it } from "vitest";
import { decodeFrame, FrameError } from "../src/live/frame";
import { goneFrame, header, trailFrame, unitsFrame } from "./helpers";

describe("decodeFrame", () => {
  it("reads each column of a snapshot at its padded place", () => {
    const frame = decodeFrame(
      unitsFrame(
        1,
        [
          { unit_id: 3, lat_e7: 360500000, heading_ddeg: 2740, battery_pct: 46, link: 1, duty: 2 },
          { unit_id: 9 },
          { unit_id: 11, duty: 6 },
        ],
        1000,
      ),
    );
    if (frame.kind !== "snapshot") throw new Error("not a snapshot");
    expect(Array.from(frame.columns.unit_id)).toEqual([3, 9, 11]);
    expect(frame.columns.lat_e7[0]).toBe(360500000);
    expect(frame.columns.lat_e7[1]).toBe(-2147483648);
    expect(frame.columns.heading_ddeg[0]).toBe(2740);
    expect(frame.columns.battery_pct[1]).toBe(-128);
    expect(Array.from(frame.columns.duty)).toEqual([2, 0, 6]);
    expect([frame.n, frame.epoch, frame.seq, frame.tMs]).toEqual([3, 7, 1, 1000]);
  });

  it("reads an empty delta", () => {
    expect(decodeFrame(unitsFrame(2, [], 5)).n).toBe(0);
  });

  it("reads who is gone", () => {
    const frame = decodeFrame(goneFrame([4, 5], 1));
    expect(frame.kind === "gone" && Array.from(frame.unitIds)).toEqual([4, 5]);
  });

  it("reads a trail behind its unit", () => {
    const frame = decodeFrame(
      trailFrame(
        8,
        [
          [3000, 1, 2],
          [2000, 3, 4],
          [1000, 5, 6],
        ],
        9,
      ),
    );
    if (frame.kind !== "trail") throw new Error("not a trail");
    expect([frame.unitId, ...frame.ageMs]).toEqual([8, 3000, 2000, 1000]);
    expect(Array.from(frame.lonE7)).toEqual([2, 4, 6]);
  });

  it("refuses a frame that is cut anywhere", () => {
    const whole = unitsFrame(1, [{ unit_id: 1 }], 1);
    for (let size = 0; size < whole.byteLength; size++) {
      expect(() => decodeFrame(whole.slice(0, size)), `${size} bytes`).toThrow(FrameError);
    }
  });

  it("refuses another magic, version or kind", () => {
    for (const [at, value] of [
      [0, 1],
      [2, 2],
      [3, 9],
    ] as const) {
      const buffer = goneFrame([1], 1);
      new DataView(buffer).setUint8(at, value);
      expect(() => decodeFrame(buffer)).toThrow(FrameError);
    }
  });

  it("refuses a count that the buffer cannot hold", () => {
    const buffer = new ArrayBuffer(64);
    header(buffer, 1, 4_000_000_000, 1);
    expect(() => decodeFrame(buffer)).toThrow(FrameError);
  });
});
