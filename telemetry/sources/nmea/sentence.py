"""NMEA 0183 sentences: found in a stream of bytes, checked, and their fields made values."""

from typing import Final, NamedTuple

from telemetry.model.errors import InputError

LONGEST_BYTES: Final = 256
"""82 by the standard; receivers with many satellites and position by phase write longer ones."""
DAY_US: Final = 86_400_000_000
FIRST_YEAR: Final = 80
"""Two digits of a year: 80 to 99 are 1980 to 1999, as no receiver is older; the others are of this century."""
_DAYS_BEFORE_MONTH: Final = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)


class Sentence(NamedTuple):
    """One whole sentence. `talker` is GP, GN, BD ...; `kind` is RMC, GGA ...; a maker's own one is P and the rest of its name."""

    talker: str
    kind: str
    fields: tuple[str, ...]

    def field(self, number: int) -> str:
        """Return a field counted from 0, empty where the sentence is shorter."""
        return self.fields[number].strip() if number < len(self.fields) else ""


class LineReader:
    """Cuts a stream that arrives in pieces into lines; a line without end costs itself and nothing more."""

    __slots__ = ("_is_overlong", "_tail", "overlong")

    def __init__(self) -> None:
        self._tail = b""
        self._is_overlong = False
        self.overlong = 0

    @property
    def begun_bytes(self) -> int:
        """Return how many bytes of a line have come that has not ended."""
        return max(len(self._tail), int(self._is_overlong))

    def feed(self, data: bytes) -> list[bytes]:
        """Return the lines that this piece ends, without their ends and without empty ones."""
        *whole, tail = (self._tail + data).replace(b"\r", b"\n").split(b"\n")
        if whole and self._is_overlong:
            whole[0] = b""
            self._is_overlong = False
        self._tail = tail
        if len(tail) > LONGEST_BYTES:
            self.overlong += not self._is_overlong
            self._is_overlong, self._tail = True, b""
        return [line for line in whole if line]


def parse(line: bytes) -> Sentence:
    """Return the sentence that a line ends with; what stands before its $ or ! is passed over.

    Raises ChecksumError where the sum is wrong or there is none, InputError for what is no sentence.
    """
    start = max(line.rfind(b"$"), line.rfind(b"!"))
    if start < 0:
        raise InputError(f"no sentence in {len(line)} bytes: one begins with $ or !")
    body, mark, told = line[start + 1 :].strip().partition(b"*")
    check(body, told if mark else None)
    try:
        name, *fields = body.decode("ascii").split(",")
    except UnicodeDecodeError as error:
        raise InputError(f"the sentence holds byte 0x{error.object[error.start]:02x}: it is ASCII text") from error
    if len(name) < 3 or not name.isalnum():
        raise InputError(f"{name[:10]!r} is no sentence's name: it is a talker and three letters, as GPRMC")
    split = 1 if name[0] == "P" else len(name) - 3
    return Sentence(name[:split], name[split:], tuple(fields))


class ChecksumError(InputError):
    """A sentence whose sum is wrong or missing."""


def check(body: bytes, told: bytes | None) -> None:
    """Raise ChecksumError unless the two hexadecimal digits behind the star are the body's XOR."""
    if told is None:
        raise ChecksumError("the sentence has no checksum: it ends in * and two hexadecimal digits")
    total = 0
    for byte in body:
        total ^= byte
    if told[:2].upper() != b"%02X" % total:
        raise ChecksumError(f"the checksum is {told[:2].decode('latin-1')!r}: {total:02X} is the sum of what came")


def degrees(text: str, side: str) -> float | None:
    """Return an angle told as whole degrees, two digits of minutes and their fraction; None where it is empty or no such thing."""
    whole, _, fraction = text.partition(".")
    if len(whole) < 3 or not whole.isascii() or not whole.isdigit() or (fraction and not fraction.isdigit()):
        return None
    minutes = float(f"{whole[-2:]}.{fraction or 0}")
    value = int(whole[:-2]) + minutes / 60
    limit = 90 if side in ("N", "S") else 180
    if side not in ("N", "S", "E", "W") or minutes >= 60 or value > limit:
        return None
    return -value if side in ("S", "W") else value


def place(sentence: Sentence, first: int) -> tuple[float | None, float | None]:
    """Return latitude and longitude from the four fields that begin at `first`; both or none."""
    lat_deg = degrees(sentence.field(first), sentence.field(first + 1))
    lon_deg = degrees(sentence.field(first + 2), sentence.field(first + 3))
    if lat_deg is None or lon_deg is None or sentence.field(first + 1) not in ("N", "S"):
        return None, None
    return (lat_deg, lon_deg) if sentence.field(first + 3) in ("E", "W") else (None, None)


def number(text: str, lowest: float = float("-inf"), highest: float = float("inf")) -> float | None:
    """Return a number; None where it is empty, no number or out of range."""
    if not text or not text.isascii() or "_" in text:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if lowest <= value <= highest else None


def time_of_day_us(text: str) -> int | None:
    """Return microseconds since midnight of hhmmss or hhmmss.sss; None where it is no time."""
    whole, _, fraction = text.partition(".")
    if len(whole) != 6 or not text.isascii() or not whole.isdigit() or (fraction and not fraction.isdigit()):
        return None
    hours, minutes, seconds = int(whole[:2]), int(whole[2:4]), int(whole[4:])
    if hours > 23 or minutes > 59 or seconds > 60:
        return None
    micros = int((fraction + "000000")[:6])
    return (hours * 3600 + minutes * 60 + seconds) * 1_000_000 + micros


def date_us(text: str) -> int | None:
    """Return the midnight (UTC microseconds since 1970) of ddmmyy; None where it is no date."""
    if len(text) != 6 or not text.isascii() or not text.isdigit():
        return None
    day, month, short_year = int(text[:2]), int(text[2:4]), int(text[4:])
    year = short_year + (1900 if short_year >= FIRST_YEAR else 2000)
    return midnight_us(year, month, day)


def midnight_us(year: int, month: int, day: int) -> int | None:
    """Return the midnight of a day of 1970 .. 2099; None where there is no such day."""
    if not 1970 <= year <= 2099 or not 1 <= month <= 12:
        return None
    is_leap = year % 4 == 0
    length = 28 + is_leap if month == 2 else 30 + (month + (month > 7)) % 2
    if not 1 <= day <= length:
        return None
    days = (year - 1970) * 365 + (year - 1969) // 4 + _DAYS_BEFORE_MONTH[month - 1] + (is_leap and month > 2) + day - 1
    return days * DAY_US
