// Stations and docks, read once from the server and shared by the map, the list and the figures.
import { useSyncExternalStore } from "react";
import { get, RequestError } from "../api/client";
import type { MapReply, PostsReply, PostView, StationsReply, StationView } from "../wire.generated";

export interface Places {
  readonly stations: readonly StationView[];
  readonly posts: readonly PostView[];
  readonly city: MapReply | null;
}

let places: Places = { stations: [], posts: [], city: null };
const listeners = new Set<() => void>();

export const getPlaces = (): Places => places;

/** Read stations and posts; what is refused stays empty. */
export async function loadPlaces(): Promise<void> {
  const empty = (error: unknown): null => {
    if (error instanceof RequestError) return null;
    throw error;
  };
  const [stations, posts, city] = await Promise.all([
    get<StationsReply>("/api/stations").catch(empty),
    get<PostsReply>("/api/posts").catch(empty),
    get<MapReply>("/api/map").catch(empty),
  ]);
  places = { stations: stations?.stations ?? [], posts: posts?.posts ?? [], city };
  for (const listener of listeners) listener();
}

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const onPlaces = subscribe;
export const usePlaces = (): Places => useSyncExternalStore(subscribe, getPlaces);
