// Why a link of the ring is open, in words.
import { describe, expect, it } from "vitest";
import { whyOpen } from "../src/format/ring";
import { translator } from "../src/i18n/text";

const link = (missing_s: number | null) => ({ from_station_id: 6, to_station_id: 7, missing_s });
const crews = (six: number, seven: number) => [
  { station_id: 6, on_duty: six },
  { station_id: 7, on_duty: seven },
];
const numberOf = (id: number): string => String(id).padStart(2, "0");
const [en, zh] = [translator("en"), translator("zh")];

describe("an open link", () => {
  it("says how much is short", () => {
    expect(whyOpen(link(52), crews(0, 4), numberOf, en)).toBe("0:52 short");
  });

  it("names the station that has nobody on duty where nobody comes", () => {
    expect(whyOpen(link(null), crews(0, 4), numberOf, en)).toBe("nobody from 06");
    expect(whyOpen(link(null), crews(3, 0), numberOf, zh)).toBe("07 站无人到达");
  });

  it("names no station where it cannot be told which", () => {
    expect(whyOpen(link(null), crews(0, 0), numberOf, en)).toBe("no unit comes");
    expect(whyOpen(link(null), crews(2, 2), numberOf, en)).toBe("no unit comes");
    expect(whyOpen(link(null), [], numberOf, zh)).toBe("无单位到达");
  });
});
