"""What is rare and various: small frozen events that flow beside the batch and are journalled like positions."""

from enum import IntEnum, StrEnum
from typing import Final, TypeAlias

import msgspec

from telemetry.model.control_events import ControlChanged, StationOrdered
from telemetry.model.event import Event
from telemetry.model.flight_events import HomeTold, MissionTransferred, SortieMoved, SortieStep, TransferProgress


class Severity(IntEnum):
    """How loudly an event asks for a person, kept beside it in history; an alarm's priority is the board's own."""

    INFO = 0
    NOTICE = 1
    WARNING = 2
    ALARM = 3


class AlarmKind(StrEnum):
    """Why a person must look."""

    SOS = "sos"
    LINK_LOST = "link_lost"
    BATTERY_LOW = "battery_low"
    IDENTITY_CONFLICT = "identity_conflict"
    COLLISION = "collision"
    ROLLOVER = "rollover"
    POWER_CUT = "power_cut"
    TAMPER = "tamper"
    STOLEN = "stolen"
    FATIGUE = "fatigue"
    SPEEDING = "speeding"
    DEVICE_FAULT = "device_fault"
    GEOFENCE = "geofence"
    OUTSIDE_AREA = "outside_area"
    OFFICER_ALONE = "officer_alone"
    TRAFFIC = "traffic"
    """Somebody else in the air comes too near to a drone of ours."""


class LandedState(StrEnum):
    """MAV_LANDED_STATE, in words."""

    ON_GROUND = "on_ground"
    IN_AIR = "in_air"
    TAKEOFF = "takeoff"
    LANDING = "landing"


class ModeChanged(Event, frozen=True, kw_only=True, tag="mode_changed"):
    """The autopilot's flight mode is another one; `mode` is the firmware's own upper-case name or "MODE(n)"."""

    mode: str
    previous: str | None = None


class ArmedChanged(Event, frozen=True, kw_only=True, tag="armed_changed"):
    """The motors were armed or disarmed."""

    armed: bool


class LandedChanged(Event, frozen=True, kw_only=True, tag="landed_changed"):
    """The vehicle left the ground or came back to it."""

    landed: LandedState


class BatteryLow(Event, frozen=True, kw_only=True, tag="battery_low"):
    """The battery fell below a threshold; `battery_ratio` is 0..1."""

    battery_ratio: float
    threshold_ratio: float


class LinkLost(Event, frozen=True, kw_only=True, tag="link_lost"):
    """Nothing was heard for `silent_s` seconds (raised at 3 and at 10)."""

    silent_s: float


class LinkRegained(Event, frozen=True, kw_only=True, tag="link_regained"):
    """The device is heard again after `silent_s` seconds."""

    silent_s: float


class Rebooted(Event, frozen=True, kw_only=True, tag="rebooted"):
    """The boot clock fell back by more than 10 s: a new epoch begins."""

    epoch: int
    fell_back_s: float


class MissionProgress(Event, frozen=True, kw_only=True, tag="mission_progress"):
    """A mission item became current or was reached; `total` is None while unknown."""

    item: int
    total: int | None = None
    reached: bool = False


class StatusText(Event, frozen=True, kw_only=True, tag="status_text"):
    """A line that the autopilot says; `level` is MAV_SEVERITY 0 (emergency) .. 7 (debug)."""

    level: int
    text: str


class IdentityConflict(Event, frozen=True, kw_only=True, tag="identity_conflict"):
    """A second speaker uses this device's name; the first identity stays and the second is ignored."""

    evidence: str


class DeviceClockWrong(Event, frozen=True, kw_only=True, tag="device_clock_wrong"):
    """The device's clock differs from ours by `offset_s` seconds, more than a day."""

    offset_s: float


class SosRaised(Event, frozen=True, kw_only=True, tag="sos_raised"):
    """A person asks for help. `sent_late`: it was stored on the device and came with old positions."""

    text: str = ""
    sent_late: bool = False


class SosCleared(Event, frozen=True, kw_only=True, tag="sos_cleared"):
    """The person who asked for help says that it is over."""


class AlarmAcknowledged(Event, frozen=True, kw_only=True, tag="alarm_acknowledged"):
    """A named account took an alarm upon itself."""

    alarm_id: str
    account_id: int
    account_name: str


class AlarmNumbered(Event, frozen=True, kw_only=True, tag="alarm_numbered"):
    """An alarm was raised: what it was called, for which unit and how urgent, so that a restart tells the same."""

    alarm_id: str
    number: int
    alarm: AlarmKind
    priority: int
    unit_id: int | None = None


class AlarmHandedOver(Event, frozen=True, kw_only=True, tag="alarm_handed_over"):
    """The owner of an alarm, or a superior, gave it to another account."""

    alarm_id: str
    account_id: int
    account_name: str
    by_account_id: int
    by_name: str
    note: str = ""


class AlarmClosed(Event, frozen=True, kw_only=True, tag="alarm_closed"):
    """A named account says that an alarm is over, and what became of it."""

    alarm_id: str
    account_id: int
    account_name: str
    note: str = ""


class DeviceAlarm(Event, frozen=True, kw_only=True, tag="device_alarm"):
    """A device's own alarm began (`active`) or ended; `code` is its protocol's name of it, such as "jt808:29".

    Raised at the edge, not with every fix. `sent_late`: it was stored on the device and came with old positions.
    """

    alarm: AlarmKind
    active: bool
    code: str = ""
    text: str = ""
    sent_late: bool = False


class GeofenceEntered(Event, frozen=True, kw_only=True, tag="geofence_entered"):
    """The device came into a geofence, at `observed_us` (between two fixes where it swept over the edge).

    `raises_alarm`: a person must look, since the geofence asks for it; `name` is the geofence's then.
    """

    geofence_id: int
    late: bool = False
    raises_alarm: bool = False
    name: str = ""


class GeofenceLeft(Event, frozen=True, kw_only=True, tag="geofence_left"):
    """The device left a geofence after `inside_s` seconds."""

    geofence_id: int
    inside_s: float
    late: bool = False


class GeofenceDwelt(Event, frozen=True, kw_only=True, tag="geofence_dwelt"):
    """The device has stayed in a geofence for as long as the geofence asks to be told."""

    geofence_id: int
    inside_s: float


class GeofenceSpeeding(Event, frozen=True, kw_only=True, tag="geofence_speeding"):
    """The device goes faster than a geofence allows, or (`active` false) no longer."""

    geofence_id: int
    active: bool
    speed_mps: float
    limit_mps: float


class OutsideArea(Event, frozen=True, kw_only=True, tag="outside_area"):
    """The unit is outside of every area assigned to it now, or (`active` false) inside again."""

    active: bool
    geofence_id: int | None = None


class OfficerAlone(Event, frozen=True, kw_only=True, tag="officer_alone"):
    """No other unit is within `limit_m` metres of the officer, or (`active` false) one is again; `nearest_m` None: none at all."""

    active: bool
    limit_m: float
    nearest_m: float | None = None


class OfficerOnBoard(Event, frozen=True, kw_only=True, tag="officer_on_board"):
    """Somebody put a card into the vehicle's reader, or (`present` false) took it out."""

    present: bool
    name: str = ""
    card: str = ""
    agency: str = ""


class DeviceInfo(Event, frozen=True, kw_only=True, tag="device_info"):
    """What a device says of itself: maker, model, serial, firmware, plate and the like."""

    fields: dict[str, str]


class DeviceParameters(Event, frozen=True, kw_only=True, tag="device_parameters"):
    """A device's settings as it told them, by the names that its protocol's room gives them."""

    values: dict[str, str]


class VendorData(Event, frozen=True, kw_only=True, tag="vendor_data"):
    """What a device said that no standard names, as hexadecimal digits by the protocol's number of it."""

    items: dict[str, str]


class VideoChanged(Event, frozen=True, kw_only=True, tag="video_changed"):
    """A device's live video began (`url` is where to watch it) or ended (`url` empty)."""

    channel: str
    url: str = ""


class ZoneWrong(Event, frozen=True, kw_only=True, tag="zone_wrong"):
    """The device's clock differs by whole half hours: its time zone is set wrong by `offset_s` seconds (positive: ahead)."""

    offset_s: float


class CommandAnswered(Event, frozen=True, kw_only=True, tag="command_answered"):
    """A device answered a command of ours; `state` is delivered or refused."""

    command_id: int
    state: str
    text: str = ""


class CommandOrdered(Event, frozen=True, kw_only=True, tag="command_ordered"):
    """A person asked a device for something; `command` is the JSON of telemetry.model.commands, `unit_id` whose device it is.

    It may be sent until `expires_us`.
    """

    command_id: int
    command: str
    expires_us: int
    unit_id: int | None = None
    account_id: int | None = None
    account_name: str = ""


class CommandMoved(Event, frozen=True, kw_only=True, tag="command_moved"):
    """A command of ours was sent, ran out of time, or cannot be sent at all (refused, with the reason as `text`)."""

    command_id: int
    state: str
    text: str = ""


AnyEvent: TypeAlias = (
    ModeChanged
    | ArmedChanged
    | LandedChanged
    | HomeTold
    | BatteryLow
    | LinkLost
    | LinkRegained
    | Rebooted
    | MissionProgress
    | StatusText
    | IdentityConflict
    | DeviceClockWrong
    | SosRaised
    | SosCleared
    | AlarmAcknowledged
    | AlarmNumbered
    | AlarmHandedOver
    | AlarmClosed
    | DeviceAlarm
    | GeofenceEntered
    | GeofenceLeft
    | GeofenceDwelt
    | GeofenceSpeeding
    | OutsideArea
    | OfficerAlone
    | OfficerOnBoard
    | DeviceInfo
    | DeviceParameters
    | VendorData
    | VideoChanged
    | ZoneWrong
    | CommandAnswered
    | CommandOrdered
    | CommandMoved
    | ControlChanged
    | StationOrdered
    | MissionTransferred
    | TransferProgress
    | SortieMoved
)

_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final[msgspec.msgpack.Decoder[AnyEvent]] = msgspec.msgpack.Decoder(AnyEvent)


def encode_event(event: AnyEvent) -> bytes:
    """Return the journal's bytes of an event (msgpack, tagged by `kind`)."""
    return _ENCODER.encode(event)


def decode_event(data: bytes) -> AnyEvent:
    """Return the event that `encode_event` wrote. Raises msgspec.ValidationError or msgspec.DecodeError."""
    try:
        return _DECODER.decode(data)
    except (UnicodeDecodeError, RecursionError) as error:  # msgspec lets these two through
        raise msgspec.DecodeError(f"an event that is no text or too deep: {error}") from error


def kind_of(event: AnyEvent) -> str:
    """Return the event's tag, the `kind` column of SQL and JSON."""
    tag = event.__struct_config__.tag
    assert isinstance(tag, str)
    return tag


def severity_of(event: AnyEvent) -> Severity:
    """Return how loudly an event asks for a person."""
    match event:
        case SosRaised():
            return Severity.ALARM
        case LinkLost(silent_s=silent_s) if silent_s >= LINK_LOST_S:
            return Severity.WARNING
        case DeviceAlarm(active=True, alarm=alarm) if alarm in _GRAVE:
            return Severity.ALARM
        case BatteryLow() | IdentityConflict():
            return Severity.WARNING
        case DeviceAlarm(active=True) | OutsideArea(active=True) | OfficerAlone(active=True):
            return Severity.WARNING
        case GeofenceSpeeding(active=True) | SortieMoved(step=SortieStep.FAILED):
            return Severity.WARNING
        case StatusText(level=level):
            return Severity.WARNING if level <= STATUS_TEXT_WARNING_LEVEL else Severity.INFO
        case LinkLost() | Rebooted() | DeviceClockWrong() | ZoneWrong():
            return Severity.NOTICE
        case _:
            return Severity.INFO


_GRAVE: Final = frozenset({AlarmKind.SOS, AlarmKind.COLLISION, AlarmKind.ROLLOVER})
LINK_SILENT_S: Final = 3.0
LINK_LOST_S: Final = 10.0
STATUS_TEXT_WARNING_LEVEL: Final = 3
