"""What the drone keeps: its mission, its fence and its rally points, each checked whole before it takes the old one's place."""

import math
from collections.abc import Sequence
from typing import Final

from console.demo.autopilot.numbers import (
    HOME_FRAMES,
    MSL_FRAMES,
    PLACELESS_FRAME,
    TERRAIN_FRAMES,
    Do,
    FenceItem,
    MissionResult,
    Nav,
)
from telemetry.model.mission_items import MissionItem, MissionList

MOST_ITEMS: Final = {MissionList.MISSION: 724, MissionList.FENCE: 230, MissionList.RALLY: 10}
FEWEST_CORNERS: Final = 3
FARTHEST_LAT_E7: Final = 900_000_000
FARTHEST_LON_E7: Final = 1_800_000_000
_FRAMES: Final = MSL_FRAMES | HOME_FRAMES | TERRAIN_FRAMES
_NAVS: Final = frozenset(Nav)
_PLACED: Final = frozenset(
    {Nav.WAYPOINT, Nav.SPLINE, Nav.LOITER_UNLIMITED, Nav.LOITER_TURNS, Nav.LOITER_TIME, Do.ROI_LOCATION, Do.ROI}
)
_DOS: Final = frozenset(Do) - {
    *(Do.SET_MODE, Do.REPOSITION, Do.PAUSE_CONTINUE, Do.MISSION_CURRENT, Do.MISSION_START, Do.ARM_DISARM, Do.GET_HOME),
    *(Do.MESSAGE_INTERVAL_OF, Do.SET_MESSAGE_INTERVAL, Do.REQUEST_MESSAGE, Do.REQUEST_PROTOCOL_VERSION),
    Do.REQUEST_CAPABILITIES,
}
_POLYGONS: Final = frozenset({FenceItem.POLYGON_INSIDE, FenceItem.POLYGON_OUTSIDE})
_CIRCLES: Final = frozenset({FenceItem.CIRCLE_INSIDE, FenceItem.CIRCLE_OUTSIDE})


class Store:
    """The three lists; `revisions` count how often each was replaced. The mission holds no home: that is item 0 on the air."""

    def __init__(self) -> None:
        self._lists: dict[MissionList, tuple[MissionItem, ...]] = dict.fromkeys(MissionList, ())
        self.revisions: Final = dict.fromkeys(MissionList, 0)

    def __getitem__(self, kind: MissionList) -> tuple[MissionItem, ...]:
        return self._lists[kind]

    @property
    def mission(self) -> tuple[MissionItem, ...]:
        """What AUTO flies."""
        return self._lists[MissionList.MISSION]

    def replace(self, kind: MissionList, items: Sequence[MissionItem]) -> None:
        """Put a list that was checked in the old one's place."""
        self._lists[kind] = tuple(items)
        self.revisions[kind] += 1


def is_nav(item: MissionItem) -> bool:
    """Tell whether the drone is busy with an item until it is done."""
    return item.command in _NAVS


def checked_item(kind: MissionList, item: MissionItem) -> MissionResult:
    """Return whether one item can be kept, by itself."""
    match kind:
        case MissionList.MISSION:
            return _checked_mission(item)
        case MissionList.FENCE:
            known = item.command in _POLYGONS | _CIRCLES | {FenceItem.RETURN_POINT}
        case MissionList.RALLY:
            known = item.command == FenceItem.RALLY
    return _checked_place(item) if known else MissionResult.UNSUPPORTED


def checked_list(kind: MissionList, items: Sequence[MissionItem]) -> MissionResult:
    """Return whether a list fits together: jumps lead to items, and a fence's corners make whole polygons."""
    if kind is MissionList.MISSION:
        jumps = (item for item in items if item.command == Do.JUMP)
        wrong = any(not 1 <= round(item.param1 or 0.0) <= len(items) for item in jumps)
        return MissionResult.INVALID_PARAM1 if wrong else MissionResult.ACCEPTED
    if kind is MissionList.FENCE:
        return MissionResult.ACCEPTED if _are_whole(items) else MissionResult.INVALID
    return MissionResult.ACCEPTED


def polygons_of(items: Sequence[MissionItem]) -> list[tuple[MissionItem, ...]]:
    """Return the corners of each polygon of a fence that fits together."""
    found, at = [], 0
    while at < len(items):
        count = round(items[at].param1 or 0.0) if items[at].command in _POLYGONS else 0
        if count:
            found.append(tuple(items[at : at + count]))
        at += max(count, 1)
    return found


def _are_whole(items: Sequence[MissionItem]) -> bool:
    """Tell whether each polygon's corners follow each other, as many as each of them says."""
    at = 0
    while at < len(items):
        first = items[at]
        if first.command in _POLYGONS:
            count = round(first.param1 or 0.0)
            corners = items[at : at + count]
            same = all(corner.command == first.command and corner.param1 == first.param1 for corner in corners)
            if count < FEWEST_CORNERS or len(corners) != count or not same:
                return False
            at += count
            continue
        if first.command in _CIRCLES and not (first.param1 or 0.0) > 0.0:
            return False
        at += 1
    return True


def _checked_mission(item: MissionItem) -> MissionResult:
    if item.command in _PLACED or (item.command == Nav.LAND and (item.lat_e7 or item.lon_e7)):
        return _checked_place(item)
    if item.command in _NAVS and not math.isfinite(item.alt_m):
        return MissionResult.INVALID_ALT
    if item.command in _NAVS or item.command in _DOS:
        known = item.frame in _FRAMES or item.frame == PLACELESS_FRAME
        return MissionResult.ACCEPTED if known else MissionResult.UNSUPPORTED_FRAME
    return MissionResult.UNSUPPORTED


def _checked_place(item: MissionItem) -> MissionResult:
    if item.frame not in _FRAMES:
        return MissionResult.UNSUPPORTED_FRAME
    if abs(item.lat_e7) > FARTHEST_LAT_E7:
        return MissionResult.INVALID_LAT
    if abs(item.lon_e7) > FARTHEST_LON_E7:
        return MissionResult.INVALID_LON
    return MissionResult.ACCEPTED if math.isfinite(item.alt_m) else MissionResult.INVALID_ALT
