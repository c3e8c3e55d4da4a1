"""Another task for a drone that is in the air already: the same items, without a take-off."""

from typing import Final

from mission.formats.mavlink_items import TAKEOFF
from telemetry.model.mission_items import MissionItem

NOTHING_DONE: Final = MissionItem(command=178, frame=2, param1=1.0, param2=-1.0, param3=-1.0, param4=0.0)
"""DO_CHANGE_SPEED with "no change" for speed and throttle."""


def in_the_air(mission: tuple[MissionItem, ...]) -> tuple[MissionItem, ...]:
    """Return a mission as it is flown by a drone that is in the air already: its first take-off becomes nothing.

    It stays in its place as a change of speed to the speed that it has (a command that does nothing), so that the numbers of the
    other items hold.
    """
    if not mission or mission[0].command != TAKEOFF:
        return mission
    return (NOTHING_DONE, *mission[1:])
