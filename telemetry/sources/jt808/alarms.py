"""Alarm bits become events at their edges: what they mean, which a person's confirmation ends, what is late."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from telemetry.model.events import AlarmKind, AnyEvent, DeviceAlarm, SosRaised

SOS_BIT: Final = 0
LATE_US: Final = 300_000_000
"""An alarm of a position older than this is told to be late..."""
HALF_HOUR_US: Final = 1_800_000_000
ZONE_SLACK_US: Final = 120_000_000
"""...unless it is about whole half hours old: that is a zone set wrong, and the alarm is of now..."""
UNSET_US: Final = 365 * 86_400_000_000
"""...or older than this: that is a clock that was never set, or counts its weeks anew. Then it is told to be of now."""

ALARMS: Final[dict[int, tuple[AlarmKind, str]]] = {
    1: (AlarmKind.SPEEDING, "overspeed"),
    2: (AlarmKind.FATIGUE, "fatigue"),
    3: (AlarmKind.FATIGUE, "dangerous driving"),
    4: (AlarmKind.DEVICE_FAULT, "satellite receiver faulty"),
    5: (AlarmKind.DEVICE_FAULT, "satellite antenna cut"),
    6: (AlarmKind.DEVICE_FAULT, "satellite antenna shorted"),
    7: (AlarmKind.BATTERY_LOW, "supply voltage low"),
    8: (AlarmKind.POWER_CUT, "supply cut"),
    9: (AlarmKind.DEVICE_FAULT, "display faulty"),
    10: (AlarmKind.DEVICE_FAULT, "speech module faulty"),
    11: (AlarmKind.DEVICE_FAULT, "camera faulty"),
    12: (AlarmKind.DEVICE_FAULT, "card reader faulty"),
    13: (AlarmKind.SPEEDING, "overspeed warning"),
    14: (AlarmKind.FATIGUE, "fatigue warning"),
    15: (AlarmKind.GEOFENCE, "driving where or when it is not allowed"),
    16: (AlarmKind.DEVICE_FAULT, "tyre pressure"),
    17: (AlarmKind.DEVICE_FAULT, "blind spot sensor faulty"),
    18: (AlarmKind.FATIGUE, "driving time of the day exceeded"),
    19: (AlarmKind.GEOFENCE, "parked too long"),
    20: (AlarmKind.GEOFENCE, "in or out of an area"),
    21: (AlarmKind.GEOFENCE, "in or out of a route"),
    22: (AlarmKind.GEOFENCE, "time on a section too short or too long"),
    23: (AlarmKind.OUTSIDE_AREA, "off its route"),
    24: (AlarmKind.DEVICE_FAULT, "speed sensor faulty"),
    25: (AlarmKind.TAMPER, "fuel abnormal"),
    26: (AlarmKind.STOLEN, "stolen"),
    27: (AlarmKind.TAMPER, "illegal ignition"),
    28: (AlarmKind.TAMPER, "illegal movement"),
    29: (AlarmKind.COLLISION, "collision"),
    30: (AlarmKind.ROLLOVER, "rollover"),
    31: (AlarmKind.TAMPER, "door opened illegally"),
}
CONFIRMABLE: Final = sum(1 << bit for bit in (0, 3, 20, 21, 22, 27, 28))
"""The alarms that message 0x8203 confirms; the others are confirmed by a general reply that says "alarm taken"."""


def bits_of(kind: AlarmKind) -> int:
    """Return the alarm bits that mean this kind of alarm, 0 for one that terminals do not raise."""
    if kind is AlarmKind.SOS:
        return 1 << SOS_BIT
    return sum(1 << bit for bit, (meant, _) in ALARMS.items() if meant is kind)


class Seen(NamedTuple):
    """Whose alarm word it is, when we got it, and whether it was stored where there was no network."""

    device_id: int
    received_us: int
    is_archive: bool = False


class AlarmWatch:
    """The alarms of one device; outlives its connections, so that an alarm still on after reconnecting is the same one.

    What is older than the newest position seen has a state of its own and never changes the live one.
    """

    __slots__ = ("_newest_us", "_old_bits", "live_bits")

    def __init__(self) -> None:
        self.live_bits = 0
        self._old_bits = 0
        self._newest_us = 0

    def take(self, bits: int, observed_us: int, seen: Seen) -> list[AnyEvent]:
        """Return the events of a position's alarm word: begun and ended alarms."""
        is_unset = seen.received_us - observed_us > UNSET_US
        if not seen.is_archive and (is_unset or observed_us >= self._newest_us):
            if not is_unset:
                self._newest_us = min(observed_us, seen.received_us)  # a clock ahead must not make all that follows old
            before, self.live_bits = self.live_bits, bits
            if bits == before:
                return []
            at_us = seen.received_us if is_unset else observed_us
            return _edges(before, bits, at_us, seen, is_late=_is_late(at_us, seen.received_us))
        before, self._old_bits = self._old_bits, bits
        hidden = self.live_bits  # an alarm that is on was told already
        return _edges(before & ~hidden, bits & ~hidden, observed_us, seen, is_late=True)

    def take_many(self, bits: NDArray[np.int64], observed_us: NDArray[np.int64], seen: Seen) -> list[AnyEvent]:
        """Return the events of many positions' alarm words, as `take` one by one; fast where nothing changes."""
        if seen.is_archive and (bits == self._old_bits).all():
            return []
        if not seen.is_archive and (bits == self.live_bits).all() and self._are_live(observed_us):
            self._newest_us = max(self._newest_us, min(int(observed_us.max()), seen.received_us))
            return []
        events: list[AnyEvent] = []
        for word, at_us in zip(bits.tolist(), observed_us.tolist(), strict=True):
            events += self.take(word, at_us, seen)
        return events

    def _are_live(self, observed_us: NDArray[np.int64]) -> bool:
        """Tell whether none of these is older than another or than what was seen, or else whether it does not matter."""
        in_order = observed_us[0] >= self._newest_us and (observed_us[1:] >= observed_us[:-1]).all()
        return bool(in_order or self._old_bits == self.live_bits)


def _is_late(observed_us: int, received_us: int) -> bool:
    age_us = received_us - observed_us
    beside_us = (age_us + HALF_HOUR_US // 2) % HALF_HOUR_US - HALF_HOUR_US // 2
    return age_us > LATE_US and abs(beside_us) > ZONE_SLACK_US


def _edges(before: int, bits: int, observed_us: int, seen: Seen, *, is_late: bool) -> list[AnyEvent]:
    """Return what began and what ended. The end of SOS is told by a person, not by its bit."""
    changed = before ^ bits
    if not changed:
        return []
    events: list[AnyEvent] = []
    if changed & bits & 1 << SOS_BIT:
        sos = SosRaised(
            device_id=seen.device_id, observed_us=observed_us, received_us=seen.received_us, sent_late=is_late
        )
        events.append(sos)
    for bit, (kind, text) in ALARMS.items():
        if changed >> bit & 1:
            alarm = DeviceAlarm(
                device_id=seen.device_id,
                observed_us=observed_us,
                received_us=seen.received_us,
                alarm=kind,
                active=bool(bits >> bit & 1),
                code=f"jt808:{bit}",
                text=text,
                sent_late=is_late,
            )
            events.append(alarm)
    return events
