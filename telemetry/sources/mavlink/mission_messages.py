"""The messages of the mission protocol: what each says to us, and ours as they are sent."""

import math
from typing import Any, Final, NamedTuple

from telemetry.model.mission_items import MissionItem, MissionList
from telemetry.sources.mavlink.frame import Value
from telemetry.sources.mavlink.requests import Ask

ITEM: Final = 39
REQUEST: Final = 40
REQUEST_LIST: Final = 43
COUNT: Final = 44
CLEAR_ALL: Final = 45
ACK: Final = 47
REQUEST_INT: Final = 51
ITEM_INT: Final = 73
SPOKEN: Final = frozenset({ITEM, REQUEST, COUNT, ACK, REQUEST_INT, ITEM_INT})
"""What a vehicle says to us in a transfer."""

MOST_ITEMS: Final = 65_535
LIST_NUMBER: Final = {MissionList.MISSION: 0, MissionList.FENCE: 1, MissionList.RALLY: 2}
LIST_OF: Final = {number: which for which, number in LIST_NUMBER.items()}
E7: Final = 1e7
ZERO_HOME: Final = MissionItem(command=16, frame=0, param1=0.0, param2=0.0, param3=0.0, param4=0.0)
TAKES_NO_YAW: Final = frozenset({16, 21})
"""NAV_WAYPOINT and NAV_LAND: the only items of which an ArduPilot takes a parameter (the fourth) that is not given."""

ACCEPTED: Final = 0
ERROR: Final = 1
UNSUPPORTED: Final = 3
INVALID_SEQUENCE: Final = 13
DENIED: Final = 14
CANCELLED: Final = 15
BUSY: Final = frozenset({DENIED, ERROR})
"""What a vehicle may answer that has another transfer to end first."""
RESULT_WORDS: Final[dict[int, str]] = {
    ERROR: "it answered with an error and gave no reason",
    2: "it does not take this coordinate frame",
    UNSUPPORTED: "it does not know this list or this command",
    4: "it has no room for so many items",
    5: "an item has a value that it does not take",
    6: "parameter 1 of an item has a value that it does not take",
    7: "parameter 2 of an item has a value that it does not take",
    8: "parameter 3 of an item has a value that it does not take",
    9: "parameter 4 of an item has a value that it does not take",
    10: "the latitude (parameter 5) of an item is one that it does not take",
    11: "the longitude (parameter 6) of an item is one that it does not take",
    12: "the height (parameter 7) of an item is one that it does not take",
    INVALID_SEQUENCE: "it was given items out of their order",
    DENIED: "it does not take a transfer from this ground station now",
    CANCELLED: "it broke the transfer off",
}
"""MAV_MISSION_RESULT in words."""


class Target(NamedTuple):
    """Whom we speak to about which list, and by which system id we speak."""

    system_id: int
    component_id: int
    mission_list: MissionList
    own_system_id: int


class MissionSaid(NamedTuple):
    """A message of a vehicle: its id, and the number it bears (an item's, a count, a result); `item` where there is one."""

    msg_id: int
    number: int
    target_system: int
    mission_list: MissionList | None
    item: MissionItem | None = None


def result_words(result: int) -> str:
    """Return a MAV_MISSION_RESULT in words."""
    return RESULT_WORDS.get(result, f"it answered {result}, which the protocol does not name")


def read(msg_id: int, fields: tuple[Any, ...]) -> MissionSaid:
    """Return what a message of `SPOKEN` says, its fields in wire order. Cost about 2 us for an item."""
    match msg_id:
        case 39 | 73:
            *numbers, seq, command, target, _, frame, _, autocontinue, mission_type = fields
            item = _item(msg_id, numbers, (int(frame), int(command)), autocontinue=bool(autocontinue))
            return MissionSaid(msg_id, seq, target, LIST_OF.get(mission_type), item)
        case 47:
            target, _, result, mission_type = fields[:4]
            return MissionSaid(msg_id, result, target, LIST_OF.get(mission_type))
        case _:  # the requests and the count are laid out alike
            number, target, _, mission_type = fields[:4]
            return MissionSaid(msg_id, number, target, LIST_OF.get(mission_type))


def _item(msg_id: int, numbers: list[Any], what: tuple[int, int], *, autocontinue: bool) -> MissionItem:
    param1, param2, param3, param4 = (None if math.isnan(number) else float(number) for number in numbers[:4])
    x, y, alt_m = numbers[4:]
    frame, command = what
    if msg_id == ITEM and has_place(frame, command):
        x, y = _e7(x), _e7(y)
    return MissionItem(
        command=command,
        frame=frame,
        param1=param1,
        param2=param2,
        param3=param3,
        param4=param4,
        lat_e7=_whole(x),
        lon_e7=_whole(y),
        alt_m=float(alt_m) if math.isfinite(alt_m) else 0.0,
        autocontinue=autocontinue,
    )


def has_place(frame: int, command: int) -> bool:
    """Tell whether an item's x and y are a place on earth, not parameters 5 and 6 as they stand."""
    goes_somewhere = command < LAST_NAV or command in PLACES_BESIDE
    return goes_somewhere and frame in {0, 3, 5, 6, 10, 11}


LAST_NAV: Final = 93
PLACES_BESIDE: Final = frozenset({179, 189, 192, 195, 201, 5000, 5001, 5002, 5003, 5004, 5100, *range(31000, 31010)})
"""Set home, land start, reposition, region of interest, fence vertices and circles, rally points, user places."""


def _e7(angle_deg: float) -> float:
    return round(angle_deg * E7) if math.isfinite(angle_deg) else 0


def _whole(number: float) -> int:
    return int(number) if math.isfinite(number) else 0


def count(target: Target, item_count: int) -> Ask:
    """Return the message that begins an upload."""
    return Ask(COUNT, {"count": item_count, **_addressed(target)})


def request_list(target: Target) -> Ask:
    """Return the message that begins a download."""
    return Ask(REQUEST_LIST, _addressed(target))


def request_item(target: Target, seq: int, *, as_floats: bool = False) -> Ask:
    """Return the request for one item; `as_floats` in the old way."""
    return Ask(REQUEST if as_floats else REQUEST_INT, {"seq": seq, **_addressed(target)})


def clear_all(target: Target) -> Ask:
    """Return the message that empties a list."""
    return Ask(CLEAR_ALL, _addressed(target))


def acknowledge(target: Target, result: int = ACCEPTED) -> Ask:
    """Return the message that ends a download, or (CANCELLED) breaks a transfer off."""
    return Ask(ACK, {"type": result, **_addressed(target)})


def item(target: Target, seq: int, item: MissionItem, *, as_floats: bool = False) -> Ask:
    """Return one item; `as_floats` for old vehicles that take only MISSION_ITEM (its place is then only good to a metre)."""
    x: float = item.lat_e7
    y: float = item.lon_e7
    if as_floats and has_place(item.frame, item.command):
        x, y = item.lat_e7 / E7, item.lon_e7 / E7
    fields: dict[str, Value] = {
        "param1": _number(item.param1),
        "param2": _number(item.param2),
        "param3": _number(item.param3),
        "param4": _number(item.param4),
        "x": float(x) if as_floats else round(x),
        "y": float(y) if as_floats else round(y),
        "z": item.alt_m,
        "seq": seq,
        "command": item.command,
        "frame": item.frame,
        "current": int(seq == 0 and target.mission_list is MissionList.MISSION),
        "autocontinue": int(item.autocontinue),
    }
    return Ask(ITEM if as_floats else ITEM_INT, {**fields, **_addressed(target)})


def for_ardupilot(item: MissionItem) -> MissionItem:
    """Return an item as an ArduPilot takes it: what is not given is 0 there, and refused where it is NaN."""
    return MissionItem(
        command=item.command,
        frame=item.frame,
        param1=item.param1 or 0.0,
        param2=item.param2 or 0.0,
        param3=item.param3 or 0.0,
        param4=item.param4 if item.command in TAKES_NO_YAW else item.param4 or 0.0,
        lat_e7=item.lat_e7,
        lon_e7=item.lon_e7,
        alt_m=item.alt_m,
        autocontinue=item.autocontinue,
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _addressed(target: Target) -> dict[str, Value]:
    return {
        "target_system": target.system_id,
        "target_component": target.component_id,
        "mission_type": LIST_NUMBER[target.mission_list],
    }
