"""A recorded flight as a link: plays a .tlog by its own stamps, moved to now or kept in its time."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from infra.clock import Clock
from infra.logs import get_logger
from telemetry.links.link import LinkStatus, MakeDecoder, PeerStatus, Take
from telemetry.links.turns import merge
from telemetry.links.url import LinkUrl
from telemetry.model.commands import Command
from telemetry.model.decoding import Output, Peer
from telemetry.model.errors import FileFormatError, InputError, NotFoundError, SkybeatError
from telemetry.sources.mavlink.block import parse_tlog
from telemetry.sources.mavlink.columns import autopilots

STEP_S: Final = 0.05
LARGEST_FILE_BYTES: Final = 2 << 30
SLOWEST: Final = 0.1
FASTEST: Final = 100.0
_log: Final = get_logger("links")

Enrol = Callable[[str, int], Awaitable[None]]
"""Makes device and unit of a recorded vehicle, unless they are there: (link_group, system_id)."""


class Recording(msgspec.Struct, frozen=True):
    """A .tlog ready to be played: frames in order of time, when each was received, and which systems are vehicles."""

    frames: list[bytes]
    stamp_us: NDArray[np.int64]
    system_ids: tuple[int, ...]


class FileLink:
    """Plays one file once. Its rows bear Quality.REPLAYED; their times run from now on, or stay (`keep_time`).

    Moved times are paced as the playing is: at ten times the speed a second of the flight takes a tenth of one.
    """

    def __init__(
        self,
        url: LinkUrl,
        make_decoder: MakeDecoder,
        take: Take,
        clock: Clock,
        *,
        enrol: Enrol,
        speed: float = 1.0,
        keep_time: bool = False,
    ) -> None:
        if not SLOWEST <= speed <= FASTEST:
            raise InputError(f"the speed of a replay is {speed:g}: allowed are {SLOWEST:g} .. {FASTEST:g}")
        self._url = url
        self._make_decoder = make_decoder
        self._take = take
        self._clock = clock
        self._enrol = enrol
        self._speed = speed
        self._keep_time = keep_time
        self._recording: Recording | None = None
        self._state = "closed"
        self._last_error: str | None = None
        self._frames = self._bytes = self._positions = 0
        self._bad: Counter[str] = Counter()
        self._heard_us: int | None = None

    @property
    def url(self) -> LinkUrl:
        """What it was opened with."""
        return self._url

    async def open(self) -> None:
        """Read the file and enrol its vehicles. Raises InputError for a missing file, FileFormatError for a wrong one."""
        recording = await asyncio.to_thread(_read, self._url)
        for system_id in recording.system_ids:
            await self._enrol(self._url.link_group, system_id)
        self._recording = recording
        self._state = "playing"

    async def run(self) -> None:
        """Play to the end, or until cancelled."""
        try:
            if self._recording is None:
                await self.open()
            assert self._recording is not None
            await self._play(self._recording)
        except SkybeatError as error:
            self._state, self._last_error = "failed", str(error)
            _log.warning("replay_failed", link=str(self._url), reason=str(error))
        else:
            self._state = "finished"
            _log.info("replay_finished", link=str(self._url), rows=self._positions)

    def tick(self, now_us: int) -> None:
        """Do nothing: a recording's time is its own."""

    def send(self, command: Command, now_us: int) -> None:
        """Refuse: nobody listens in a recording."""
        del now_us  # it is refused at any time
        raise NotFoundError(f"device {command.device_id} is a recording: it takes no commands")

    def status(self) -> LinkStatus:
        """Return how far it has come."""
        return LinkStatus(
            url=str(self._url),
            link_group=self._url.link_group,
            state=self._state,
            protocol=self._url.protocol,
            transport=self._url.transport,
            datagrams=self._frames,
            bytes_received=self._bytes,
            positions=self._positions,
            peers=len(self._recording.system_ids) if self._recording else 0,
            bad=dict(self._bad),
            last_heard_us=self._heard_us,
            last_error=self._last_error,
        )

    def peers(self) -> list[PeerStatus]:
        """Return nobody: a recording has no peers."""
        return []

    def close(self) -> None:
        """Stop; what was played stays."""
        if self._state == "playing":
            self._state = "closed"

    async def _play(self, recording: Recording) -> None:
        decoder = self._make_decoder(Peer(transport="file", allow_unsigned=True, is_trusted=True))
        stamps = recording.stamp_us
        began_s, began_us, first_us = self._clock.monotonic_s(), self._clock.now_us(), int(stamps[0])
        place = 0
        while place < len(stamps) and self._state == "playing":
            played_us = int((self._clock.monotonic_s() - began_s) * self._speed * 1e6)
            end = int(stamps.searchsorted(first_us + played_us, side="right"))
            if end > place:
                outputs = [
                    decoder.feed(frame, at_us)
                    for frame, at_us in zip(recording.frames[place:end], stamps[place:end].tolist(), strict=True)
                ]
                outputs.append(decoder.tick(int(stamps[end - 1])))
                self._frames += end - place
                self._bytes += sum(len(frame) for frame in recording.frames[place:end])
                self._hand_over(merge(outputs), first_us, began_us)
                place = end
            await asyncio.sleep(STEP_S)

    def _hand_over(self, output: Output, first_us: int, began_us: int) -> None:
        now_us = self._clock.now_us()
        self._heard_us = now_us
        moved = output if self._keep_time else self._moved(output, first_us, began_us)
        self._positions += len(moved.batch)
        self._bad.update(moved.bad)
        self._take(_heard_at(moved, now_us), now_us)

    def _moved(self, output: Output, first_us: int, began_us: int) -> Output:
        """Return the output with the time of the recording's beginning moved to that of the playing's."""
        batch = output.batch.copy()
        batch["observed_us"] = began_us + ((batch["observed_us"] - first_us) / self._speed).astype(np.int64)
        events = tuple(
            msgspec.structs.replace(event, observed_us=began_us + int((event.observed_us - first_us) / self._speed))
            for event in output.events
        )
        return msgspec.structs.replace(output, batch=batch, events=events)


def _heard_at(output: Output, now_us: int) -> Output:
    batch = output.batch.copy()
    batch["received_us"] = now_us
    events: tuple[Any, ...] = tuple(
        msgspec.structs.replace(event, received_us=now_us, replayed=True) for event in output.events
    )
    return msgspec.structs.replace(output, batch=batch, events=events)


def _read(url: LinkUrl) -> Recording:
    try:
        if url.path.stat().st_size > LARGEST_FILE_BYTES:
            raise InputError(
                f"{url.path} is larger than {LARGEST_FILE_BYTES >> 30} GiB: cut it, or use `skybeat import`"
            )
        data = url.path.read_bytes()
    except OSError as error:
        raise InputError(
            f"the recording {str(url.path)!r} cannot be read ({error.strerror}): give a .tlog file"
        ) from error
    try:
        tlog = parse_tlog(data)
    except FileFormatError as error:
        raise FileFormatError(f"{url.path}: {error}") from error
    block, stamp_us = tlog
    order = np.argsort(stamp_us, kind="stable")
    frames = [block.frame(int(number)).raw for number in order]
    return Recording(frames=frames, stamp_us=stamp_us[order], system_ids=tuple(autopilots(tlog)))
