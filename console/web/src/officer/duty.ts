// The duty status of the officer's own unit, as the live picture tells it.
import { live } from "../live/live";
import { DUTY_STATUSES, type DutyStatus, type UnitMeta } from "../wire.generated";

/** Null while the unit is not known. */
export function dutyOf(meta: UnitMeta | undefined): DutyStatus | null {
  if (!meta) return null;
  const slot = live.store.table.slotOf(meta.unit_id);
  if (slot === undefined) return meta.duty_status;
  // The first frame holds every unit of the scope, those that were never heard too.
  const told = live.store.frames > 0 ? DUTY_STATUSES[live.store.table.wire.duty[slot]!] : undefined;
  return told ?? meta.duty_status;
}
