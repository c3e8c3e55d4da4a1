"""The console's side of the MAVSDK process: started when it is needed, fed, asked, and started again when it died."""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from typing import Final

from console import process_pipe
from console.flight.protocol import PIPE, Act, Acted, Answer, Forget, Heard, Question, Send
from console.process_pipe import LENGTH
from infra.clock import Clock
from infra.logs import get_logger
from telemetry.model.commands import FlightAction
from telemetry.model.errors import FileFormatError, UnavailableError
from telemetry.model.vehicle_frames import VehicleFrame

ANSWERED_WITHIN_S: Final = 12.0
KNOWN_FOR_S: Final = 600.0
"""So long after its last action a drone's frames go on to the process: the next action then needs no discovery."""
UNREAD_BYTES: Final = 1 << 20
"""More than this the process is behind: frames are left out then, as the air itself does."""
_LOG: Final = get_logger("flight")

SendFrames = Callable[[int, bytes], None]
"""Sends frames of MAVSDK to a device; they are signed on the way."""


class MavsdkEngine:
    """MAVSDK in a process of its own: when it dies, that costs the actions that it was at, and the next one starts another."""

    def __init__(self, clock: Clock, send: SendFrames, *, module: str = "console.flight.process") -> None:
        self._clock = clock
        self._send = send
        self._module = module
        self._numbers = itertools.count(1)
        self._process: asyncio.subprocess.Process | None = None
        self._starting = asyncio.Lock()
        self._warming: asyncio.Task[asyncio.subprocess.Process] | None = None
        self._reading: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[Acted]] = {}
        self._known_until_s: dict[int, float] = {}
        self.left_out = 0
        """Pieces that were not handed on because the process was behind."""
        self.crashes = 0

    def forget_idle(self) -> None:
        """Let go of drones that nobody ordered anything for ten minutes."""
        now_s = self._clock.monotonic_s()
        for device_id in [device_id for device_id, until_s in self._known_until_s.items() if until_s < now_s]:
            del self._known_until_s[device_id]
            self._write(Forget(device_id))

    def hear(self, heard: Sequence[VehicleFrame]) -> None:
        """Take frames of drones; those of drones that it does not fly are passed over."""
        for device_id, _, data in heard if self._known_until_s else ():
            if device_id in self._known_until_s:
                self._write(Heard(device_id, data))

    def expect(self, device_id: int) -> None:
        """Begin to take a drone's frames, so that it is known when it is asked for something."""
        self._known_until_s[device_id] = self._clock.monotonic_s() + KNOWN_FOR_S
        if self._process is None and (self._warming is None or self._warming.done()):
            self._warming = asyncio.create_task(self._started(), name="mavsdk starts")

    async def act(
        self,
        device_id: int,
        action: FlightAction,
        *,
        lat_deg: float | None = None,
        lon_deg: float | None = None,
        alt_msl_m: float | None = None,
        alt_home_m: float | None = None,
        speed_mps: float | None = None,
        item: int | None = None,
    ) -> Acted:
        """Return how an action ended. Raises UnavailableError when MAVSDK died over it or does not answer within 12 s."""
        self.expect(device_id)
        process = await self._started()
        number = next(self._numbers)
        waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
        self._write(Act(number, device_id, action, lat_deg, lon_deg, alt_msl_m, alt_home_m, speed_mps, item))
        try:
            return await asyncio.wait_for(waiting, ANSWERED_WITHIN_S)
        except TimeoutError as error:
            if self._process is process:
                await process_pipe.kill(process)
            message = (
                f"MAVSDK did not answer within {ANSWERED_WITHIN_S:g} s and was started again: give the order again"
            )
            raise UnavailableError(message) from error
        finally:
            self._waiting.pop(number, None)

    async def stop(self) -> None:
        """End the process."""
        if self._warming is not None:
            await asyncio.gather(self._warming, return_exceptions=True)
        process, self._process = self._process, None
        if process is not None:
            await process_pipe.end(process)
        if self._reading is not None:
            await asyncio.wait((self._reading,))

    async def _started(self) -> asyncio.subprocess.Process:
        async with self._starting:
            if self._process is None:
                try:
                    process = self._process = await process_pipe.start(self._module)
                except OSError as error:
                    raise UnavailableError(f"MAVSDK's process cannot be started: {error}") from error
                self._reading = asyncio.create_task(self._read(process), name="mavsdk")
            return self._process

    def _write(self, question: Question) -> None:
        if self._process is None or self._process.stdin is None or self._process.stdin.is_closing():
            return
        if isinstance(question, Heard) and self._process.stdin.transport.get_write_buffer_size() > UNREAD_BYTES:
            self.left_out += 1
            return
        self._process.stdin.write(PIPE.framed(question))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        """Take what the process says until it ends; then tell those who wait."""
        assert process.stdout is not None
        try:
            while True:
                (length,) = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))
                self._take(PIPE.decode_answer(await process.stdout.readexactly(length)))
        except (OSError, EOFError, FileFormatError) as error:
            await self._lose(process, error)

    def _take(self, answer: Answer) -> None:
        match answer:
            case Send(device_id=device_id, data=data):
                self._send(device_id, data)
            case Acted(number=number):
                waiting = self._waiting.get(number)
                if waiting is not None and not waiting.done():
                    waiting.set_result(answer)

    async def _lose(self, process: asyncio.subprocess.Process, error: Exception) -> None:
        is_wanted = self._process is process
        if is_wanted:
            self._process = None
            self.crashes += 1
            _LOG.warning("mavsdk_lost", reason=type(error).__name__, actions=len(self._waiting))
        await process_pipe.kill(process)
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(
                    UnavailableError("MAVSDK ended over this action: give the order again, it was started anew")
                )
