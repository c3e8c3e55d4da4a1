// Runs one sending after another: at once when asked, and again after growing waits while nothing gets through.
const FIRST_WAIT_MS = 1000;

export type Turn = "more" | "done" | "later";

export class Pump {
  /** The last attempt did not get through. */
  isStuck = false;
  private busy = false;
  private again = false;
  private waitMs = FIRST_WAIT_MS;
  private restUntilMs = 0;

  constructor(
    private readonly turn: () => Promise<Turn>,
    private readonly longestWaitMs: number,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  /** Try now: something new was said, or the network came back. */
  now(): void {
    this.restUntilMs = 0;
    this.soon();
  }

  /** Try if no rest is due. */
  soon(): void {
    if (this.busy) this.again = true;
    else if (this.nowMs() >= this.restUntilMs) void this.run();
  }

  stop(): void {
    this.isStuck = false;
    this.waitMs = FIRST_WAIT_MS;
    this.restUntilMs = 0;
  }

  private async run(): Promise<void> {
    this.busy = true;
    try {
      do {
        this.again = false;
        const said = await this.turn();
        if (said === "later") return this.rest();
        this.isStuck = false;
        this.waitMs = FIRST_WAIT_MS;
        if (said === "more") this.again = true;
      } while (this.again);
    } finally {
      this.busy = false;
    }
  }

  private rest(): void {
    this.isStuck = true;
    this.restUntilMs = this.nowMs() + this.waitMs;
    this.waitMs = Math.min(this.longestWaitMs, this.waitMs * 2);
  }
}
