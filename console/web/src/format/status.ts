// How a status is shown: segments of a mission, the tone of a text's severity.
import type { StatusView } from "../wire.generated";

/** A mission of more waypoints than this is a bar: segments would be too thin to tell apart. */
const MOST_SEGMENTS = 30;
/** MAV_SEVERITY: up to error is an alarm, warning asks for attention, the rest is information. */
const ERROR_LEVEL = 3;
const WARNING_LEVEL = 4;

export type Segment = "done" | "now" | "ahead";
export type Tone = "alarm" | "attn" | "";

/** Waypoints of a mission, null while its length is unknown. */
export interface Mission {
  readonly item: number;
  readonly total: number;
  /** One entry a waypoint; null for a mission so long that it is a bar. */
  readonly segments: readonly Segment[] | null;
  /** The share that is flown, 0..1. */
  readonly share: number;
}

/** The mission of a status; null when it has none or its length is unknown. */
export function missionOf(status: StatusView | null): Mission | null {
  const total = status?.mission_total ?? null;
  const told = status?.mission_item ?? null;
  if (total === null || told === null || total < 1) return null;
  const item = Math.min(told, total);
  const segment = (number: number): Segment => (number < item ? "done" : number === item ? "now" : "ahead");
  return {
    item,
    total,
    segments: total > MOST_SEGMENTS ? null : Array.from({ length: total }, (_, index) => segment(index + 1)),
    share: item / total,
  };
}

/** The tint of a MAV_SEVERITY level, 0 (emergency) to 7 (debug). */
export function toneOf(level: number | null): Tone {
  if (level === null) return "";
  if (level <= ERROR_LEVEL) return "alarm";
  return level === WARNING_LEVEL ? "attn" : "";
}
