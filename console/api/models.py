"""The JSON of the HTTP interface: what is asked and what is answered, unknown as null."""

from typing import Annotated, Any

import msgspec

from console.wire import Role, UnitMeta
from telemetry.model.alarm import Alarm
from telemetry.recording.disk_forecast import DiskForecast


class ErrorReply(msgspec.Struct, frozen=True, kw_only=True):
    """What every refusal looks like: a word for programs and a sentence for people (what, value, allowed, next step)."""

    error: str
    detail: str
    detail_zh: str = ""
    """The sentence in Chinese; empty where only a program can have asked that."""


class LinkSignIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The token of a one-time sign-in link."""

    token: Annotated[str, msgspec.Meta(min_length=16, max_length=128)]


class PasswordSignIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account's name and password."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f]*(?!\n)$")]
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class NewPassword(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The password that the signed-in account wants, at least 12 characters, and the one that it has.

    `current` may be left out by an account without a password, and within 15 minutes of signing in by a one-time link.
    """

    password: Annotated[str, msgspec.Meta(min_length=12, max_length=256)]
    current: Annotated[str, msgspec.Meta(max_length=256)] = ""


class SessionReply(msgspec.Struct, frozen=True, kw_only=True):
    """Who is signed in. Empty `station_ids`: all stations. `must_set_password`: it has none yet."""

    account_id: int
    name: str
    role: Role
    station_ids: list[int]
    unit_id: int | None
    must_set_password: bool
    expires_at: str


class UnitsReply(msgspec.Struct, frozen=True, kw_only=True):
    """All units of the account's scope."""

    units: list[UnitMeta]


class TrackReply(msgspec.Struct, frozen=True, kw_only=True):
    """A unit's track, oldest first: REPORT's columns by name, each `point_count` long, unknown as null.

    `truncated`: the limit cut the oldest points off; ask again with `to` set to the first one's time.
    """

    unit_id: int
    point_count: int
    truncated: bool
    columns: dict[str, list[int | None]]


class QuarantineView(msgspec.Struct, frozen=True, kw_only=True):
    """A name that spoke without being known; of a phone only the first 8 hexadecimal digits of its token's SHA-256."""

    protocol: str
    address: str
    reason: str
    first_seen_at: str
    last_seen_at: str
    seen_count: int


class QuarantineReply(msgspec.Struct, frozen=True, kw_only=True):
    """Unknown and refused names, newest first."""

    quarantine: list[QuarantineView]


class StationView(msgspec.Struct, frozen=True, kw_only=True):
    """A street police station."""

    station_id: int
    number: int
    name_zh: str
    name_en: str
    lat_deg: float
    lon_deg: float
    ring_order: int | None


class StationsReply(msgspec.Struct, frozen=True, kw_only=True):
    """All stations by number."""

    stations: list[StationView]


class PostView(msgspec.Struct, frozen=True, kw_only=True):
    """A place of the force: standing_post, safety_post, checkpoint or dock."""

    post_id: int
    kind: str
    name_zh: str
    name_en: str
    lat_deg: float
    lon_deg: float
    station_id: int | None


class PostsReply(msgspec.Struct, frozen=True, kw_only=True):
    """All posts of the account's scope."""

    posts: list[PostView]


class CameraView(msgspec.Struct, frozen=True, kw_only=True):
    """A fixed camera."""

    camera_id: int
    name_zh: str
    name_en: str
    lat_deg: float
    lon_deg: float
    station_id: int | None


class CamerasReply(msgspec.Struct, frozen=True, kw_only=True):
    """All cameras of the account's scope."""

    cameras: list[CameraView]


class AlarmsReply(msgspec.Struct, frozen=True, kw_only=True):
    """The open alarms of the account's scope, most urgent first."""

    alarms: list[Alarm]


class AlarmReply(msgspec.Struct, frozen=True, kw_only=True):
    """One alarm as it stands after the request."""

    alarm: Alarm


class MapReply(msgspec.Struct, frozen=True, kw_only=True):
    """The base map: [west, south, east, north] and [lon, lat] in degrees WGS-84, and the layers that exist.

    `attribution` must be shown on the map ("" where nothing is asked); `tiles_url` is where vector tiles of the same layers
    are, with {z}, {x} and {y} to fill in (8 <= z <= 14), null where there are none.
    """

    name_zh: str
    name_en: str
    bounds: list[float]
    center: list[float]
    layers: list[str]
    attribution: str = ""
    tiles_url: str | None = None


class LinkView(msgspec.Struct, frozen=True, kw_only=True):
    """A link and what came over it."""

    url: str
    link_group: str
    state: str
    figures: dict[str, Any]


class SystemReply(msgspec.Struct, frozen=True, kw_only=True):
    """The system's own state; null where a part does not run here."""

    version: str
    epoch: int
    uptime_s: float
    clients: int
    clock_offset_s: float | None
    schema_version: int | None
    database_ok: bool
    history_lag_s: float | None
    journal: dict[str, Any]
    links: list[LinkView]
    checks: dict[str, str]
    storage: DiskForecast | None = None
    raw_retention_days: int | None = None
