"""One unit's errand: how far it came, when each step was, and which answer may follow. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from mission.calls.incident import Dispatch, DispatchState
from telemetry.model.errors import ConflictError


class By(msgspec.Struct, frozen=True, kw_only=True):
    """Who does something: an account's name and number, "track" for what a position told, or an intake key's label."""

    name: str
    account_id: int | None = None


TRACK: Final = By(name="track")
"""What a unit's position tells by itself."""


class Answer(StrEnum):
    """What becomes of a dispatch, as its channel (sent), its unit, or its unit's track says."""

    SENT = "sent"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    UNDER_WAY = "under_way"
    ARRIVED = "arrived"
    CLEARED = "cleared"
    DECLINED = "declined"


STEPS: Final = (
    DispatchState.QUEUED,
    DispatchState.SENT,
    DispatchState.RECEIVED,
    DispatchState.ACCEPTED,
    DispatchState.UNDER_WAY,
    DispatchState.ARRIVED,
    DispatchState.CLEARED,
)
"""A dispatch only goes on along these; it may leave steps out."""
RANK: Final[Mapping[DispatchState, int]] = {state: rank for rank, state in enumerate(STEPS)}
_TIME_OF: Final[Mapping[DispatchState, str]] = {state: f"{state.value}_us" for state in DispatchState}


def time_of(sent: Dispatch, state: DispatchState) -> int | None:
    """Return when a dispatch came to `state` (UTC microseconds), None when it never did."""
    at_us: int | None = getattr(sent, _TIME_OF[state])
    return at_us


def ended(sent: Dispatch, now_us: int, reason: str) -> Dispatch:
    """Return the dispatch as its incident's end leaves it: cleared where the unit was there, else recalled."""
    if sent.state is DispatchState.ARRIVED:
        return stepped(sent, DispatchState.CLEARED, now_us, None)
    return recalled(sent, now_us, reason)


def recalled(sent: Dispatch, now_us: int, reason: str) -> Dispatch:
    """Return the dispatch as no longer wanted. Raises ConflictError when it is over already."""
    if not sent.is_live:
        message = f"dispatch {sent.dispatch_id} is {sent.state} already: there is nothing to recall"
        raise ConflictError(message)
    at_us = max(now_us, _before(sent, DispatchState.CLEARED))
    return msgspec.structs.replace(sent, state=DispatchState.RECALLED, recalled_us=at_us, reason=reason)


def declined(sent: Dispatch, at_us: int, reason: str) -> Dispatch:
    """Return the dispatch as one that the unit will not do. Raises ConflictError once it is there, or when it is over."""
    if sent.state is DispatchState.DECLINED:
        return sent
    if not sent.is_live or sent.state is DispatchState.ARRIVED:
        message = f"dispatch {sent.dispatch_id} is {sent.state}: it can no longer be declined, only cleared once there"
        raise ConflictError(message)
    at_us = max(at_us, _before(sent, DispatchState.CLEARED))
    return msgspec.structs.replace(sent, state=DispatchState.DECLINED, declined_us=at_us, reason=reason)


def stepped(sent: Dispatch, step: DispatchState, at_us: int, by: By | None) -> Dispatch:
    """Return a live dispatch gone on to `step`, or with a step that it passed already told late.

    Times never run backwards along the way; who clears a place was there.
    """
    if RANK[step] <= RANK[sent.state]:
        return _told_late(sent, step, at_us, by)
    at_us = max(at_us, _before(sent, step))
    after = msgspec.structs.replace(sent, state=step, **{_TIME_OF[step]: at_us})
    if step in {DispatchState.ARRIVED, DispatchState.CLEARED} and sent.arrived_us is None:
        return msgspec.structs.replace(after, arrived_us=at_us, arrived_by="" if by is None else by.name)
    return after


def late_fact(sent: Dispatch, step: DispatchState, at_us: int, by: By) -> Dispatch:
    """Return an ended dispatch with what happened before its end. Raises ConflictError for what came after it.

    That a push was sent or received after all is no news to anybody.
    """
    over_us = time_of(sent, sent.state)
    assert over_us is not None
    if at_us < over_us or time_of(sent, step) is not None:
        return _told_late(sent, step, at_us, by)
    if step in {DispatchState.SENT, DispatchState.RECEIVED}:
        return sent
    why = f" ({sent.reason})" if sent.reason else ""
    message = f"dispatch {sent.dispatch_id} is {sent.state}{why}: {step} cannot follow; ask the centre"
    raise ConflictError(message)


def _told_late(sent: Dispatch, step: DispatchState, at_us: int, by: By | None) -> Dispatch:
    """Return the dispatch with an earlier time of a step; as it was where that says nothing new or fits no order."""
    known_us, next_us = time_of(sent, step), _after(sent, step)
    at_us = max(at_us, _before(sent, step))
    if step is DispatchState.QUEUED or (known_us is not None and known_us <= at_us):
        return sent
    if next_us is not None and at_us > next_us:
        return sent
    after = msgspec.structs.replace(sent, **{_TIME_OF[step]: at_us})
    if step is DispatchState.ARRIVED and by is not None:
        return msgspec.structs.replace(after, arrived_by=by.name)
    return after


def _before(sent: Dispatch, step: DispatchState) -> int:
    """Return the newest time among the steps before `step`."""
    earlier = (time_of(sent, state) for state in STEPS[: RANK[step]])
    return max(at_us for at_us in earlier if at_us is not None)


def _after(sent: Dispatch, step: DispatchState) -> int | None:
    """Return the earliest time among the steps after `step`."""
    later = (time_of(sent, state) for state in STEPS[RANK[step] + 1 :])
    return min((at_us for at_us in later if at_us is not None), default=None)
