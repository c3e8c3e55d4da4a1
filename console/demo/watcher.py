"""A real client of the console: signs in by a link, opens the websocket, decodes frames and times them."""

import asyncio
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from websockets.asyncio.client import ClientConnection

from console.demo.api_client import ApiClient, say_hello
from console.wire import Frame, FrameKind, decode_frame
from infra.clock import Clock
from telemetry.model.unit_state import UnitStates

SAMPLES_AT_MOST: Final = 200_000


class Watcher:
    """Watches every unit as a browser would; `hear` is told each text.

    `first_delta` is set when the first delta with a placed unit is decoded; `latencies_ms` holds, for each fix that a delta
    brought, the time from our receiving it to its being decoded here (the picture of the same process tells the former).
    """

    def __init__(
        self, origin: str, clock: Clock, picture: Callable[[], UnitStates], hear: Callable[[str], None] = lambda _: None
    ) -> None:
        self._client = ApiClient(origin)
        self._hear = hear
        self._clock = clock
        self._picture = picture
        self.first_delta = asyncio.Event()
        self.latencies_ms: list[float] = []
        self.frames = 0
        self.errors: list[str] = []
        self._seen: dict[int, int] = {}
        self._started_us = clock.now_us()

    async def run(self, token: str) -> None:
        """Sign in and watch until cancelled. Raises UnavailableError when the console does not let us in."""
        await self._client.sign_in(token)
        async with self._client.socket() as socket:
            await say_hello(socket, rate_hz=5.0)
            await self._watch(socket)

    def p99_ms(self) -> float | None:
        """Return the 99th percentile of fix to decoded frame; None before the first."""
        return round(float(np.percentile(self.latencies_ms, 99)), 1) if self.latencies_ms else None

    async def _watch(self, socket: ClientConnection) -> None:
        async for message in socket:
            if isinstance(message, bytes):
                self._take(decode_frame(message))
            else:
                self._hear(message)

    def _take(self, frame: Frame) -> None:
        self.frames += 1
        if frame.kind is not FrameKind.DELTA:
            return
        ids, lat_e7, lon_e7 = (frame.columns[name] for name in ("unit_id", "lat_e7", "lon_e7"))
        self._time(ids, lat_e7, lon_e7)
        if not self.first_delta.is_set() and (lat_e7 > np.iinfo(np.int32).min).any():
            self.first_delta.set()

    def _time(self, ids: NDArray[np.int32], lat_e7: NDArray[np.int32], lon_e7: NDArray[np.int32]) -> None:
        """Time the fixes that are still the picture's newest; one that was replaced meanwhile cannot be told apart."""
        now_us, states = self._clock.now_us(), self._picture()
        order = np.argsort(states["unit_id"])
        places = np.searchsorted(states["unit_id"], ids, sorter=order)
        rows = states[order[np.minimum(places, len(order) - 1)]]
        same = (rows["unit_id"] == ids) & (rows["lat_e7"] == lat_e7) & (rows["lon_e7"] == lon_e7)
        for unit_id, received_us in zip(ids[same].tolist(), rows["received_us"][same].tolist(), strict=True):
            if self._seen.get(unit_id) != received_us and received_us >= self._started_us:
                self._seen[unit_id] = received_us
                self.latencies_ms.append((now_us - received_us) / 1000)
        del self.latencies_ms[:-SAMPLES_AT_MOST]
