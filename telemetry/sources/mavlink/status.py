"""What changes now and then on a vehicle, told once when it changes: mode, arming, landing, battery, mission, texts."""

from typing import Final, TypedDict

from telemetry.model.events import (
    AnyEvent,
    ArmedChanged,
    BatteryLow,
    LandedChanged,
    LandedState,
    MissionProgress,
    ModeChanged,
    StatusText,
)
from telemetry.model.flight_events import HomeTold
from telemetry.sources.mavlink.fusion import is_place

BATTERY_THRESHOLDS: Final = (0.30, 0.20, 0.10)
BATTERY_RECOVERED: Final = 0.05
ARMED_FLAG: Final = 128
SAME_HOME_E7: Final = 90
"""A metre of latitude."""
AIRBORNE_FROM_MM: Final = 1_500
GROUND_UP_TO_MM: Final = 700
IDLE_THROTTLE_PCT: Final = 20
SETTLED_US: Final = 2_000_000
REPEATED_REACHED_US: Final = 2_000_000
NO_ITEMS: Final = 65535
CHUNK_BYTES: Final = 50
LOST_CHUNK: Final = "…".encode()
CHUNK_WAIT_US: Final = 3_000_000

LANDED_STATES: Final = {
    1: LandedState.ON_GROUND,
    2: LandedState.IN_AIR,
    3: LandedState.TAKEOFF,
    4: LandedState.LANDING,
}


class _Base(TypedDict):
    """What every event of the vehicle has."""

    device_id: int
    observed_us: int
    received_us: int
    replayed: bool


class Status:
    """The slow state of one vehicle; every method returns the events that its news make."""

    __slots__ = (
        "_device_id",
        "_home_e7",
        "_item",
        "_landed_told_us",
        "_reached",
        "_replayed",
        "_settling",
        "_texts",
        "_threshold",
        "armed",
        "landed",
        "mode",
    )

    def __init__(self, device_id: int, *, replayed: bool) -> None:
        self._device_id = device_id
        self._replayed = replayed
        self.mode: str | None = None
        self.armed: bool | None = None
        self.landed: LandedState | None = None
        self._home_e7: tuple[int, int] | None = None
        self._landed_told_us: int | None = None
        self._settling: tuple[LandedState, int] | None = None
        self._threshold = 1.0
        self._item: tuple[int, int | None] | None = None
        self._reached: tuple[int, int] = (-1, 0)
        self._texts: dict[int, tuple[int, int, dict[int, bytes]]] = {}

    @property
    def item(self) -> int | None:
        """Return the number of the mission's current item, None while unknown."""
        return None if self._item is None else self._item[0]

    def heartbeat(self, mode: str, base_mode: int, now_us: int) -> list[AnyEvent]:
        """Take mode and arming of a HEARTBEAT."""
        events: list[AnyEvent] = []
        if mode != self.mode:
            events.append(ModeChanged(mode=mode, previous=self.mode, **self._base(now_us)))
            self.mode = mode
        armed = bool(base_mode & ARMED_FLAG)
        if armed != self.armed:
            events.append(ArmedChanged(armed=armed, **self._base(now_us)))
            self.armed = armed
            if not armed and self._landed_told_us is None:
                events += self._land(LandedState.ON_GROUND, now_us)
        return events

    def landed_told(self, state: int, now_us: int) -> list[AnyEvent]:
        """Take EXTENDED_SYS_STATE: where it speaks, nothing is derived."""
        landed = LANDED_STATES.get(state)
        if landed is None:
            return []
        self._landed_told_us = now_us
        return self._land(landed, now_us)

    def height(self, relative_mm: int, throttle_pct: int | None, now_us: int) -> list[AnyEvent]:
        """Derive landing from arming, height above home and throttle, where the autopilot does not tell it.

        Up from 1.5 m, down below 0.7 m with idle throttle, each only after two seconds; disarmed is down.
        """
        if self._landed_told_us is not None or not self.armed:
            return []
        seen = self._seen(relative_mm, throttle_pct)
        if seen is None or seen == self.landed:
            self._settling = None
            return []
        if self._settling is None or self._settling[0] != seen:
            self._settling = (seen, now_us)
        if now_us - self._settling[1] < SETTLED_US:
            return []
        self._settling = None
        return self._land(seen, now_us)

    def home_told(self, lat_e7: int, lon_e7: int, now_us: int) -> list[AnyEvent]:
        """Take HOME_POSITION; a home that moved by a metre or less is the same one, and 0/0 is none."""
        before_e7 = self._home_e7
        if not is_place(lat_e7, lon_e7):
            return []
        if before_e7 is not None and max(abs(lat_e7 - before_e7[0]), abs(lon_e7 - before_e7[1])) <= SAME_HOME_E7:
            return []
        self._home_e7 = (lat_e7, lon_e7)
        return [HomeTold(lat_e7=lat_e7, lon_e7=lon_e7, **self._base(now_us))]

    def battery(self, ratio: float, now_us: int) -> list[AnyEvent]:
        """Tell each threshold once; it counts anew when the battery was 5 % above it."""
        if ratio > self._threshold + BATTERY_RECOVERED:
            self._threshold = min((t for t in BATTERY_THRESHOLDS if ratio <= t), default=1.0)
        passed = min((t for t in BATTERY_THRESHOLDS if ratio <= t), default=1.0)
        if passed >= self._threshold:
            return []
        self._threshold = passed
        return [BatteryLow(battery_ratio=ratio, threshold_ratio=passed, **self._base(now_us))]

    def mission_current(self, item: int, total: int, now_us: int) -> list[AnyEvent]:
        """Take MISSION_CURRENT; a total of 0 or 65535 is unknown."""
        known = total if 0 < total < NO_ITEMS else None
        if self._item == (item, known):
            return []
        self._item = (item, known)
        return [MissionProgress(item=item, total=known, **self._base(now_us))]

    def mission_reached(self, item: int, now_us: int) -> list[AnyEvent]:
        """Take MISSION_ITEM_REACHED; the same one again within two seconds is a repetition."""
        reached, at_us = self._reached
        self._reached = (item, now_us)
        if item == reached and now_us - at_us < REPEATED_REACHED_US:
            return []
        total = self._item[1] if self._item else None
        return [MissionProgress(item=item, total=total, reached=True, **self._base(now_us))]

    def text(self, level: int, said: bytes, chunk: tuple[int, int], now_us: int) -> list[AnyEvent]:
        """Take a STATUSTEXT with its (id, chunk number); id 0 stands alone, others wait for the chunk that ends them.

        `said` is UTF-8 up to its first NUL; a chunk may end within a character.
        """
        text_id, number = chunk
        events = self.stale_texts(now_us) if self._texts else []
        if text_id == 0:
            return [*events, self._text_event(level, said, now_us)]
        _, _, chunks = self._texts.setdefault(text_id, (level, now_us, {}))
        chunks[number] = said
        last = max(chunks)
        if len(chunks[last]) < CHUNK_BYTES and len(chunks) == last + 1:
            events += self._close_text(text_id, now_us)
        return events

    @property
    def has_open_texts(self) -> bool:
        """Tell whether a text waits for a chunk."""
        return bool(self._texts)

    def stale_texts(self, now_us: int) -> list[AnyEvent]:
        """Give out the texts whose other chunks have not come within three seconds."""
        stale = [text_id for text_id, (_, at_us, _) in self._texts.items() if now_us - at_us > CHUNK_WAIT_US]
        return [event for text_id in stale for event in self._close_text(text_id, now_us)]

    def _close_text(self, text_id: int, now_us: int) -> list[AnyEvent]:
        level, _, chunks = self._texts.pop(text_id)
        parts = [chunks.get(number, LOST_CHUNK) for number in range(max(chunks) + 1)]
        return [self._text_event(level, b"".join(parts), now_us)]

    def _text_event(self, level: int, said: bytes, now_us: int) -> StatusText:
        return StatusText(level=level, text=said.decode("utf-8", "replace"), **self._base(now_us))

    def _seen(self, relative_mm: int, throttle_pct: int | None) -> LandedState | None:
        if relative_mm > AIRBORNE_FROM_MM:
            return LandedState.IN_AIR
        if relative_mm < GROUND_UP_TO_MM and (throttle_pct is None or throttle_pct <= IDLE_THROTTLE_PCT):
            return LandedState.ON_GROUND
        return None

    def _land(self, landed: LandedState, now_us: int) -> list[AnyEvent]:
        if landed == self.landed:
            return []
        self.landed = landed
        return [LandedChanged(landed=landed, **self._base(now_us))]

    def _base(self, now_us: int) -> _Base:
        return {
            "device_id": self._device_id,
            "observed_us": now_us,
            "received_us": now_us,
            "replayed": self._replayed,
        }
