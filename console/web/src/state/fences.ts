// The geofences for who shows them beside something else: asked for only while somebody watches.
import { useEffect, useSyncExternalStore } from "react";
import { get, RequestError } from "../api/client";
import type { GeofencesReply, GeofenceView } from "../wire.generated";

const EVERY_MS = 5000;

let fences: readonly GeofenceView[] = [];
let told = "";
let watchers = 0;
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

export const getFences = (): readonly GeofenceView[] => fences;

export function onFences(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The last answer stays when one fails: the geofences' own page says so. */
async function read(): Promise<void> {
  try {
    const reply = await get<GeofencesReply>("/api/geofences");
    const text = JSON.stringify(reply.geofences);
    if (text === told) return;
    told = text;
    fences = reply.geofences;
    for (const listener of listeners) listener();
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
  }
}

/** Keep the geofences up to date until the returned function is called. */
export function watchFences(): () => void {
  watchers++;
  if (watchers === 1) {
    void read();
    timer = setInterval(() => {
      if (!document.hidden) void read();
    }, EVERY_MS);
  }
  let isOver = false;
  return () => {
    if (isOver) return;
    isOver = true;
    watchers--;
    if (watchers === 0) clearInterval(timer);
  };
}

/** The geofences in a component, kept up to date while `isWanted`. */
export function useFences(isWanted: boolean): readonly GeofenceView[] {
  useEffect(() => (isWanted ? watchFences() : undefined), [isWanted]);
  return useSyncExternalStore(onFences, getFences);
}
