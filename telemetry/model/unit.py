"""Units, devices and assignments: who is out there and which device speaks for whom."""

from enum import StrEnum
from typing import Final

import msgspec


class UnitKind(StrEnum):
    """What a unit is; the shape of its marker."""

    DRONE = "drone"
    OFFICER = "officer"
    MOTORCYCLE = "motorcycle"
    CAR = "car"
    MOBILE_ROOM = "mobile_room"


class Service(StrEnum):
    """Which service a unit belongs to."""

    PATROL = "patrol"
    TRAFFIC = "traffic"
    SPECIAL = "special"
    STATION = "station"
    FOREST = "forest"
    VOLUNTEER = "volunteer"
    AIR = "air"


class DutyStatus(StrEnum):
    """Whether a unit can be sent. Only FREE and STANDBY units count as available for coverage."""

    OFF_DUTY = "off_duty"
    STANDBY = "standby"
    FREE = "free"
    ENGAGED = "engaged"
    EN_ROUTE = "en_route"
    ON_SCENE = "on_scene"
    CHARGING = "charging"


class Equipment(StrEnum):
    """What a unit carries, as far as calls ask for it."""

    AED = "aed"
    FIRST_AID = "first_aid"
    LIFE_RING = "life_ring"
    EXTINGUISHER = "extinguisher"
    SHIELD = "shield"
    BREATH_TESTER = "breath_tester"
    SPEAKER = "speaker"
    SEARCHLIGHT = "searchlight"
    THERMAL_CAMERA = "thermal_camera"


AVAILABLE: Final = frozenset({DutyStatus.FREE, DutyStatus.STANDBY})


class LinkState(StrEnum):
    """How fresh what we show is: live, stale (over three reporting intervals), lost, or never heard."""

    NEVER = "never"
    LIVE = "live"
    STALE = "stale"
    LOST = "lost"


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """A drone, officer, vehicle or mobile room of the force."""

    unit_id: int
    call_sign: str
    kind: UnitKind
    service: Service
    duty_status: DutyStatus = DutyStatus.OFF_DUTY
    station_id: int | None = None
    name_zh: str = ""
    name_en: str = ""
    covert: bool = False
    equipment: tuple[Equipment, ...] = ()
    trusted_device_id: int | None = None
    """The device that an operator chose to speak for the unit as long as it is heard; None: the best one."""


CHINA_OFFSET_S: Final = 28_800


class DeviceOptions(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one device differs from its protocol's standard; each has the standard's value as its default.

    `utc_offset_s` is the zone of times that carry none (JT/T 808 and GB/T 28181 say GMT+8). `crs` is the datum of its
    coordinates (wgs84, gcj02, bd09, cgcs2000). `trust` is higher for a better one of a unit's devices (None: its
    protocol's). `allowed_hosts` are the addresses or networks that it may speak from (empty: any).
    """

    utc_offset_s: int = CHINA_OFFSET_S
    crs: str = "wgs84"
    ignores_checksum: bool = False
    ignores_length: bool = False
    trust: int | None = None
    allowed_hosts: tuple[str, ...] = ()


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """What speaks: an autopilot, a handset, a tracker.

    `address` is how the protocol names it: "link_group/system_id" for MAVLink, the lower-case hexadecimal SHA-256 of the
    token for phones.
    """

    device_id: int
    protocol: str
    address: str
    label: str = ""
    report_interval_s: float = 1.0
    revoked: bool = False
    options: DeviceOptions = DeviceOptions()
    pairs_until_us: int = 0
    """Until when it may be told its secret over the air (JT/T 808 registration); 0: never again."""


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """A device speaks for a unit from `started_us` until `ended_us` (None: still), UTC microseconds."""

    device_id: int
    unit_id: int
    started_us: int
    ended_us: int | None = None


class Station(msgspec.Struct, frozen=True, kw_only=True):
    """A street police station; `ring_order` is its place in the closed ring, counted from 1."""

    station_id: int
    number: int
    name_zh: str
    name_en: str
    lat_deg: float
    lon_deg: float
    ring_order: int | None = None
