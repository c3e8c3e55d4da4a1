"""A sortie as an autopilot takes it: mission, fence and rally points as MAVLink items, and back."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from mission.formats.mavlink_fence import fence_of
from mission.formats.untrusted import Said
from mission.model import Airframe, Dock, Zone
from mission.plan import CameraAction, Sortie, Waypoint
from telemetry.model.mission_items import MissionFrame, MissionItem

WAYPOINT: Final = 16
LOITER_UNLIMITED: Final = 17
LOITER_TURNS: Final = 18
LOITER_TIME: Final = 19
RETURN_TO_LAUNCH: Final = 20
LAND: Final = 21
TAKEOFF: Final = 22
SPLINE_WAYPOINT: Final = 82
DELAY: Final = 93
CONDITION_YAW: Final = 115
CHANGE_SPEED: Final = 178
SET_ROI_LOCATION: Final = 195
SET_ROI_NONE: Final = 197
SET_ROI: Final = 201
TRIGGER_DISTANCE: Final = 206
GIMBAL_PITCH_YAW: Final = 1000
IMAGE_START: Final = 2000
VIDEO_START: Final = 2500
VIDEO_STOP: Final = 2501
RALLY_POINT: Final = 5100
PLACES: Final = frozenset({WAYPOINT, LOITER_UNLIMITED, LOITER_TURNS, LOITER_TIME, SPLINE_WAYPOINT})
"""Commands that fly to a place and are waypoints of ours."""
GROUND_SPEED: Final = 1.0
NO_CHANGE: Final = -1.0
DEFAULT_SPEED_MPS: Final = 8.0
RALLY_ALT_HOME_M: Final = 40.0
HOME_FRAMES: Final = frozenset({2, 3, 6})
_WAYPOINT_CAMERA: Final = {
    CameraAction.PHOTO: MissionItem(command=IMAGE_START, frame=2, param1=0.0, param2=0.0, param3=1.0, param4=0.0),
    CameraAction.START_VIDEO: MissionItem(command=VIDEO_START, frame=2, param1=0.0, param2=0.0),
    CameraAction.STOP_VIDEO: MissionItem(command=VIDEO_STOP, frame=2, param1=0.0),
}
_AFTER_STAY: Final = frozenset({CameraAction.PHOTO, CameraAction.STOP_VIDEO})
"""Done once the drone has stood still, at the end of its stay."""
_BEGINNINGS: Final = frozenset(
    {SET_ROI_LOCATION, SET_ROI_NONE, SET_ROI, CONDITION_YAW, GIMBAL_PITCH_YAW, TRIGGER_DISTANCE, VIDEO_START}
)


class MavlinkPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent to an autopilot; `home_msl_m` None is not known.

    `waypoint_numbers` says of each mission item which waypoint of the sortie it leads to (from 0), None before the first
    and after the last: progress is told by items and shown by waypoints.
    """

    mission: tuple[MissionItem, ...]
    fence: tuple[MissionItem, ...] = ()
    rally: tuple[MissionItem, ...] = ()
    home_lat_deg: float
    home_lon_deg: float
    home_msl_m: float | None = None
    waypoint_numbers: tuple[int | None, ...] = ()


def items_of(
    sortie: Sortie, airframe: Airframe, dock: Dock, *, zones: Sequence[Zone] = (), rally: Sequence[Dock] = ()
) -> MavlinkPlan:
    """Return take-off, waypoints with what the camera does, and the way home; the zones near it as a fence.

    Speeds are set where they change; a gaze is held from its waypoint until another or none. A waypoint at which it stays and
    then looks elsewhere or films leads there twice, for autopilots do what stands after an item only once its stay is over.
    Items that the firmware does not know are left out: `airframe.firmware` px4 takes no CONDITION_YAW.
    """
    mission: list[MissionItem] = [_take_off(sortie, dock)]
    numbers: list[int | None] = [None]
    before: Waypoint | None = None
    for number, waypoint in enumerate(sortie.waypoints):
        items = list(_waypoint_items(waypoint, before, airframe))
        mission += items
        numbers += [number] * len(items)
        before = waypoint
    ending = list(_ending(before))
    return MavlinkPlan(
        mission=(*mission, *ending),
        fence=fence_of(sortie, dock, zones),
        rally=tuple(_rally(place) for place in (dock, *rally)),
        home_lat_deg=dock.lat_deg,
        home_lon_deg=dock.lon_deg,
        home_msl_m=dock.ground_msl_m,
        waypoint_numbers=(*numbers, *(None for _ in ending)),
    )


def place_count(sortie: Sortie, airframe: Airframe) -> int:
    """Return how many places a controller is told for a sortie's waypoints: two where it looks elsewhere and then stays.

    DJI's are told both at one.
    """
    if airframe.firmware == "dji":
        return len(sortie.waypoints)
    pairs = zip(sortie.waypoints, (None, *sortie.waypoints), strict=False)
    return sum(1 + (waypoint.hold_s > 0.0 and any(_begun(waypoint, before, airframe))) for waypoint, before in pairs)


def waypoints_of(
    items: Sequence[MissionItem], numbers: Sequence[int] = ()
) -> tuple[tuple[Waypoint, ...], tuple[Said, ...]]:
    """Return the waypoints that a mission's items describe, and a sentence for each item that says nothing to us.

    Heights that are not above home stay as they are written, with a sentence: they need the ground to be known. Places at
    0, 0, which is how a place that is not given is written, are left out. `numbers` are those of the file; from 1 without.
    """
    reading = _Reading()
    for number, item in zip(numbers or range(1, len(items) + 1), items, strict=True):
        reading.take(number, item)
    return tuple(reading.waypoints), tuple(reading.unknown)


def is_above_home(items: Iterable[MissionItem]) -> bool:
    """Tell whether the heights of all places are above the take-off place."""
    return all(item.frame in HOME_FRAMES for item in items if item.command in PLACES)


def _take_off(sortie: Sortie, dock: Dock) -> MissionItem:
    return MissionItem(
        command=TAKEOFF,
        param1=0.0,
        param2=0.0,
        param3=0.0,
        lat_e7=_e7(dock.lat_deg),
        lon_e7=_e7(dock.lon_deg),
        alt_m=sortie.climb_alt_home_m(dock),
    )


def _waypoint_items(waypoint: Waypoint, before: Waypoint | None, airframe: Airframe) -> Iterator[MissionItem]:
    """Yield what leads to a waypoint, the way there, what is begun there before the stay and what is ended after it."""
    if before is None or before.speed_mps != waypoint.speed_mps:
        yield _does(CHANGE_SPEED, GROUND_SPEED, waypoint.speed_mps, NO_CHANGE, 0.0)
    place = MissionItem(
        command=WAYPOINT,
        param1=waypoint.hold_s,
        param2=0.0,
        param3=0.0,
        param4=None if waypoint.heading_deg is None else waypoint.heading_deg,
        lat_e7=_e7(waypoint.lat_deg),
        lon_e7=_e7(waypoint.lon_deg),
        alt_m=waypoint.alt_home_m,
    )
    begun = list(_begun(waypoint, before, airframe))
    if begun and waypoint.hold_s > 0.0:
        yield msgspec.structs.replace(place, param1=0.0)
        yield from begun
        yield place
    else:
        yield place
        yield from begun
    if waypoint.action in _AFTER_STAY:
        yield _WAYPOINT_CAMERA[waypoint.action]


def _begun(waypoint: Waypoint, before: Waypoint | None, airframe: Airframe) -> Iterator[MissionItem]:
    """Yield what nose, gaze and camera begin at a waypoint: it holds for the stay there."""
    yield from _nose_and_gaze(waypoint, before, airframe)
    wanted = waypoint.trigger_m if waypoint.action is CameraAction.PHOTOS_BY_DISTANCE else None
    had = before.trigger_m if before is not None and before.action is CameraAction.PHOTOS_BY_DISTANCE else None
    if wanted != had:
        yield _does(TRIGGER_DISTANCE, wanted or 0.0, 0.0, 1.0 if wanted else 0.0, 0.0)
    if waypoint.action is CameraAction.START_VIDEO:
        yield _WAYPOINT_CAMERA[waypoint.action]


def _nose_and_gaze(waypoint: Waypoint, before: Waypoint | None, airframe: Airframe) -> Iterator[MissionItem]:
    gaze, gaze_before = _gaze(waypoint), None if before is None else _gaze(before)
    if gaze is None and gaze_before is not None:
        yield _does(SET_ROI_NONE, 0.0, 0.0, 0.0, 0.0)
    if gaze is not None and gaze != gaze_before:
        yield MissionItem(
            command=SET_ROI_LOCATION, param1=0.0, param2=0.0, param3=0.0, param4=0.0, lat_e7=gaze[0], lon_e7=gaze[1]
        )
    turned = before is None or before.heading_deg != waypoint.heading_deg
    if waypoint.heading_deg is not None and turned and airframe.firmware == "ardupilot":
        yield _does(CONDITION_YAW, waypoint.heading_deg, 0.0, 0.0, 0.0)
    pitched = before is None or before.gimbal_pitch_deg != waypoint.gimbal_pitch_deg
    if waypoint.gimbal_pitch_deg is not None and pitched:
        yield MissionItem(
            command=GIMBAL_PITCH_YAW, frame=int(MissionFrame.NO_PLACE), param1=waypoint.gimbal_pitch_deg, alt_m=0.0
        )


def _ending(last: Waypoint | None) -> Iterator[MissionItem]:
    if last is not None and _gaze(last) is not None:
        yield _does(SET_ROI_NONE, 0.0, 0.0, 0.0, 0.0)
    if last is not None and last.action is CameraAction.PHOTOS_BY_DISTANCE:
        yield _does(TRIGGER_DISTANCE, 0.0, 0.0, 0.0, 0.0)
    yield _does(RETURN_TO_LAUNCH, 0.0, 0.0, 0.0, 0.0)


def _rally(place: Dock) -> MissionItem:
    return MissionItem(
        command=RALLY_POINT,
        param1=0.0,
        param2=0.0,
        param3=0.0,
        param4=0.0,
        lat_e7=_e7(place.lat_deg),
        lon_e7=_e7(place.lon_deg),
        alt_m=RALLY_ALT_HOME_M,
    )


def _does(command: int, param1: float, param2: float, param3: float, param4: float) -> MissionItem:
    """Return an item that goes nowhere."""
    frame = int(MissionFrame.NO_PLACE)
    return MissionItem(command=command, frame=frame, param1=param1, param2=param2, param3=param3, param4=param4)


def _gaze(waypoint: Waypoint) -> tuple[int, int] | None:
    if waypoint.gaze_lat_deg is None or waypoint.gaze_lon_deg is None:
        return None
    return _e7(waypoint.gaze_lat_deg), _e7(waypoint.gaze_lon_deg)


def _e7(angle_deg: float) -> int:
    return round(angle_deg * 1e7)


class _Reading:
    """What the items so far have said: waypoints, and what holds for the next one."""

    def __init__(self) -> None:
        self.waypoints: list[Waypoint] = []
        self.unknown: list[Said] = []
        self._speed_mps = DEFAULT_SPEED_MPS
        self._came: MissionItem | None = None
        """The last place, while all that was done there since is what `_begun` may put before a stay."""
        self._has_begun = False
        self._is_lost = False
        """The last place was left out: what is done there is not done elsewhere."""

    def take(self, number: int, item: MissionItem) -> None:
        """Take the next item."""
        if item.command in PLACES:
            self._is_lost = item.lat_e7 == 0 and item.lon_e7 == 0
            if self._is_lost:
                self._tell(number, "it has no place (0, 0) and was left out", "没有位置（0, 0），已略去")
            elif self._is_stay(item):
                self._last(hold_s=item.param1)
            else:
                self._fly(number, item)
            self._came, self._has_begun = item, False
            return
        self._came = self._came if item.command in _BEGINNINGS else None
        self._has_begun = True
        self._do(number, item)

    def _is_stay(self, item: MissionItem) -> bool:
        """Tell whether an item is the stay where it has just come to and begun to look or to film: both are one waypoint."""
        came = self._came
        if (
            came is None
            or not self._has_begun
            or item.command != WAYPOINT
            or came.param1
            or not (item.param1 or 0.0) > 0.0
        ):
            return False
        return msgspec.structs.replace(item, param1=came.param1) == came

    def _do(self, number: int, item: MissionItem) -> None:
        """Take an item that leads nowhere."""
        if item.command == CHANGE_SPEED:
            self._speed_mps = item.param2 if item.param2 is not None and item.param2 > 0.0 else self._speed_mps
        elif item.command in (SET_ROI_LOCATION, SET_ROI, SET_ROI_NONE):
            is_off = item.command == SET_ROI_NONE or (item.lat_e7 == 0 and item.lon_e7 == 0)
            gaze = (None, None) if is_off else (item.lat_e7 / 1e7, item.lon_e7 / 1e7)
            self._last(gaze_lat_deg=gaze[0], gaze_lon_deg=gaze[1])
        elif item.command == CONDITION_YAW:
            self._last(heading_deg=item.param1)
        elif item.command == GIMBAL_PITCH_YAW:
            self._last(gimbal_pitch_deg=item.param1)
        elif not self._photograph(item) and item.command not in (TAKEOFF, RETURN_TO_LAUNCH, LAND):
            self._tell(
                number,
                f"command {item.command} is not known here and was left out",
                f"不认识的指令 {item.command} 已略去",
            )

    def _photograph(self, item: MissionItem) -> bool:
        if item.command == TRIGGER_DISTANCE:
            trigger_m = item.param1 or 0.0
            action = CameraAction.PHOTOS_BY_DISTANCE if trigger_m > 0.0 else CameraAction.NONE
            self._last(action=action, trigger_m=trigger_m if trigger_m > 0.0 else None)
            return True
        for action, told in _WAYPOINT_CAMERA.items():
            if item.command == told.command:
                self._last(action=action)
                return True
        return False

    def _fly(self, number: int, item: MissionItem) -> None:
        before = self.waypoints[-1] if self.waypoints else None
        if item.frame not in HOME_FRAMES:
            self._tell(
                number,
                f"its height {item.alt_m:g} m is not above the take-off place (frame {item.frame}): check it before it is flown",
                f"高度 {item.alt_m:g} m 不是相对起飞点（frame {item.frame}）：飞行前请核对",
            )
        has_hold = item.command in (WAYPOINT, LOITER_TIME)
        heading_deg = item.param4 if item.command == WAYPOINT and item.param4 is not None else None
        by_distance = before is not None and before.action is CameraAction.PHOTOS_BY_DISTANCE
        self.waypoints.append(
            Waypoint(
                lat_deg=item.lat_e7 / 1e7,
                lon_deg=item.lon_e7 / 1e7,
                alt_home_m=item.alt_m,
                speed_mps=self._speed_mps,
                hold_s=max(0.0, item.param1 or 0.0) if has_hold else 0.0,
                heading_deg=heading_deg,
                gimbal_pitch_deg=before.gimbal_pitch_deg if before else None,
                gaze_lat_deg=before.gaze_lat_deg if before else None,
                gaze_lon_deg=before.gaze_lon_deg if before else None,
                action=CameraAction.PHOTOS_BY_DISTANCE if by_distance else CameraAction.NONE,
                trigger_m=before.trigger_m if before and by_distance else None,
            )
        )
        if item.command in (LOITER_UNLIMITED, LOITER_TURNS):
            self._tell(
                number,
                f"command {item.command} is taken as a waypoint without its circling",
                f"指令 {item.command} 作为航点导入，不盘旋",
            )

    def _tell(self, number: int, en: str, zh: str) -> None:
        self.unknown.append(Said(f"item {number}: {en}", f"第 {number} 项：{zh}"))

    def _last(self, **changes: object) -> None:
        """Change what holds from the last waypoint on; before the first there is nothing to change."""
        if self.waypoints and not self._is_lost:
            self.waypoints[-1] = msgspec.structs.replace(self.waypoints[-1], **changes)
