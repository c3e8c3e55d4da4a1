"""What of an incident each role is shown: scope, callers masked for those who only watch, covert units left out."""

from collections.abc import Mapping
from typing import Final

import msgspec

from console.api.models_incidents import EntryView
from console.auth.policy import ACTING, COVERT_ROLES, Scope
from console.wire import Role
from console.wire_incident import DispatchView, IncidentView
from mission.calls.incident import Dispatch, Entry, Incident
from mission.calls.incident_board import on_target, response_s
from telemetry.model.unit import Unit

Units = Mapping[int, Unit]
SHOWN_PHONE_DIGITS: Final = (3, 2)
_CALLER_FIELDS: Final = frozenset({"caller_name", "caller_phone", "audio_url", "recording_url"})


def sees_incident(scope: Scope, incident: Incident, units: Units) -> bool:
    """Tell whether a scope sees an incident: its station, one it belonged to, or the station of a unit that was sent.

    An officer sees what it was sent to, as a task.
    """
    if scope.role is Role.OFFICER:
        return any(sent.unit_id == scope.unit_id for sent in incident.dispatches)
    if scope.sees_station(incident.station_id):
        return True
    if not scope.station_ids.isdisjoint(incident.past_station_ids):
        return True
    sent_units = (units.get(sent.unit_id) for sent in incident.dispatches)
    return any(unit is not None and unit.station_id in scope.station_ids for unit in sent_units)


def view_of(incident: Incident, role: Role, units: Units, *, now_us: int) -> IncidentView:
    """Return an incident as a role is shown it."""
    acts, sees_covert = role in ACTING or role is Role.OFFICER, role in COVERT_ROLES
    shown = [sent for sent in incident.dispatches if sees_covert or not is_covert(units, sent.unit_id)]
    return IncidentView(
        incident_id=incident.incident_id,
        number=incident.number,
        version=incident.version,
        seq=incident.change_seq,
        state=incident.state,
        urgency=int(incident.urgency),
        category=incident.category,
        title=incident.title,
        text=incident.text,
        place_text=incident.place_text,
        lat_deg=_degrees(incident.lat_e7),
        lon_deg=_degrees(incident.lon_e7),
        place_note=incident.place_note,
        caller_name=incident.caller.name if acts else masked_name(incident.caller.name),
        caller_phone=incident.caller.phone if acts else masked_phone(incident.caller.phone),
        audio_url=incident.audio_url if acts else "",
        recording_url=incident.recording_url if acts else "",
        station_id=incident.station_id,
        source=incident.source,
        needs=list(incident.needs),
        agency_id=incident.agency_id,
        reported_ms=incident.reported_us / 1000,
        closed_ms=_ms(incident.closed_us),
        target_s=incident.target_s,
        response_s=response_s(incident),
        on_target=on_target(incident, now_us),
        dispatches=[dispatch_view(sent) for sent in shown],
    )


def dispatch_view(sent: Dispatch) -> DispatchView:
    """Return a dispatch as it is told."""
    return DispatchView(
        dispatch_id=sent.dispatch_id,
        unit_id=sent.unit_id,
        state=sent.state,
        channel=sent.channel,
        travel_s=sent.travel_s,
        distance_m=sent.distance_m,
        sent_by=sent.sent_by,
        queued_ms=sent.queued_us / 1000,
        sent_ms=_ms(sent.sent_us),
        received_ms=_ms(sent.received_us),
        accepted_ms=_ms(sent.accepted_us),
        under_way_ms=_ms(sent.under_way_us),
        arrived_ms=_ms(sent.arrived_us),
        arrived_by=sent.arrived_by,
        cleared_ms=_ms(sent.cleared_us),
        declined_ms=_ms(sent.declined_us),
        recalled_ms=_ms(sent.recalled_us),
        reason=sent.reason,
    )


def entry_view(entry: Entry, role: Role) -> EntryView:
    """Return a line of history as a role is shown it: who called and how that sounds only to those who act."""
    changes = entry.changes
    if role not in ACTING:
        changes = {name: "***" if name in _CALLER_FIELDS else words for name, words in changes.items()}
    return EntryView(
        entry_id=entry.entry_id,
        at_ms=entry.at_us / 1000,
        account_name=entry.account_name,
        action=entry.action,
        unit_id=entry.unit_id,
        state=entry.state,
        note=entry.note,
        changes=changes,
    )


def masked_phone(phone: str) -> str:
    """Return a phone's first three and last two digits with stars between; a short one as stars alone."""
    first, last = SHOWN_PHONE_DIGITS
    if len(phone) <= first + last + 2:
        return "*" * len(phone)
    return f"{phone[:first]}{'*' * (len(phone) - first - last)}{phone[-last:]}"


def masked_name(name: str) -> str:
    """Return a name's first character and stars."""
    return f"{name[0]}**" if name else ""


def is_covert(units: Units, unit_id: int) -> bool:
    """Tell whether a unit is covert; one that nobody knows any more counts as covert."""
    unit = units.get(unit_id)
    return unit is None or unit.covert


def _degrees(value_e7: int | None) -> float | None:
    return None if value_e7 is None else value_e7 / 1e7


def _ms(at_us: int | None) -> float | None:
    return None if at_us is None else at_us / 1000


def encode(view: IncidentView) -> bytes:
    """Return a view as JSON."""
    return msgspec.json.encode(view)
