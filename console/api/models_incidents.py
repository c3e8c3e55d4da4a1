"""The JSON of incidents: what a call centre, a supervisor and an officer say, and what they are answered."""

from typing import Annotated

import msgspec

from console.wire_incident import IncidentView, TaskView
from mission.calls.incident import Category, Equipment, IncidentState
from mission.calls.recommend import Unsuited

Text = Annotated[str, msgspec.Meta(max_length=2_000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]*$")]
# A bare $ would let one line feed through behind what is allowed: Python finds the end before it, too.
Line = Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[^\x00-\x1f]*(?!\n)$")]
Link = Annotated[str, msgspec.Meta(max_length=500, pattern=r"^(https?://[^\x00-\x20]+)?(?!\n)$")]
Version = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
Reference = Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+(?!\n)$")]


class NewIncident(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A call. `source_ref` makes it the same call when it is sent twice; without a place it is kept and the place asked for.

    Coordinates are in `crs`: wgs84 (default), gcj02, bd09 or cgcs2000.
    """

    source_ref: Reference
    title: Line
    text: Text = ""
    urgency: Annotated[int, msgspec.Meta(ge=1, le=3)] = 2
    category: Category = Category.OTHER
    place_text: Line = ""
    lat_deg: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    lon_deg: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None
    crs: str = "wgs84"
    caller_name: Line = ""
    caller_phone: Annotated[str, msgspec.Meta(max_length=32, pattern=r"^[0-9+*#() -]*(?!\n)$")] = ""
    audio_url: Link = ""
    recording_url: Link = ""
    needs: Annotated[list[Equipment], msgspec.Meta(max_length=9)] = []
    reported_at: str | None = None
    """RFC 3339 with an offset; unset: now."""


class HookIncident(NewIncident, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A call that a webhook brings; without `source_ref` its webhook-id is what makes it the same call when it comes again."""

    source_ref: Annotated[str, msgspec.Meta(max_length=100, pattern=r"^[^\x00-\x1f]*(?!\n)$")] = ""


class IncidentTaken(msgspec.Struct, frozen=True, kw_only=True):
    """What a call centre's program is answered: which incident its call is, and what is to be asked about the place.

    `place_note`: "missing", "off_map", "maybe_shifted" (the coordinates may be GCJ-02 that was not declared), or nothing.
    """

    incident_id: int
    number: str
    state: IncidentState
    place_note: str
    created: bool


class EditIncident(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be changed of an incident that stands at `version`; what is left out stays."""

    version: Version
    title: Line | msgspec.UnsetType = msgspec.UNSET
    text: Text | msgspec.UnsetType = msgspec.UNSET
    urgency: Annotated[int, msgspec.Meta(ge=1, le=3)] | msgspec.UnsetType = msgspec.UNSET
    category: Category | msgspec.UnsetType = msgspec.UNSET
    place_text: Line | msgspec.UnsetType = msgspec.UNSET
    lat_deg: Annotated[float, msgspec.Meta(ge=-90, le=90)] | msgspec.UnsetType = msgspec.UNSET
    lon_deg: Annotated[float, msgspec.Meta(ge=-180, le=180)] | msgspec.UnsetType = msgspec.UNSET
    crs: str = "wgs84"
    caller_name: Line | msgspec.UnsetType = msgspec.UNSET
    caller_phone: Annotated[str, msgspec.Meta(max_length=32, pattern=r"^[0-9+*#() -]*(?!\n)$")] | msgspec.UnsetType = (
        msgspec.UNSET
    )
    audio_url: Link | msgspec.UnsetType = msgspec.UNSET
    recording_url: Link | msgspec.UnsetType = msgspec.UNSET
    needs: Annotated[list[Equipment], msgspec.Meta(max_length=9)] | msgspec.UnsetType = msgspec.UNSET


class SetIncidentState(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another state for an incident that stands at `version`; handed_over and non_police name the agency that takes it."""

    version: Version
    state: IncidentState
    note: Text = ""
    agency_id: int | None = None


class SendUnits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Units to send to an incident that stands at `version`: one push each."""

    version: Version
    unit_ids: Annotated[list[int], msgspec.Meta(min_length=1, max_length=20)]


class RecallUnit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a unit is no longer wanted."""

    reason: Line = ""


class IncidentReply(msgspec.Struct, frozen=True, kw_only=True):
    """One incident as it stands after the request. `created`: false when the same call was there already."""

    incident: IncidentView
    created: bool = False


class IncidentsReply(msgspec.Struct, frozen=True, kw_only=True):
    """Incidents of the scope, the most urgent and oldest first; `next_before`: ask again with it for older ones."""

    incidents: list[IncidentView]
    next_before: int | None = None


class EntryView(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an incident's history."""

    entry_id: int
    at_ms: float
    account_name: str
    action: str
    unit_id: int | None
    state: IncidentState | None
    note: str
    changes: dict[str, str]


class EntriesReply(msgspec.Struct, frozen=True, kw_only=True):
    """An incident's history, oldest first."""

    entries: list[EntryView]


class CandidateView(msgspec.Struct, frozen=True, kw_only=True):
    """A unit that could go: when it would be there, and what its leaving uncovers.

    `travel_s` is the way alone, mobilisation (`turnout_s`) apart; `distance_m` by air. `suits`: it has what the call asks for;
    `unsuited` says why not ("equipment", "service", "battery") and `lacks` what it does not carry. `cover_change_ratio`: change of the 3-minute share (0..1, negative is
    a loss); null where it is not known. `opens_gap` and `opens_ring` name what would open.
    """

    unit_id: int
    in_air: bool
    travel_s: float
    turnout_s: float
    distance_m: float
    suits: bool
    unsuited: list[Unsuited]
    lacks: list[Equipment]
    cover_change_ratio: float | None
    opens_gap: str | None
    opens_ring: list[int] | None
    battery_ratio: float | None
    advised: bool


class CandidatesReply(msgspec.Struct, frozen=True, kw_only=True):
    """Who could go: ground by arrival, then air; at most ten each. `as_of_ms`: the positions' time.

    `wanted` and `wanted_in_air`: what the call asks a unit to carry. Told and not offered: units on duty that stand off the
    map's streets (`off_map_unit_ids`) or of which nobody knows where they are (`unlocated_unit_ids`). `estimated`: there is no
    road network to ask, the times are guessed from the distance by air.
    """

    ground: list[CandidateView]
    air: list[CandidateView]
    as_of_ms: float
    place_is_known: bool
    off_map_count: int
    wanted: list[Equipment] = []
    wanted_in_air: list[Equipment] = []
    off_map_unit_ids: list[int] = []
    unlocated_unit_ids: list[int] = []
    estimated: bool = False


class AgencyView(msgspec.Struct, frozen=True, kw_only=True):
    """Who handles what is not police work."""

    agency_id: int
    name_zh: str
    name_en: str
    phone: str
    categories: list[Category]


class AgenciesReply(msgspec.Struct, frozen=True, kw_only=True):
    """All agencies."""

    agencies: list[AgencyView]


class UrgencyFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Responses of one urgency today: how many, how soon (s from the call to the first arrival), how many in time (0..1)."""

    urgency: int
    count: int
    answered: int
    p50_s: float | None
    p90_s: float | None
    on_target_ratio: float | None


class FiguresReply(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of the scope: today's since midnight of China Standard Time, or a shift's since its beginning.

    `to_send_count`: new ones to which nobody is sent; `oldest_to_send_ms`: when the oldest of them was reported.
    """

    since_ms: float
    response_p50_s: float | None
    response_p90_s: float | None
    open_count: int
    to_send_count: int
    oldest_to_send_ms: float | None
    by_urgency: list[UrgencyFigures]


class ShiftReport(msgspec.Struct, frozen=True, kw_only=True):
    """A shift to print: its figures, its incidents with their times, the units' work."""

    from_ms: float
    to_ms: float
    figures: FiguresReply
    incidents: list[IncidentView]
    unit_rows: list["UnitShiftRow"]


class UnitShiftRow(msgspec.Struct, frozen=True, kw_only=True):
    """A unit's shift: how often it was sent, accepted, was there, and its median seconds from the push to its arrival."""

    unit_id: int
    sent: int
    accepted: int
    declined: int
    arrived: int
    p50_s: float | None


class PositionReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the officer's phone is, as its browser says it. `observed_ms` is the phone's clock, UTC."""

    observed_ms: float
    lat_deg: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    lon_deg: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    crs: str = "wgs84"
    accuracy_m: Annotated[float, msgspec.Meta(ge=0)] | None = None
    alt_hae_m: float | None = None
    speed_mps: Annotated[float, msgspec.Meta(ge=0)] | None = None
    course_deg: Annotated[float, msgspec.Meta(ge=0, le=360)] | None = None
    battery_ratio: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None


class SosReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A call for help, with the place where it is known."""

    observed_ms: float
    text: Line = ""
    position: PositionReport | None = None


class AnswerTask(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The officer's answer to a task, with the phone's time: one given offline keeps the time when it was given."""

    answer: Annotated[str, msgspec.Meta(pattern=r"^(received|accepted|declined|under_way|arrived|cleared)(?!\n)$")]
    answered_ms: float
    reason: Line = ""


class TasksReply(msgspec.Struct, frozen=True, kw_only=True):
    """The tasks of the signed-in officer that are not over, newest first."""

    tasks: list[TaskView]


class TaskReply(msgspec.Struct, frozen=True, kw_only=True):
    """One task as it stands after the answer."""

    task: TaskView
