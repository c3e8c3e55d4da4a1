"""The protocol's ways to write things: packed decimal digits, times without a zone, GBK text, terminal ids."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from telemetry.model.errors import InputError

GBK: Final = "gbk"
TIME_BYTES: Final = 6
_NO_DIGITS: Final = 99_999
_BCD: Final = tuple(
    (byte >> 4) * 10 + (byte & 15) if byte >> 4 < 10 and byte & 15 < 10 else _NO_DIGITS for byte in range(256)
)
_IMEI_BYTES: Final = 6
_LONGEST_IMEI_BODY: Final = 10**14


def text_of(data: bytes) -> str:
    """Return GBK text without the zeros and spaces that pad it; what is no GBK becomes a replacement sign."""
    return data.decode(GBK, "replace").strip("\0 ")


def bytes_of_text(text: str) -> bytes:
    """Return text as GBK; what GBK lacks (emoji) becomes a question mark, so that the rest is still read."""
    return text.encode(GBK, "replace")


@lru_cache(maxsize=4096)
def day_s_of(date: bytes) -> int:
    """Return the Unix seconds at which a packed date (yyMMdd) begins in UTC, -1 for no date."""
    year, month, day = (_BCD[byte] for byte in date)
    try:
        return int(datetime(2000 + year, month, day, tzinfo=UTC).timestamp())
    except ValueError:
        return -1


def unpacked_digits(byte: int) -> int:
    """Return the two digits packed in a byte as a number; one far above 99 when they are none."""
    return _BCD[byte]


def unix_s_of_time(packed: bytes) -> int | None:
    """Return the Unix seconds of a packed time (yyMMddHHmmss) read as if it were UTC; None for no time. About 0.4 us."""
    day_s = day_s_of(packed[:3])
    if day_s < 0:
        return None
    hour, minute, second = _BCD[packed[3]], _BCD[packed[4]], _BCD[packed[5]]
    if hour > 23 or minute > 59 or second > 59:
        return None
    return day_s + hour * 3600 + minute * 60 + second


def packed_time(unix_us: int, utc_offset_s: int) -> bytes:
    """Return a time packed as yyMMddHHmmss in a zone; years 2000 to 2099."""
    local = datetime.fromtimestamp(unix_us // 1_000_000, UTC) + timedelta(seconds=utc_offset_s)
    return bytes.fromhex(local.strftime("%y%m%d%H%M%S"))


def packed_digits(digits: str, size: int) -> bytes:
    """Return decimal digits packed two a byte, zeros in front. Raises InputError for what does not fit."""
    if len(digits) > size * 2 or not digits.isascii() or not digits.isdigit():
        raise InputError(f"{digits[:40]!r}: give at most {size * 2} decimal digits")
    return bytes.fromhex(digits.rjust(size * 2, "0"))


@lru_cache(maxsize=16_384)
def address_of(terminal: bytes) -> str:
    """Return the address of a terminal id as sent: its digits without zeros in front ("0" for zeros alone).

    Six bytes that are not decimal are an IMEI without its last digit, as a plain number; other ids that are not decimal stay
    hexadecimal.
    """
    digits = terminal.hex()
    if digits.isdigit():
        return digits.lstrip("0") or "0"
    short = terminal[-_IMEI_BYTES:]
    imei = int.from_bytes(short)
    if imei < _LONGEST_IMEI_BODY * 10 and not any(terminal[:-_IMEI_BYTES]):
        return f"{imei}{_luhn_digit(imei)}"
    return digits.lstrip("0")


def _luhn_digit(number: int) -> int:
    """Return the check digit that ends an IMEI whose other digits are these."""
    total = 0
    for place, digit in enumerate(reversed(str(number))):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled // 10 + doubled % 10
    return -total % 10
