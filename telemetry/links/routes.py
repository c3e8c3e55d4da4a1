"""By which peer each device is reached: the newest that proved to be it; an older one that no device is left to goes."""

from collections.abc import Callable, Iterable
from typing import Final, Protocol

from telemetry.rate_limit import RateLimit

PROOFS_PER_S: Final = 0.5
PROOFS_AT_ONCE: Final = 30
"""So often may one device prove itself by another peer: two with one identity would take it from each other for ever."""


class Reached(Protocol):
    """A peer as the routes see it."""

    devices: set[int]

    def cut(self, reason: str) -> None:
        """Let the peer go at once."""


class Routes:
    """Shared by all links of a bridge, since a device may come back by another one."""

    def __init__(self) -> None:
        self._by_device: dict[int, Reached] = {}
        self._proofs = RateLimit(PROOFS_PER_S, PROOFS_AT_ONCE)
        self.on_arrival: Callable[[int], None] | None = None
        """Told of every device that came by a new peer, after its own replies of that turn."""

    def __len__(self) -> int:
        """Return how many devices are reached."""
        return len(self._by_device)

    def of(self, device_id: int) -> Reached | None:
        """Return the newest peer that proved to be the device, None when there is none."""
        return self._by_device.get(device_id)

    def prove(self, peer: Reached, device_ids: Iterable[int], now_s: float) -> bool:
        """Let devices be reached by this peer from now on; tell whether it may stay.

        An older peer that is left without any device is cut. A peer whose device came by a new one far too often may not stay.
        """
        for device_id in device_ids:
            older = self._by_device.get(device_id)
            if older is peer:
                continue
            if not self._proofs.take(str(device_id), now_s):
                return False
            self._by_device[device_id] = peer
            peer.devices.add(device_id)
            if older is not None:
                older.devices.discard(device_id)
                if not older.devices:
                    older.cut("newer_connection")
            if self.on_arrival is not None:
                self.on_arrival(device_id)
        return True

    def forget(self, peer: Reached) -> None:
        """Let no device be reached by this peer any more."""
        for device_id in peer.devices:
            if self._by_device.get(device_id) is peer:
                del self._by_device[device_id]
        peer.devices.clear()
