// What a role may do on the desk, as the server's policies have it; the server decides, this only hides what it would refuse.
import type { Role } from "../wire.generated";
import type { Screen } from "./settings";

const WATCHING: ReadonlySet<Role> = new Set(["viewer", "operator", "supervisor", "admin"]);
const ACTING: ReadonlySet<Role> = new Set(["operator", "supervisor", "admin"]);
const PLANNING: ReadonlySet<Role> = new Set(["supervisor", "admin"]);

/** The screens of a role, in the order of their keys. */
export const screensOf = (role: Role): readonly Screen[] =>
  ACTING.has(role)
    ? ["operator", "supervisor", "plan", "devices", "links", "geofences"]
    : WATCHING.has(role)
      ? ["operator", "supervisor", "plan", "geofences"]
      : [];

/** The screen to show: the chosen one where the role has it, else the role's own. */
export function screenOf(role: Role, chosen: Screen | null): Screen {
  if (chosen !== null && screensOf(role).includes(chosen)) return chosen;
  return role === "supervisor" ? "supervisor" : "operator";
}

/** May take calls, change incidents, send and recall units. */
export const mayDispatch = (role: Role): boolean => ACTING.has(role);

/** May ask what if, who should move up, change what patrols are asked for and plan them. */
export const mayPlan = (role: Role): boolean => PLANNING.has(role);

/** May see devices and links, ask devices for something, and say which of a unit's devices is believed. */
export const mayCommand = (role: Role): boolean => ACTING.has(role);

/** May see who controls a drone, its sortie and nearby traffic. */
export const maySeeFlights = (role: Role): boolean => WATCHING.has(role);

/** May take control of drones of the scope and give them orders. */
export const mayFly = (role: Role): boolean => ACTING.has(role);

/** May take control by force, with a reason. */
export const mayOverrule = (role: Role): boolean => PLANNING.has(role);
