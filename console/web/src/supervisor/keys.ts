// The keys of the supervisor's screen, before those that both screens share.

import { live } from "../live/live";
import { changeDesk } from "../state/desk";
import { openIncident } from "../state/incidents";
import { change, type Screen } from "../state/settings";
import {
  candidatesShown,
  chooseByKey,
  cycleCover,
  newCall,
  openMoveUp,
  openReport,
  sendChosen,
  stepBack,
  stepIncident,
  toggleWhatIf,
} from "./acts";

const ACTS: Readonly<Record<string, () => unknown>> = {
  c: cycleCover,
  n: newCall,
  w: toggleWhatIf,
  u: openMoveUp,
  p: openReport,
  j: () => stepIncident(1),
  k: () => stepIncident(-1),
  ArrowDown: () => stepIncident(1),
  ArrowUp: () => stepIncident(-1),
  Enter: () => void sendChosen(),
  i: () => {
    const first = live.summary.get().incidents[0];
    if (first) openIncident(first.incident_id);
    document.querySelector<HTMLElement>("#incident")?.focus();
  },
  Escape: stepBack,
};

/** Answer a key on the supervisor's screen; false leaves it to the keys of all screens. */
export function answerSupervisorKey(key: string): boolean {
  if (/^[1-6]$/.test(key) && candidatesShown().length > 0) {
    chooseByKey(Number(key));
    return true;
  }
  const act = ACTS[key];
  return act !== undefined && act() !== false;
}

/** Alt with a digit changes the screen, in the order of a role's screens; the digit alone while it chooses no candidate. */
export function answerScreenKey(key: string, screens: readonly Screen[]): boolean {
  const screen = /^[1-9]$/.test(key) ? screens[Number(key) - 1] : undefined;
  if (!screen) return false;
  showScreen(screen);
  return true;
}

export function showScreen(screen: Screen): void {
  change({ screen, selectedId: null, follow: false });
  changeDesk({ picking: "none", picked: null });
}
