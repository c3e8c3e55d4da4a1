"""Who flies a drone: who is in control of it from now on and how that came, and what a ground station orders that was lent it."""

from enum import StrEnum

from telemetry.model.event import Event


class ControlChange(StrEnum):
    """What happened to the control of a drone."""

    TAKEN = "taken"
    """Nobody had it, and somebody took it."""
    OFFERED = "offered"
    """Its holder offers it to somebody, and has it until that one accepts."""
    ACCEPTED = "accepted"
    DECLINED = "declined"
    """The one it was offered to does not want it, or the holder took the offer back."""
    RELEASED = "released"
    FORCED = "forced"
    """A supervisor took it from its holder and said why."""
    LAPSED = "lapsed"
    """Its holder is gone: signed out, or the ground station is silent."""


class HolderKind(StrEnum):
    """Who may be in control of a drone."""

    NOBODY = "nobody"
    ACCOUNT = "account"
    GROUND_STATION = "ground_station"
    """A program such as QGroundControl that we forward the drone to."""


class ControlChanged(Event, frozen=True, kw_only=True, tag="control_changed"):
    """Who is in control of the device from now on: the event holds the whole state, so that the last one counts.

    `holder_id` is the account's number (0 for others), `holder_name` the account's name or the ground station's. `offered`,
    `offered_id`, `offered_name`: to whom it is offered, nobody where it is not. `by_id`, `by_name`: the account that did it,
    0 and "" where nobody did. `reason`: why it was forced or lapsed.
    """

    change: ControlChange
    holder: HolderKind = HolderKind.NOBODY
    holder_id: int = 0
    holder_name: str = ""
    offered: HolderKind = HolderKind.NOBODY
    offered_id: int = 0
    offered_name: str = ""
    by_id: int = 0
    by_name: str = ""
    reason: str = ""


class StationOrdered(Event, frozen=True, kw_only=True, tag="station_ordered"):
    """A ground station that was lent the control of the device ordered it something, which was sent on.

    `lent_by_id`, `lent_by_name` are the account that lent it. `order` is the message's name and the number of its command (a
    MAV_CMD), where it has one; a stream of the same order is told by its first ones and then now and then.
    """

    station: str
    order: str
    lent_by_id: int = 0
    lent_by_name: str = ""
