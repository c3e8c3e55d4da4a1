"""NMEA 0183 of a receiver on a serial line or socket: the sentences of one moment become one position."""

from collections import Counter
from typing import Final

from telemetry.model.commands import Command
from telemetry.model.decoding import NOTHING, Output, Peer, SourceContext
from telemetry.model.errors import InputError
from telemetry.model.fix import Fix, as_read
from telemetry.model.group_device import GroupDevice, group_enrolment
from telemetry.model.reading import Read, ReadError, ReadMessage
from telemetry.sources.nmea.epoch import READ, TIMED, Epoch, moment_of
from telemetry.sources.nmea.sentence import ChecksumError, LineReader, Sentence, parse

PROTOCOL: Final = "nmea"
ENROLMENT: Final = group_enrolment(PROTOCOL)
QUIET_US: Final = 200_000
"""After so long without a sentence an epoch has ended: receivers write theirs in one burst."""
SILENT: Final = frozenset({"GSV", "GST", "GRS", "GBS", "TXT", "DTM"})
"""What every receiver says beside its place and nobody needs; anything else that is not read (AIS, depths) is counted."""


class NmeaSource:
    """What the receivers of one link group share: the device that they speak as."""

    def __init__(self, context: SourceContext) -> None:
        self._context = context

    def decoder(self, peer: Peer) -> "NmeaDecoder":
        """Return a decoder for one line or connection."""
        return NmeaDecoder(self._context, peer)


class NmeaDecoder:
    """One stream of sentences. NMEA names nobody: whoever speaks on the link group is its device."""

    def __init__(self, context: SourceContext, peer: Peer) -> None:
        self._device = GroupDevice(PROTOCOL, context, peer)
        self._lines = LineReader()
        self._epoch: Epoch | None = None
        self._told_us: int | None = None
        self._heard_us = 0

    @property
    def begun_bytes(self) -> int:
        """Return how many bytes of a line have come that has not ended."""
        return self._lines.begun_bytes

    def feed(self, data: bytes, now_us: int) -> Output:
        """Take a piece of the stream: a fix leaves as soon as its moment is whole, or the next one begins."""
        bad: Counter[str] = Counter()
        fixes: list[Fix] = []
        overlong = self._lines.overlong
        has_spoken = False
        for line in self._lines.feed(data):
            try:
                sentence = parse(line)
            except ChecksumError:
                bad["checksum"] += 1
            except InputError:
                bad["framing"] += 1
            else:
                has_spoken = True
                self._take(sentence, fixes, bad, now_us)
        bad["overlong"] += self._lines.overlong - overlong
        return self._device.output(fixes, now_us, bad=bad, has_spoken=has_spoken)

    def tick(self, now_us: int) -> Output:
        """End an epoch that nobody adds to any more."""
        if self._epoch is None or 0 <= now_us - self._heard_us < QUIET_US:
            return NOTHING
        fixes: list[Fix] = []
        self._end(fixes, now_us)
        return self._device.output(fixes, now_us, bad=Counter())

    def send(self, command: Command, now_us: int) -> Output:
        """Refuse: a receiver takes no orders of ours."""
        del now_us
        raise InputError(f"NMEA has no {type(command).__name__}: a receiver only speaks")

    def _take(self, sentence: Sentence, fixes: list[Fix], bad: Counter[str], now_us: int) -> None:
        self._heard_us = now_us
        if sentence.kind not in READ or sentence.talker == "P":
            bad["other_sentences"] += sentence.kind not in SILENT
            return
        moment_us = moment_of(sentence)
        if moment_us is None:
            if sentence.kind not in TIMED and self._epoch is not None:
                self._epoch.take(sentence)
            return
        if moment_us == self._told_us:
            return
        if self._epoch is None or self._epoch.moment_us != moment_us:
            self._end(fixes, now_us)
            self._epoch = Epoch(moment_us)
        self._epoch.take(sentence)
        if self._epoch.is_whole:
            self._end(fixes, now_us)

    def _end(self, fixes: list[Fix], now_us: int) -> None:
        if self._epoch is not None:
            self._told_us = self._epoch.moment_us
            fixes.append(self._epoch.fix(now_us))
            self._epoch = None


def open_source(context: SourceContext) -> NmeaSource:
    """Return the source of one link group."""
    return NmeaSource(context)


class NmeaReader:
    """Reads sentences one by one; each that has a place is a position of its own."""

    def split(self, data: bytes) -> list[bytes]:
        """Return the lines that are not empty."""
        return [line for line in data.replace(b"\r", b"\n").split(b"\n") if line.strip()]

    def read(self, message: bytes) -> list[Read]:
        """Return what one sentence says; a time of day without a date is no time."""
        try:
            sentence = parse(message)
        except ChecksumError as error:
            return [ReadError(error=str(error), code="checksum")]
        except InputError as error:
            return [ReadError(error=str(error), code="framing")]
        if sentence.kind not in TIMED or sentence.talker == "P":
            return [ReadMessage(message=sentence.kind, fields={"talker": sentence.talker})]
        epoch = Epoch(moment_of(sentence))
        epoch.take(sentence)
        return [as_read(epoch.fix(), None)]


def message_reader(*, utc_offset_s: int) -> NmeaReader:
    """Return a reader; NMEA's times are UTC, whatever the zone."""
    del utc_offset_s
    return NmeaReader()
