// What the supervisor has on the desk: the incident, whom to send, what was asked of the server. Kept outside React, never stored.
import { useSyncExternalStore } from "react";
import type { AgencyView, CandidatesReply, FiguresReply, Role, TrendReply } from "../wire.generated";

export interface LonLat {
  readonly lon: number;
  readonly lat: number;
}

export interface RingWay {
  readonly from_station_id: number;
  readonly to_station_id: number;
  readonly path: readonly (readonly [number, number])[];
}

export interface Desk {
  readonly role: Role;
  /** Whose desk it is; 0 until the session is known. */
  readonly accountId: number;
  /** The incident that is looked at; null: the most urgent one. */
  readonly incidentId: number | null;
  readonly panel: "incident" | "new" | "moveup" | "whatif";
  readonly gapLabel: string | null;
  /** The next click on the map is a place: of a new call, of the incident, or to fly to. */
  readonly picking: "none" | "call" | "incident" | "goTo";
  readonly picked: LonLat | null;
  readonly candidates: CandidatesReply | null;
  readonly candidatesOf: number | null;
  /** Units that Enter would send. */
  readonly chosenIds: readonly number[];
  readonly figures: FiguresReply | null;
  readonly trend: TrendReply | null;
  readonly agencies: readonly AgencyView[];
  readonly ways: readonly RingWay[];
  readonly reportOpen: boolean;
  /** On narrow screens the right panel lies over the map and can be tucked away. */
  readonly tucked: boolean;
}

const FRESH: Desk = {
  role: "viewer",
  accountId: 0,
  incidentId: null,
  panel: "incident",
  gapLabel: null,
  picking: "none",
  picked: null,
  candidates: null,
  candidatesOf: null,
  chosenIds: [],
  figures: null,
  trend: null,
  agencies: [],
  ways: [],
  reportOpen: false,
  tucked: false,
};

let desk: Desk = FRESH;
const listeners = new Set<() => void>();

export const getDesk = (): Desk => desk;

/** Change some of the desk and tell everyone. */
export function changeDesk(part: Partial<Desk>): void {
  desk = { ...desk, ...part };
  for (const listener of listeners) listener();
}

/** Be told of changes. */
export function onDesk(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useDesk = (): Desk => useSyncExternalStore(onDesk, getDesk);
