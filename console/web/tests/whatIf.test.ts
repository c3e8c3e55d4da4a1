// The what-if asks once for changes that come together, shows nothing but answers, and leaves nothing behind.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  closeBridge,
  enterWhatIf,
  getWhatIf,
  imagined,
  leaveWhatIf,
  moveStation,
  nudgeStation,
  openBridge,
  putBack,
  STEP_M,
  toggleAway,
} from "../src/state/whatIf";
import type { StationView } from "../src/wire.generated";

const picture = { coverage: { gaps: [], ring: null }, contours: [] };
const answer = {
  before: picture,
  after: picture,
  lost_km: 1,
  won_km: 0,
  opened_links: [],
  closed_links: [],
  closed: [],
};
const station: StationView = {
  station_id: 6,
  number: 6,
  name_zh: "",
  name_en: "",
  lat_deg: 36,
  lon_deg: 103,
  ring_order: 6,
};

let asked: Record<string, unknown>[] = [];
let reply: () => Response;

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  reply = () => Response.json(answer);
  vi.stubGlobal("fetch", async (_path: string, init: RequestInit) => {
    asked.push(JSON.parse(String(init.body)) as Record<string, unknown>);
    return reply();
  });
  enterWhatIf();
});

afterEach(() => {
  leaveWhatIf();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(1000);

describe("the what-if", () => {
  it("asks one question for changes that come together", async () => {
    moveStation(6, { lon: 103.1, lat: 36.1 }, { isFinal: true });
    closeBridge({ lon: 103.2, lat: 36.2 });
    toggleAway(17);
    await settle();
    expect(asked).toEqual([
      {
        stations: [{ station_id: 6, lat_deg: 36.1, lon_deg: 103.1 }],
        closed: [{ lat_deg: 36.2, lon_deg: 103.2 }],
        away_unit_ids: [17],
      },
    ]);
    expect(imagined()?.gaps).toEqual([]);
  });

  it("asks nothing while a station is still dragged", async () => {
    moveStation(6, { lon: 103.1, lat: 36.1 }, { isFinal: false });
    await settle();
    expect(asked).toEqual([]);
    expect(getWhatIf().moved.length).toBe(1);
  });

  it("shows what is real again when all changes are taken back", async () => {
    closeBridge({ lon: 103.2, lat: 36.2 });
    toggleAway(17);
    moveStation(6, { lon: 103.1, lat: 36.1 }, { isFinal: true });
    await settle();
    openBridge(0);
    toggleAway(17);
    putBack(6);
    await settle();
    expect(asked.length).toBe(1);
    expect(imagined()).toBeNull();
  });

  it("moves a station by keys from where it was put last", () => {
    nudgeStation(station, 0, STEP_M);
    nudgeStation(station, 0, STEP_M);
    expect((getWhatIf().moved[0]!.lat - 36) * 111_320).toBeCloseTo(2 * STEP_M, 6);
  });

  it("keeps no old answer when the server refuses, and forgets all when it is left", async () => {
    toggleAway(17);
    await settle();
    reply = () => Response.json({ error: "input", detail: "no unit 18" }, { status: 400 });
    toggleAway(18);
    await settle();
    expect([imagined(), getWhatIf().error?.detail]).toEqual([null, "no unit 18"]);
    leaveWhatIf();
    expect(getWhatIf()).toMatchObject({ on: false, awayIds: [], reply: null });
  });

  it("takes no answer that comes after it was left", async () => {
    toggleAway(17);
    await vi.advanceTimersByTimeAsync(200);
    leaveWhatIf();
    await settle();
    expect([asked.length, getWhatIf().reply]).toEqual([0, null]);
  });
});
