"""What any peer may ask of us: connections of a host and in all, how soon it must prove itself, how fast it may speak."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

import msgspec

from infra.http_guard import connections_at_most
from telemetry.model.errors import InputError
from telemetry.rate_limit import RateLimit

CONNECTIONS_AT_MOST: Final = 8_000
PER_HOST_AT_MOST: Final = 4_000
"""A host may be a carrier's gateway with a whole fleet behind it."""
NEW_PER_HOST_PER_S: Final = 100.0
NEW_PER_HOST_AT_ONCE: Final = 2_000
PROVE_WITHIN_US: Final = 30_000_000
FRAME_WITHIN_US: Final = 15_000_000
FRAME_BYTES_AT_MOST: Final = 64 * 1024
SILENT_AT_MOST_US: Final = 900_000_000
"""A half-open connection is found by the kernel's probes within minutes; this is for those that a gateway keeps alive."""
UNREAD_BYTES_AT_MOST: Final = 512 * 1024
UNREAD_WITHIN_US: Final = 20_000_000
"""How much, and how long, may wait for a peer that does not read."""
DEVICE_BYTES_PER_S: Final = 1 << 20
DEVICE_BYTES_AT_ONCE: Final = 8 << 20
"""What one device may send in the long run and at once, on a connection that can be told to wait."""
STRANGER_BYTES_PER_S: Final = 16 * 1024
STRANGER_BYTES_AT_ONCE: Final = 256 * 1024


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The bounds of one link; times are microseconds."""

    connections: int = CONNECTIONS_AT_MOST
    per_host: int = PER_HOST_AT_MOST
    new_per_host_per_s: float = NEW_PER_HOST_PER_S
    new_per_host_at_once: int = NEW_PER_HOST_AT_ONCE
    prove_within_us: int = PROVE_WITHIN_US
    frame_within_us: int = FRAME_WITHIN_US
    frame_bytes: int = FRAME_BYTES_AT_MOST
    silent_us: int = SILENT_AT_MOST_US
    unread_bytes: int = UNREAD_BYTES_AT_MOST
    unread_within_us: int = UNREAD_WITHIN_US
    device_bytes_per_s: int = DEVICE_BYTES_PER_S


def limits_of(options: Mapping[str, str]) -> Limits:
    """Return the limits that a link URL's options `connections`, `per_host` and `pace` (bytes a second and device) ask for.

    There are never more connections than files that the system lets this process open. Raises InputError.
    """
    connections = connections_at_most(_count(options, "connections", CONNECTIONS_AT_MOST))
    return Limits(
        connections=connections,
        per_host=min(connections, _count(options, "per_host", PER_HOST_AT_MOST)),
        device_bytes_per_s=_count(options, "pace", DEVICE_BYTES_PER_S),
    )


class Door:
    """Counts who is in: connections in all and by host, and how often a host comes."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._by_host: Counter[str] = Counter()
        self._arrivals = RateLimit(limits.new_per_host_per_s, limits.new_per_host_at_once)
        self.count = 0

    @property
    def is_full(self) -> bool:
        """Tell whether one must go before another may come."""
        return self.count >= self._limits.connections

    def is_crowded(self, host: str) -> bool:
        """Tell whether one of this host must go before another of it may come."""
        return self._by_host[host] >= self._limits.per_host

    def knock(self, host: str, now_s: float) -> bool:
        """Count an arrival; tell whether the host does not come too often."""
        return self._arrivals.take(host, now_s)

    def enter(self, host: str) -> None:
        """Count one in."""
        self.count += 1
        self._by_host[host] += 1

    def leave(self, host: str) -> None:
        """Count one out."""
        self.count -= 1
        self._by_host[host] -= 1
        if not self._by_host[host]:
            del self._by_host[host]


class Pace:
    """How many bytes a peer may still send at once; it refills with time, faster for who proved to be more devices."""

    __slots__ = ("_at_us", "_debt_bytes", "_per_s")

    def __init__(self, now_us: int, device_bytes_per_s: int) -> None:
        self._at_us = now_us
        self._debt_bytes = 0.0
        self._per_s = device_bytes_per_s

    def wait_us(self, byte_count: int, device_count: int, now_us: int) -> int:
        """Count bytes in; return for how long nothing more should be read (0: go on)."""
        per_s = self._per_s * device_count if device_count else STRANGER_BYTES_PER_S
        at_once = DEVICE_BYTES_AT_ONCE * device_count if device_count else STRANGER_BYTES_AT_ONCE
        elapsed_us, self._at_us = max(0, now_us - self._at_us), now_us
        self._debt_bytes = max(0.0, self._debt_bytes - elapsed_us * per_s / 1e6) + byte_count
        over_bytes = self._debt_bytes - at_once
        return 0 if over_bytes <= 0 else 1 + int(over_bytes / per_s * 1e6)


def _count(options: Mapping[str, str], name: str, default: int) -> int:
    text = options.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 1 << 30:
        raise InputError(f"the option {name}={text} of a link: give a whole number 1 .. {1 << 30}")
    return int(text)
