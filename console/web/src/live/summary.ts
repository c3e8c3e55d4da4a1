// What React sees of the live picture, rebuilt at most twice a second.
import type { Alarm, CoverageChanged, Degraded, IncidentView, UnitMeta } from "../wire.generated";
import type { ConnectionState } from "./connection";

export interface Summary {
  readonly connection: ConnectionState;
  readonly alarms: readonly Alarm[];
  readonly coverage: CoverageChanged | null;
  /** Open incidents, those to be sent and the most urgent first. */
  readonly incidents: readonly IncidentView[];
  readonly degraded: readonly Degraded[];
  /** Frames a second that the server sends now. */
  readonly rateHz: number;
  /** Median age of the fixes in the newest frames when they arrived, milliseconds; null while none came. */
  readonly lagMs: number | null;
  readonly units: ReadonlyMap<number, UnitMeta>;
  readonly unitsVersion: number;
  /** The server's time at which everything stands still because the connection is lost; null while it stands. */
  readonly frozenMs: number | null;
  /** The server's time when this was built. */
  readonly nowMs: number;
}
