"""Every message between the console and a browser over the websocket: JSON structs and the binary frame.

Control travels as JSON text and live positions as binary frames, in which every column starts at a multiple of 8 bytes
so that a browser can lay a typed array over it without copying. `tools/generate_wire.py` writes the browser's twin of this file.
"""

import struct
from enum import IntEnum, StrEnum
from typing import Annotated, Any, Final, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from console.wire_command import CommandChanged
from console.wire_coverage import ContoursChanged, CoverageChanged
from console.wire_flight import DueChanged, FlightChanged, TrafficChanged
from console.wire_incident import IncidentChanged, TaskChanged
from console.wire_plan import PlanChanged, PlanProgress, ProgrammeChanged
from telemetry.model.alarm import Alarm
from telemetry.model.errors import InputError
from telemetry.model.unit import DutyStatus, Equipment, Service, UnitKind
from telemetry.model.unit_state import UnitStates

SUBPROTOCOL: Final = "skb1"
VERSION: Final = 1
MAGIC: Final = b"SK"
HEADER: Final = struct.Struct("<2sBBB3xIIQd")
HEADER_FIELDS: Final = (
    ("magic", 0, "u2"),
    ("version", 2, "u1"),
    ("kind", 3, "u1"),
    ("flags", 4, "u1"),
    ("n", 8, "u4"),
    ("epoch", 12, "u4"),
    ("seq", 16, "u8"),
    ("t_ms", 24, "f8"),
)
"""Name, byte offset and type of every header field, little-endian; bytes 5..7 are zero."""

ALIGNMENT_BYTES: Final = 8
RATES_HZ: Final = (5.0, 2.0, 1.0, 0.5)
"""The frame rates that a browser may have, fastest first; a slow browser walks down, a recovered one up."""

SNAPSHOT_EVERY_S: Final = 10.0
MAX_MESSAGE_BYTES: Final = 16_384
MAX_SUBSCRIBED_UNITS: Final = 64


CLOSE_WRONG: Final = 4400
CLOSE_SIGNED_OUT: Final = 4401
CLOSE_NOT_ALLOWED: Final = 4403
CLOSE_TOO_MANY: Final = 4429
"""Why the console closes a websocket, beside those of RFC 6455."""


class FrameKind(IntEnum):
    """What a binary frame holds."""

    SNAPSHOT = 1
    """Every unit of the view: replaces what was known."""
    DELTA = 2
    """The units that changed since the frame before it (`seq` - 1)."""
    GONE = 3
    """Units that left the view or the force."""
    TRAIL = 4
    """Recent places of one unit, oldest first."""


UNIT_COLUMNS: Final = (
    ("unit_id", "<i4"),
    ("lat_e7", "<i4"),
    ("lon_e7", "<i4"),
    ("alt_msl_dm", "<i4"),
    ("alt_home_dm", "<i4"),
    ("age_ms", "<i4"),
    ("quality", "<i4"),
    ("state", "<i4"),
    ("speed_cmps", "<i2"),
    ("climb_cmps", "<i2"),
    ("heading_ddeg", "<i2"),
    ("course_ddeg", "<i2"),
    ("accuracy_dm", "<i2"),
    ("battery_pct", "i1"),
    ("satellites", "i1"),
    ("fix", "i1"),
    ("link", "i1"),
    ("duty", "i1"),
)
"""The columns of SNAPSHOT and DELTA in their order; `age_ms` is the frame's time less the sensor's, unknown = never heard."""

TRAIL_COLUMNS: Final = (("age_ms", "<i4"), ("lat_e7", "<i4"), ("lon_e7", "<i4"))
"""The columns of TRAIL, behind one unit_id that is padded to 8 bytes."""

_UNIT_LAYOUT: Final = tuple((name, np.dtype(kind)) for name, kind in UNIT_COLUMNS)
_TRAIL_LAYOUT: Final = tuple((name, np.dtype(kind)) for name, kind in TRAIL_COLUMNS)
_AGE_MIN_MS: Final = -(2**31) + 1
_AGE_MAX_MS: Final = 2**31 - 1
_AGE_UNKNOWN_MS: Final = -(2**31)

Bytes: TypeAlias = NDArray[np.uint8]


class Role(StrEnum):
    """What an account may do; the policies are in console/auth/policy.py."""

    VIEWER = "viewer"
    OFFICER = "officer"
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"


# --- what the browser says ---------------------------------------------------------------------------------------


class Resume(msgspec.Struct, frozen=True, kw_only=True):
    """Where a browser that was connected before stands: the server's epoch, the last alarm and incident numbers that it saw."""

    epoch: int
    alarm_seq: Annotated[int, msgspec.Meta(ge=0)]
    incident_seq: Annotated[int, msgspec.Meta(ge=0)] = 0


class Hello(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="hello"):
    """The first message: the protocol's version and, on reconnection, what was seen."""

    v: Annotated[int, msgspec.Meta(ge=1)]
    resume: Resume | None = None


class Subscribe(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="sub"):
    """The view: [west, south, east, north] degrees (null: everywhere), units wanted wherever they are, the rate wanted."""

    bbox: Annotated[list[float], msgspec.Meta(min_length=4, max_length=4)] | None = None
    unit_ids: Annotated[list[int], msgspec.Meta(max_length=MAX_SUBSCRIBED_UNITS)] = []
    hz: Annotated[float, msgspec.Meta(gt=0, le=5)] = 5.0


class Pong(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="pong"):
    """A sign of life; needs no answer."""


FromBrowser: TypeAlias = Hello | Subscribe | Pong


# --- what the console says ---------------------------------------------------------------------------------------


class UnitDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A device that speaks for a unit now. Its address is a secret's shadow and stays on the server."""

    device_id: int
    protocol: str
    label: str
    report_interval_s: float


class UnitMeta(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a unit apart from where it is."""

    unit_id: int
    call_sign: str
    kind: UnitKind
    service: Service
    duty_status: DutyStatus
    station_id: int | None
    name_zh: str
    name_en: str
    covert: bool
    equipment: list[Equipment]
    devices: list[UnitDevice]


class Welcome(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="welcome"):
    """The answer to hello. An `epoch` other than the one resumed means that the server started anew."""

    epoch: int
    server_time_ms: float
    role: Role
    station_ids: list[int]
    unit_id: int | None
    hz: float


class UnitsChanged(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="units"):
    """All units of the account's scope; sent after welcome and whenever the registry changed."""

    units: list[UnitMeta]


class StatusView(msgspec.Struct, frozen=True, kw_only=True):
    """What a unit's vehicle said last; null is what it never said. `mode` is the firmware's own name, `text_level` MAV_SEVERITY."""

    unit_id: int
    mode: str | None
    mission_item: int | None
    mission_total: int | None
    text: str | None
    text_level: int | None
    text_at_ms: float | None


class StatusChanged(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="status"):
    """Units of the scope whose status is another one: all after `units`, then those that changed, at most once a turn."""

    statuses: list[StatusView]


class AlarmChanged(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="alarm"):
    """An alarm as it stands now. Numbered by `seq`, never dropped, replayed from `resume.alarm_seq`; numbers may have gaps."""

    seq: int
    alarm: Alarm


class RateChanged(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="rate"):
    """Frames come at this rate from now on, because the connection did or did not keep up."""

    hz: float


class Degraded(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="degraded"):
    """A part that the map can live without is late or away ("history", "journal"); `since_ms` null: it is well again."""

    what: str
    since_ms: float | None
    lag_s: float


ToBrowser: TypeAlias = (
    Welcome
    | UnitsChanged
    | StatusChanged
    | AlarmChanged
    | CoverageChanged
    | ContoursChanged
    | IncidentChanged
    | TaskChanged
    | CommandChanged
    | FlightChanged
    | TrafficChanged
    | DueChanged
    | PlanChanged
    | PlanProgress
    | ProgrammeChanged
    | RateChanged
    | Degraded
)

_FROM_BROWSER: Final[msgspec.json.Decoder[FromBrowser]] = msgspec.json.Decoder(FromBrowser)
_ENCODER: Final = msgspec.json.Encoder()


def decode_message(text: str | bytes) -> FromBrowser:
    """Return what a browser said. Raises InputError for more than MAX_MESSAGE_BYTES and for what is no message of skb1."""
    if len(text) > MAX_MESSAGE_BYTES:
        message = f"a websocket message of {len(text)} bytes: at most {MAX_MESSAGE_BYTES} are allowed"
        raise InputError(message)
    try:
        return _FROM_BROWSER.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        message = f"a websocket message that is not one of {SUBPROTOCOL} (hello, sub, pong): {error}"
        raise InputError(message) from error


def encode_message(message: ToBrowser) -> str:
    """Return a message to the browser as JSON text."""
    return _ENCODER.encode(message).decode()


# --- the binary frame --------------------------------------------------------------------------------------------


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """A binary frame read back: the header and its columns by name; `unit_id` stands apart for a TRAIL."""

    kind: FrameKind
    epoch: int
    seq: int
    t_ms: float
    columns: dict[str, NDArray[Any]]
    unit_id: int | None = None

    def __len__(self) -> int:
        """Return the count of rows."""
        return len(next(iter(self.columns.values())))


def padded(length_bytes: int) -> int:
    """Return the length rounded up to whole steps of 8 bytes."""
    return -(-length_bytes // ALIGNMENT_BYTES) * ALIGNMENT_BYTES


def age_ms_of(observed_us: NDArray[np.int64], t_ms: float) -> NDArray[np.int32]:
    """Return the ages at `t_ms`, cut to what an i4 holds; unknown where nothing was ever heard (0)."""
    age = int(t_ms) - observed_us // 1000
    np.clip(age, _AGE_MIN_MS, _AGE_MAX_MS, out=age)
    age[observed_us == 0] = _AGE_UNKNOWN_MS
    return age.astype(np.int32)


def pack_units(rows: UnitStates, kind: FrameKind, *, epoch: int, seq: int, t_ms: float) -> bytes:
    """Return a SNAPSHOT or DELTA frame of these rows: one vectorised copy a column, some 35 us for 833 units."""
    count = len(rows)
    buffer = np.zeros(_size_of(_UNIT_LAYOUT, count, HEADER.size), np.uint8)
    _put_header(buffer, kind, count, epoch=epoch, seq=seq, t_ms=t_ms)
    at = HEADER.size
    for name, dtype in _UNIT_LAYOUT:
        length = count * dtype.itemsize
        values = age_ms_of(rows["observed_us"], t_ms) if name == "age_ms" else rows[name]
        buffer[at : at + length].view(dtype)[:] = values
        at += padded(length)
    return buffer.tobytes()


def pack_gone(unit_ids: NDArray[np.int32], *, epoch: int, seq: int, t_ms: float) -> bytes:
    """Return a GONE frame."""
    count = len(unit_ids)
    buffer = np.zeros(HEADER.size + padded(count * 4), np.uint8)
    _put_header(buffer, FrameKind.GONE, count, epoch=epoch, seq=seq, t_ms=t_ms)
    buffer[HEADER.size : HEADER.size + count * 4].view("<i4")[:] = unit_ids
    return buffer.tobytes()


def pack_trail(unit_id: int, fixes: NDArray[Any], *, epoch: int, seq: int, t_ms: float) -> bytes:
    """Return a TRAIL frame of fixes with the fields observed_us, lat_e7 and lon_e7, oldest first."""
    count = len(fixes)
    start = HEADER.size + ALIGNMENT_BYTES
    buffer = np.zeros(_size_of(_TRAIL_LAYOUT, count, start), np.uint8)
    _put_header(buffer, FrameKind.TRAIL, count, epoch=epoch, seq=seq, t_ms=t_ms)
    buffer[HEADER.size : HEADER.size + 4].view("<i4")[0] = unit_id
    columns = (age_ms_of(fixes["observed_us"], t_ms), fixes["lat_e7"], fixes["lon_e7"])
    for index, values in enumerate(columns):
        at = start + index * padded(count * 4)
        buffer[at : at + count * 4].view("<i4")[:] = values
    return buffer.tobytes()


def decode_frame(data: bytes) -> Frame:
    """Return a binary frame read back. Raises InputError for what is no frame of this version or is cut short."""
    if len(data) < HEADER.size:
        message = f"a frame of {len(data)} bytes: its header alone has {HEADER.size}"
        raise InputError(message)
    magic, version, kind, _flags, count, epoch, seq, t_ms = HEADER.unpack_from(data)
    if magic != MAGIC or version != VERSION or kind not in set(FrameKind):
        message = f"a frame that begins with {magic!r}, version {version}, kind {kind}: expected b'SK', {VERSION}, 1..4"
        raise InputError(message)
    layout, start, unit_id = _body_of(FrameKind(kind), data)
    if len(data) != _size_of(layout, count, start):
        message = f"a frame of {len(data)} bytes for {count} rows: expected {_size_of(layout, count, start)}"
        raise InputError(message)
    columns = _read_columns(data, layout, start, count)
    return Frame(kind=FrameKind(kind), epoch=epoch, seq=seq, t_ms=t_ms, columns=columns, unit_id=unit_id)


_Layout: TypeAlias = tuple[tuple[str, "np.dtype[Any]"], ...]


def _put_header(buffer: Bytes, kind: FrameKind, count: int, *, epoch: int, seq: int, t_ms: float) -> None:
    HEADER.pack_into(buffer.data, 0, MAGIC, VERSION, kind, 0, count, epoch, seq, t_ms)


def _size_of(layout: _Layout, count: int, start: int) -> int:
    return start + sum(padded(count * dtype.itemsize) for _, dtype in layout)


def _body_of(kind: FrameKind, data: bytes) -> tuple[_Layout, int, int | None]:
    if kind is FrameKind.GONE:
        return _UNIT_LAYOUT[:1], HEADER.size, None
    if kind is not FrameKind.TRAIL:
        return _UNIT_LAYOUT, HEADER.size, None
    start = HEADER.size + ALIGNMENT_BYTES
    if len(data) < start:
        message = f"a trail frame of {len(data)} bytes: at least {start} are needed"
        raise InputError(message)
    return _TRAIL_LAYOUT, start, int(np.frombuffer(data, "<i4", 1, HEADER.size)[0])


def _read_columns(data: bytes, layout: _Layout, start: int, count: int) -> dict[str, NDArray[Any]]:
    columns: dict[str, NDArray[Any]] = {}
    at = start
    for name, dtype in layout:
        columns[name] = np.frombuffer(data, dtype, count, at)
        at += padded(count * dtype.itemsize)
    return columns
