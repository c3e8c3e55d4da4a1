// The live summary in a component, at most twice a second.
import { useSyncExternalStore } from "react";
import { live } from "../live/live";
import type { Summary } from "../live/summary";

export const useLive = (): Summary => useSyncExternalStore(live.summary.subscribe, live.summary.get);
