// The keys of the whole screen; they rest while a text field or a dialog has the focus.
import { currentMap } from "../map/current";
import {
  acknowledge,
  cycleCoverage,
  deselect,
  mostUrgent,
  selectUnit,
  toggleFences,
  toggleFollow,
  toggleLabels,
  toggleTrails,
} from "../state/actions";
import { change, getSettings } from "../state/settings";
import { type ListItem, unitBeside } from "./listItems";

const focusOn = (selector: string): void => document.querySelector<HTMLElement>(selector)?.focus();

function move(items: readonly ListItem[], step: number): void {
  change({ cursorId: unitBeside(items, getSettings().cursorId, step) });
}

function openCursor(): void {
  const { cursorId } = getSettings();
  if (cursorId !== null) selectUnit(cursorId);
}

function back(): void {
  const { selectedId, stationId, query } = getSettings();
  if (selectedId !== null) deselect();
  else if (stationId !== null) change({ stationId: null });
  else if (query) change({ query: "" });
}

function takeMostUrgent(): void {
  const alarm = mostUrgent();
  if (alarm) void acknowledge(alarm.alarm_id);
}

type Act = (items: readonly ListItem[]) => void;

const ACTS: Readonly<Record<string, Act>> = {
  "/": () => focusOn('[data-testid="unit-search"]'),
  j: (items) => move(items, 1),
  k: (items) => move(items, -1),
  ArrowDown: (items) => move(items, 1),
  ArrowUp: (items) => move(items, -1),
  Enter: openCursor,
  f: toggleFollow,
  c: cycleCoverage,
  t: toggleTrails,
  l: toggleLabels,
  g: toggleFences,
  a: () => focusOn('[data-testid="alarm-row"]'),
  " ": takeMostUrgent,
  "+": () => currentMap()?.camera.zoomBy(1),
  "=": () => currentMap()?.camera.zoomBy(1),
  "-": () => currentMap()?.camera.zoomBy(-1),
  "0": () => currentMap()?.fit(),
  "?": () => change({ helpOpen: true }),
  Escape: back,
};

/** The keys of one screen, asked before those that all screens share; true once it has answered. */
export type OwnKeys = (key: string) => boolean;

/** Escape leaves a text field; the next one goes back. */
function leaveField(event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
  if (event.key === "Escape" && target.matches("input, textarea, select") && !target.closest("dialog[open]"))
    target.blur();
}

/** True where the key belongs to an open dialog or to what has the focus: text, and buttons for Enter and Space. */
function taken(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement;
  if (document.querySelector("dialog[open]") || target.matches("input, textarea, select, [contenteditable]"))
    return true;
  const pressed = event.key === "Enter" || event.key === " ";
  return pressed && target.closest("button, a") !== null;
}

/** Answer a key anywhere on the screen. */
export function answerKey(event: KeyboardEvent, items: readonly ListItem[], own: OwnKeys): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (taken(event)) {
    leaveField(event);
    return;
  }
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (own(key)) {
    event.preventDefault();
    return;
  }
  const act = ACTS[key];
  if (!act) return;
  event.preventDefault();
  act(items);
}
