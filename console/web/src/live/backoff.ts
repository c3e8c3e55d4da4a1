// How long to wait before the next attempt to connect: doubling with full jitter, 0.25 s to 10 s.
export const FIRST_DELAY_MS = 250;
export const LONGEST_DELAY_MS = 10_000;

/** Milliseconds before attempt number `attempt` (0 = first); `random` is 0..1. At least half of the step is waited. */
export function backoffMs(attempt: number, random: number): number {
  const step = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempt, 16));
  return Math.round(step * (0.5 + random / 2));
}
