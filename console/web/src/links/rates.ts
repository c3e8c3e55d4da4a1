// What comes over links a second, from counts that only grow.
import type { LinkHealth, LinksReply } from "../wire.generated";

export interface LinkRates {
  readonly positionsPerS: number | null;
  readonly piecesPerS: number | null;
  readonly bytesPerS: number | null;
  /** Since the look before: what is lost now, not what was lost some day. */
  readonly droppedNow: number;
  readonly badNow: number;
}

const WINDOW_MS = 6000;
const PAST = 80;
const UNKNOWN: LinkRates = { positionsPerS: null, piecesPerS: null, bytesPerS: null, droppedNow: 0, badNow: 0 };

export const sumOf = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

/** A link by what stays the same of it. */
export const keyOfLink = (link: LinkHealth): string => `${link.url} ${link.link_group}`;

/** Answers of the last seconds; a rate is the difference between the oldest of them and the newest. */
export class RateMeter {
  private replies: LinksReply[] = [];
  private past = new Map<string, number[]>();

  take(reply: LinksReply): void {
    const newest = this.replies.at(-1);
    if (newest && reply.at_ms <= newest.at_ms) return;
    this.replies.push(reply);
    while (this.replies.length > 2 && reply.at_ms - this.replies[1]!.at_ms >= WINDOW_MS) this.replies.shift();
    for (const link of reply.links) {
      const rate = this.of(keyOfLink(link)).positionsPerS;
      if (rate === null) continue;
      const rates = this.past.get(keyOfLink(link)) ?? [];
      rates.push(rate);
      if (rates.length > PAST) rates.shift();
      this.past.set(keyOfLink(link), rates);
    }
  }

  /** Positions a second at the looks of the last two minutes, oldest first. */
  pastOf(key: string): readonly number[] {
    return this.past.get(key) ?? [];
  }

  of(key: string): LinkRates {
    const newest = this.replies.at(-1);
    const now = newest?.links.find((link) => keyOfLink(link) === key);
    const oldest = this.replies.find((reply) => reply.links.some((link) => keyOfLink(link) === key));
    const before = oldest?.links.find((link) => keyOfLink(link) === key);
    if (!newest || !oldest || !now || !before || newest === oldest) return UNKNOWN;
    const seconds = (newest.at_ms - oldest.at_ms) / 1000;
    const perS = (to: number, from: number): number | null => (to < from ? null : (to - from) / seconds);
    return {
      positionsPerS: perS(now.positions, before.positions),
      piecesPerS: perS(now.datagrams, before.datagrams),
      bytesPerS: perS(now.bytes_received, before.bytes_received),
      droppedNow: Math.max(0, now.datagrams_dropped - before.datagrams_dropped),
      badNow: Math.max(0, sumOf(now.bad) - sumOf(before.bad)),
    };
  }
}

/** The points of a line through rates, from the right end back; `step` wide each, `height` for the highest. */
export function sparkPoints(rates: readonly number[], width: number, height: number): string {
  const most = Math.max(...rates, 1e-9);
  const step = width / (PAST - 1);
  return rates
    .map((rate, at) => {
      const x = width - (rates.length - 1 - at) * step;
      return `${x.toFixed(1)},${(height - (rate / most) * height).toFixed(1)}`;
    })
    .join(" ");
}

export type LinkTone = "" | "attn" | "alarm";

/** How loudly a link asks for a person: it is down, or something is lost on it now. */
export function toneOfLink(link: LinkHealth, rates: LinkRates): LinkTone {
  if (link.state === "retrying" || link.state === "failed") return "alarm";
  if (link.paused || rates.droppedNow > 0 || link.advice === "unreadable" || link.advice === "plain") return "attn";
  return "";
}

/** A rate with as many digits as say something: 0.4, 12, 3.4 k. */
export function rateText(perS: number | null): string {
  if (perS === null) return "–";
  if (perS >= 9950) return `${Math.round(perS / 1000)} k`;
  if (perS >= 1000) return `${(perS / 1000).toFixed(1)} k`;
  if (perS >= 9.95 || perS === 0) return String(Math.round(perS));
  return perS.toFixed(1);
}

/** Bytes in the unit that says enough: 812 B, 4.1 kB, 12 MB, 1.3 GB. */
export function bytesText(bytes: number | null): string {
  if (bytes === null) return "–";
  const units = ["B", "kB", "MB", "GB", "TB"];
  let [value, at] = [bytes, 0];
  while (value >= 999.5 && at < units.length - 1) [value, at] = [value / 1000, at + 1];
  return `${at > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)}\u2009${units[at]}`;
}
