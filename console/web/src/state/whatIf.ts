// The what-if: stations moved, bridges closed, units taken away; what the server reckons of it. Nothing of it is real, all of it is marked.
import { useSyncExternalStore } from "react";
import { RequestError, write } from "../api/client";
import { getPlaces } from "./places";
import type { Contour, Gap, Picture, RingState, StationView, WhatIfReply } from "../wire.generated";

interface Place {
  readonly lon: number;
  readonly lat: number;
}

export interface MovedStation extends Place {
  readonly stationId: number;
}

export interface WhatIf {
  readonly on: boolean;
  readonly moved: readonly MovedStation[];
  readonly closed: readonly Place[];
  readonly awayIds: readonly number[];
  readonly reply: WhatIfReply | null;
  readonly asking: boolean;
  readonly error: RequestError | null;
}

/** Arrow keys move a station by so much; with Shift by ten times. */
export const STEP_M = 50;
const DEGREE_M = 111_320;
const WAIT_MS = 250;
const OFF: WhatIf = { on: false, moved: [], closed: [], awayIds: [], reply: null, asking: false, error: null };

let state: WhatIf = OFF;
let timer: ReturnType<typeof setTimeout> | undefined;
let asked = 0;
const listeners = new Set<() => void>();

export const getWhatIf = (): WhatIf => state;

export function onWhatIf(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useWhatIf = (): WhatIf => useSyncExternalStore(onWhatIf, getWhatIf);

function put(part: Partial<WhatIf>): void {
  state = { ...state, ...part };
  for (const listener of listeners) listener();
}

const isEmpty = ({ moved, closed, awayIds }: WhatIf): boolean => moved.length + closed.length + awayIds.length === 0;

async function ask(): Promise<void> {
  const mine = ++asked;
  put({ asking: true });
  const body = {
    stations: state.moved.map(({ stationId, lon, lat }) => ({ station_id: stationId, lat_deg: lat, lon_deg: lon })),
    closed: state.closed.map(({ lon, lat }) => ({ lat_deg: lat, lon_deg: lon })),
    away_unit_ids: state.awayIds,
  };
  try {
    const reply = await write<WhatIfReply>("POST", "/api/whatif", body);
    if (mine === asked) put({ reply, asking: false, error: null });
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    if (mine === asked) put({ reply: null, asking: false, error });
  }
}

/** Ask the server soon; changes within a quarter of a second are one question. */
function askSoon(): void {
  clearTimeout(timer);
  asked++;
  if (isEmpty(state)) {
    put({ reply: null, asking: false, error: null });
    return;
  }
  put({ asking: true });
  timer = setTimeout(() => void ask(), WAIT_MS);
}

export const enterWhatIf = (): void => put({ ...OFF, on: true });

/** Leave: what is shown is real again. */
export function leaveWhatIf(): void {
  clearTimeout(timer);
  asked++;
  put(OFF);
}

/** Put a station elsewhere; `isFinal` false while it is still dragged: nothing is asked then. */
export function moveStation(stationId: number, place: Place, { isFinal }: { isFinal: boolean }): void {
  const others = state.moved.filter((each) => each.stationId !== stationId);
  put({ moved: [...others, { stationId, ...place }] });
  if (isFinal) askSoon();
}

/** Move a station east and north by metres from where it stands now. */
export function nudgeStation(station: StationView, eastM: number, northM: number): void {
  const now = state.moved.find((each) => each.stationId === station.station_id);
  const lat = (now?.lat ?? station.lat_deg) + northM / DEGREE_M;
  const lon = (now?.lon ?? station.lon_deg) + eastM / (DEGREE_M * Math.cos((lat * Math.PI) / 180));
  moveStation(station.station_id, { lon, lat }, { isFinal: true });
}

export function putBack(stationId: number): void {
  put({ moved: state.moved.filter((each) => each.stationId !== stationId) });
  askSoon();
}

export function closeBridge(place: Place): void {
  put({ closed: [...state.closed, place] });
  askSoon();
}

export function openBridge(index: number): void {
  put({ closed: state.closed.filter((_, i) => i !== index) });
  askSoon();
}

/** Take a unit away, or bring it back. */
export function toggleAway(unitId: number): void {
  const { awayIds } = state;
  put({ awayIds: awayIds.includes(unitId) ? awayIds.filter((id) => id !== unitId) : [...awayIds, unitId] });
  askSoon();
}

export interface Imagined {
  readonly contours: readonly Contour[];
  readonly gaps: readonly Gap[];
  readonly ring: RingState | null;
}

const picture = ({ coverage, contours }: Picture): Imagined => ({
  contours,
  gaps: coverage.gaps,
  ring: coverage.ring,
});

let last: { reply: WhatIfReply; shown: Imagined } | null = null;

/** What the map shows instead of now; null while no what-if is answered. The same object as long as the answer is the same. */
export function imagined(): Imagined | null {
  const { on, reply } = state;
  if (!on || !reply) return null;
  if (last?.reply !== reply) last = { reply, shown: picture(reply.after) };
  return last.shown;
}

/** The stations that are elsewhere in the what-if. */
export function movedStations(): (Place & { readonly station: StationView })[] {
  if (!state.on) return [];
  const stations = new Map(getPlaces().stations.map((each) => [each.station_id, each]));
  return state.moved.flatMap(({ stationId, lon, lat }) => {
    const station = stations.get(stationId);
    return station ? [{ station, lon, lat }] : [];
  });
}

export const bridgesClosed = (): readonly Place[] => (state.on ? state.closed : []);

/** The stretches that the server closed, as lines of [lon, lat]. */
export const waysClosed = (): readonly (readonly (readonly number[])[])[] =>
  state.on && state.reply ? state.reply.closed.flatMap((each) => each.lines) : [];
