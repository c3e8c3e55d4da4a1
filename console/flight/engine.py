"""The console's side of the MAVSDK process: started when it is needed, fed, asked, and started again when it died."""

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from console import process_pipe
from console.flight.protocol import DISCOVERED_WITHIN_S, PIPE, Act, Acted, Answer, Forget, Heard, Question, Ready, Send
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


class _Asked(NamedTuple):
    """An action that a process was asked for."""

    process: asyncio.subprocess.Process
    device_id: int
    acted: asyncio.Future[Acted]


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
        self._is_ready = False
        self._waiting: dict[int, _Asked] = {}
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
        within_s: float | None = None,
        lat_deg: float | None = None,
        lon_deg: float | None = None,
        alt_msl_m: float | None = None,
        alt_home_m: float | None = None,
        speed_mps: float | None = None,
        item: int | None = None,
    ) -> Acted:
        """Return how an action ended. Raises UnavailableError when MAVSDK died over it or does not answer in time.

        `within_s` is of what must not wait (None: 12 s): it is not asked of a process that is only just starting, nor does it
        wait long for the drone to be discovered. What was not answered in time is not done later: that process is ended.
        """
        self.expect(device_id)
        if within_s is not None and not self._is_ready:
            raise UnavailableError("MAVSDK is only just starting")
        process = await self._started()
        number, limit_s = next(self._numbers), ANSWERED_WITHIN_S if within_s is None else within_s
        acted = asyncio.get_running_loop().create_future()
        self._waiting[number] = _Asked(process, device_id, acted)
        discover_s = min(DISCOVERED_WITHIN_S, limit_s / 3.0)
        self._write(
            Act(number, device_id, action, lat_deg, lon_deg, alt_msl_m, alt_home_m, speed_mps, item, discover_s)
        )
        try:
            return await asyncio.wait_for(acted, limit_s)
        except TimeoutError as error:
            self._drop(process)
            message = f"MAVSDK did not answer within {limit_s:g} s"
            raise UnavailableError(message) from error
        finally:
            self._waiting.pop(number, None)

    def give_up(self, device_id: int) -> None:
        """Give up what the process is at for a drone: nothing of it reaches the drone any more."""
        for asked in [one for one in self._waiting.values() if one.device_id == device_id]:
            if not asked.acted.done():
                asked.acted.set_exception(UnavailableError("given up for a newer order"))
            self._drop(asked.process)

    async def stop(self) -> None:
        """End the process."""
        if self._warming is not None:
            await asyncio.gather(self._warming, return_exceptions=True)
        process, self._process = self._process, None
        reading = self._reading
        if process is not None:
            await process_pipe.end(process)
        if reading is not None:
            await asyncio.wait((reading,))

    async def _started(self) -> asyncio.subprocess.Process:
        async with self._starting:
            if self._process is None:
                try:
                    process = self._process = await process_pipe.start(self._module)
                except OSError as error:
                    raise UnavailableError(f"MAVSDK's process cannot be started: {error}") from error
                self._is_ready = False
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
                self._take(process, PIPE.decode_answer(await process.stdout.readexactly(length)))
        except (OSError, EOFError, FileFormatError) as error:
            await self._lose(process, error)

    def _take(self, process: asyncio.subprocess.Process, answer: Answer) -> None:
        if self._process is not process:
            return  # what it was asked was given up: it shall reach no drone any more
        match answer:
            case Ready():
                self._is_ready = True
            case Send(device_id=device_id, data=data):
                self._send(device_id, data)
            case Acted(number=number):
                asked = self._waiting.get(number)
                if asked is not None and not asked.acted.done():
                    asked.acted.set_result(answer)

    def _drop(self, process: asyncio.subprocess.Process) -> None:
        """End a process at once; whoever reads it tells the others that wait for it."""
        if self._process is process:
            self._process = None
            self._is_ready = False
            _LOG.warning("mavsdk_given_up", actions=len(self._waiting))
        with contextlib.suppress(ProcessLookupError):
            process.kill()

    async def _lose(self, process: asyncio.subprocess.Process, error: Exception) -> None:
        waiting = [one.acted for one in self._waiting.values() if one.process is process]
        if self._process is process:
            self._process = None
            self._is_ready = False
            self.crashes += 1
            _LOG.warning("mavsdk_lost", reason=type(error).__name__, actions=len(waiting))
        for acted in waiting:
            if not acted.done():
                acted.set_exception(UnavailableError("MAVSDK ended over this action"))
        await process_pipe.kill(process)
