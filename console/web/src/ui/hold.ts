// Holding for 0.8 s, or pressing twice within 1.5 s: the two ways to do what must not happen by a slip.
export const HOLD_MS = 800;
export const TWICE_MS = 1500;

export class Hold {
  private downAtMs: number | null = null;
  private pressedAtMs: number | null = null;

  /** Pressed; true when this is the second time soon enough. */
  down(nowMs: number): boolean {
    if (this.waitsForSecond(nowMs)) {
      this.reset();
      return true;
    }
    this.downAtMs = nowMs;
    return false;
  }

  /** Let go before the time: the first of two presses. */
  up(nowMs: number): void {
    if (this.downAtMs === null) return;
    this.downAtMs = null;
    this.pressedAtMs = nowMs;
  }

  /** The finger slid away or the system took it: no press at all. */
  cancel(): void {
    this.downAtMs = null;
  }

  /** True once it was held long enough; it is then done and begins anew. */
  held(nowMs: number): boolean {
    if (this.downAtMs === null || nowMs - this.downAtMs < HOLD_MS) return false;
    this.reset();
    return true;
  }

  /** How far the hold has come, 0..1. */
  share(nowMs: number): number {
    return this.downAtMs === null ? 0 : Math.min(1, (nowMs - this.downAtMs) / HOLD_MS);
  }

  waitsForSecond(nowMs: number): boolean {
    return this.pressedAtMs !== null && nowMs - this.pressedAtMs <= TWICE_MS;
  }

  private reset(): void {
    this.downAtMs = null;
    this.pressedAtMs = null;
  }
}
