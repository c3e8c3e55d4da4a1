// The officer's summary in a component.
import { useSyncExternalStore } from "react";
import { type OfficerSummary, officer } from "./desk";

export const useOfficer = (): OfficerSummary => useSyncExternalStore(officer.summary.subscribe, officer.summary.get);
