"""What mission speaks of: incidents, dispatches, agencies, and the words for where each of them stands."""

from enum import IntEnum, StrEnum
from typing import Final

import msgspec

from telemetry.model.unit import Equipment as Equipment  # noqa: PLC0414 - callers take it from here


class Urgency(IntEnum):
    """How soon somebody must be there; the third reading of 1-3-5."""

    ONE = 1
    TWO = 2
    THREE = 3


TARGET_S: Final = {Urgency.ONE: 60.0, Urgency.TWO: 180.0, Urgency.THREE: 300.0}
"""Seconds from the call to somebody's arrival, by urgency."""


class Category(StrEnum):
    """What a call is about, as far as it decides who suits."""

    HELP = "help"
    """A person needs rescue or first aid."""
    VIOLENCE = "violence"
    DISPUTE = "dispute"
    THEFT = "theft"
    TRAFFIC = "traffic"
    MISSING_PERSON = "missing_person"
    CROWD = "crowd"
    FIRE = "fire"
    SUSPICIOUS = "suspicious"
    SERVICE = "service"
    """Not police work: lost keys, noise, a broken lamp."""
    OTHER = "other"


class IncidentState(StrEnum):
    """Where an incident stands."""

    NEW = "new"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    UNDER_WAY = "under_way"
    ON_SCENE = "on_scene"
    CLEARED = "cleared"
    HANDED_OVER = "handed_over"
    NON_POLICE = "non_police"


CLOSED: Final = frozenset({IncidentState.CLEARED, IncidentState.HANDED_OVER, IncidentState.NON_POLICE})


class DispatchState(StrEnum):
    """What became of sending one unit."""

    QUEUED = "queued"
    """Decided, not yet handed to a channel."""
    SENT = "sent"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    UNDER_WAY = "under_way"
    ARRIVED = "arrived"
    CLEARED = "cleared"
    DECLINED = "declined"
    RECALLED = "recalled"


ENDED: Final = frozenset({DispatchState.CLEARED, DispatchState.DECLINED, DispatchState.RECALLED})


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who called; empty where it was not said."""

    name: str = ""
    phone: str = ""


class Dispatch(msgspec.Struct, frozen=True, kw_only=True):
    """One unit sent to one incident. Times are UTC microseconds, None while it has not happened."""

    dispatch_id: int
    incident_id: int
    unit_id: int
    state: DispatchState
    travel_s: float | None
    """As reckoned when it was sent, mobilisation included; None where no way was known."""
    distance_m: float | None
    sent_by: str
    queued_us: int
    channel: str = ""
    sent_us: int | None = None
    received_us: int | None = None
    accepted_us: int | None = None
    under_way_us: int | None = None
    arrived_us: int | None = None
    arrived_by: str = ""
    """"track" when the position told it, else the account's name."""
    cleared_us: int | None = None
    declined_us: int | None = None
    recalled_us: int | None = None
    reason: str = ""

    @property
    def is_live(self) -> bool:
        """Whether the unit is still wanted there."""
        return self.state not in ENDED


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """A call as it stands. `change_seq` grows force-wide with every change; `version` with every decision about this one.

    What a unit answers is a fact and no decision: it moves the state and `change_seq`, and conflicts with nobody.
    """

    incident_id: int
    number: str
    """What people say: JQ-1122-0418."""
    version: int
    change_seq: int
    state: IncidentState
    urgency: Urgency
    category: Category
    title: str
    text: str
    place_text: str
    lat_e7: int | None
    lon_e7: int | None
    caller: Caller
    audio_url: str
    recording_url: str
    station_id: int | None
    source: str
    """"console", "rest", "webhook" or "csv"."""
    source_ref: str
    reported_us: int
    created_us: int
    changed_us: int
    agency_id: int | None = None
    closed_us: int | None = None
    needs: tuple[Equipment, ...] = ()
    dispatches: tuple[Dispatch, ...] = ()
    past_station_ids: tuple[int, ...] = ()
    """Stations to which it belonged before its place was mended; who saw it once goes on seeing it."""
    place_note: str = ""
    """Why the place is to be asked for again: one of `PlaceNote`, empty where nothing is wrong."""

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to do something."""
        return self.state not in CLOSED

    @property
    def target_s(self) -> float:
        """Seconds from the call within which somebody must be there."""
        return TARGET_S[self.urgency]

    @property
    def arrived_us(self) -> int | None:
        """When the first unit was there, None while none is."""
        return min((sent.arrived_us for sent in self.dispatches if sent.arrived_us is not None), default=None)


class PlaceNote(StrEnum):
    """What is to be asked about the place of a call."""

    MISSING = "missing"
    """Nobody told it."""
    OFF_MAP = "off_map"
    """It lies where this city has no roads."""
    MAYBE_SHIFTED = "maybe_shifted"
    """It lies off the roads, and taken as GCJ-02 it would lie on one: ask which system the caller's map used."""


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A call as it comes in. `source_ref` within its source (and key) makes it the same call when it comes again.

    The place is WGS-84, 1e-7 degree; `sha256` is the digest of what was said, so that a changed repeat is noticed.
    """

    source: str
    source_ref: str
    sha256: bytes
    title: str
    text: str = ""
    urgency: Urgency = Urgency.TWO
    category: Category = Category.OTHER
    place_text: str = ""
    lat_e7: int | None = None
    lon_e7: int | None = None
    place_note: str = ""
    caller: Caller = Caller()
    audio_url: str = ""
    recording_url: str = ""
    needs: tuple[Equipment, ...] = ()
    station_id: int | None = None
    taken_station_id: int | None = None
    """Whose people took the call: they go on seeing it, wherever it turns out to be."""
    reported_us: int
    intake_key_id: int | None = None
    webhook_id: str | None = None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an incident's history: who did what and when; never changed afterwards."""

    entry_id: int
    incident_id: int
    version: int
    """The incident's version after it."""
    at_us: int
    account_name: str
    """The account, "track" for what a position told, or the intake key's label."""
    action: str
    """created, edited, state, dispatched, sent, received, accepted, declined, under_way, arrived, cleared, recalled,
    no_channel (nothing reaches the unit), unanswered (it did not accept in time)."""
    account_id: int | None = None
    unit_id: int | None = None
    state: IncidentState | None = None
    note: str = ""
    changes: dict[str, str] = {}


class Agency(msgspec.Struct, frozen=True, kw_only=True):
    """Who handles what is not police work."""

    agency_id: int
    name_zh: str
    name_en: str
    phone: str
    categories: tuple[Category, ...] = ()
