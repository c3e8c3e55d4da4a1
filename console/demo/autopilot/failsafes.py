"""What makes a drone come home by itself: a fence that it broke, a battery that runs low, a ground station that fell silent."""

from typing import Final, Protocol

from console.demo.autopilot.body import Body, Place
from console.demo.autopilot.fence import BREACH_NAMES, Fence
from console.demo.autopilot.numbers import Breach, CopterMode, Severity
from console.demo.autopilot.parameters import Parameters

COMING_DOWN: Final = frozenset({CopterMode.RTL, CopterMode.LAND})
GOES_ON_IN_AUTO: Final = 2
"""Of FS_OPTIONS: a mission goes on without the ground."""
GOES_ON_LANDING: Final = 8
GROUND_FAILSAFES: Final = {1: CopterMode.RTL, 2: CopterMode.RTL, 5: CopterMode.LAND}
FENCE_ACTIONS: Final = {1: CopterMode.RTL, 2: CopterMode.LAND, 3: CopterMode.RTL, 4: CopterMode.BRAKE}
BATTERY_ACTIONS: Final = {1: CopterMode.LAND, 2: CopterMode.RTL}


class Watched(Protocol):
    """What is looked after: the craft."""

    body: Body
    parameters: Parameters
    fence: Fence
    home: Place
    mode: CopterMode
    landing: bool
    utc_us: int
    ground_heard_us: int

    @property
    def has_position(self) -> bool:
        """Whether it knows where it is."""

    def say(self, severity: Severity, text: str) -> None:
        """Tell the ground."""

    def set_mode(self, number: int) -> object:
        """Change the mode."""


class Failsafes:
    """Call `look_out` twice a second while the drone flies; each alarm is raised once a flight."""

    def __init__(self, craft: Watched) -> None:
        self._craft = craft
        self._alarms: set[str] = set()

    def reset(self) -> None:
        """Begin a flight."""
        self._alarms.clear()
        self._craft.fence.broken = Breach.NONE

    def look_out(self) -> None:
        """See whether fence, battery or ground ask for another mode."""
        self._look_at_fence()
        self._look_at_battery()
        self._listen_for_ground()

    def _look_at_fence(self) -> None:
        craft = self._craft
        if not craft.fence.is_enabled or not craft.has_position:
            return
        new = craft.fence.note(craft.fence.look(craft.body.place, craft.body.height_m, craft.home), craft.utc_us)
        if not new:
            return
        craft.say(Severity.CRITICAL, f"{breach_names(new)} fence breached")
        action = FENCE_ACTIONS.get(int(craft.parameters["FENCE_ACTION"]))
        if action is not None and craft.mode not in COMING_DOWN:
            craft.set_mode(action)

    def _look_at_battery(self) -> None:
        craft = self._craft
        left_mah = craft.parameters["BATT_CAPACITY"] * craft.body.battery.ratio
        for word, name in (("critical", "CRT"), ("low", "LOW")):
            if left_mah >= craft.parameters[f"BATT_{name}_MAH"] or word in self._alarms:
                continue
            self._alarms.add(word)
            battery = craft.body.battery
            craft.say(
                Severity.CRITICAL,
                f"Battery 1 is {word} {battery.cell_mv * 6 / 1000:.2f}V used {battery.consumed_mah} mAh",
            )
            action = BATTERY_ACTIONS.get(int(craft.parameters[f"BATT_FS_{name}_ACT"]))
            if action is not None and craft.mode is not CopterMode.LAND:
                craft.set_mode(action)
            return

    def _listen_for_ground(self) -> None:
        craft = self._craft
        action = GROUND_FAILSAFES.get(int(craft.parameters["FS_GCS_ENABLE"]))
        if action is None or not craft.ground_heard_us:
            return
        silent_s = (craft.utc_us - craft.ground_heard_us) / 1e6
        if silent_s < craft.parameters["FS_GCS_TIMEOUT"]:
            if "ground" in self._alarms:
                self._alarms.discard("ground")
                craft.say(Severity.WARNING, "GCS Failsafe Cleared")
            return
        options = int(craft.parameters["FS_OPTIONS"])
        goes_on = (options & GOES_ON_IN_AUTO and craft.mode is CopterMode.AUTO) or (
            options & GOES_ON_LANDING and craft.landing
        )
        if "ground" in self._alarms or goes_on or craft.mode in COMING_DOWN:
            return
        self._alarms.add("ground")
        craft.say(Severity.WARNING, "GCS Failsafe")
        craft.set_mode(action)


def breach_names(found: Breach | None) -> str:
    """Return what is broken in ArduPilot's words."""
    return "+".join(BREACH_NAMES[kind] for kind in (found or Breach.NONE))
