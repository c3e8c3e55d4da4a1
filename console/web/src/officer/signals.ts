// Sound and vibration for a new task; the flashing head of the task is their visual twin.

import { getSettings } from "../state/settings";
import { soundAlarm } from "../ui/sound";

const ROUNDS = 2;
const ROUND_MS = 600;
const PATTERN_MS = [250, 120, 250, 120, 500];
const TAP_MS = 40;

/** Browsers shake only for a page that was touched. */
function shake(pattern: number | number[]): void {
  if ("vibrate" in navigator && navigator.userActivation?.hasBeenActive) navigator.vibrate(pattern);
}

/** A new task, or one that was taken back. */
export function signalTask(): void {
  shake(PATTERN_MS);
  if (!getSettings().sound) return;
  for (let i = 0; i < ROUNDS; i++) setTimeout(soundAlarm, i * ROUND_MS);
}

/** Something was done by holding: felt without looking. */
export const signalDone = (): void => shake(TAP_MS);
