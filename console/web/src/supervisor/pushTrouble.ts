// What must be looked after in a push: nothing reaches the unit, it did not accept in time, or did not confirm it got it.
import { isLiveDispatch } from "../live/incidentBook";
import type { DispatchView } from "../wire.generated";

/** A push that is not received for so long asks for a call. */
const RECEIVED_WITHIN_MS = 15_000;
const ACCEPTED_WITHIN_MS = 60_000;
const URGENT_ACCEPTED_WITHIN_MS = 30_000;

export type PushTrouble = "no_channel" | "unanswered" | "not_received";
type Push = Pick<DispatchView, "state" | "channel" | "queued_ms" | "received_ms">;

/** True where the push still stands and nobody has accepted it. */
const isOpen = ({ state }: Push): boolean => state === "queued" || state === "sent" || state === "received";

/** The worst that is wrong with a push now; null where nothing is. */
export function troubleOf(push: Push, urgency: number, nowMs: number): PushTrouble | null {
  const waitedMs = nowMs - push.queued_ms;
  if (push.state === "queued" && push.channel === "none") return "no_channel";
  if (isOpen(push) && waitedMs > (urgency === 1 ? URGENT_ACCEPTED_WITHIN_MS : ACCEPTED_WITHIN_MS)) return "unanswered";
  if (isLiveDispatch(push) && push.received_ms === null && waitedMs > RECEIVED_WITHIN_MS) return "not_received";
  return null;
}
