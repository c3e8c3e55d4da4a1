// Keeps drawing within what the machine can do: where a frame takes long (no graphics card), markers move less often.
const SMOOTH_MS = 34;
const SLOWEST_MS = 500;
const SHARE = 3;

export class Pace {
  private drewAtMs = Number.NEGATIVE_INFINITY;
  private costMs = 16;
  private waiting = false;

  /** To be asked at each animation frame: may it draw now? */
  due(nowMs: number): boolean {
    if (this.waiting) {
      this.costMs = this.costMs * 0.8 + Math.min(1000, nowMs - this.drewAtMs) * 0.2;
      this.waiting = false;
    }
    const restMs = this.costMs <= SMOOTH_MS ? 0 : Math.min(SLOWEST_MS, this.costMs * SHARE);
    return nowMs - this.drewAtMs >= restMs;
  }

  drew(nowMs: number): void {
    this.drewAtMs = nowMs;
    this.waiting = true;
  }
}
