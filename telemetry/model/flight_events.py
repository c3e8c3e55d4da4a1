"""What is told of missions, fences and rally points on their way to an autopilot and back."""

from enum import StrEnum

from telemetry.model.event import Event
from telemetry.model.mission_items import MissionItem, MissionList


class TransferKind(StrEnum):
    """Which way a list goes."""

    UPLOAD = "upload"
    DOWNLOAD = "download"
    CLEAR = "clear"


class OnBoard(StrEnum):
    """What the vehicle has of a list once a transfer is over."""

    AS_ASKED = "as_asked"
    """Read back from the vehicle and compared."""
    AS_BEFORE = "as_before"
    """The transfer failed before the vehicle changed anything."""
    NOTHING = "nothing"
    """The list is empty, and was not to be."""
    UNKNOWN = "unknown"
    """The transfer broke off, or what was read back differs: do not fly it."""


class TransferProgress(Event, frozen=True, kw_only=True, tag="transfer_progress"):
    """So many of the items of a list are over, `total` None while unknown; told at most twice a second."""

    command_id: int
    transfer: TransferKind
    mission_list: MissionList
    done: int
    total: int | None = None


class MissionTransferred(Event, frozen=True, kw_only=True, tag="mission_transferred"):
    """The transfer of one list is over: well when `on_board` is AS_ASKED, else `problem` says why not.

    `digest` is a short hash of what is on board (the same items give the same one). `first_item` is the number by which the
    vehicle calls the first of ours (1 where it counts its home as 0): MissionProgress tells by its numbers. `items` are what
    was read, of a download only.
    """

    command_id: int
    transfer: TransferKind
    mission_list: MissionList
    on_board: OnBoard
    item_count: int | None = None
    first_item: int = 0
    digest: str = ""
    problem: str = ""
    items: tuple[MissionItem, ...] | None = None
