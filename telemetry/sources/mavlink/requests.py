"""What we ask of each vehicle: its streams at our rates, again with growing patience until they come."""

from typing import Final, NamedTuple

from telemetry.sources.mavlink.frame import Value

COMMAND_LONG: Final = 76
REQUEST_DATA_STREAM: Final = 66
SET_MESSAGE_INTERVAL: Final = 511
REQUEST_MESSAGE: Final = 512
FIRST_WAIT_US: Final = 1_000_000
LONGEST_WAIT_US: Final = 60_000_000
LEAST_SILENCE_US: Final = 3_000_000
OLD_FIRMWARE_AFTER: Final = 3
OLD_STREAMS: Final = ((2, 2), (6, 5), (10, 4), (11, 2))
"""(MAV_DATA_STREAM, Hz): extended status, position, attitude, VFR_HUD."""

INTERVALS_US: Final[dict[int, int]] = {
    33: 200_000,  # GLOBAL_POSITION_INT
    1: 1_000_000,  # SYS_STATUS
    2: 1_000_000,  # SYSTEM_TIME
    24: 1_000_000,  # GPS_RAW_INT
    42: 1_000_000,  # MISSION_CURRENT
    74: 500_000,  # VFR_HUD
    147: 1_000_000,  # BATTERY_STATUS
    245: 1_000_000,  # EXTENDED_SYS_STATE
}
HOME_POSITION: Final = 242
HOME_EVERY_US: Final = 10_000_000
"""Asked for beside the others, and not waited for: some have no home before they have a fix, some never tell it."""


class Ask(NamedTuple):
    """One message to send: its id and its fields."""

    msg_id: int
    fields: dict[str, Value]


class StreamRequests:
    """Which streams of one vehicle are missing, and when to ask for them again (after 1, 2, 4 .. 60 s)."""

    __slots__ = ("_attempts", "_due_us", "_has_home", "_heard_us", "_intervals_us", "_target")

    def __init__(self, system_id: int, component_id: int) -> None:
        self._target: dict[str, Value] = {"target_system": system_id, "target_component": component_id}
        self._intervals_us = dict(INTERVALS_US)
        self._heard_us: dict[int, int] = {}
        self._attempts = 0
        self._due_us = 0
        self._has_home = False

    def heard(self, msg_id: int, now_us: int) -> None:
        """Note that a message came."""
        if msg_id in self._intervals_us:
            self._heard_us[msg_id] = now_us
        elif msg_id == HOME_POSITION:
            self._has_home = True

    def begin_anew(self) -> None:
        """Forget what came: the vehicle has rebooted and lost what it was asked."""
        self._heard_us.clear()
        self._attempts = 0
        self._due_us = 0
        self._has_home = False

    def set_interval(self, interval_us: int) -> Ask:
        """Return the request for another interval between positions; later repetitions ask for it too."""
        self._intervals_us[33] = interval_us
        return self._interval(33, interval_us)

    def position_now(self) -> Ask:
        """Return the request for one position at once."""
        return self.message_now(33)

    def message_now(self, msg_id: int) -> Ask:
        """Return the request for one message at once."""
        return self._command(REQUEST_MESSAGE, float(msg_id), 0.0)

    def due(self, now_us: int) -> list[Ask]:
        """Return what is to be asked now; the very first time everything, so that our rates hold."""
        if now_us < self._due_us:
            return []
        missing = [msg_id for msg_id in self._intervals_us if self._is_missing(msg_id, now_us)]
        if not missing:
            self._due_us = now_us + FIRST_WAIT_US
            self._attempts = min(self._attempts, 1)
            return []
        self._due_us = now_us + min(FIRST_WAIT_US << min(self._attempts, 10), LONGEST_WAIT_US)
        self._attempts += 1
        asks = [self._interval(msg_id, self._intervals_us[msg_id]) for msg_id in missing]
        if not self._has_home:
            asks.append(self._interval(HOME_POSITION, HOME_EVERY_US))
        if self._attempts > OLD_FIRMWARE_AFTER and 33 in missing:
            asks += [self._stream(stream, rate_hz) for stream, rate_hz in OLD_STREAMS]
        return asks

    def _is_missing(self, msg_id: int, now_us: int) -> bool:
        if self._attempts == 0:
            return True
        patience_us = max(LEAST_SILENCE_US, 3 * self._intervals_us[msg_id])
        heard_us = self._heard_us.get(msg_id)
        return heard_us is None or now_us - heard_us > patience_us

    def _interval(self, msg_id: int, interval_us: int) -> Ask:
        return self._command(SET_MESSAGE_INTERVAL, float(msg_id), float(interval_us))

    def _command(self, command: int, param1: float, param2: float) -> Ask:
        return Ask(COMMAND_LONG, {"command": command, "param1": param1, "param2": param2, **self._target})

    def _stream(self, stream: int, rate_hz: int) -> Ask:
        fields: dict[str, Value] = {"req_stream_id": stream, "req_message_rate": rate_hz, "start_stop": 1}
        return Ask(REQUEST_DATA_STREAM, {**fields, **self._target})
