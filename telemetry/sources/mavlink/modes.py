"""Flight modes in words: each autopilot's own numbers to its own upper-case names, and back."""

from collections.abc import Mapping
from typing import Final

from telemetry.model.errors import InputError
from telemetry.sources.mavlink.tables_generated import ENUMS

ARDUPILOT: Final = 3
PX4: Final = 12

COPTERS: Final = frozenset({2, 3, 4, 13, 14, 15, 29, 35})
_PLANES: Final = frozenset({1, 16, 19, 20, 21, 22, 23, 24, 25})
_ROVERS: Final = frozenset({10, 11})
_SUBMARINE: Final = 12
_CUSTOM_FLAG: Final = 1
_GENERIC_FLAGS: Final = ((4, "AUTO"), (8, "GUIDED"), (16, "STABILIZE"), (64, "MANUAL"))

_PX4_MAIN: Final[Mapping[int, str]] = {
    1: "MANUAL",
    2: "ALTCTL",
    3: "POSCTL",
    4: "AUTO",
    5: "ACRO",
    6: "OFFBOARD",
    7: "STABILIZED",
    8: "RATTITUDE",
    9: "SIMPLE",
    10: "TERMINATION",
}
_PX4_AUTO: Final[Mapping[int, str]] = {
    1: "READY",
    2: "TAKEOFF",
    3: "LOITER",
    4: "MISSION",
    5: "RTL",
    6: "LAND",
    8: "FOLLOW_TARGET",
    9: "PRECLAND",
    10: "VTOL_TAKEOFF",
    **{10 + number: f"EXTERNAL{number}" for number in range(1, 9)},
}
_PX4_POSITION: Final[Mapping[int, str]] = {1: "ORBIT", 2: "SLOW"}
_PX4_AUTO_MAIN: Final = 4
_PX4_POSITION_MAIN: Final = 3


_PX4_NUMBER: Final = {
    **{name: main << 8 for main, name in _PX4_MAIN.items()},
    **{f"AUTO.{name}": _PX4_AUTO_MAIN << 8 | sub for sub, name in _PX4_AUTO.items()},
}


def mode_name(autopilot: int, vehicle_type: int, base_mode: int, custom_mode: int) -> str:
    """Return the flight mode that a HEARTBEAT tells: the firmware's own name, or "MODE(n)" for a number we do not know."""
    unknown = f"MODE({custom_mode})"
    if autopilot == PX4:
        return _px4_name(custom_mode) or unknown
    if autopilot == ARDUPILOT:
        return _ardupilot_name(vehicle_type, custom_mode) or unknown
    if base_mode & _CUSTOM_FLAG and custom_mode:
        return unknown
    return next((name for flag, name in _GENERIC_FLAGS if base_mode & flag), unknown)


def mode_number(autopilot: int, vehicle_type: int, name: str) -> tuple[int, int]:
    """Return parameters 2 and 3 of DO_SET_MODE for a mode's name: an ArduPilot's own number, else a PX4's main and sub mode.

    Raises InputError for a name that the firmware has not.
    """
    if autopilot == ARDUPILOT:
        modes = ENUMS[_ardupilot_enum(vehicle_type)]
        number = next((number for number, known in modes.items() if known == name), None)
    else:
        number = _PX4_NUMBER.get(name)
    if number is None:
        raise InputError(f"this vehicle has no mode {name!r}: give one that its firmware knows")
    return (number, 0) if autopilot == ARDUPILOT else (number >> 8, number & 0xFF)


def _ardupilot_enum(vehicle_type: int) -> str:
    """Return the table of modes of a vehicle type; one that nobody knows is taken for a copter."""
    if vehicle_type in _PLANES:
        return "PLANE_MODE"
    if vehicle_type in _ROVERS:
        return "ROVER_MODE"
    return "SUB_MODE" if vehicle_type == _SUBMARINE else "COPTER_MODE"


def _ardupilot_name(vehicle_type: int, custom_mode: int) -> str | None:
    if vehicle_type in COPTERS:
        return ENUMS["COPTER_MODE"].get(custom_mode)
    if vehicle_type in _PLANES:
        return ENUMS["PLANE_MODE"].get(custom_mode)
    if vehicle_type in _ROVERS:
        return ENUMS["ROVER_MODE"].get(custom_mode)
    return ENUMS["SUB_MODE"].get(custom_mode) if vehicle_type == _SUBMARINE else None


def _px4_name(custom_mode: int) -> str | None:
    main, sub = custom_mode >> 16 & 0xFF, custom_mode >> 24 & 0xFF
    name = _PX4_MAIN.get(main)
    if main == _PX4_AUTO_MAIN:
        detail = _PX4_AUTO.get(sub)
        return f"{name}.{detail}" if detail else None
    detail = _PX4_POSITION.get(sub) if main == _PX4_POSITION_MAIN else None
    return f"{name}.{detail}" if detail else name
