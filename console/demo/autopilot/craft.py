"""The flying part of the autopilot: modes, arming, what each mode does in a tenth of a second, and what makes it come home."""

import math
from collections.abc import Callable
from typing import Final

from console.demo.autopilot.body import STEP_S, Body, Place
from console.demo.autopilot.camera import Camera
from console.demo.autopilot.failsafes import Failsafes, breach_names
from console.demo.autopilot.fence import Fence
from console.demo.autopilot.homecoming import Homecoming, touch_down
from console.demo.autopilot.mission_run import MissionRun
from console.demo.autopilot.numbers import CopterMode, FenceItem, Landed, MissionState, Result, Severity
from console.demo.autopilot.parameters import Parameters
from console.demo.autopilot.store import Store
from console.demo.autopilot.target import Target
from telemetry.model.geodesy import LocalPlane
from telemetry.model.mission_items import MissionItem, MissionList

NEEDS_POSITION: Final = frozenset(
    {CopterMode.AUTO, CopterMode.GUIDED, CopterMode.LOITER, CopterMode.RTL, CopterMode.POSHOLD, CopterMode.BRAKE}
)
NOT_ARMABLE: Final = frozenset({CopterMode.AUTO, CopterMode.RTL, CopterMode.LAND, CopterMode.BRAKE})
NEEDS_STICKS: Final = frozenset({CopterMode.STABILIZE, CopterMode.ALT_HOLD})
TAKES_OFF: Final = frozenset({CopterMode.GUIDED, CopterMode.LOITER, CopterMode.POSHOLD, CopterMode.ALT_HOLD})
ARMABLE_IN_AUTO: Final = 1
"""Of AUTO_OPTIONS."""
LOOK_STEPS: Final = 5
"""Fence, battery and ground are looked at each so many steps."""


class Craft:
    """A copter that takes orders: each returns a Result, and says why not in `said`, as (severity, text).

    `reached` holds the numbers of mission items done since they were last taken; `ground_heard_us` is when the ground
    station was heard (0: never). `plane` is the plane in which it flies; its pad is home until it is armed elsewhere.
    """

    def __init__(
        self, body: Body, plane: LocalPlane, parameters: Parameters, *, home_msl_m: float, position_after_s: float = 0.0
    ) -> None:
        self.body = body
        self.plane: Final = plane
        self.parameters = parameters
        self.home_msl_m: Final = home_msl_m
        self.home = body.place
        self.store = Store()
        self.run: Final = MissionRun(self)
        self.fence = Fence(plane, parameters)
        self.camera = Camera()
        self.mode = CopterMode.STABILIZE
        self.is_armed = self.is_paused = False
        self.is_landed = True
        self.landing = False
        self.target = Target(body.place, 0.0)
        self.speed_mps = self.up_mps = self.down_mps = 0.0
        self.heading_deg: float | None = None
        self.uptime_s = 0.0
        self.utc_us = 0
        self.ground_heard_us = 0
        self.said: list[tuple[Severity, str]] = []
        self.reached: list[int] = []
        self._position_after_s = position_after_s
        self._taking_off_m: float | None = None
        self._homecoming = Homecoming(self)
        self._armed_s = 0.0
        self._failsafes = Failsafes(self)
        self._steps = 0
        self._modes: Final[dict[CopterMode, Callable[[], object]]] = {
            CopterMode.AUTO: self.run.step,
            CopterMode.GUIDED: self._guided,
            CopterMode.RTL: self._return,
            CopterMode.LAND: self._land,
        }
        self.reset_speeds()

    @property
    def has_position(self) -> bool:
        """Whether its satellites have told it where it is."""
        return self.uptime_s >= self._position_after_s

    @property
    def landed(self) -> Landed:
        """What EXTENDED_SYS_STATE says."""
        if self.is_landed:
            return Landed.ON_GROUND
        if self.landing:
            return Landed.LANDING
        return Landed.TAKEOFF if self._taking_off_m is not None or self.run.is_taking_off else Landed.IN_AIR

    @property
    def mission_state(self) -> MissionState:
        """What MISSION_CURRENT says."""
        if not self.store.mission:
            return MissionState.NO_MISSION
        halted = self.is_paused or self.mode is not CopterMode.AUTO
        return MissionState.PAUSED if halted and self.run.state is MissionState.ACTIVE else self.run.state

    @property
    def rally(self) -> list[tuple[Place, float]]:
        """Its rally points, each with the height above home at which it comes there."""
        items = [item for item in self.store[MissionList.RALLY] if item.command == FenceItem.RALLY]
        return [(self.place_of(item), self.height_of(item)) for item in items]

    def say(self, severity: Severity, text: str) -> None:
        """Have a text told to the ground."""
        self.said.append((severity, text))

    def refuse(self, text: str) -> Result:
        """Say why an order fails."""
        self.say(Severity.CRITICAL, text)
        return Result.FAILED

    def place_of(self, item: MissionItem) -> Place:
        """Return where an item is; its own place where the item names none."""
        if not (item.lat_e7 or item.lon_e7):
            return self.body.place
        return self.place_at(item.lat_e7, item.lon_e7)

    def place_at(self, lat_e7: int, lon_e7: int) -> Place:
        """Return a place in the plane; its own place for one so far away that it lies in none."""
        east_m, north_m = (float(axis) for axis in self.plane.to_plane(lat_e7 / 1e7, lon_e7 / 1e7))
        return Place(east_m, north_m) if math.isfinite(east_m) and math.isfinite(north_m) else self.body.place

    def height_of(self, item: MissionItem) -> float:
        """Return an item's height above home; the ground is flat."""
        return item.alt_m - self.home_msl_m if item.frame in {0, 5} else item.alt_m

    def reset_speeds(self) -> None:
        """Go by the parameters' speeds again, nose first."""
        speeds = (self.parameters[f"WPNAV_SPEED{ending}"] / 100.0 for ending in ("", "_UP", "_DN"))
        self.speed_mps, self.up_mps, self.down_mps = speeds
        self.heading_deg = None

    def replace(self, kind: MissionList, items: tuple[MissionItem, ...]) -> None:
        """Take a checked list; a mission begins anew."""
        self.store.replace(kind, items)
        names = {MissionList.MISSION: "MIS_TOTAL", MissionList.FENCE: "FENCE_TOTAL", MissionList.RALLY: "RALLY_TOTAL"}
        self.parameters.note(names[kind], len(items) + (kind is MissionList.MISSION))
        if kind is MissionList.FENCE:
            self.fence.load(items)
        elif kind is MissionList.MISSION:
            self.run.forget()

    def arm(self, *, is_forced: bool = False) -> Result:
        """Start the motors, if nothing speaks against it; here is home from now on."""
        if self.is_armed:
            return Result.ACCEPTED
        reason = "" if is_forced or not self.parameters["ARMING_CHECK"] else self._not_armable()
        if reason:
            return self.refuse(f"Arm: {reason}")
        self.is_armed, self._armed_s, self.is_paused = True, 0.0, False
        self.home = self.body.place
        self._failsafes.reset()
        self.run.may_take_off = False
        self.say(Severity.INFO, "Arming motors")
        return Result.ACCEPTED

    def disarm(self, *, is_forced: bool = False) -> Result:
        """Stop the motors; in the air only by force, and then it is on the ground at once."""
        if not (self.is_landed or is_forced):
            return Result.FAILED
        if self.is_armed:
            self.say(Severity.INFO, "Disarming motors")
        self.is_armed, self.is_landed, self.landing, self._taking_off_m = False, True, False, None
        self.body.stand()
        self.camera.rest()
        self.run.rewind()
        return Result.ACCEPTED

    def set_mode(self, number: int) -> Result:
        """Change the mode."""
        try:
            mode = CopterMode(number)
        except ValueError:
            return self.refuse(f"No such mode {number}")
        if mode is self.mode:
            return Result.ACCEPTED
        reason = self._not_in(mode)
        if reason:
            return self.refuse(f"Mode change to {mode.name} failed: {reason}")
        self.mode, self.is_paused, self.landing, self._taking_off_m = mode, False, False, None
        self.target = Target(self.body.place, self.body.height_m)
        self.reset_speeds()
        match mode:
            case CopterMode.AUTO:
                self.run.begin()
            case CopterMode.RTL:
                self._homecoming.begin()
            case _:
                pass
        return Result.ACCEPTED

    def take_off(self, height_m: float) -> Result:
        """Climb to a height above home, from the ground."""
        if not (self.is_armed and self.is_landed and self.mode in TAKES_OFF and height_m > 0.0):
            return Result.FAILED
        self.is_landed = False
        self._taking_off_m = height_m
        self.target = Target(self.body.place, height_m)
        return Result.ACCEPTED

    def start_mission(self) -> Result:
        """Fly the mission, from the ground as well."""
        if self.mode is not CopterMode.AUTO:
            result = self.set_mode(CopterMode.AUTO)
            if result is not Result.ACCEPTED:
                return result
        if not self.is_armed:
            return Result.FAILED
        self.run.may_take_off, self.is_paused = True, False
        return Result.ACCEPTED

    def go_to(self, target: Target) -> Result:
        """Fly to a target; only in GUIDED and in the air."""
        if self.mode is not CopterMode.GUIDED or self.is_landed:
            return Result.FAILED
        self.target, self._taking_off_m, self.is_paused = target, None, False
        return Result.ACCEPTED

    def pause(self, *, is_on: bool) -> Result:
        """Stop where it is in AUTO or GUIDED, or go on."""
        if self.mode not in {CopterMode.AUTO, CopterMode.GUIDED} or self.is_landed:
            return Result.DENIED
        self.is_paused = is_on
        return Result.ACCEPTED

    def step(self, utc_us: int) -> None:
        """Move on by STEP_S."""
        self.utc_us = utc_us
        self.uptime_s += STEP_S
        self._steps += 1
        if not self.is_armed:
            self.body.battery.rest()
            return
        if self.is_paused:
            self.hold()
        else:
            self._modes.get(self.mode, self.hold)()
        if self.is_landed:
            self._wait_landed()
            return
        self.body.spend()
        if self.is_armed:
            self.camera.step(self.body.place, self.body.height_m)
            if self._steps % LOOK_STEPS == 0:
                self._failsafes.look_out()

    def fly(self, target: Target, *, end_mps: float = 0.0, speed_mps: float | None = None) -> float:
        """Fly towards a target for a step; return how far it was, level."""
        self.body.climb_to(target.height_m, up_mps=self.up_mps, down_mps=self.down_mps)
        roi = self.camera.roi
        heading_deg = self.body.place.bearing_deg(roi) if roi is not None else self.heading_deg
        most_mps = speed_mps if speed_mps is not None else target.speed_mps or self.speed_mps
        return self.body.fly_to(target.place, speed_mps=most_mps, end_mps=end_mps, heading_deg=heading_deg)

    def hold(self) -> None:
        """Brake and stay."""
        if self.is_landed:
            return
        self.body.drift(0.0, 0.0)
        self.body.climb_to(self.target.height_m if not self.is_paused else self.body.height_m, up_mps=1.0, down_mps=1.0)

    def has_landed(self) -> None:
        """Stand on the ground, motors still turning."""
        self.is_landed, self.landing, self._armed_s = True, False, 0.0
        self.body.stand()

    def _guided(self) -> None:
        target = self.target
        if self.is_landed:
            return
        if target.is_velocity:
            target.wait()
            self.body.drift(target.east_mps, target.north_mps, heading_deg=target.heading_deg)
            self.body.climb_to(
                self.body.height_m + 10.0 * target.climb_mps,
                up_mps=max(target.climb_mps, 0),
                down_mps=max(-target.climb_mps, 0),
            )
            return
        if target.heading_deg is not None:
            self.heading_deg = target.heading_deg
        self.fly(target)
        if self._taking_off_m is not None and self.body.height_m >= self._taking_off_m - 0.5:
            self._taking_off_m = None

    def _return(self) -> None:
        if self._homecoming.step():
            self.disarm()

    def _land(self) -> None:
        if touch_down(self, self.target.place):
            self.disarm()

    def _wait_landed(self) -> None:
        """Stop the motors when nobody takes off."""
        self.body.battery.rest()
        self._armed_s = 0.0 if self.run.is_waiting_on_ground else self._armed_s + STEP_S
        delay_s = self.parameters["DISARM_DELAY"]
        if delay_s and self._armed_s >= delay_s:
            self.disarm()

    def _not_armable(self) -> str:
        """Return what speaks against arming, "" for nothing."""
        auto = int(self.parameters["AUTO_OPTIONS"]) & ARMABLE_IN_AUTO and self.mode is CopterMode.AUTO
        if self.mode in NOT_ARMABLE and not auto:
            return f"{self.mode.name} mode not armable"
        if not self.has_position and self.mode in NEEDS_POSITION | {CopterMode.AUTO}:
            return "Need Position Estimate"
        if self.fence.is_enabled and not self.has_position:
            return "Fence requires position"
        left_mah = self.parameters["BATT_CAPACITY"] * self.body.battery.ratio
        if left_mah < self.parameters["BATT_ARM_MAH"]:
            return "Battery 1 below minimum arming capacity"
        found = self.fence.look(self.body.place, self.body.height_m, self.body.place) if self.fence.is_enabled else None
        return f"Vehicle breaching {breach_names(found)} fence" if found else ""

    def _not_in(self, mode: CopterMode) -> str:
        """Return what speaks against a mode, "" for nothing."""
        if mode in NEEDS_POSITION and not self.has_position:
            return "requires position"
        if mode in NEEDS_STICKS and not self.is_landed:
            return "no radio control"
        if mode is CopterMode.AUTO:
            return self.run.reason_against()
        return ""
