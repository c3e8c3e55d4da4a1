"""gpsd's JSON: reports of the receivers that a gpsd serves, one object a line."""

import math
from collections import Counter
from typing import Any, Final

import msgspec

from telemetry.model.batch import FIX_2D, FIX_3D, FIX_DGPS, FIX_NONE, FIX_RTK_FIXED, FIX_RTK_FLOAT
from telemetry.model.commands import Command
from telemetry.model.decoding import Output, Peer, Reply, SourceContext
from telemetry.model.errors import InputError
from telemetry.model.fix import Fix, as_read
from telemetry.model.group_device import GroupDevice, group_enrolment
from telemetry.model.phone import checked_time_us
from telemetry.model.reading import Read, ReadError, ReadMessage

PROTOCOL: Final = "gpsd"
ENROLMENT: Final = group_enrolment(PROTOCOL)
WATCH: Final = b'?WATCH={"enable":true,"json":true};\n'
LONGEST_BYTES: Final = 64 * 1024
SKY_HOLDS_US: Final = 10_000_000
"""So long the number of satellites that SKY told stays true for the reports of place after it."""
MODE_FIX: Final = {1: FIX_NONE, 2: FIX_2D, 3: FIX_3D}
STATUS_FIX: Final = {2: FIX_DGPS, 3: FIX_RTK_FIXED, 4: FIX_RTK_FLOAT}
SIMULATED: Final = 8
_DECODER: Final = msgspec.json.Decoder(dict[str, Any])
_EXAMPLE: Final = '{"class":"TPV",'


class GpsdSource:
    """What the connections of one link group share: the device that their receiver is."""

    def __init__(self, context: SourceContext) -> None:
        self._context = context

    def decoder(self, peer: Peer) -> "GpsdDecoder":
        """Return a decoder for one connection to a gpsd."""
        return GpsdDecoder(self._context, peer)


class GpsdDecoder:
    """One connection to a gpsd: we ask it once to report. The option `device` picks one of several receivers by its path."""

    def __init__(self, context: SourceContext, peer: Peer) -> None:
        self._device = GroupDevice(PROTOCOL, context, peer)
        self._receiver = context.options.get("device")
        self._tail = b""
        self._has_asked = False
        self._sky: tuple[int, int] | None = None
        self._told_us: int | None = None

    @property
    def begun_bytes(self) -> int:
        """Return how many bytes of a line have come that has not ended."""
        return len(self._tail)

    def feed(self, data: bytes, now_us: int) -> Output:
        """Take a piece of the stream."""
        bad: Counter[str] = Counter()
        *lines, self._tail = (self._tail + data).split(b"\n")
        if len(self._tail) > LONGEST_BYTES:
            self._tail = b""
            bad["overlong"] += 1
        fixes = [fix for line in lines if line.strip() and (fix := self._fix(line, bad, now_us)) is not None]
        return self._device.output(fixes, now_us, bad=bad, replies=self._asking())

    def tick(self, now_us: int) -> Output:
        """Ask gpsd to report, once."""
        return self._device.output((), now_us, bad=Counter(), replies=self._asking())

    def send(self, command: Command, now_us: int) -> Output:
        """Refuse: a receiver takes no orders of ours."""
        del now_us
        raise InputError(f"gpsd has no {type(command).__name__}: a receiver only speaks")

    def _fix(self, line: bytes, bad: Counter[str], now_us: int) -> Fix | None:
        try:
            report = read_report(line)
        except InputError:
            bad["json"] += 1
            return None
        if self._receiver is not None and report.get("device", self._receiver) != self._receiver:
            return None
        match report.get("class"):
            case "TPV":
                return self._new(self._with_sky(fix_of(report), now_us))
            case "SKY":
                satellites = satellites_of(report)
                self._sky = self._sky if satellites is None else (now_us, satellites)
            case "ERROR":
                bad["error_told"] += 1
        return None

    def _new(self, fix: Fix) -> Fix | None:
        """Return a fix once: until gpsd knows its receiver's cycle it reports a moment several times."""
        if fix.observed_us is not None and fix.observed_us == self._told_us:
            return None
        self._told_us = fix.observed_us if fix.is_placed else self._told_us
        return fix

    def _with_sky(self, fix: Fix, now_us: int) -> Fix:
        if self._sky is None or not 0 <= now_us - self._sky[0] < SKY_HOLDS_US:
            return fix
        return msgspec.structs.replace(fix, satellites=self._sky[1])

    def _asking(self) -> tuple[Reply, ...]:
        if self._has_asked:
            return ()
        self._has_asked = True
        return (Reply(data=WATCH),)


def open_source(context: SourceContext) -> GpsdSource:
    """Return the source of one link group."""
    return GpsdSource(context)


def read_report(line: bytes) -> dict[str, Any]:
    """Return the object of one line. Raises InputError for what is none."""
    try:
        return _DECODER.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"the line is no object of gpsd's: {error}; one begins as {_EXAMPLE}") from error


def fix_of(report: dict[str, Any]) -> Fix:
    """Return what a TPV says; what it does not know, or says wrongly, is unknown."""
    mode, status = _number(report, "mode", 0, 3), _number(report, "status", 0, 20)
    lat_deg, lon_deg = _number(report, "lat", -90, 90), _number(report, "lon", -180, 180)
    has_place = lat_deg is not None and lon_deg is not None
    alt_msl_m = _number(report, "altMSL", -1_000, 100_000)
    return Fix(
        lat_deg=lat_deg if has_place else None,
        lon_deg=lon_deg if has_place else None,
        observed_us=_time_us(report.get("time")),
        speed_mps=_number(report, "speed", 0),
        climb_mps=_number(report, "climb"),
        course_deg=_number(report, "track", 0, 360),
        alt_msl_m=_number(report, "alt", -1_000, 100_000) if alt_msl_m is None else alt_msl_m,
        alt_hae_m=_number(report, "altHAE", -1_000, 100_000),
        accuracy_m=_accuracy_m(report),
        fix=STATUS_FIX.get(int(status or 0)) or MODE_FIX.get(int(mode or 0)),
        is_mock=status == SIMULATED,
        has_fix=mode is not None and mode >= 2,
    )


def satellites_of(report: dict[str, Any]) -> int | None:
    """Return how many satellites a SKY says to be in use."""
    told = _number(report, "uSat", 0, 127)
    if told is not None:
        return int(told)
    listed = report.get("satellites")
    if not isinstance(listed, list):
        return None
    return min(127, sum(isinstance(one, dict) and one.get("used") is True for one in listed))


def _accuracy_m(report: dict[str, Any]) -> float | None:
    told_m = _number(report, "eph", 0)
    east_m, north_m = _number(report, "epx", 0), _number(report, "epy", 0)
    if told_m is None and east_m is not None and north_m is not None:
        return math.hypot(east_m, north_m) or None
    return told_m or None


def _time_us(told: object) -> int | None:
    if not isinstance(told, str | int | float) or isinstance(told, bool):
        return None
    try:
        return checked_time_us(str(told))
    except InputError:
        return None


def _number(report: dict[str, Any], name: str, lowest: float = -math.inf, highest: float = math.inf) -> float | None:
    value = report.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if lowest <= value <= highest and math.isfinite(value) else None


class GpsdReader:
    """Reads gpsd's objects one by one."""

    def split(self, data: bytes) -> list[bytes]:
        """Return the lines that are not empty."""
        return [line for line in data.splitlines() if line.strip()]

    def read(self, message: bytes) -> list[Read]:
        """Return what one object says."""
        try:
            report = read_report(message)
        except InputError as error:
            return [ReadError(error=str(error), code="json")]
        if report.get("class") != "TPV":
            return [ReadMessage(message=str(report.get("class")))]
        return [as_read(fix_of(report), None)]


def message_reader(*, utc_offset_s: int) -> GpsdReader:
    """Return a reader; gpsd's times are UTC, whatever the zone."""
    del utc_offset_s
    return GpsdReader()
