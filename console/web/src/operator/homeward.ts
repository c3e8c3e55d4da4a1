// When a drone must turn back: its battery as it falls, against what the way home takes and what must be left.
export const RESERVE_RATIO = 0.2;
export const WATCHED_MS = 5 * 60_000;
const LEAST_SAMPLES_MS = 20_000;
const HOMEWARD_MPS = 8;

export interface Sample {
  readonly atMs: number;
  readonly ratio: number;
}

export interface Homeward {
  /** What the battery loses, ratio per second; null while too little of it was seen. */
  readonly dropPerS: number | null;
  /** What must be in the battery to come home from here and keep the reserve. */
  readonly neededRatio: number | null;
  /** So long it can go on before it must turn back; negative when it is too late. */
  readonly marginMs: number | null;
}

/** How fast the battery falls, by least squares over what was seen. */
export function dropOf(samples: readonly Sample[]): number | null {
  const first = samples[0];
  const last = samples.at(-1);
  if (!first || !last || last.atMs - first.atMs < LEAST_SAMPLES_MS) return null;
  const n = samples.length;
  const meanAt = samples.reduce((sum, one) => sum + one.atMs, 0) / n;
  const meanRatio = samples.reduce((sum, one) => sum + one.ratio, 0) / n;
  let over = 0;
  let under = 0;
  for (const { atMs, ratio } of samples) {
    over += (atMs - meanAt) * (ratio - meanRatio);
    under += (atMs - meanAt) ** 2;
  }
  const drop = under === 0 ? 0 : (-over / under) * 1000;
  return drop > 0 ? drop : null;
}

/** Where a drone stands towards its way home; each second that it goes on costs that second's charge. */
export function homewardOf(samples: readonly Sample[], homeM: number | null, reserveRatio = RESERVE_RATIO): Homeward {
  const dropPerS = dropOf(samples);
  const now = samples.at(-1)?.ratio ?? null;
  if (dropPerS === null || homeM === null || now === null) return { dropPerS, neededRatio: null, marginMs: null };
  const neededRatio = (homeM / HOMEWARD_MPS) * dropPerS + reserveRatio;
  return { dropPerS, neededRatio, marginMs: ((now - neededRatio) / dropPerS) * 1000 };
}

/** What was seen of each drone's battery in the last minutes. */
export class BatteryLog {
  private readonly seen = new Map<number, Sample[]>();

  /** Take a reading; a fuller battery is another one, and begins anew. */
  take(unitId: number, sample: Sample): readonly Sample[] {
    const before = this.seen.get(unitId) ?? [];
    const last = before.at(-1);
    if (last && last.atMs >= sample.atMs) return before;
    const kept =
      last && sample.ratio > last.ratio + 0.02 ? [] : before.filter((one) => one.atMs > sample.atMs - WATCHED_MS);
    const next = [...kept, sample];
    this.seen.set(unitId, next);
    return next;
  }
}
