// The keys of the geofences' page; those of the map rest here.
import { answerPageKey } from "../map/pageKeys";
import { mayCommand } from "../state/roles";
import type { GeofenceView, Role } from "../wire.generated";
import { beginFence, getFenceDesk, openFence, stepBack } from "./fenceDesk";

let shown: readonly GeofenceView[] = [];
let role: Role | null = null;
let ownStationId: number | null = null;

/** Tell the keys which fences they move between, and who may draw. */
export function showFences(fences: readonly GeofenceView[], whose: Role, stationId: number | null): void {
  shown = fences;
  role = whose;
  ownStationId = stationId;
}

function move(step: number): void {
  if (!shown.length || getFenceDesk().draft) return;
  const at = shown.findIndex((fence) => fence.geofence_id === getFenceDesk().geofenceId);
  const next = at < 0 ? (step > 0 ? 0 : shown.length - 1) : (at + step + shown.length) % shown.length;
  openFence(shown[next]!.geofence_id);
}

function draw(shape: "polygon" | "circle" | "corridor"): void {
  if (role && mayCommand(role) && !getFenceDesk().draft) beginFence(shape, ownStationId);
}

const ACTS: Readonly<Record<string, () => unknown>> = {
  "/": () => document.querySelector<HTMLElement>('[data-testid="fence-search"]')?.focus(),
  j: () => move(1),
  k: () => move(-1),
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  p: () => draw("polygon"),
  c: () => draw("circle"),
  l: () => draw("corridor"),
  Escape: stepBack,
};

/** Answer a key on the geofences' page. */
export function answerFenceKey(key: string): boolean {
  return answerPageKey(key, ACTS);
}
