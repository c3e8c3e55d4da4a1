"""`skybeat decode`: what devices' messages say, one JSON line each, without a server or a registry."""

import string
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO, Final

import click
import msgspec

from telemetry.model.batch import Quality
from telemetry.model.enrolment import parse_utc_offset
from telemetry.model.errors import InputError
from telemetry.model.reading import MessageReader, Read, ReadError, ReadMessage, ReadPosition, StreamReader

PROTOCOLS: Final = ("jt808", "gb28181", "osmand", "owntracks", "nmea", "mavlink")
PIECE_BYTES: Final = 1 << 20
MOST_PENDING_BYTES: Final = 16 << 20
"""What is not whole after so much is taken as it is."""
PLACE_DECIMALS: Final = 10
DECIMALS: Final = 6
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Position(msgspec.Struct, kw_only=True):
    """A line of output for a position; unknown is null, the keys are always the same."""

    device: str | None
    lat_deg: float | None
    lon_deg: float | None
    alt_msl_m: float | None
    speed_mps: float | None
    course_deg: float | None
    observed_at: str | None
    quality: list[str]
    message_index: int


@click.command("decode")
@click.argument("protocol", type=click.Choice(PROTOCOLS))
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--hex", "is_hex", is_flag=True, help="The input holds one message a line in hexadecimal digits.")
@click.option("--timezone", default="+08:00", show_default=True, help="Zone of times that carry none (jt808, gb28181).")
def command(protocol: str, file: BinaryIO, is_hex: bool, timezone: str) -> None:  # noqa: FBT001 - click passes flags so
    """Print what messages say: one JSON line a position, another message or an error, in the order of the input.

    Without --hex, jt808 and mavlink are byte streams, osmand, owntracks and nmea a line a message, and gb28181 documents
    or SIP messages one behind the other. FILE is standard input when it is - or left out.

    \b
    Examples:
      skybeat decode nmea drive.nmea
      echo "7e 02 00 ... 7e" | skybeat decode jt808 --hex
      skybeat decode mavlink flight.bin | jq -c "select(.lat_deg)"
    """  # noqa: D301 - \b is click's mark for "do not wrap"
    from telemetry.sources import find_readers

    try:
        utc_offset_s = parse_utc_offset(timezone)
    except InputError as error:
        raise click.BadParameter(str(error), param_hint="--timezone") from error
    reader = find_readers()[protocol](utc_offset_s=utc_offset_s)
    is_live = not file.seekable()
    messages = hex_messages(file) if is_hex else stream_messages(file, reader)
    for index, reads in enumerate(messages_read(messages, reader)):
        for read in reads:
            sys.stdout.buffer.write(line_of(read, index))
        if is_live:
            sys.stdout.buffer.flush()
    sys.stdout.buffer.flush()


Message = bytes | ReadError
"""What stands in the input: a message, or why what stands there is none."""


def messages_read(messages: Iterator[Message], reader: MessageReader) -> Iterator[list[Read]]:
    """Yield what each message says, in order."""
    for message in messages:
        yield [message] if isinstance(message, ReadError) else reader.read(message)


def hex_messages(file: BinaryIO) -> Iterator[Message]:
    """Yield the message of each line; spaces within are passed over, lines without digits are no message."""
    while line := file.readline(MOST_PENDING_BYTES):
        digits = b"".join(line.split())
        if not digits:
            continue
        try:
            yield bytes.fromhex(digits.decode("ascii"))
        except ValueError:
            yield ReadError(error=_wrong_digits(digits), code="hex")


def stream_messages(file: BinaryIO, reader: MessageReader) -> Iterator[Message]:
    """Yield the messages of a stream as soon as they are whole, in memory for some pieces of it."""
    pending = b""
    whole_bytes = _whole_bytes_of(reader)
    while piece := _read_piece(file):
        pending += piece
        whole = whole_bytes(pending) if len(pending) < MOST_PENDING_BYTES else len(pending)
        if whole:
            yield from reader.split(pending[:whole])
            pending = pending[whole:]
    yield from reader.split(pending)


def line_of(read: Read, message_index: int) -> bytes:
    """Return one line of output."""
    match read:
        case ReadPosition():
            line: Any = _position(read, message_index)
        case ReadMessage():
            line = _message(read, message_index)
        case ReadError(error=error, code=code, device=device):
            line = {"error": error, "code": code, "device": device, "message_index": message_index}
    return msgspec.json.encode(line, enc_hook=str) + b"\n"


def _message(read: ReadMessage, message_index: int) -> dict[str, Any]:
    """Return a message without a position: its fields in its protocol's terms, and what is wrong with it as of positions."""
    fields = dict(read.fields)
    quality = fields.pop("quality", [])
    known = {"message": read.message, "device": read.device, "quality": quality}
    return {**known, "fields": fields, "message_index": message_index}


def _position(read: ReadPosition, message_index: int) -> Position:
    observed_at, quality = _observed_at(read.observed_us), read.quality
    if observed_at is None and read.observed_us is not None:
        quality |= Quality.ODD_TIME
    return Position(
        device=read.device,
        lat_deg=_rounded(read.lat_deg, PLACE_DECIMALS),
        lon_deg=_rounded(read.lon_deg, PLACE_DECIMALS),
        alt_msl_m=_rounded(read.alt_msl_m, DECIMALS),
        speed_mps=_rounded(read.speed_mps, DECIMALS),
        course_deg=_rounded(read.course_deg, DECIMALS),
        observed_at=observed_at,
        quality=[bit.name.lower() for bit in Quality if bit & quality and bit.name],
        message_index=message_index,
    )


def _observed_at(observed_us: int | None) -> str | None:
    """Return ISO 8601 in UTC, with microseconds where there are some; None where no calendar has the time."""
    if observed_us is None:
        return None
    try:
        at = _EPOCH + timedelta(microseconds=observed_us)
    except OverflowError:
        return None
    return at.replace(tzinfo=None).isoformat() + "Z"


def _rounded(value: float | None, decimals: int) -> float | None:
    return None if value is None else round(float(value), decimals)


def _wrong_digits(digits: bytes) -> str:
    odd = next((chr(byte) for byte in digits if chr(byte) not in string.hexdigits), None)
    if odd is not None:
        return f"{odd!r} is no hexadecimal digit: a line holds two for each byte"
    return f"{len(digits)} hexadecimal digits: a byte has two"


def _whole_bytes_of(reader: MessageReader) -> Callable[[bytes], int]:
    """Return the reader's own way to find where a stream may be cut; lines end at a line's end."""
    told: StreamReader | MessageReader = reader
    return getattr(told, "whole_bytes", _whole_lines)


def _whole_lines(data: bytes) -> int:
    return data.rfind(b"\n") + 1


def _read_piece(file: BinaryIO) -> bytes:
    """Return what there is, so that a pipe's messages are told as they come."""
    read_some = getattr(file, "read1", file.read)
    piece: bytes = read_some(PIECE_BYTES)
    return piece
