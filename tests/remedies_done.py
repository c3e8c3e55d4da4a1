"""What a refusal's remedy says done to a task, a visit, an airframe or a rule, as a person at the planner's screen does it."""

from typing import Final

import msgspec

from mission.model import Airframe, Light, Task, Window
from mission.plan import Visit
from mission.rules.remedies import Change

_OF_TASK: Final = frozenset({"alt_agl_m", "approval", "camera", "ground_pixel_m"})
_OF_AIRFRAME: Final = frozenset({"wind_limit_mps", "gust_limit_mps", "flies_in_rain", "endurance_s"})


def remedied_task(task: Task, change: Change) -> Task:
    """Return a task with what a remedy changes of it: height, approval, camera, ground pixel, light, or its place (a point)."""
    values: dict[str, object] = {name: change[name] for name in _OF_TASK & change.keys()}
    if "light" in change:
        values["light"] = Light(str(change["light"]))
    if "lat_deg" in change:
        values["geometry"] = {"type": "Point", "coordinates": [float(change["lon_deg"]), float(change["lat_deg"])]}
    return msgspec.structs.replace(task, **values)


def remedied_visit(visit: Visit, change: Change) -> Visit:
    """Return a visit at the time that a remedy names."""
    if "start_us" not in change:
        return visit
    return msgspec.structs.replace(visit, window=Window(start_us=int(change["start_us"]), end_us=int(change["end_us"])))


def remedied_airframe(airframe: Airframe, change: Change) -> Airframe:
    """Return the airframe that would do: one with the limits that a remedy names."""
    return msgspec.structs.replace(airframe, **{name: change[name] for name in _OF_AIRFRAME & change.keys()})


def remedied_rules(change: Change) -> dict[str, dict[str, float | str | bool]]:
    """Return the changes of rules that a remedy names, for `rule_set`; empty where it changes none."""
    if "rule_id" not in change:
        return {}
    return {str(change["rule_id"]): {name: value for name, value in change.items() if name != "rule_id"}}
