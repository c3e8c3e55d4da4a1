"""What links need around them in tests: a keeper in memory that refuses, stalls and fails when told to, and a decoder of lines."""

import asyncio
import time
from collections.abc import Callable

import numpy as np

from infra.clock import SYSTEM_CLOCK, Clock
from infra.journal import JournalFailedError, JournalFullError
from telemetry.links.link import LinkContext, MakeDecoder
from telemetry.links.routes import Routes
from telemetry.links.tap import RawChunk
from telemetry.model.batch import Batch, new_batch
from telemetry.model.commands import Command, SendText
from telemetry.model.decoding import NOTHING, Output, Peer, Promise, Reply
from telemetry.model.errors import NotFoundError


class FakeKeeper:
    """Takes turns in memory; `gate` holds the disk."""

    def __init__(self) -> None:
        self.turns: list[Output] = []
        self.acknowledged: list[bool] = []
        self.is_full = False
        self.has_failed = False
        self.gate = asyncio.Event()
        self.gate.set()

    def keep_turn(self, output: Output, now_us: int, *, protocol: str, acknowledged: bool) -> int | None:
        assert now_us > 0
        assert protocol
        if self.is_full:
            message = "the journal is full: 9 bytes of 9"
            raise JournalFullError(message)
        if self.has_failed:
            message = "the disk failed"
            raise JournalFailedError(message)
        self.turns.append(output)
        self.acknowledged.append(acknowledged)
        return len(self.turns) if len(output.batch) or output.events else None

    async def durable(self, sequence: int) -> None:
        assert sequence >= 0
        await self.gate.wait()
        if self.has_failed:
            message = "the disk failed"
            raise JournalFailedError(message)

    def has_room(self, byte_count: int = 0) -> bool:  # noqa: ARG002 - the real one
        return not self.is_full and not self.has_failed

    @property
    def rows(self) -> Batch:
        return np.concatenate([new_batch(0), *(turn.batch for turn in self.turns)])


class LineDecoder:
    """Lines: "i am N" proves device N, "at N" is a position of it with a durable answer, "bye" ends, "# ..." is nothing, "crash" is a mistake of ours, others are echoed at once."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.waiting = b""
        self.device_id: int | None = None

    @property
    def begun_bytes(self) -> int:
        return len(self.waiting)

    def feed(self, data: bytes, now_us: int) -> Output:
        *lines, self.waiting = (self.waiting + data).split(b"\n")
        rows, replies, proven, close = [], [], [], None
        for line in lines:
            word, _, rest = line.partition(b" ")
            if line.startswith(b"i am "):
                self.device_id = int(line[5:])
                proven.append(self.device_id)
                replies.append(Reply(b"hello\n"))
            elif word == b"at":
                rows.append(int(rest))
                replies.append(Reply(b"kept " + rest + b"\n", Promise.DURABLE, b"not kept " + rest + b"\n"))
            elif word == b"bye":
                close = "it said good-bye"
                replies.append(Reply(b"bye\n"))
            elif line == b"crash":
                message = "a mistake of ours"
                raise ZeroDivisionError(message)
            elif not line.startswith(b"#"):
                replies.append(Reply(b"echo " + line + b"\n"))
        batch = new_batch(len(rows))
        batch["device_id"] = self.device_id or 0
        batch["observed_us"], batch["received_us"], batch["lat_e7"] = now_us, now_us, rows
        return Output(batch=batch, replies=tuple(replies), proven=tuple(proven), close=close)

    def tick(self, now_us: int) -> Output:
        assert now_us > 0
        return NOTHING

    def send(self, command: Command, now_us: int) -> Output:
        assert now_us > 0
        if command.device_id != self.device_id:
            message = f"device {command.device_id} is not here"
            raise NotFoundError(message)
        said = command.text if isinstance(command, SendText) else type(command).__name__
        return Output(replies=(Reply(f"do {said}\n".encode()),))


def context_of(
    keeper: FakeKeeper,
    make_decoder: MakeDecoder = LineDecoder,
    *,
    clock: Clock = SYSTEM_CLOCK,
    tapped: list[RawChunk] | None = None,
) -> LinkContext:
    """Return what a link is made with, with routes of its own."""
    tap = None if tapped is None else tapped.append
    return LinkContext(keeper=keeper, clock=clock, make_decoder=make_decoder, routes=Routes(), tap=tap)


async def eventually(condition: Callable[[], bool], *, within_s: float = 5.0) -> None:
    """Wait until it is true."""
    end_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end_s, "it did not come true in time"
        await asyncio.sleep(0.01)
