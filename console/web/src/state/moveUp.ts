// Move-up advice as the server gave it last; the map draws its ways while the advice is looked at.
import { useSyncExternalStore } from "react";
import { get, RequestError } from "../api/client";

export interface Move {
  readonly unit_id: number;
  readonly lat_deg: number;
  readonly lon_deg: number;
  readonly name_zh: string;
  readonly name_en: string;
  /** What expected coverage wins, 0..1 of what is asked for. */
  readonly gain_share: number;
  /** What is lost where the unit leaves, and won where it arrives. */
  readonly left_share: number;
  readonly won_share: number;
  readonly drive_s: number;
  readonly drive_km: number;
  readonly way: readonly (readonly number[])[];
}

export interface MoveUpReply {
  readonly as_of_ms: number;
  readonly limit_s: number;
  readonly moves: readonly Move[];
  readonly covered_before_share: number;
  readonly covered_after_share: number;
}

let advice: MoveUpReply | RequestError | null = null;
const listeners = new Set<() => void>();

export const getMoveUp = (): MoveUpReply | RequestError | null => advice;

export function onMoveUp(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useMoveUp = (): MoveUpReply | RequestError | null => useSyncExternalStore(onMoveUp, getMoveUp);

function put(next: typeof advice): void {
  advice = next;
  for (const listener of listeners) listener();
}

/** Ask anew; what was advised before is forgotten at once. */
export async function askMoves(): Promise<void> {
  put(null);
  try {
    put(await get<MoveUpReply>("/api/moveup"));
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    put(error);
  }
}

/** The moves that are advised now. */
export const moves = (): readonly Move[] => (advice && !(advice instanceof RequestError) ? advice.moves : []);
