"""A mission, a fence or a set of rally points as an autopilot takes it: items of numbers, in order."""

from enum import IntEnum, StrEnum

import msgspec


class MissionList(StrEnum):
    """Which of an autopilot's lists: MAV_MISSION_TYPE, in words."""

    MISSION = "mission"
    FENCE = "fence"
    RALLY = "rally"


class MissionFrame(IntEnum):
    """What an item's place and height mean (MAV_FRAME); those that a planner writes."""

    GLOBAL_MSL = 0
    """Height above mean sea level."""
    NO_PLACE = 2
    """The item does something and goes nowhere."""
    GLOBAL_HOME = 3
    """Height above the take-off place."""
    GLOBAL_TERRAIN = 10
    """Height above the ground."""


class MissionItem(msgspec.Struct, frozen=True, kw_only=True):
    """One item, without its number: that is its place in the list, and the first is the first thing to do.

    An ArduPilot counts its home as item 0; whoever speaks to it adds and removes that, and no list here holds it.
    `frame` is a MAV_FRAME, `command` a MAV_CMD; parameters 1 to 4 mean what the command says, None is "not given" (NaN on
    the air). `lat_e7` and `lon_e7` are WGS-84 in 1e-7 degree; where the command goes nowhere they are its parameters 5 and 6
    as they stand. `alt_m` is in the frame's sense, or parameter 7.
    """

    command: int
    frame: int = int(MissionFrame.GLOBAL_HOME)
    param1: float | None = None
    param2: float | None = None
    param3: float | None = None
    param4: float | None = None
    lat_e7: int = 0
    lon_e7: int = 0
    alt_m: float = 0.0
    autocontinue: bool = True
