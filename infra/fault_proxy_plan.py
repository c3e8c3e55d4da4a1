"""Which faults a line has and when, and what becomes of each piece that crosses it: one seed, no socket, no clock."""

import math
import random
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

SEGMENT_BYTES: Final = 1_024
"""A stream's fate is decided anew after so many bytes, however they arrive: so the same seed has the same faults."""
REORDERED_BY_S: Final = 0.05
QUEUE_S: Final = 1.0
"""A datagram that would wait longer than this for a narrow line is dropped, as a router's queue does it."""
LONGEST_S: Final = 3_600.0
_FORM: Final = re.compile(r"(?P<value>[\d.]+)(?:@(?P<start>[\d.]+)-(?P<end>[\d.]*)(?:/(?P<every>[\d.]+))?)?")


class Line(StrEnum):
    """What a line carries: datagrams (udp) or a stream of bytes (tcp)."""

    UDP = "udp"
    TCP = "tcp"


class Span(NamedTuple):
    """A value and when it holds: seconds from `start_s` until `end_s`, again every `every_s` seconds (0: once)."""

    value: float
    start_s: float = 0.0
    end_s: float = math.inf
    every_s: float = 0.0

    def holds(self, elapsed_s: float) -> bool:
        """Tell whether it holds so long after the proxy's start."""
        at_s = elapsed_s % self.every_s if self.every_s else elapsed_s
        return self.start_s <= at_s < self.end_s


class Rate(NamedTuple):
    """One fault's value over time; 0 outside its spans, the largest where they overlap."""

    spans: tuple[Span, ...] = ()

    def at(self, elapsed_s: float) -> float:
        """Return the value so long after the proxy's start."""
        return max((span.value for span in self.spans if span.holds(elapsed_s)), default=0.0)


NEVER: Final = Rate()


def always(value: float) -> Rate:
    """Return a rate that never changes."""
    return Rate((Span(value),))


def parse_rate(texts: Iterable[str], *, highest: float) -> Rate:
    """Return the rate of texts as `0.1`, `0.1@10-20` (seconds 10 to 20), `0.1@10-20/60` (of every minute), `0.1@10-`.

    Raises ValueError: what, value, allowed (0 .. `highest`).
    """
    return Rate(tuple(_parse_span(text, highest) for text in texts))


def _parse_span(text: str, highest: float) -> Span:
    match = _FORM.fullmatch(text.strip())
    try:
        if match is None:
            raise ValueError(text)  # noqa: TRY301 - one message for all that cannot be read
        start_s, every_s = float(match["start"] or 0), float(match["every"] or 0)
        span = Span(float(match["value"]), start_s, float(match["end"] or math.inf), every_s)
    except ValueError as error:
        raise ValueError(f"{text[:40]!r} is no rate: give 0.1, 0.1@10-20 or 0.1@10-20/60 (seconds)") from error
    if not 0 <= span.value <= highest:
        raise ValueError(f"{text[:40]!r}: {span.value:g} is out of range, allowed are 0 .. {highest:g}")
    if span.end_s <= span.start_s or (span.every_s and span.every_s < min(span.end_s, LONGEST_S)):
        raise ValueError(f"{text[:40]!r}: the time must end after it begins and before it comes again")
    return span


@dataclass(frozen=True, kw_only=True)
class Faults:
    """What is wrong with a line; every one a rate over time.

    Parts 0 .. 1 of pieces (datagrams; of a stream every SEGMENT_BYTES): `loss`, `doubling`, `reordering`, `corruption` (one bit
    turns), `reset` (TCP: both ends get a reset; UDP: a new port, as an address translator gives after a while). `half_open` is the
    part of connections that fall silent without being closed. A stream keeps its order, so it is neither doubled nor reordered.
    """

    loss: Rate = NEVER
    doubling: Rate = NEVER
    reordering: Rate = NEVER
    corruption: Rate = NEVER
    reset: Rate = NEVER
    half_open: Rate = NEVER
    delay_s: Rate = NEVER
    jitter_s: Rate = NEVER
    bytes_per_s: Rate = NEVER
    """0 is a line without a limit."""


class Crossing(NamedTuple):
    """A piece that leaves at `due_s` (seconds since the proxy's start); `is_reset` cuts the line then instead."""

    due_s: float
    data: bytes
    is_reset: bool = False


class _Fate(NamedTuple):
    """The draws of one piece. All are made for each piece, so that one rate's change leaves every other decision as it is."""

    loss_share: float
    doubling_share: float
    reordering_share: float
    corruption_share: float
    reset_share: float
    jitter_share: float
    place_share: float
    bit_share: float


@dataclass
class Lane:
    """One direction of one connection. `number` tells connections apart, `direction` the two lanes of one."""

    faults: Faults
    line: Line
    seed: int
    number: int
    direction: str
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._random = random.Random(f"{self.seed}/{self.number}/{self.direction}")  # noqa: S311 - faults, not secrets
        self._silence = random.Random(f"{self.seed}/{self.number}/silence").random()  # noqa: S311 - as above
        self._fate = self._draw()
        self._offset = 0
        self._free_s = 0.0
        self._last_due_s = 0.0

    def is_silent(self, elapsed_s: float) -> bool:
        """Tell whether the connection is half-open now: what is read is not passed on, and nobody is told."""
        return self._silence < self.faults.half_open.at(elapsed_s)

    def cross(self, data: bytes, elapsed_s: float) -> list[Crossing]:
        """Return what becomes of a datagram, or of the next bytes of a stream."""
        self.counts["pieces"] += 1
        self.counts["bytes"] += len(data)
        if self.line is Line.UDP:
            self._fate = self._draw()
            return self._cross_datagram(data, elapsed_s)
        crossings: list[Crossing] = []
        while data:
            if self._offset == SEGMENT_BYTES:
                self._offset, self._fate = 0, self._draw()
            part, data = data[: SEGMENT_BYTES - self._offset], data[SEGMENT_BYTES - self._offset :]
            crossings += self._cross_segment(part, elapsed_s)
            self._offset += len(part)
        return crossings

    def _cross_datagram(self, data: bytes, elapsed_s: float) -> list[Crossing]:
        faults, fate = self.faults, self._fate
        if self.is_silent(elapsed_s) or self._happens("loss", fate.loss_share, faults.loss, elapsed_s):
            return []
        due_s = self._due_s(len(data), elapsed_s)
        if due_s is None:
            return []
        if self._happens("reordering", fate.reordering_share, faults.reordering, elapsed_s):
            due_s += REORDERED_BY_S
        sent = Crossing(due_s, self._turned(data, int(fate.place_share * len(data)), elapsed_s))
        crossings = [sent]
        if self._happens("doubling", fate.doubling_share, faults.doubling, elapsed_s):
            crossings.append(sent._replace(due_s=due_s + REORDERED_BY_S * fate.place_share))
        if self._happens("reset", fate.reset_share, faults.reset, elapsed_s):
            crossings.append(Crossing(due_s, b"", is_reset=True))
        return crossings

    def _cross_segment(self, data: bytes, elapsed_s: float) -> list[Crossing]:
        fate, is_first = self._fate, self._offset == 0
        if fate.loss_share < self.faults.loss.at(elapsed_s):
            self.counts["loss"] += is_first
            return []
        due_s = self._due_s(len(data), elapsed_s)
        assert due_s is not None
        due_s = self._last_due_s = max(due_s, self._last_due_s)
        if is_first and self._happens("reset", fate.reset_share, self.faults.reset, elapsed_s):
            return [Crossing(due_s, b"", is_reset=True)]
        return [Crossing(due_s, self._turned(data, int(fate.place_share * SEGMENT_BYTES) - self._offset, elapsed_s))]

    def _draw(self) -> _Fate:
        return _Fate(*(self._random.random() for _ in _Fate._fields))

    def _happens(self, name: str, draw_share: float, rate: Rate, elapsed_s: float) -> bool:
        if draw_share >= rate.at(elapsed_s):
            return False
        self.counts[name] += 1
        return True

    def _due_s(self, byte_count: int, elapsed_s: float) -> float | None:
        """Return when so many bytes are through; None for a datagram that finds the line's queue full."""
        delay_s = self.faults.delay_s.at(elapsed_s) + self._fate.jitter_share * self.faults.jitter_s.at(elapsed_s)
        bytes_per_s = self.faults.bytes_per_s.at(elapsed_s)
        if not bytes_per_s:
            return elapsed_s + delay_s
        free_s = max(self._free_s, elapsed_s)
        if self.line is Line.UDP and free_s - elapsed_s > QUEUE_S:
            self.counts["queue_full"] += 1
            return None
        self._free_s = free_s + byte_count / bytes_per_s
        return self._free_s + delay_s

    def _turned(self, data: bytes, place: int, elapsed_s: float) -> bytes:
        """Return the bytes with one bit turned, when this piece is to be corrupted and `place` is within it."""
        if not 0 <= place < len(data) or not self._happens(
            "corruption", self._fate.corruption_share, self.faults.corruption, elapsed_s
        ):
            return data
        changed = bytearray(data)
        changed[place] ^= 1 << int(self._fate.bit_share * 8)
        return bytes(changed)
