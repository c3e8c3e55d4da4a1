// Says honestly how the sharing of one's own position stands, worst first.

export type Permission = "unknown" | "granted" | "denied" | "unsupported";

export type SharingState =
  | "off"
  | "unsupported"
  | "denied"
  | "asking"
  | "refused"
  | "noFix"
  | "offline"
  | "weak"
  | "sharing";

export interface SharingFacts {
  readonly on: boolean;
  readonly permission: Permission;
  /** When sharing was switched on or the page came back, and when the newest fix was taken; the phone's clock. */
  readonly sinceMs: number;
  readonly fixAtMs: number | null;
  readonly accuracyM: number | null;
  readonly keptCount: number;
  /** There is no network, or the last attempt to send did not get through. */
  readonly isOffline: boolean;
  /** The server's refusal of positions, empty while it takes them. */
  readonly refusal: string;
}

/** Beyond this the place is a guess: a house number becomes a block. */
export const WEAK_M = 50;
/** Without a fix for so long there is none. */
export const FIX_LOST_MS = 20_000;

export function sharingOf(facts: SharingFacts, nowMs: number): SharingState {
  if (!facts.on) return "off";
  if (facts.permission === "unsupported" || facts.permission === "denied") return facts.permission;
  if (facts.fixAtMs === null && facts.permission === "unknown") return "asking";
  if (facts.refusal) return "refused";
  if (facts.isOffline) return "offline";
  if (nowMs - Math.max(facts.fixAtMs ?? 0, facts.sinceMs) > FIX_LOST_MS) return "noFix";
  if (facts.fixAtMs === null) return "asking";
  return facts.accuracyM !== null && facts.accuracyM > WEAK_M ? "weak" : "sharing";
}

export type SharingTone = "calm" | "attn" | "alarm";

/** Only what works is calm; off is a choice, everything else wants the officer's eye. */
export function toneOfSharing(state: SharingState): SharingTone {
  if (state === "sharing" || state === "off" || state === "asking") return "calm";
  return state === "denied" || state === "refused" || state === "unsupported" ? "alarm" : "attn";
}
