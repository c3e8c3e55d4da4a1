"""Which messages the drone sends by itself, and how often: nothing but its HEARTBEAT until somebody asks, or what it is set to."""

from collections.abc import Mapping
from typing import Final

from telemetry.sources.mavlink.tables import MESSAGE_ID

ALL_STREAMS: Final = 0
LONGEST_US: Final = 2**31 - 1
STREAMS: Final[dict[int, tuple[str, ...]]] = {
    2: ("SYS_STATUS", "GPS_RAW_INT", "MISSION_CURRENT", "FENCE_STATUS", "NAV_CONTROLLER_OUTPUT"),
    6: ("GLOBAL_POSITION_INT",),
    10: ("ATTITUDE",),
    11: ("VFR_HUD",),
    12: ("SYSTEM_TIME", "WIND", "BATTERY_STATUS"),
}
"""MAV_DATA_STREAM's parts of REQUEST_DATA_STREAM: extended status, position, extra 1 to 3."""
BEATS_S: Final = {"HEARTBEAT": 1.0}
BY_ITSELF_S: Final = BEATS_S | {
    "GLOBAL_POSITION_INT": 0.25,
    "ATTITUDE": 0.25,
    "VFR_HUD": 0.5,
    "GPS_RAW_INT": 1.0,
    "SYS_STATUS": 1.0,
    "BATTERY_STATUS": 2.0,
    "EXTENDED_SYS_STATE": 1.0,
    "SYSTEM_TIME": 1.0,
    "MISSION_CURRENT": 1.0,
    "HOME_POSITION": 10.0,
}
"""What a drone of the demo sends without being asked, as one whose SRx parameters are set."""


class Streams:
    """When each message is due, in seconds since the start; `first_s` says when each is sent for the first time."""

    def __init__(
        self, usual_s: Mapping[str, float], known: frozenset[str], first_s: Mapping[str, float], *, shortest_s: float
    ) -> None:
        self._usual_s, self._known, self._shortest_s = usual_s, known, shortest_s
        self._every_s = dict(usual_s)
        self._due_s = dict(first_s)

    def interval_us(self, msg_id: int) -> int:
        """Return what MESSAGE_INTERVAL says: 0 for a message that is not known, -1 for one that is not sent."""
        name = self._name(msg_id)
        if name is None:
            return 0
        every_s = self._every_s.get(name)
        return -1 if every_s is None else min(round(every_s * 1e6), LONGEST_US)

    def set_interval(self, msg_id: int, interval_us: float, *, now_s: float) -> bool:
        """Send a message each interval from now on; 0 is the usual one, negative never. False for one not known."""
        name = self._name(msg_id)
        if name is None:
            return False
        if name == "HEARTBEAT" and interval_us < 0:
            return False
        every_s = self._usual_s.get(name) if interval_us == 0 else None if interval_us < 0 else interval_us / 1e6
        if every_s is None:
            self._every_s.pop(name, None)
            self._due_s.pop(name, None)
            return True
        self._every_s[name] = max(self._shortest_s, every_s)
        self._due_s[name] = min(self._due_s.get(name, now_s), now_s + self._every_s[name])
        return True

    def set_stream(self, stream: int, rate_hz: int, *, is_on: bool, now_s: float) -> None:
        """Obey REQUEST_DATA_STREAM."""
        streams = STREAMS.values() if stream == ALL_STREAMS else (STREAMS.get(stream, ()),)
        interval_us = 1e6 / rate_hz if is_on and rate_hz > 0 else -1.0
        for name in (name for names in streams for name in names):
            self.set_interval(MESSAGE_ID[name], interval_us, now_s=now_s)

    def send_once(self, msg_id: int, *, now_s: float) -> bool:
        """Send a message with the next ones that are due; False for one not known."""
        name = self._name(msg_id)
        if name is None:
            return False
        self._due_s[name] = now_s
        return True

    def due(self, now_s: float) -> list[str]:
        """Return the messages to send now."""
        due = [name for name, at_s in self._due_s.items() if at_s <= now_s + 1e-9]
        for name in due:
            every_s = self._every_s.get(name)
            if every_s is None:
                del self._due_s[name]
            else:
                self._due_s[name] = max(self._due_s[name] + every_s, now_s - self._shortest_s)
        return due

    def _name(self, msg_id: int) -> str | None:
        return next((name for name in self._known if MESSAGE_ID[name] == msg_id), None)
