"""Hands missions, fences and rally points in and out, item by item, as ArduPilot does: one upload at a time, from one ground station.

A list takes the old one's place only when it is whole. What is lost is asked for again each second; after eight seconds without
an item the upload is given up and said to be.
"""

import math
from collections.abc import Callable
from typing import Final

from console.demo.autopilot.craft import Craft
from console.demo.autopilot.numbers import MissionResult, Nav
from console.demo.autopilot.say import Fields, Peer, Say, real, whole
from console.demo.autopilot.store import MOST_ITEMS, checked_item, checked_list
from telemetry.model.mission_items import MissionItem, MissionList
from telemetry.sources.mavlink.frame import Value

ASK_AGAIN_US: Final = 1_000_000
GIVE_UP_US: Final = 8_000_000
KINDS: Final = tuple(MissionList)
"""In the order of MAV_MISSION_TYPE."""
ALL_KINDS: Final = 255
_INT_FRAMES: Final = {5: 0, 6: 3, 11: 10}
"""The frames of MISSION_ITEM_INT that are said with a number of their own."""


class _Upload:
    """A list on its way in; `items` holds None where the home goes by."""

    def __init__(self, kind: MissionList, peer: Peer, count: int, now_us: int) -> None:
        self.kind, self.peer, self.count = kind, peer, count
        self.items: list[MissionItem] = []
        self.next_number = 0
        self.asked_us = self.heard_us = now_us


class Transfer:
    """The mission protocol of one drone; `before_change` is called before another list takes the place of one.

    With `asks_int` it asks by MISSION_REQUEST_INT, otherwise by MISSION_REQUEST as ArduPilot does; either is answered by
    MISSION_ITEM_INT or MISSION_ITEM.
    """

    def __init__(self, craft: Craft, before_change: Callable[[MissionList], None], *, asks_int: bool = False) -> None:
        self._craft, self._before_change = craft, before_change
        self._upload: _Upload | None = None
        self._done: _Upload | None = None
        self._request = "MISSION_REQUEST_INT" if asks_int else "MISSION_REQUEST"

    def tick(self, now_us: int) -> list[Say]:
        """Ask again for what does not come, or give up."""
        upload = self._upload
        if upload is None or now_us - upload.asked_us < ASK_AGAIN_US:
            return []
        if now_us - upload.heard_us >= GIVE_UP_US:
            self._upload = None
            return [self._ack(upload.peer, upload.kind, MissionResult.CANCELLED)]
        return [self._ask(upload, now_us)]

    def hear(self, name: str, fields: Fields, peer: Peer, now_us: int) -> list[Say]:
        """Take a message of the mission protocol and return what is said to it."""
        number = whole(fields, "mission_type")
        if name == "MISSION_CLEAR_ALL":
            return self._clear(number, peer)
        if number >= len(KINDS):
            return [self._ack(peer, number, MissionResult.UNSUPPORTED)] if name != "MISSION_ACK" else []
        kind = KINDS[number]
        match name:
            case "MISSION_COUNT":
                return self._begin(kind, peer, whole(fields, "count"), now_us)
            case "MISSION_ITEM_INT" | "MISSION_ITEM":
                return self._take(kind, peer, fields, now_us)
            case "MISSION_REQUEST_LIST":
                count = self._count(kind)
                return [self._to(peer, "MISSION_COUNT", {"count": count, "mission_type": number})]
            case "MISSION_REQUEST_INT" | "MISSION_REQUEST":
                return [self._give(kind, peer, whole(fields, "seq"), is_int=name.endswith("INT"))]
            case "MISSION_ACK" if self._upload is not None and self._upload.peer == peer and fields["type"]:
                self._upload = None  # the ground station gives up
        return []

    def _begin(self, kind: MissionList, peer: Peer, count: int, now_us: int) -> list[Say]:
        """Open an upload; one that another ground station has begun comes first."""
        upload = self._upload
        if upload is not None and upload.peer != peer:
            return [self._ack(peer, kind, MissionResult.DENIED)]
        if count > MOST_ITEMS[kind] + (kind is MissionList.MISSION):
            return [self._ack(peer, kind, MissionResult.NO_SPACE)]
        if upload is not None and (upload.kind, upload.count) == (kind, count) and not upload.next_number:
            return [self._ask(upload, now_us)]
        self._upload = _Upload(kind, peer, count, now_us)
        return [self._ask(self._upload, now_us)] if count else self._finish(self._upload)

    def _take(self, kind: MissionList, peer: Peer, fields: Fields, now_us: int) -> list[Say]:
        upload = self._upload
        if fields["current"] == 2 and upload is None:
            return [self._ack(peer, kind, MissionResult.UNSUPPORTED)]
        if upload is None or upload.peer != peer or upload.kind is not kind:
            return self._say_again(kind, peer, fields)
        upload.heard_us = now_us
        if fields["seq"] != upload.next_number:
            return [self._ask(upload, now_us)]
        is_home = kind is MissionList.MISSION and upload.next_number == 0
        if not is_home:
            item = _item_of(fields)
            result = checked_item(kind, item)
            if result is not MissionResult.ACCEPTED:
                self._upload = None
                return [self._ack(peer, kind, result)]
            upload.items.append(item)
        upload.next_number += 1
        if upload.next_number < upload.count:
            return [self._ask(upload, now_us)]
        return self._finish(upload)

    def _say_again(self, kind: MissionList, peer: Peer, fields: Fields) -> list[Say]:
        """Acknowledge again whom the acknowledgement of a whole list did not reach: it says its last item again."""
        done = self._done
        if done is None or (done.kind, done.peer) != (kind, peer) or fields["seq"] != done.count - 1:
            return []
        return [self._ack(peer, kind, MissionResult.ACCEPTED)]

    def _finish(self, upload: _Upload) -> list[Say]:
        self._upload = None
        result = checked_list(upload.kind, upload.items)
        if result is MissionResult.ACCEPTED:
            self._done = upload
            self._before_change(upload.kind)
            self._craft.replace(upload.kind, tuple(upload.items))
        return [self._ack(upload.peer, upload.kind, result)]

    def _clear(self, number: int, peer: Peer) -> list[Say]:
        if number >= len(KINDS) and number != ALL_KINDS:
            return [self._ack(peer, number, MissionResult.UNSUPPORTED)]
        if self._upload is not None:
            return [self._ack(peer, number, MissionResult.DENIED)]
        for kind in KINDS if number == ALL_KINDS else (KINDS[number],):
            self._before_change(kind)
            self._craft.replace(kind, ())
        return [self._ack(peer, number, MissionResult.ACCEPTED)]

    def _count(self, kind: MissionList) -> int:
        """Return how many items a list has on the air: a mission's home is one more."""
        count = len(self._craft.store[kind])
        return count + 1 if kind is MissionList.MISSION and count else count

    def _give(self, kind: MissionList, peer: Peer, number: int, *, is_int: bool) -> Say:
        if number >= self._count(kind):
            return self._ack(peer, kind, MissionResult.INVALID_SEQUENCE)
        is_home = kind is MissionList.MISSION and number == 0
        place = number - (kind is MissionList.MISSION)
        item = self.home() if is_home else self._craft.store[kind][place]
        fields = _fields_of(item, is_int=is_int)
        is_current = kind is MissionList.MISSION and number == self._craft.run.number
        fields |= {"seq": number, "current": int(is_current), "mission_type": KINDS.index(kind)}
        return self._to(peer, "MISSION_ITEM_INT" if is_int else "MISSION_ITEM", fields)

    def home(self) -> MissionItem:
        """Return the home as item 0 of the mission."""
        craft = self._craft
        lat_deg, lon_deg = craft.plane.from_plane(*craft.home)
        lat_e7, lon_e7 = round(float(lat_deg) * 1e7), round(float(lon_deg) * 1e7)
        return MissionItem(command=Nav.WAYPOINT, frame=0, lat_e7=lat_e7, lon_e7=lon_e7, alt_m=craft.home_msl_m)

    def _ask(self, upload: _Upload, now_us: int) -> Say:
        upload.asked_us = now_us
        asked: Fields = {"seq": upload.next_number, "mission_type": KINDS.index(upload.kind)}
        return self._to(upload.peer, self._request, asked)

    def _ack(self, peer: Peer, kind: MissionList | int, result: MissionResult) -> Say:
        number = kind if isinstance(kind, int) else KINDS.index(kind)
        return self._to(peer, "MISSION_ACK", {"type": int(result), "mission_type": number})

    def _to(self, peer: Peer, name: str, fields: Fields) -> Say:
        return Say(name, fields | {"target_system": peer.system_id, "target_component": peer.component_id})


def _item_of(fields: Fields) -> MissionItem:
    """Return an item as it is kept: frames without their int twins, NaN as "not given", places in 1e-7 degree."""
    params = [value if math.isfinite(value) else None for value in (real(fields, f"param{n}") for n in range(1, 5))]
    frame = whole(fields, "frame")
    return MissionItem(
        command=whole(fields, "command"),
        frame=_INT_FRAMES.get(frame, frame),
        param1=params[0],
        param2=params[1],
        param3=params[2],
        param4=params[3],
        lat_e7=_e7(fields["x"]),
        lon_e7=_e7(fields["y"]),
        alt_m=real(fields, "z"),
        autocontinue=bool(fields["autocontinue"]),
    )


def _e7(place: Value) -> int:
    """Return what MISSION_ITEM says in degrees, and MISSION_ITEM_INT in 1e-7 degree."""
    if isinstance(place, int):
        return place
    return round(place * 1e7) if isinstance(place, float) and math.isfinite(place) else 0


def _fields_of(item: MissionItem, *, is_int: bool) -> Fields:
    scale = 1.0 if is_int else 1e-7
    x, y = item.lat_e7 * scale, item.lon_e7 * scale
    fields: Fields = {
        "command": item.command,
        "frame": item.frame,
        "z": item.alt_m,
        "autocontinue": int(item.autocontinue),
    }
    for number, value in enumerate((item.param1, item.param2, item.param3, item.param4), 1):
        fields[f"param{number}"] = math.nan if value is None else value
    return fields | {"x": item.lat_e7 if is_int else x, "y": item.lon_e7 if is_int else y}
