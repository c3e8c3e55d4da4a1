"""What a drone is planned to fly soon, and what is said where it would not be back for it."""

from collections.abc import Sequence

import msgspec

from mission.air.daylight import Daylight
from mission.plan import Refusal, Sortie


class PlannedNext(msgspec.Struct, frozen=True, kw_only=True):
    """A sortie of a published plan that an airframe takes off for soon."""

    airframe_id: int
    plan_id: int
    sortie_id: int
    takeoff_us: int


def missed(sortie: Sortie, planned: Sequence[PlannedNext], daylight: Daylight) -> Refusal | None:
    """Return a warning of the first planned sortie that an airframe is not back for when it flies this one, None where it is."""
    own = [one for one in planned if one.airframe_id == sortie.airframe_id and one.takeoff_us < sortie.free_us]
    if not own:
        return None
    first = min(own, key=lambda one: one.takeoff_us)
    clock, back = daylight.clock(first.takeoff_us), daylight.clock(sortie.free_us, beside_us=first.takeoff_us)
    return Refusal(
        rule_id="R-32",
        reason_zh=f"{clock} 须执行方案 {first.plan_id} 的架次 {first.sortie_id}，{back} 才回来",
        reason_en=f"flies sortie {first.sortie_id} of plan {first.plan_id} at {clock}, and is back at {back}",
        remedy_zh="换一架空闲的，或修补该方案", remedy_en="send one that is free, or repair that plan",
        numbers={
            "plan_id": float(first.plan_id), "sortie_id": float(first.sortie_id), "takeoff_us": float(first.takeoff_us),
            "back_us": float(sortie.free_us),
        },
        airframe_id=sortie.airframe_id, is_warning=True,
    )  # fmt: skip
