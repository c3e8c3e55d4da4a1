// The keys of the devices' page; those of the map rest here.
import { beginEnrolment, closePanel, getDeviceDesk, openDevice } from "./desk";
import { type DeviceRow, deviceBeside } from "./deviceList";

let shown: readonly DeviceRow[] = [];
let isManaged = false;

/** Tell the keys which rows they move between, and whether devices may be enrolled. */
export function showRows(rows: readonly DeviceRow[], mayManage: boolean): void {
  shown = rows;
  isManaged = mayManage;
}

function move(step: number): void {
  const deviceId = deviceBeside(shown, getDeviceDesk().deviceId, step);
  if (deviceId === null) return;
  openDevice(deviceId);
  document.querySelector(`[data-device-id="${deviceId}"]`)?.scrollIntoView({ block: "nearest" });
}

const ACTS: Readonly<Record<string, () => unknown>> = {
  "/": () => document.querySelector<HTMLElement>('[data-testid="device-search"]')?.focus(),
  j: () => move(1),
  k: () => move(-1),
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  n: () => {
    if (isManaged) beginEnrolment();
  },
  Escape: closePanel,
};
const SHARED: ReadonlySet<string> = new Set(["?", " ", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);

/** Answer a key on the devices' page; only help, screens and taking an alarm are left to the keys of all screens. */
export function answerDeviceKey(key: string): boolean {
  ACTS[key]?.();
  return key in ACTS || (key.length === 1 && !SHARED.has(key));
}
