"""What we ask of a device; a source turns it into its protocol's bytes."""

from enum import StrEnum
from typing import Final, TypeAlias

import msgspec

from telemetry.model.events import AlarmKind
from telemetry.model.mission_items import MissionItem, MissionList


class CommandState(StrEnum):
    """How far a command came. DELIVERED: the device itself said so; REFUSED: it said that it will not or cannot."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    REFUSED = "refused"
    EXPIRED = "expired"


class AnyCommandFields(msgspec.Struct, frozen=True, kw_only=True, tag_field="command"):
    """What every command has: the device, and our number of it (0: nobody waits for an answer)."""

    device_id: int
    command_id: int = 0


class SetReportInterval(AnyCommandFields, frozen=True, kw_only=True, tag="set_report_interval"):
    """Ask a device to report its position every `interval_s` seconds (0.1 .. 3600)."""

    interval_s: float


class RequestPosition(AnyCommandFields, frozen=True, kw_only=True, tag="request_position"):
    """Ask a device for its position now."""


class TrackFaster(AnyCommandFields, frozen=True, kw_only=True, tag="track_faster"):
    """Ask a device to report every `interval_s` seconds (1 .. 3600) for `duration_s` seconds (1 .. 86400), then as before."""

    interval_s: float
    duration_s: float


class SendText(AnyCommandFields, frozen=True, kw_only=True, tag="send_text"):
    """Show a text of at most 500 characters on a device; `is_spoken` reads it out, `is_urgent` marks it."""

    text: str
    is_spoken: bool = False
    is_urgent: bool = False


class ConfirmAlarm(AnyCommandFields, frozen=True, kw_only=True, tag="confirm_alarm"):
    """Tell a device that a person has taken its alarm."""

    alarm: AlarmKind


class SetParameters(AnyCommandFields, frozen=True, kw_only=True, tag="set_parameters"):
    """Change a device's settings, by the names that its protocol's room gives them."""

    values: dict[str, str]


class RequestParameters(AnyCommandFields, frozen=True, kw_only=True, tag="request_parameters"):
    """Ask a device for its settings; an answer comes as a DeviceParameters event."""


class OpenVideo(AnyCommandFields, frozen=True, kw_only=True, tag="open_video"):
    """Ask a device to send live video of a channel to a media server that an administrator has configured."""

    channel: str = ""


class CloseVideo(AnyCommandFields, frozen=True, kw_only=True, tag="close_video"):
    """Ask a device to end its live video."""

    channel: str = ""


class FlightAction(StrEnum):
    """What a pilot asks of a drone."""

    ARM = "arm"
    DISARM = "disarm"
    TAKE_OFF = "take_off"
    """To `alt_home_m`."""
    START = "start"
    """The mission on board, from its first item."""
    PAUSE = "pause"
    """Stand still in the air; the mission can be continued."""
    CONTINUE = "continue"
    """The mission, from where it was left."""
    RETURN_HOME = "return_home"
    HOLD = "hold"
    """Stand still here and wait for the next order."""
    GO_TO = "go_to"
    """To `lat_e7`, `lon_e7` at `alt_home_m`, and wait there."""
    LAND = "land"
    """Here."""
    SET_CURRENT = "set_current"
    """Go on with item `item` of the mission, counted from 0 as it was uploaded."""


OVERTAKES: Final = frozenset(
    {
        FlightAction.PAUSE,
        FlightAction.HOLD,
        FlightAction.RETURN_HOME,
        FlightAction.LAND,
        FlightAction.DISARM,
        FlightAction.GO_TO,
    }
)
"""What a pilot wants now: it waits for no queue, and what was ordered before it and is not done yet is done no more."""


class FlightCommand(AnyCommandFields, frozen=True, kw_only=True, tag="flight"):
    """Ask a drone to do something in flight; it answers by a CommandAnswered, what it said beside it in the text.

    `alt_home_m` is above the take-off place; None keeps the height (GO_TO) or takes the vehicle's own (TAKE_OFF).
    `speed_mps` of GO_TO is over ground, None: the vehicle's own.
    """

    action: FlightAction
    lat_e7: int | None = None
    lon_e7: int | None = None
    alt_home_m: float | None = None
    speed_mps: float | None = None
    item: int | None = None


class UploadMission(AnyCommandFields, frozen=True, kw_only=True, tag="upload_mission"):
    """Put a mission, a fence and rally points on board: a list that is None stays as it is, an empty one is cleared.

    Fence first, then rally, then the mission; each is read back and compared. TransferProgress and MissionTransferred tell of
    each list, CommandAnswered of the whole.
    """

    mission: tuple[MissionItem, ...] | None = None
    fence: tuple[MissionItem, ...] | None = None
    rally: tuple[MissionItem, ...] | None = None


class DownloadMission(AnyCommandFields, frozen=True, kw_only=True, tag="download_mission"):
    """Read lists from a vehicle; each comes as a MissionTransferred with its items."""

    lists: tuple[MissionList, ...] = (MissionList.MISSION,)


class ClearMission(AnyCommandFields, frozen=True, kw_only=True, tag="clear_mission"):
    """Empty lists of a vehicle."""

    lists: tuple[MissionList, ...] = (MissionList.MISSION,)


class RelayFrames(AnyCommandFields, frozen=True, kw_only=True, tag="relay_frames"):
    """Send on whole frames of another ground station, meant for this vehicle or for all; the vehicle gets them signed by us."""

    data: bytes


Command: TypeAlias = (
    SetReportInterval
    | RequestPosition
    | TrackFaster
    | SendText
    | ConfirmAlarm
    | SetParameters
    | RequestParameters
    | OpenVideo
    | CloseVideo
    | FlightCommand
    | UploadMission
    | DownloadMission
    | ClearMission
    | RelayFrames
)


def tag_of(kind: type[AnyCommandFields]) -> str:
    """Return the name by which JSON and people's screens call a kind of command."""
    tag = kind.__struct_config__.tag
    assert isinstance(tag, str)
    return tag
