"""What people are told of a push that nobody has or nobody answers: one line of history each, however often it is found. Pure."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec

from mission.calls.dispatch import Change, dispatch_of
from mission.calls.errand import By
from mission.calls.incident import Dispatch, DispatchState, Entry, Incident

DOWNLINK: Final = By(name="downlink")
"""Who writes what became of a push by itself."""
NO_CHANNEL: Final = "none"
"""The channel of a dispatch whose unit nothing reaches: it must be called by radio."""
_UNANSWERED: Final = frozenset({DispatchState.QUEUED, DispatchState.SENT, DispatchState.RECEIVED})


class Trouble(StrEnum):
    """Why people must look after a push."""

    NO_CHANNEL = "no_channel"
    """Nothing reaches the unit."""
    UNANSWERED = "unanswered"
    """The unit did not accept in time."""


def troubled(
    incident: Incident, dispatch_id: int, trouble: Trouble, *, entries: Sequence[Entry], now_us: int
) -> Change:
    """Return the incident with a line that says so; nothing where it was said already or is no longer true.

    `entries` is the incident's history. Raises NotFoundError.
    """
    sent = dispatch_of(incident, dispatch_id)
    if not _is_true(sent, trouble) or _was_said(sent, trouble, entries):
        return Change(incident=incident, entries=())
    after = msgspec.structs.replace(incident, changed_us=now_us)
    if trouble is Trouble.NO_CHANNEL:
        marked = msgspec.structs.replace(sent, channel=NO_CHANNEL)
        dispatches = tuple(marked if one.dispatch_id == dispatch_id else one for one in incident.dispatches)
        after = msgspec.structs.replace(after, dispatches=dispatches)
    entry = Entry(
        entry_id=0,
        incident_id=incident.incident_id,
        version=incident.version,
        at_us=now_us,
        account_name=DOWNLINK.name,
        action=trouble.value,
        unit_id=sent.unit_id,
    )
    return Change(incident=after, entries=(entry,))


def _is_true(sent: Dispatch, trouble: Trouble) -> bool:
    if trouble is Trouble.NO_CHANNEL:
        return sent.state is DispatchState.QUEUED
    return sent.state in _UNANSWERED


def _was_said(sent: Dispatch, trouble: Trouble, entries: Sequence[Entry]) -> bool:
    return any(
        entry.action == trouble.value and entry.unit_id == sent.unit_id and entry.at_us >= sent.queued_us
        for entry in entries
    )
