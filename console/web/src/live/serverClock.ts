// Keeps the server's time from the stamps of its messages: the fastest message of the last minute is nearest the truth.
const WINDOW_MS = 60_000;

interface Sample {
  readonly atMs: number;
  readonly offsetMs: number;
}

/** Server time less local time. Late messages make the offset too small, so that the largest recent one is taken. */
export class ServerClock {
  private samples: Sample[] = [];

  constructor(private readonly localNowMs: () => number = () => performance.timeOrigin + performance.now()) {}

  /** Take a stamp that the server wrote just before it sent. */
  take(serverMs: number): void {
    const atMs = this.localNowMs();
    const offsetMs = serverMs - atMs;
    this.samples = this.samples.filter((sample) => atMs - sample.atMs < WINDOW_MS && sample.offsetMs > offsetMs);
    this.samples.push({ atMs, offsetMs });
  }

  /** Forget everything: another server may have another clock. */
  reset(): void {
    this.samples = [];
  }

  /** The server's time now, milliseconds since 1970. */
  nowMs(): number {
    return this.localNowMs() + (this.samples[0]?.offsetMs ?? 0);
  }

  /** How much later than the fastest message one with this stamp arrived. */
  delayMs(serverMs: number): number {
    return Math.max(0, this.nowMs() - serverMs);
  }
}
