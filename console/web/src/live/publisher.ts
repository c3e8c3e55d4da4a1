// A value outside React that components subscribe to; changes are told at most twice a second unless they are urgent.
const EVERY_MS = 500;

export class Publisher<T> {
  private listeners = new Set<() => void>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private toldAtMs = Number.NEGATIVE_INFINITY;
  private value: T;

  constructor(private readonly build: () => T) {
    this.value = build();
  }

  readonly get = (): T => this.value;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Tell soon: at most each half second. */
  later(): void {
    if (this.timer !== undefined) return;
    const waitMs = Math.max(0, this.toldAtMs + EVERY_MS - performance.now());
    this.timer = setTimeout(() => this.now(), waitMs);
  }

  /** Tell at once: an alarm or a lost connection does not wait. */
  now(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.toldAtMs = performance.now();
    this.value = this.build();
    for (const listener of this.listeners) listener();
  }
}
