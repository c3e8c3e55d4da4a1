"""A terminal of a car on a real TCP connection: it registers until it is let in, reports, and keeps what it was told."""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from infra.clock import Clock
from telemetry.sources.jt808.terminal import Order, Terminal, TerminalFix

AGAIN_S: Final = 0.5
REPORTS_EVERY_S: Final = 1.0
READS_AT_MOST: Final = 65_536


class RoadTerminal:
    """Use as an async context; while inside it tries to register, and reports `place` once a second when it may."""

    def __init__(self, phone: str, host: str, port: int, *, place: tuple[float, float], clock: Clock) -> None:
        self._terminal = Terminal(phone, plate="甘A00001警", maker="E2E")
        self._door = host, port
        self._place = place
        self._clock = clock
        self._task: asyncio.Task[None] | None = None
        self.alarm_bits = 0
        self.acknowledged_count = 0
        self.orders: list[Order] = []

    async def __aenter__(self) -> Self:
        """Begin."""
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up."""
        assert self._task is not None
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        while True:
            with suppress(OSError):
                await self._call()
            await asyncio.sleep(AGAIN_S)

    async def _call(self) -> None:
        """Stay on one connection until the platform ends it, or lets us wait for a registration."""
        reader, writer = await asyncio.open_connection(*self._door)
        reports = asyncio.create_task(self._report(writer))
        try:
            writer.write(self._terminal.connect())
            while data := await reader.read(READS_AT_MOST):
                heard = self._terminal.feed(data)
                writer.write(heard.data)
                self.acknowledged_count += len(heard.acknowledged)
                self.orders += heard.orders
                if self._terminal.counts.pop("registration_refused", 0):
                    return
        finally:
            reports.cancel()
            writer.close()

    async def _report(self, writer: asyncio.StreamWriter) -> None:
        while True:
            if self._terminal.is_ready:
                lat_deg, lon_deg = self._place
                fix = TerminalFix(
                    lat_deg=lat_deg,
                    lon_deg=lon_deg,
                    observed_us=self._clock.now_us() // 1_000_000 * 1_000_000,
                    alt_msl_m=1520.0,
                    alarm_bits=self.alarm_bits,
                )
                writer.write(self._terminal.position(fix).data)
            await asyncio.sleep(REPORTS_EVERY_S)
