// The lag shown in the bar: the median age of fixes when they arrived, over the last few frames.
import { UNKNOWN } from "../wire.generated";
import type { UnitsFrame } from "./frame";

const FRAMES = 8;
const OLDEST_MS = 60_000;

export class LagMeter {
  private medians: number[] = [];

  /** Take a delta that was `delayMs` under way. */
  take(frame: UnitsFrame, delayMs: number): void {
    if (frame.kind !== "delta" || frame.n === 0) return;
    const ages = Array.from(frame.columns.age_ms).filter((age) => age !== UNKNOWN.i4 && age < OLDEST_MS);
    if (ages.length === 0) return;
    ages.sort((a, b) => a - b);
    this.medians.push(Math.max(0, ages[ages.length >> 1]!) + delayMs);
    if (this.medians.length > FRAMES) this.medians.shift();
  }

  get(): number | null {
    if (this.medians.length === 0) return null;
    const sorted = [...this.medians].sort((a, b) => a - b);
    return sorted[sorted.length >> 1]!;
  }
}
