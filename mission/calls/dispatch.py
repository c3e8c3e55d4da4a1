"""Decides about incidents: which state follows from which, what a unit's answer means, how the response measures. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from mission.calls import errand
from mission.calls.errand import RANK, Answer, By
from mission.calls.incident import (
    CLOSED,
    Dispatch,
    DispatchState,
    Draft,
    Entry,
    Incident,
    IncidentState,
    Urgency,
)
from telemetry.model.errors import ConflictError, InputError, NotFoundError

MICROSECONDS: Final = 1_000_000


class VersionConflictError(ConflictError):
    """Somebody decided about the incident in the meantime: read it again, then decide."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A unit to send, with how long it needs (s, mobilisation included) and how far it is; None where nobody knows."""

    unit_id: int
    travel_s: float | None = None
    distance_m: float | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision makes of an incident: how it stands, and the new lines of its history (their ids still 0)."""

    incident: Incident
    entries: tuple[Entry, ...]

    @property
    def is_nothing(self) -> bool:
        """Whether all was so before."""
        return not self.entries


_STATE_OF_STEP: Final[Mapping[DispatchState, IncidentState]] = {
    DispatchState.QUEUED: IncidentState.OFFERED,
    DispatchState.SENT: IncidentState.OFFERED,
    DispatchState.RECEIVED: IncidentState.OFFERED,
    DispatchState.ACCEPTED: IncidentState.ACCEPTED,
    DispatchState.UNDER_WAY: IncidentState.UNDER_WAY,
    DispatchState.ARRIVED: IncidentState.ON_SCENE,
}
_STEP_OF_STATE: Final[Mapping[IncidentState, DispatchState]] = {
    IncidentState.ACCEPTED: DispatchState.ACCEPTED,
    IncidentState.UNDER_WAY: DispatchState.UNDER_WAY,
    IncidentState.ON_SCENE: DispatchState.ARRIVED,
}
_EDITABLE: Final = frozenset(
    {
        *("title", "text", "urgency", "category", "place_text", "lat_e7", "lon_e7", "place_note", "caller"),
        *("audio_url", "recording_url", "needs", "station_id"),
    }
)


# --- the incident ------------------------------------------------------------------------------------------------


def opened(draft: Draft, *, by: By, number: str, now_us: int) -> Change:
    """Return the incident that a call opens (its id and change_seq still 0)."""
    taken_id = draft.taken_station_id
    incident = Incident(
        incident_id=0,
        number=number,
        version=1,
        change_seq=0,
        state=IncidentState.NEW,
        urgency=draft.urgency,
        category=draft.category,
        title=draft.title,
        text=draft.text,
        place_text=draft.place_text,
        place_note=draft.place_note,
        lat_e7=draft.lat_e7,
        lon_e7=draft.lon_e7,
        caller=draft.caller,
        audio_url=draft.audio_url,
        recording_url=draft.recording_url,
        station_id=draft.station_id,
        source=draft.source,
        source_ref=draft.source_ref,
        reported_us=draft.reported_us,
        created_us=now_us,
        changed_us=now_us,
        needs=draft.needs,
        past_station_ids=() if taken_id is None or taken_id == draft.station_id else (taken_id,),
    )
    return Change(incident=incident, entries=(_entry(incident, by, "created", now_us, state=IncidentState.NEW),))


def demand_version(incident: Incident, version: int, since: Iterable[Entry] = ()) -> None:
    """Raise VersionConflictError unless the incident stands at `version`; `since` are the entries that tell why not."""
    if incident.version == version:
        return
    if version > incident.version:
        message = f"incident {incident.number} stands at version {incident.version}, {version} never was: read it again"
        raise VersionConflictError(message)
    done = "; ".join(_told(entry) for entry in since if entry.version > version)
    message = (
        f"incident {incident.number} stands at version {incident.version}, you decided on version {version}"
        f"{f': {done}' if done else ''}. Look at it as it stands now, then decide again"
    )
    raise VersionConflictError(message)


def _told(entry: Entry) -> str:
    what = ", ".join(sorted(entry.changes)) if entry.action == "edited" else (entry.state or "")
    return f"{entry.account_name or 'somebody'} {entry.action}{f' {what}' if what else ''}"


def edited(incident: Incident, changes: Mapping[str, Any], *, by: By, now_us: int) -> Change:
    """Return the incident with other words, another place, urgency or needs. Closed ones too: what was written may be wrong.

    Raises InputError for a field that is not told by people.
    """
    unknown = sorted(set(changes) - _EDITABLE)
    if unknown:
        message = f"an incident's {', '.join(unknown)} cannot be edited: allowed are {', '.join(sorted(_EDITABLE))}"
        raise InputError(message)
    real = {name: value for name, value in changes.items() if getattr(incident, name) != value}
    if not real:
        return Change(incident=incident, entries=())
    said = {name: text for field, value in real.items() for name, text in _said(incident, field, value)}
    past = incident.past_station_ids
    if "station_id" in real and incident.station_id is not None and incident.station_id not in past:
        past = (*past, incident.station_id)
    after = _decided(incident, now_us, past_station_ids=past, **real)
    return Change(incident=after, entries=(_entry(after, by, "edited", now_us, changes=said),))


def _said(incident: Incident, field: str, value: Any) -> Iterable[tuple[str, str]]:  # noqa: ANN401 - a field of Incident
    before = getattr(incident, field)
    if field == "caller":
        for name in ("name", "phone"):
            if getattr(before, name) != getattr(value, name):
                yield f"caller_{name}", f"{getattr(before, name)} -> {getattr(value, name)}"
        return
    yield field, f"{_words(before)} -> {_words(value)}"


def _words(value: Any) -> str:  # noqa: ANN401 - a field of Incident
    if value is None:
        return "-"
    if isinstance(value, tuple):
        return ",".join(str(one) for one in value)
    return str(int(value)) if isinstance(value, Urgency) else str(value)


def stated(
    incident: Incident, state: IncidentState, *, by: By, now_us: int, note: str = "", agency_id: int | None = None
) -> Change:
    """Return the incident in a state that a person decides.

    Closing recalls whoever is not there yet and clears whoever is. Accepted, under way and on scene are what people heard by
    other ways (radio) of those who were sent. Raises ConflictError for what does not follow from where it stands.
    """
    _demand_open(incident)
    if state in CLOSED:
        return _closed(incident, state, by=by, now_us=now_us, note=note, agency_id=agency_id)
    if agency_id is not None:
        message = f"state {state} takes no agency: only handed_over and non_police name one"
        raise InputError(message)
    step = _STEP_OF_STATE.get(state)
    if step is None:
        message = (
            f"state {state} is not set by hand: new follows when nobody who was sent is left, offered when somebody is sent. "
            "Set accepted, under_way, on_scene, cleared, handed_over or non_police"
        )
        raise ConflictError(message)
    behind = [sent for sent in incident.dispatches if sent.is_live and RANK[sent.state] < RANK[step]]
    if not any(sent.is_live for sent in incident.dispatches):
        message = f"incident {incident.number} is {incident.state} and nobody is sent: send a unit first, or close it"
        raise ConflictError(message)
    if not behind:
        return Change(incident=incident, entries=())
    moved = {sent.dispatch_id: errand.stepped(sent, step, now_us, by) for sent in behind}
    after = _with_dispatches(_decided(incident, now_us), moved.values(), now_us)
    return Change(incident=after, entries=(_entry(after, by, "state", now_us, state=after.state, note=note),))


def _closed(
    incident: Incident, state: IncidentState, *, by: By, now_us: int, note: str, agency_id: int | None
) -> Change:
    if state is IncidentState.CLEARED and agency_id is not None:
        message = "state cleared takes no agency: use handed_over or non_police where somebody else goes on"
        raise InputError(message)
    if state is IncidentState.HANDED_OVER and agency_id is None:
        message = "state handed_over without agency_id: GET /api/agencies lists to whom it may be handed over"
        raise InputError(message)
    ended = [errand.ended(sent, now_us, f"incident {state}") for sent in incident.dispatches if sent.is_live]
    after = _decided(
        incident,
        now_us,
        state=state,
        agency_id=agency_id,
        closed_us=now_us,
        dispatches=_replaced(incident.dispatches, ended),
    )
    entries = [_entry(after, by, "state", now_us, state=state, note=note)]
    entries += [_entry(after, by, sent.state.value, now_us, unit_id=sent.unit_id) for sent in ended]
    return Change(incident=after, entries=tuple(entries))


# --- the units sent ----------------------------------------------------------------------------------------------


def sent_units(incident: Incident, orders: Sequence[Order], *, by: By, now_us: int) -> Change:
    """Return the incident with these units sent to it (their dispatch ids still 0). Raises ConflictError, InputError."""
    _demand_open(incident)
    unit_ids = [order.unit_id for order in orders]
    if not unit_ids or len(set(unit_ids)) != len(unit_ids):
        message = f"units {unit_ids} to send: name at least one, and each once"
        raise InputError(message)
    there = sorted({sent.unit_id for sent in incident.dispatches if sent.is_live} & set(unit_ids))
    if there:
        message = (
            f"unit {', '.join(map(str, there))} is sent to {incident.number} already: send others, or recall it first"
        )
        raise ConflictError(message)
    new = tuple(
        Dispatch(
            dispatch_id=0,
            incident_id=incident.incident_id,
            unit_id=order.unit_id,
            state=DispatchState.QUEUED,
            travel_s=order.travel_s,
            distance_m=order.distance_m,
            sent_by=by.name,
            queued_us=now_us,
        )
        for order in orders
    )
    after = _decided(incident, now_us, dispatches=incident.dispatches + new)
    after = msgspec.structs.replace(after, state=derived_state(after))
    entries = tuple(_entry(after, by, "dispatched", now_us, unit_id=unit_id) for unit_id in unit_ids)
    return Change(incident=after, entries=entries)


def recalled(incident: Incident, dispatch_id: int, *, by: By, now_us: int, reason: str = "") -> Change:
    """Return the incident without one unit that was sent. Raises NotFoundError, ConflictError when it is over already."""
    sent = dispatch_of(incident, dispatch_id)
    back = errand.recalled(sent, now_us, reason)
    after = _with_dispatches(_decided(incident, now_us), [back], now_us)
    entry = _entry(after, by, "recalled", now_us, unit_id=sent.unit_id, state=after.state, note=reason)
    return Change(incident=after, entries=(entry,))


def answered(
    incident: Incident,
    dispatch_id: int,
    answer: Answer,
    *,
    by: By,
    at_us: int,
    now_us: int,
    reason: str = "",
    channel: str = "",
) -> Change:
    """Return the incident with what a unit, its channel or its track says of a dispatch; no decision, so no new version.

    The same answer twice changes nothing. `at_us` may be earlier than now (given without a connection) and is held between
    the push and now; a step that comes late takes its own earlier time. Of a dispatch that is over, what happened before its
    end is still noted. Raises NotFoundError, ConflictError for what cannot follow.
    """
    sent = dispatch_of(incident, dispatch_id)
    at_us = max(sent.queued_us, min(at_us, now_us))
    if answer is Answer.DECLINED:
        after_sent = errand.declined(sent, at_us, reason)
    else:
        step = DispatchState(answer.value)
        after_sent = (
            errand.late_fact(sent, step, at_us, by) if not sent.is_live else errand.stepped(sent, step, at_us, by)
        )
        if channel and answer is Answer.SENT:
            after_sent = msgspec.structs.replace(after_sent, channel=channel)
    if after_sent == sent:
        return Change(incident=incident, entries=())
    after = _with_dispatches(msgspec.structs.replace(incident, changed_us=now_us), [after_sent], at_us)
    state = after.state if after.state is not incident.state else None
    entry = _entry(after, by, answer.value, at_us, unit_id=sent.unit_id, state=state, note=reason or channel)
    return Change(incident=after, entries=(entry,))


def dispatch_of(incident: Incident, dispatch_id: int) -> Dispatch:
    """Return one dispatch of an incident. Raises NotFoundError."""
    for sent in incident.dispatches:
        if sent.dispatch_id == dispatch_id:
            return sent
    message = f"incident {incident.number} has no dispatch {dispatch_id}: read the incident again"
    raise NotFoundError(message)


def derived_state(incident: Incident) -> IncidentState:
    """Return where an incident stands that nobody closed by hand: with whoever of those sent is furthest.

    Nobody left: cleared when somebody was there and cleared it, else new.
    """
    if incident.state in CLOSED:
        return incident.state
    live = [sent.state for sent in incident.dispatches if sent.is_live]
    if live:
        return _STATE_OF_STEP[max(live, key=RANK.__getitem__)]
    if any(sent.state is DispatchState.CLEARED for sent in incident.dispatches):
        return IncidentState.CLEARED
    return IncidentState.NEW


def _with_dispatches(incident: Incident, changed: Iterable[Dispatch], at_us: int) -> Incident:
    after = msgspec.structs.replace(incident, dispatches=_replaced(incident.dispatches, changed))
    state = derived_state(after)
    closed_us = at_us if state in CLOSED and incident.closed_us is None else incident.closed_us
    return msgspec.structs.replace(after, state=state, closed_us=closed_us)


def _replaced(dispatches: Sequence[Dispatch], changed: Iterable[Dispatch]) -> tuple[Dispatch, ...]:
    by_id = {sent.dispatch_id: sent for sent in changed}
    return tuple(by_id.get(sent.dispatch_id, sent) for sent in dispatches)


def _decided(incident: Incident, now_us: int, **fields: Any) -> Incident:  # noqa: ANN401 - fields of Incident
    return msgspec.structs.replace(incident, version=incident.version + 1, changed_us=now_us, **fields)


def _demand_open(incident: Incident) -> None:
    if incident.is_open:
        return
    message = (
        f"incident {incident.number} is {incident.state}, which is final: open a new one that names it in its text"
    )
    raise ConflictError(message)


def _entry(
    incident: Incident,
    by: By,
    action: str,
    at_us: int,
    *,
    unit_id: int | None = None,
    state: IncidentState | None = None,
    note: str = "",
    changes: Mapping[str, str] | None = None,
) -> Entry:
    return Entry(
        entry_id=0,
        incident_id=incident.incident_id,
        version=incident.version,
        at_us=at_us,
        account_name=by.name,
        account_id=by.account_id,
        action=action,
        unit_id=unit_id,
        state=state,
        note=note,
        changes=dict(changes or {}),
    )
