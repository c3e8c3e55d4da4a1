// The duty status of the officer's own unit, as the live picture tells it.
import { live } from "../live/live";
import { DUTY_STATUSES, type DutyStatus, LINK_STATES, type UnitMeta } from "../wire.generated";

/** Null while the unit is not known. */
export function dutyOf(meta: UnitMeta | undefined): DutyStatus | null {
  if (!meta) return null;
  const slot = live.store.table.slotOf(meta.unit_id);
  if (slot === undefined) return meta.duty_status;
  const { wire } = live.store.table;
  const heard = LINK_STATES[wire.link[slot]!] !== "never";
  return heard ? (DUTY_STATUSES[wire.duty[slot]!] ?? meta.duty_status) : meta.duty_status;
}
