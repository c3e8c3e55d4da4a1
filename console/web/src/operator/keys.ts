// Keys that order the selected drone: each twice within 1.5 s; D chooses a place on the map.
import { live } from "../live/live";
import { changeDesk, getDesk } from "../state/desk";
import { mayFly } from "../state/roles";
import { getSettings } from "../state/settings";
import type { FlightAction } from "../wire.generated";
import { cancelOrder, getPending, pickGoal, press } from "./orders";

const ORDERS: Readonly<Record<string, FlightAction>> = { h: "hold", r: "return_home", o: "continue" };

/** Answer a key for the selected drone that this account controls; false leaves it to the keys of all screens. */
export function answerFlightKey(key: string): boolean {
  if (key === "Escape") return stepBack();
  const { selectedId } = getSettings();
  const { role, accountId } = getDesk();
  const flight = selectedId === null ? null : live.flights.of(selectedId);
  if (!flight || !mayFly(role) || flight.control.holder.account_id !== accountId) return false;
  if (key === "d") {
    pickGoal();
    return true;
  }
  const action = ORDERS[key];
  if (!action) return false;
  press(flight.unit_id, action);
  return true;
}

function stepBack(): boolean {
  if (getDesk().picking === "goTo") {
    changeDesk({ picking: "none", picked: null });
    cancelOrder();
    return true;
  }
  if (!getPending()) return false;
  cancelOrder();
  return true;
}
