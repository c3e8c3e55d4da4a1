// How the officer's own call for help stands, from what is still unsent here and from the alarm that the server tells.
import type { Alarm } from "../wire.generated";
import type { Outgoing } from "./outbox";

export type HelpPhase = "none" | "unsent" | "sent" | "raised" | "acknowledged" | "ending";

export interface Help {
  readonly phase: HelpPhase;
  /** When help was called, and when somebody took it; milliseconds. */
  readonly calledMs: number | null;
  readonly acknowledgedMs: number | null;
  readonly acknowledgedBy: string;
}

export const NO_HELP: Help = { phase: "none", calledMs: null, acknowledgedMs: null, acknowledgedBy: "" };

/** The open call of the unit, whichever of its devices raised it. */
export function openCall(alarms: readonly Alarm[], unitId: number | null): Alarm | null {
  if (unitId === null) return null;
  return alarms.find((alarm) => alarm.kind === "sos" && alarm.unit_id === unitId && alarm.ended_us === null) ?? null;
}

/** `sentMs`: when a call was taken by the server whose alarm has not come yet. */
export function helpOf(unsent: readonly Outgoing[], alarm: Alarm | null, sentMs: number | null): Help {
  const calls = unsent.filter((item) => item.kind === "sos");
  const isEnding = unsent.some((item) => item.kind === "sosOver");
  const calledMs = calls[0]?.saidMs ?? (alarm ? alarm.raised_us / 1000 : sentMs);
  const taken = {
    acknowledgedMs: alarm?.acknowledged_us == null ? null : alarm.acknowledged_us / 1000,
    acknowledgedBy: alarm?.acknowledged_by ?? "",
  };
  if (calledMs === null) return NO_HELP;
  if (isEnding) return { phase: "ending", calledMs, ...taken };
  if (calls.length > 0) return { phase: "unsent", calledMs, ...taken };
  if (alarm) return { phase: taken.acknowledgedMs === null ? "raised" : "acknowledged", calledMs, ...taken };
  return { phase: "sent", calledMs, ...taken };
}
