"""What is told of missions on their way to an autopilot and back, of the sorties that are flown by them, and of where they end: home."""

from enum import StrEnum

from telemetry.model.event import Event
from telemetry.model.mission_items import MissionItem, MissionList


class HomeTold(Event, frozen=True, kw_only=True, tag="home_told"):
    """The place that the vehicle returns to, by its own word, 1e-7 degrees of WGS84; told again when it is another one."""

    lat_e7: int
    lon_e7: int


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


class SortieStep(StrEnum):
    """How far a sortie that was given to a drone has come."""

    HANDED = "handed"
    UPLOADING = "uploading"
    READY = "ready"
    """On board, read back and compared; it waits for its start."""
    STARTING = "starting"
    FLYING = "flying"
    PAUSED = "paused"
    RETURNING = "returning"
    """On the way home, or to where it lands."""
    DONE = "done"
    FAILED = "failed"
    """It ended otherwise."""


class SortieMoved(Event, frozen=True, kw_only=True, tag="sortie_moved"):
    """A sortie that a drone was given went on: the event holds all that its pilot must know, so that the last one counts.

    `part` counts its missions from 1: one that is given another task in the air has several. `flown` of `waypoint_count` waypoints
    of this part are flown, `flown_before` of the parts before it. `arrived_us` is when it was there: at its goal. `first_item` and `digest` are those of what is on board.
    `cause` and its sentences say why it waits, paused, failed or was broken off; empty where all is well.
    """

    sortie_id: int
    step: SortieStep
    plan_id: int | None = None
    part: int = 1
    item: int | None = None
    flown: int = 0
    waypoint_count: int = 0
    flown_before: int = 0
    first_item: int = 0
    digest: str = ""
    has_flown: bool = False
    arrived_us: int | None = None
    cause: str = ""
    reason_zh: str = ""
    reason_en: str = ""
    account_id: int | None = None
    account_name: str = ""
