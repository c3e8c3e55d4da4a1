// What the supervisor's buttons and keys do alike.
import { live } from "../live/live";
import { changeDesk, getDesk } from "../state/desk";
import { type Failure, incidentOnDesk, openIncident, sendUnits, toggleCandidate } from "../state/incidents";
import { mayDispatch, mayPlan } from "../state/roles";
import { type CoverView, change, getSettings } from "../state/settings";
import { enterWhatIf, getWhatIf, leaveWhatIf } from "../state/whatIf";
import type { CandidateView } from "../wire.generated";
import { keyed, sentTo } from "./keyed";

const ORDER: readonly CoverView[] = ["now", "plan", "change", "off"];
export function cycleCover(): void {
  const at = ORDER.indexOf(getSettings().cover);
  change({ cover: ORDER[(at + 1) % ORDER.length]! });
}

/** Enter the what-if, or leave it. */
export function toggleWhatIf(): void {
  if (!mayPlan(getDesk().role)) return;
  if (getWhatIf().on) {
    leaveWhatIf();
    changeDesk({ panel: "incident" });
    return;
  }
  enterWhatIf();
  changeDesk({ panel: "whatif" });
  change({ selectedId: null, ...(getSettings().cover === "off" ? { cover: "now" as const } : {}) });
}

/** The candidates that keys choose now, in the order of their keys; none where nobody may be sent. */
export function candidatesShown(): readonly CandidateView[] {
  const { candidates, candidatesOf, panel, role } = getDesk();
  const incident = incidentOnDesk();
  if (getSettings().selectedId !== null) return []; // a unit's details stand in their place
  if (!candidates || !incident || panel !== "incident" || candidatesOf !== incident.incident_id || !mayDispatch(role))
    return [];
  const { ground, air } = keyed(candidates, sentTo(incident));
  return [...ground, ...air];
}

/** Choose the candidate with this key, 1 to 6; a key without one does nothing. */
export function chooseByKey(key: number): void {
  const hit = candidatesShown()[key - 1];
  if (hit) toggleCandidate(hit.unit_id);
}

type Told = (failure: Failure | null) => void;
let told: Told = () => undefined;
let isSending = false;

/** Who shows what became of sending by key. */
export const onSent = (listener: Told): void => {
  told = listener;
};

/** Send whom is chosen (at first: the advised) to the incident on the desk. */
export async function sendChosen(): Promise<void> {
  const incident = incidentOnDesk();
  const { chosenIds, candidatesOf, panel, role } = getDesk();
  if (!incident || isSending || panel !== "incident" || candidatesOf !== incident.incident_id) return;
  if (chosenIds.length === 0 || !mayDispatch(role)) return;
  isSending = true;
  told(await sendUnits(incident, chosenIds));
  isSending = false;
}

/** The next or previous open incident. */
export function stepIncident(step: number): void {
  const { incidents } = live.summary.get();
  const at = incidents.findIndex((each) => each.incident_id === incidentOnDesk()?.incident_id);
  const next = incidents[Math.max(0, Math.min(incidents.length - 1, at + step))];
  if (next) openIncident(next.incident_id);
}

export function newCall(): void {
  if (!mayDispatch(getDesk().role)) return;
  change({ selectedId: null });
  changeDesk({ panel: "new", picked: null, picking: "none" });
}

export function openMoveUp(): void {
  if (!mayPlan(getDesk().role)) return;
  change({ selectedId: null });
  changeDesk({ panel: "moveup" });
}

export const openReport = (): void => changeDesk({ reportOpen: true });

/** One step back: from picking, from a panel, from the what-if, from a choice. False where there is nowhere to go. */
export function stepBack(): boolean {
  const { picking, panel, gapLabel } = getDesk();
  if (picking !== "none") changeDesk({ picking: "none", picked: null });
  else if (getWhatIf().on) toggleWhatIf();
  else if (panel !== "incident") changeDesk({ panel: "incident", picked: null });
  else if (getSettings().selectedId !== null) return false;
  else if (gapLabel !== null) changeDesk({ gapLabel: null });
  else return false;
  return true;
}
