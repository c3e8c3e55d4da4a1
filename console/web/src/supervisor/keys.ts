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

const SCREENS: Readonly<Record<string, Screen>> = { "1": "operator", "2": "supervisor" };

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

/** Alt+1 and Alt+2 change the screen, where a person may see both; 1 and 2 alone while they choose no candidate. */
export function answerScreenKey(key: string, screens: readonly Screen[]): boolean {
  const screen = SCREENS[key];
  if (!screen || !screens.includes(screen)) return false;
  showScreen(screen);
  return true;
}

export function showScreen(screen: Screen): void {
  change({ screen, selectedId: null, follow: false });
  changeDesk({ picking: "none", picked: null });
}
