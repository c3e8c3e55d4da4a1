// Positions that the server has not taken yet, oldest first; when there are too many, every second of the older ones goes.
import type { PositionReport } from "../wire.generated";
import { readKept, type Shelf } from "./keeper";

/** Almost three hours at a fix each five seconds; beyond it the older half becomes coarser, never shorter. */
export const MOST_FIXES = 2000;
const KEY = "fixes";

export class FixQueue {
  private fixes: PositionReport[];

  constructor(
    private readonly shelf: Shelf,
    private readonly most = MOST_FIXES,
  ) {
    const kept = readKept<PositionReport[]>(shelf.get(KEY));
    this.fixes = Array.isArray(kept) ? kept : [];
  }

  get length(): number {
    return this.fixes.length;
  }

  push(fix: PositionReport): void {
    this.fixes.push(fix);
    if (this.fixes.length > this.most) this.thin();
    this.keep();
  }

  /** The oldest ones. */
  head(count: number): readonly PositionReport[] {
    return this.fixes.slice(0, count);
  }

  /** Forget what the server took: by their own time, for the queue may have been thinned meanwhile. */
  taken(fixes: readonly PositionReport[]): void {
    const times = new Set(fixes.map((fix) => fix.observed_ms));
    this.fixes = this.fixes.filter((fix) => !times.has(fix.observed_ms));
    this.keep();
  }

  private thin(): void {
    const older = this.fixes.length >> 1;
    this.fixes = this.fixes.filter((_, i) => i >= older || i % 2 === 0);
  }

  private keep(): void {
    if (this.fixes.length === 0) this.shelf.remove(KEY);
    else this.shelf.set(KEY, JSON.stringify(this.fixes));
  }
}
