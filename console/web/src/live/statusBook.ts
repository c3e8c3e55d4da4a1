// What units' vehicles said last: mode, mission and text, by unit, as the server's status messages tell it.
import type { StatusView, UnitMeta } from "../wire.generated";

/** Statuses by unit; a unit that never said anything, or is out of sight, has none. */
export class StatusBook {
  private statuses = new Map<number, StatusView>();

  /** Take the units that changed; the others stay. */
  take(statuses: readonly StatusView[]): void {
    for (const status of statuses) this.statuses.set(status.unit_id, status);
  }

  /** Forget the units that may be seen no longer. */
  keepOnly(units: ReadonlyMap<number, UnitMeta>): void {
    for (const unitId of this.statuses.keys()) if (!units.has(unitId)) this.statuses.delete(unitId);
  }

  /** Forget all: the server started anew. */
  restart(): void {
    this.statuses.clear();
  }

  of(unitId: number): StatusView | null {
    return this.statuses.get(unitId) ?? null;
  }
}
