// Move-up advice as the server gave it last; the map draws its ways while the advice is looked at.
import { useSyncExternalStore } from "react";
import { get, RequestError } from "../api/client";
import type { MoveUpReply, MoveView } from "../wire.generated";

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
export const moves = (): readonly MoveView[] => (advice && !(advice instanceof RequestError) ? advice.moves : []);
