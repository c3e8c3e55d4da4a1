"""What the websocket tells of incidents: each as it stands, numbered, and an officer's own tasks."""

import msgspec

from mission.calls.incident import Category, DispatchState, Equipment, IncidentState
from telemetry.model.unit import UnitKind


class DispatchView(msgspec.Struct, frozen=True, kw_only=True):
    """One unit sent to an incident. Times are UTC milliseconds, null while it has not happened."""

    dispatch_id: int
    unit_id: int
    state: DispatchState
    channel: str
    travel_s: float | None
    distance_m: float | None
    sent_by: str
    queued_ms: float
    sent_ms: float | None
    received_ms: float | None
    accepted_ms: float | None
    under_way_ms: float | None
    arrived_ms: float | None
    arrived_by: str
    cleared_ms: float | None
    declined_ms: float | None
    recalled_ms: float | None
    reason: str


class IncidentView(msgspec.Struct, frozen=True, kw_only=True):
    """A call as it stands. A place that nobody told is null and asked for.

    `version` grows with every decision of a person (what units answer is none) and is what a change must name; `seq` grows
    with every change of any incident: of two views the one with the higher `seq` is newer. `place_note` says what is to be
    asked about the place: "missing", "off_map", "maybe_shifted" (off the roads, on one if the coordinates are GCJ-02), or
    nothing. The caller's phone and name are masked for those who only watch. `response_s`: call to first arrival, null before it.
    """

    incident_id: int
    number: str
    version: int
    seq: int
    state: IncidentState
    urgency: int
    category: Category
    title: str
    text: str
    place_text: str
    lat_deg: float | None
    lon_deg: float | None
    place_note: str
    caller_name: str
    caller_phone: str
    audio_url: str
    recording_url: str
    station_id: int | None
    source: str
    needs: list[Equipment]
    agency_id: int | None
    reported_ms: float
    closed_ms: float | None
    target_s: float
    response_s: float | None
    on_target: bool | None
    dispatches: list[DispatchView]


class IncidentChanged(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="incident"):
    """An incident of the scope as it stands now. Numbered by `seq`, never dropped, replayed from `resume.incident_seq`."""

    seq: int
    incident: IncidentView


class CompanionView(msgspec.Struct, frozen=True, kw_only=True):
    """Another unit sent to the same incident, named here because an officer's own list holds only their own unit."""

    unit_id: int
    kind: UnitKind
    name_zh: str
    name_en: str
    state: DispatchState
    travel_s: float | None
    equipment: list[Equipment] = []


class TaskView(msgspec.Struct, frozen=True, kw_only=True):
    """What an officer is asked to do: the dispatch, its incident with the caller's phone, and who else goes."""

    dispatch: DispatchView
    incident: IncidentView
    way: list[list[float]]
    """The fastest way there as [lon, lat] points; empty where none is known."""
    companions: list[CompanionView] = []
    """The other live dispatches of the incident, soonest first."""


class TaskChanged(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="task"):
    """An officer's own task as it stands now; pushed at once, and again on each connection until it is over."""

    seq: int
    task: TaskView
