// Says how fresh what is shown of a unit is: the server's word or the age seen here, whichever is worse.
import { LINK_STATES, type LinkState } from "../wire.generated";

export type Freshness = "live" | "stale" | "lost" | "never";

const STALE_INTERVALS = 3;
const LOST_INTERVALS = 10;
const LOST_AT_LEAST_MS = 10_000;
/** Slack for frames on their way and for the server's own rhythm. */
const SLACK_MS = 1500;

const RANK: Record<LinkState, number> = { live: 0, stale: 1, lost: 2, never: 3 };

/** The state that an age alone speaks for; `intervalS` is the reporting interval of the unit's device. */
export function freshnessOfAge(ageMs: number, intervalS: number): Freshness {
  const intervalMs = intervalS * 1000;
  if (ageMs > Math.max(LOST_AT_LEAST_MS, LOST_INTERVALS * intervalMs) + SLACK_MS) return "lost";
  if (ageMs > STALE_INTERVALS * intervalMs + SLACK_MS) return "stale";
  return "live";
}

/** The worse of the server's link state and the age seen here; a null age was never heard. */
export function freshnessOf(link: number, ageMs: number | null, intervalS: number): Freshness {
  const told = LINK_STATES[link] ?? "never";
  if (ageMs === null) return "never";
  const seen = freshnessOfAge(ageMs, intervalS);
  return RANK[seen] > RANK[told] ? seen : told;
}
