"""Remedies done to a sortie: flown as a refusal's `remedy` says."""

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from mission.deconflict.moves import delayed
from mission.model import US
from mission.plan import Sortie, Waypoint

Change: TypeAlias = Mapping[str, float | str]
"""What a refusal's `remedy` holds; its names are told in `mission.rules.refusals`."""


def remedied_sortie(sortie: Sortie, change: Change) -> Sortie | None:
    """Return a sortie as a remedy changes it; None where the remedy is to delete it."""
    if "delete_sortie_id" in change:
        return None
    if "detour" in change:
        sortie = _detoured(sortie, str(change["detour"]))
    if "keep_waypoints" in change:
        sortie = _cut_off(sortie, int(change["keep_waypoints"]), str(change.get("way_home", "")))
    if "shorter_s" in change:
        sortie = _shortened_holds(sortie, float(change["shorter_s"]))
    up_m = float(change.get("raise_m", 0.0)) - float(change.get("lower_m", 0.0))
    if up_m:
        sortie = msgspec.structs.replace(
            sortie,
            transit_alt_home_m=sortie.transit_alt_home_m + up_m,
            waypoints=tuple(msgspec.structs.replace(one, alt_home_m=one.alt_home_m + up_m) for one in sortie.waypoints),
        )
    if "landing_us" in change:
        landing_us, ratio = int(change["landing_us"]), float(change["landing_battery_ratio"])
        free_us = sortie.free_us + landing_us - sortie.landing_us
        sortie = msgspec.structs.replace(sortie, landing_us=landing_us, free_us=free_us, landing_battery_ratio=ratio)
    if "takeoff_us" in change:
        sortie = delayed(sortie, int(change["takeoff_us"]) - sortie.takeoff_us)
    if "approval" in change:
        sortie = msgspec.structs.replace(sortie, approval=str(change["approval"]))
    return sortie


def _detoured(sortie: Sortie, text: str) -> Sortie:
    """Return a sortie with the bends of "3+12.5:lat,lon lat,lon;7+3:lat,lon": after waypoint 3, 12.5 s more; -1 is the dock."""
    bends: dict[int, tuple[float, list[str]]] = {}
    for part in text.split(";"):
        head, _, places = part.partition(":")
        after, _, more_s = head.partition("+")
        bends[int(after)] = (float(more_s), places.split())
    ways: list[Waypoint] = []
    numbers: list[int] = []
    later_us = 0
    for number in range(-1, len(sortie.waypoints)):
        if number >= 0:
            one = sortie.waypoints[number]
            arrive_us = None if one.arrive_us is None else one.arrive_us + later_us
            numbers.append(len(ways))
            ways.append(msgspec.structs.replace(one, arrive_us=arrive_us))
        if number in bends:
            late_s, around = bends[number]
            like = sortie.waypoints[min(number + 1, len(sortie.waypoints) - 1)]
            if number in {-1, len(sortie.waypoints) - 1}:
                like = msgspec.structs.replace(like, alt_home_m=sortie.transit_alt_home_m)
            ways += [_bend(like, place) for place in around]
            later_us += round(late_s * US)
    parts = tuple(
        msgspec.structs.replace(
            one, first_waypoint=numbers[one.first_waypoint], last_waypoint=numbers[one.last_waypoint]
        )
        for one in sortie.visit_parts
    )
    return msgspec.structs.replace(sortie, waypoints=tuple(ways), visit_parts=parts)


def _cut_off(sortie: Sortie, keep: int, way_home: str) -> Sortie:
    """Return a sortie that goes home after so many waypoints, over the bends given."""
    last = sortie.waypoints[keep - 1]
    home = [_bend(last, place) for place in way_home.split()]
    parts = tuple(
        msgspec.structs.replace(one, last_waypoint=min(one.last_waypoint, keep - 1))
        for one in sortie.visit_parts
        if one.first_waypoint < keep
    )
    return msgspec.structs.replace(sortie, waypoints=(*sortie.waypoints[:keep], *home), visit_parts=parts)


def _bend(like: Waypoint, place: str) -> Waypoint:
    lat, lon = (float(part) for part in place.split(","))
    return Waypoint(lat_deg=lat, lon_deg=lon, alt_home_m=like.alt_home_m, speed_mps=like.speed_mps)


def _shortened_holds(sortie: Sortie, shorter_s: float) -> Sortie:
    """Return a sortie that stays less: the last holds are cut first, and all after them is earlier."""
    left_s, ways = shorter_s, list(sortie.waypoints)
    for number in range(len(ways) - 1, -1, -1):
        cut_s = min(ways[number].hold_s, left_s)
        left_s -= cut_s
        ways[number] = msgspec.structs.replace(ways[number], hold_s=ways[number].hold_s - cut_s)
        for later in range(number + 1, len(ways)):
            arrive_us = ways[later].arrive_us
            if cut_s and arrive_us is not None:
                ways[later] = msgspec.structs.replace(ways[later], arrive_us=arrive_us - round(cut_s * US))
    return msgspec.structs.replace(sortie, waypoints=tuple(ways))
