"""From an autopilot's milliseconds since boot to UTC: the lower envelope of what the link added, in epochs of one boot each."""

from collections import deque
from typing import Final, NamedTuple

WINDOW_US: Final = 60_000_000
REBOOT_MS: Final = 10_000
COUNTER_MS: Final = 1 << 32
WRAP_ZONE_MS: Final = 600_000
SANE_US: Final = 5_000_000
UTC_KNOWN_US: Final = 1_000_000_000_000_000
LATE_US: Final = 5_000_000
LATE_FOR_US: Final = 30_000_000
TOLD_AT_MOST: Final = 64
"""So many samples keep the time that they were given, so that a datagram that comes twice is the same sample twice."""


class Stamp(NamedTuple):
    """When a sample was taken: UTC microseconds, the boot it belongs to (from 0), and what that rests on.

    `estimated` is False where the autopilot's own SYSTEM_TIME carried the estimate; `fell_back_ms` is above 0 only for the
    first sample of a new epoch.
    """

    observed_us: int
    epoch: int
    boot_ms: int
    estimated: bool
    fell_back_ms: int


class BootClock:
    """The estimator of one vehicle: feed it every (time_boot_ms, arrival) in order of arrival.

    A sample's time is its boot time plus the smallest (arrival - boot time) of the last 60 s: what arrived with the least
    delay shows when the vehicle booted. SYSTEM_TIME may move that earlier by up to 5 s (a constant delay of the link),
    never later: nothing is observed after it arrived. Within an epoch time never runs backwards; where the estimate
    drops, it runs at half speed until it has caught up. The same counter again has the same time. A counter that falls back by more than 10 s is a reboot.
    """

    __slots__ = (
        "_envelope", "_last_boot_ms", "_last_observed_us", "_previous", "_system_time", "_told_us", "_wrapped_ms", "epoch"
    )  # fmt: skip

    def __init__(self) -> None:
        self.epoch = 0
        self._wrapped_ms = 0
        self._last_boot_ms = -1
        self._last_observed_us = 0
        self._told_us: dict[int, int] = {}
        self._envelope: deque[tuple[int, int]] = deque()
        self._previous: tuple[int, int, int] | None = None
        self._system_time: tuple[int, int] | None = None

    def stamp(self, boot_ms: int, received_us: int) -> Stamp:
        """Return when the sample with this uint32 counter was taken."""
        boot_ms += self._wrapped_ms
        if self._previous is not None:
            late = self._late(boot_ms, received_us)
            if late is not None:
                return late
        fell_back_ms = 0
        back_ms = self._last_boot_ms - boot_ms
        if back_ms > REBOOT_MS:
            if self._has_wrapped(boot_ms):
                self._wrapped_ms += COUNTER_MS
                boot_ms += COUNTER_MS
            else:
                fell_back_ms = back_ms
                boot_ms -= self._wrapped_ms
                self._begin_epoch(received_us)
        offset_us, estimated = self._offset_us(boot_ms, received_us)
        observed_us = self._told_us.get(boot_ms)
        if observed_us is None:
            observed_us = self._told_us[boot_ms] = self._monotonic_us(boot_ms, offset_us, received_us)
            if len(self._told_us) > TOLD_AT_MOST:
                del self._told_us[next(iter(self._told_us))]
        return Stamp(observed_us, self.epoch, boot_ms, estimated, fell_back_ms)

    def estimate(self, boot_ms: int, received_us: int) -> int | None:
        """Return when a sample with this counter was taken, learning nothing; None where it does not fit the epoch."""
        boot_ms += self._wrapped_ms
        if not self._envelope or not self._fits(boot_ms):
            return None
        return min(received_us, boot_ms * 1000 + self._envelope[0][1])

    def system_time(self, unix_us: int, boot_ms: int, received_us: int) -> Stamp:
        """Take a SYSTEM_TIME: a sample of the boot clock that may know UTC (`unix_us` below year 2001 does not)."""
        stamp = self.stamp(boot_ms, received_us)
        if unix_us > UTC_KNOWN_US and stamp.epoch == self.epoch:
            self._system_time = (unix_us - stamp.boot_ms * 1000, received_us)
        return stamp

    def _has_wrapped(self, boot_ms: int) -> bool:
        return (
            self._last_boot_ms - self._wrapped_ms > COUNTER_MS - WRAP_ZONE_MS
            and boot_ms - self._wrapped_ms < WRAP_ZONE_MS
        )

    def _begin_epoch(self, received_us: int) -> None:
        if self._envelope:
            self._previous = (self._envelope[0][1], self._last_boot_ms, received_us)
        self.epoch += 1
        self._wrapped_ms = 0
        self._last_boot_ms = -1
        self._last_observed_us = 0
        self._told_us.clear()
        self._envelope.clear()
        self._system_time = None

    def _late(self, boot_ms: int, received_us: int) -> Stamp | None:
        """Recognise a straggler of the epoch before, so that it does not look like one more boot."""
        if self._previous is None:
            return None
        offset_us, last_boot_ms, since_us = self._previous
        if received_us - since_us > LATE_FOR_US:
            self._previous = None
            return None
        observed_us = offset_us + boot_ms * 1000
        if abs(received_us - observed_us) > LATE_US or boot_ms > last_boot_ms + REBOOT_MS or self._fits(boot_ms):
            return None
        return Stamp(observed_us, self.epoch - 1, boot_ms, estimated=True, fell_back_ms=0)

    def _fits(self, boot_ms: int) -> bool:
        return abs(boot_ms - self._last_boot_ms) <= REBOOT_MS

    def _offset_us(self, boot_ms: int, received_us: int) -> tuple[int, bool]:
        envelope = self._envelope
        offset_us = received_us - boot_ms * 1000
        while envelope and envelope[-1][1] >= offset_us:
            envelope.pop()
        envelope.append((received_us, offset_us))
        while envelope[0][0] < received_us - WINDOW_US:
            envelope.popleft()
        lowest_us = envelope[0][1]
        if self._system_time is not None:
            told_us, at_us = self._system_time
            if at_us >= received_us - WINDOW_US and lowest_us - SANE_US < told_us <= lowest_us:
                return told_us, False
        return lowest_us, True

    def _monotonic_us(self, boot_ms: int, offset_us: int, received_us: int) -> int:
        observed_us = boot_ms * 1000 + offset_us
        ahead_ms = boot_ms - self._last_boot_ms
        if self._last_boot_ms < 0 or ahead_ms > 0:
            if self._last_boot_ms >= 0:
                slowed_us = min(self._last_observed_us + ahead_ms * 500, received_us)
                observed_us = max(observed_us, slowed_us, self._last_observed_us + 1)
            self._last_boot_ms, self._last_observed_us = boot_ms, observed_us
            return observed_us
        return max(observed_us, self._last_observed_us + ahead_ms * 1000)
