// Read-only figures for end-to-end tests: how many frames came, which units stand where on the screen's list, when it began.
import { live } from "./live/live";
import { currentMap } from "./map/current";

interface UnitFigure {
  readonly unit_id: number;
  readonly lon: number | null;
  readonly lat: number | null;
  readonly age_ms: number | null;
  readonly freshness: string;
  readonly shown: boolean;
}

function units(): UnitFigure[] {
  const { table } = live.store;
  return Array.from({ length: table.count }, (_, slot) => {
    const reading = live.store.read(table.wire.unit_id[slot]!, live.nowMs())!;
    return {
      unit_id: reading.unitId,
      lon: reading.lon,
      lat: reading.lat,
      age_ms: reading.ageMs,
      freshness: reading.freshness,
      shown: table.shown[slot] === 1,
    };
  });
}

const figures = {
  get frames(): number {
    return live.store.frames;
  },
  get firstDeltaAt(): number | null {
    return live.firstDeltaAt;
  },
  get mapIdle(): boolean {
    return currentMap()?.isIdle ?? false;
  },
  get phase(): string {
    return live.summary.get().connection.phase;
  },
  units,
};

declare global {
  interface Window {
    readonly __skybeat: typeof figures;
  }
}

/** Let tests read the figures at `window.__skybeat`. */
export function showFigures(): void {
  Object.defineProperty(window, "__skybeat", { value: Object.freeze(figures) });
}
