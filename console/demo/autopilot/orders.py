"""Commands to the drone, COMMAND_LONG or COMMAND_INT, as orders to its craft."""

import math
from collections.abc import Callable
from typing import Final

from console.demo.autopilot.craft import Craft
from console.demo.autopilot.deeds import do
from console.demo.autopilot.numbers import (
    FORCE_ARMING,
    FORCE_DISARMING,
    HOME_FRAMES,
    MSL_FRAMES,
    TERRAIN_FRAMES,
    CopterMode,
    Do,
    Nav,
    Result,
)
from console.demo.autopilot.say import Fields, real, whole
from console.demo.autopilot.target import Target
from telemetry.model.mission_items import MissionItem

CHANGE_MODE: Final = 1
"""Of DO_REPOSITION: into GUIDED by itself."""
IGNORE_PLACE: Final = 0b111
IGNORE_VELOCITY: Final = 0b111000
IGNORE_YAW: Final = 1 << 10
RELATIVE: Final = 3
_RELATIVE_ALT_FRAMES: Final = HOME_FRAMES | TERRAIN_FRAMES


def order_of(fields: Fields, *, is_int: bool) -> MissionItem:
    """Return a command as an item: places in 1e-7 degree; a COMMAND_LONG's place is taken as degrees, heights above home."""
    params = [real(fields, f"param{number}") for number in range(1, 5)]
    kept = [value if math.isfinite(value) else None for value in params]
    if is_int:
        x, y, alt_m, frame = whole(fields, "x"), whole(fields, "y"), real(fields, "z"), whole(fields, "frame")
    else:
        x, y = (_e7(real(fields, name)) for name in ("param5", "param6"))
        alt_m, frame = real(fields, "param7"), RELATIVE
    return MissionItem(
        command=whole(fields, "command"),
        frame={5: 0, 6: RELATIVE, 11: 10}.get(frame, frame),
        param1=kept[0],
        param2=kept[1],
        param3=kept[2],
        param4=kept[3],
        lat_e7=x,
        lon_e7=y,
        alt_m=alt_m if math.isfinite(alt_m) else math.nan,
    )


def _e7(place_deg: float) -> int:
    return round(place_deg * 1e7) if abs(place_deg) <= 200.0 else 0


class Orders:
    """What each command does to the craft."""

    def __init__(self, craft: Craft) -> None:
        self._craft = craft
        self._table: Final[dict[int, Callable[[MissionItem], Result]]] = {
            Do.ARM_DISARM: self._arm_disarm,
            Do.SET_MODE: lambda order: craft.set_mode(round(order.param2 or 0.0)),
            Nav.TAKEOFF: lambda order: craft.take_off(order.alt_m),
            Nav.RETURN: lambda _: craft.set_mode(CopterMode.RTL),
            Nav.LAND: lambda _: craft.set_mode(CopterMode.LAND),
            Nav.LOITER_UNLIMITED: lambda _: craft.set_mode(CopterMode.LOITER),
            Do.MISSION_START: lambda _: craft.start_mission(),
            Do.MISSION_CURRENT: lambda order: self.jump_to(round(order.param1 or 0.0)),
            Do.REPOSITION: self._reposition,
            Do.PAUSE_CONTINUE: self._pause,
        }

    def moves(self, command: int) -> bool:
        """Tell whether a command changes where the drone flies."""
        return command in self._table

    def obey(self, order: MissionItem) -> Result:
        """Do what a command says; UNSUPPORTED for one that is not known."""
        act = self._table.get(order.command)
        if act is not None:
            return act(order)
        is_condition = order.command in {Do.CONDITION_DELAY, Do.CONDITION_DISTANCE}
        return Result.UNSUPPORTED if is_condition else do(self._craft, order)

    def jump_to(self, number: int) -> Result:
        """Fly on with an item of the mission."""
        return Result.ACCEPTED if self._craft.run.jump_to(number) else Result.FAILED

    def target(self, fields: Fields) -> None:
        """Take SET_POSITION_TARGET_GLOBAL_INT; as in ArduPilot, only in GUIDED, and nothing is said to it."""
        craft, mask = self._craft, whole(fields, "type_mask")
        place, height_m = craft.body.place, craft.body.height_m
        if not mask & IGNORE_PLACE:
            height_m = real(fields, "alt")
            height_m -= craft.home_msl_m if fields["coordinate_frame"] in MSL_FRAMES else 0.0
            place = craft.place_at(whole(fields, "lat_int"), whole(fields, "lon_int"))
        yaw_rad = real(fields, "yaw")
        heading_deg = None if mask & IGNORE_YAW or not math.isfinite(yaw_rad) else math.degrees(yaw_rad) % 360.0
        target = Target(place, height_m, heading_deg=heading_deg)
        if mask & IGNORE_PLACE:
            if mask & IGNORE_VELOCITY:
                return
            north_mps, east_mps, down_mps = (real(fields, axis) for axis in ("vx", "vy", "vz"))
            target.drift(east_mps, north_mps, -down_mps)
        if all(map(math.isfinite, (height_m, target.east_mps, target.north_mps, target.climb_mps))):
            craft.go_to(target)

    def _arm_disarm(self, order: MissionItem) -> Result:
        if order.param1 == 1.0:
            return self._craft.arm(is_forced=order.param2 == FORCE_ARMING)
        if not order.param1:
            return self._craft.disarm(is_forced=order.param2 == FORCE_DISARMING)
        return Result.UNSUPPORTED

    def _pause(self, order: MissionItem) -> Result:
        return self._craft.pause(is_on=not order.param1)

    def _reposition(self, order: MissionItem) -> Result:
        """Go to a place: param 1 the speed, param 2 whether the mode may change, param 4 the heading in degrees."""
        craft = self._craft
        if not (order.lat_e7 or order.lon_e7) or order.frame not in {0, *_RELATIVE_ALT_FRAMES}:
            return Result.DENIED
        may_change = bool(round(order.param2 or 0.0) & CHANGE_MODE)
        if craft.mode is not CopterMode.GUIDED and not (
            may_change and craft.set_mode(CopterMode.GUIDED) is Result.ACCEPTED
        ):
            return Result.DENIED
        height_m = craft.height_of(order) if math.isfinite(order.alt_m) else craft.body.height_m
        speed_mps = order.param1 if order.param1 is not None and order.param1 > 0.0 else None
        return craft.go_to(Target(craft.place_of(order), height_m, speed_mps=speed_mps, heading_deg=order.param4))
