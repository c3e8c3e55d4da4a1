"""The demo's bodycams: GB/T 28181 cameras that register, keep alive and report to whoever subscribed, by UDP."""

import asyncio
from typing import Final, cast

from console.demo.phone_client import Sighting
from infra.clock import Clock
from telemetry.sources.gb28181.camera import Camera, CameraFix, CameraPlan

TICK_S: Final = 0.25
STARTS_A_TICK: Final = 10
"""So many begin at once: a shift does not switch on all its cameras in one moment."""
NORTH_DEG: Final = 2.5e-5
"""A bodycam's own receiver sees the officer a few metres from where the phone does."""
ALT_MSL_M: Final = 1520.0


class Bodycam(asyncio.DatagramProtocol):
    """One camera on a socket of its own."""

    def __init__(self, plan: CameraPlan, clock: Clock) -> None:
        self._plan = plan
        self._clock = clock
        self._camera: Camera | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self._known = self._sent = 0

    @property
    def sent_count(self) -> int:
        """Positions that it was given."""
        return self._sent

    @property
    def accepted_count(self) -> int:
        """Positions that the server answered with 200."""
        if self._camera is not None:
            self._known += len(self._camera.take_acknowledged())
        return self._known

    @property
    def is_on(self) -> bool:
        """Tell whether it has begun."""
        return self._camera is not None

    async def open(self, host: str, port: int) -> None:
        """Open the socket and register."""
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, remote_addr=(host, port))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Register under the address of the socket."""
        self._transport = cast(asyncio.DatagramTransport, transport)  # in fact one, though not by its class in 3.11
        local_host, local_port = transport.get_extra_info("sockname")[:2]
        plan = CameraPlan(
            address=self._plan.address,
            password=self._plan.password,
            server_id=self._plan.server_id,
            realm=self._plan.realm,
            local_host=local_host,
            local_port=local_port,
            seed=self._plan.seed,
        )
        self._camera = Camera(plan)
        self._say(self._camera.start(self._clock.now_us()))

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        """Answer the server."""
        del addr  # the socket is connected
        if self._camera is not None:
            self._say(self._camera.feed(data, self._clock.now_us()))

    def error_received(self, exc: Exception) -> None:
        """Go on: nobody listens at the moment."""
        del exc  # the camera says it again

    def report(self, sighting: Sighting) -> None:
        """Say where the officer is."""
        if self._camera is None:
            return
        self._sent += 1
        now_us = self._clock.now_us()
        fix = CameraFix(
            observed_us=now_us // 1_000_000 * 1_000_000,
            lat_deg=sighting.lat_deg + NORTH_DEG,
            lon_deg=sighting.lon_deg,
            speed_mps=sighting.speed_mps,
            course_deg=sighting.course_deg or 0.0,
            alt_msl_m=ALT_MSL_M,
        )
        self._say(self._camera.report([fix], now_us))

    def tick(self) -> None:
        """Do what time asks for."""
        if self._camera is not None:
            self._say(self._camera.tick(self._clock.now_us()))

    def close(self) -> None:
        """Unregister and close the socket."""
        if self._camera is not None and self._transport is not None:
            self._say(self._camera.leave(self._clock.now_us()))
            self._transport.close()

    def _say(self, messages: list[bytes]) -> None:
        for message in messages:
            if self._transport is not None and not self._transport.is_closing():
                self._transport.sendto(message)


async def keep(bodycams: list[Bodycam], host: str, port: int) -> None:
    """Switch the bodycams on, some at a time, and let them do what time asks for, until cancelled."""
    waiting = list(bodycams)
    while True:
        for bodycam in waiting[:STARTS_A_TICK]:
            await bodycam.open(host, port)
        del waiting[:STARTS_A_TICK]
        for bodycam in bodycams:
            bodycam.tick()
        await asyncio.sleep(TICK_S)
