"""The UDP socket over which one demo drone speaks with the ground."""

import asyncio
from typing import Any, cast

from console.demo.drones import DockedDrone
from infra.clock import SYSTEM_CLOCK


class DroneLink(asyncio.DatagramProtocol):
    """One drone's socket."""

    def __init__(self, drone: DockedDrone) -> None:
        self.drone = drone
        self.refused = 0
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to send."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:  # noqa: ANN401, ARG002 - asyncio's signature
        """Answer what the ground asks."""
        self.send(self.drone.hear(data, SYSTEM_CLOCK.now_us()))

    def error_received(self, exc: Exception) -> None:  # noqa: ARG002 - asyncio's signature
        """Count that nobody listens."""
        self.refused += 1

    def send(self, data: bytes) -> None:
        """Send a datagram; nothing for no bytes."""
        if data and self._transport is not None:
            self._transport.sendto(data)

    def close(self) -> None:
        """Close the socket."""
        if self._transport is not None:
            self._transport.close()
