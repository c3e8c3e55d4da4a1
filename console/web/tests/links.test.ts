// Rates of links from counts that only grow, how loudly a link asks for a person, figures in the unit that says enough.
import { describe, expect, it } from "vitest";
import { bytesText, keyOfLink, RateMeter, rateText, toneOfLink } from "../src/links/rates";
import type { LinkHealth, LinksReply } from "../src/wire.generated";

const link = (more: Partial<LinkHealth> = {}): LinkHealth => ({
  url: "jt808+tcpin:0.0.0.0:8808#main",
  protocol: "jt808",
  transport: "tcp",
  link_group: "main",
  state: "open",
  paused: false,
  is_plain: false,
  peers: 1,
  strangers: 0,
  devices: 1,
  datagrams: 0,
  datagrams_dropped: 0,
  bytes_received: 0,
  positions: 0,
  bad: {},
  refused: {},
  replies_waiting: 0,
  replies_refused: 0,
  heard_ms: null,
  last_error: null,
  advice: "",
  ...more,
});
const reply = (at_ms: number, ...links: LinkHealth[]) => ({ at_ms, links }) as unknown as LinksReply;
const key = keyOfLink(link());

describe("RateMeter", () => {
  it("says nothing of one look", () => {
    const meter = new RateMeter();
    meter.take(reply(0, link({ positions: 500 })));
    expect(meter.of(key).positionsPerS).toBeNull();
    expect(meter.of("another").positionsPerS).toBeNull();
  });

  it("is the difference over the last seconds", () => {
    const meter = new RateMeter();
    for (let s = 0; s <= 20; s += 2) meter.take(reply(s * 1000, link({ positions: s * 10, bytes_received: s * 500 })));
    expect([meter.of(key).positionsPerS, meter.of(key).bytesPerS]).toEqual([10, 500]);
    for (let s = 22; s <= 40; s += 2) meter.take(reply(s * 1000, link({ positions: 200, bytes_received: 10_000 })));
    expect(meter.of(key).positionsPerS).toBe(0);
  });

  it("passes over an answer that comes late, and knows no rate after a restart", () => {
    const meter = new RateMeter();
    meter.take(reply(2000, link({ positions: 50 })));
    meter.take(reply(1000, link({ positions: 10 })));
    meter.take(reply(4000, link({ positions: 70 })));
    expect(meter.of(key).positionsPerS).toBe(10);
    meter.take(reply(5000, link({ positions: 0 })));
    expect(meter.of(key).positionsPerS).toBeNull();
  });
});

describe("the tone of a link", () => {
  const rates = { positionsPerS: 1, piecesPerS: 1, bytesPerS: 1, droppedNow: 0, badNow: 0 };

  it("is calm while all is well, whatever was lost some day", () => {
    expect(toneOfLink(link({ datagrams_dropped: 900, advice: "dropping" }), rates)).toBe("");
  });

  it("asks for a person when something is lost now, and needs one when the link is down", () => {
    expect(toneOfLink(link(), { ...rates, droppedNow: 3 })).toBe("attn");
    expect(toneOfLink(link({ paused: true }), rates)).toBe("attn");
    expect(toneOfLink(link({ state: "retrying" }), rates)).toBe("alarm");
  });
});

describe("figures", () => {
  it("have as many digits as say something", () => {
    expect([null, 0, 0.42, 12.4, 999, 1234, 12_345].map(rateText)).toEqual([
      "–",
      "0",
      "0.4",
      "12",
      "999",
      "1.2 k",
      "12 k",
    ]);
    expect([null, 812, 4096, 12_400_000, 1.3e9].map((n) => bytesText(n).replace("\u2009", " "))).toEqual([
      "–",
      "812 B",
      "4.1 kB",
      "12 MB",
      "1.3 GB",
    ]);
  });
});
