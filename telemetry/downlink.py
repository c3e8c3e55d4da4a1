"""What is to be told to which unit and what became of it: offered to every live channel until it is received. Pure."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final, TypeAlias

import msgspec

OFFER_AGAIN_US: Final = 10_000_000
"""What a channel was given and nobody received is given again after this."""
NO_CHANNEL_AFTER_US: Final = 2_000_000
"""So long a push may wait for a channel (a page that reconnects, another console that has it) before people are told."""


class PushState(StrEnum):
    """How far a push came, as the truth (the database) has it."""

    QUEUED = "queued"
    SENT = "sent"
    RECEIVED = "received"
    ANSWERED = "answered"


class Push(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be told to a unit. `answer_by_us` is when people are told that nobody answered; times are UTC microseconds."""

    push_id: int
    unit_id: int
    queued_us: int
    answer_by_us: int
    state: PushState = PushState.QUEUED


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """A live way to a unit. `acknowledges`: the other end says that it received; what does not is given a push once."""

    channel_id: int
    unit_id: int
    name: str
    acknowledges: bool = True


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """Hand this push to this channel now."""

    push_id: int
    channel: Channel


class NoChannel(msgspec.Struct, frozen=True, kw_only=True):
    """Tell people that nothing reaches the unit: call it by radio."""

    push_id: int


class Unanswered(msgspec.Struct, frozen=True, kw_only=True):
    """Tell people that the unit did not answer in time."""

    push_id: int


Step: TypeAlias = Offer | NoChannel | Unanswered
_WAITING: Final = frozenset({PushState.QUEUED, PushState.SENT})


class Downlink:
    """The pushes that are not over and the channels that are open. It promises nothing itself: the truth is put in again.

    Nothing is dropped: a push that nobody received is offered to each channel that opens, and again every ten seconds. After
    a restart people would be told again of what they were told: whoever writes it down finds it there.
    """

    def __init__(self) -> None:
        self._pushes: dict[int, Push] = {}
        self._channels: dict[int, Channel] = {}
        self._offered_us: dict[tuple[int, int], int] = {}
        self._told: set[tuple[int, type[Step]]] = set()

    @property
    def pushes(self) -> Iterable[Push]:
        """The pushes that are not over."""
        return self._pushes.values()

    def replace(self, pushes: Iterable[Push]) -> None:
        """Take all pushes that are not over as they stand; what is not among them is over and forgotten."""
        self._pushes = {push.push_id: push for push in pushes}
        self._offered_us = {key: at_us for key, at_us in self._offered_us.items() if key[0] in self._pushes}
        self._told = {key for key in self._told if key[0] in self._pushes}

    def open(self, channel: Channel) -> None:
        """Take a channel that is there now."""
        self._channels[channel.channel_id] = channel

    def close(self, channel_id: int) -> None:
        """Let a channel go; what it was given and nobody received is offered to the next one."""
        self._channels.pop(channel_id, None)
        self._offered_us = {key: at_us for key, at_us in self._offered_us.items() if key[1] != channel_id}

    def reaches(self, unit_id: int) -> bool:
        """Tell whether any channel to the unit is open."""
        return any(channel.unit_id == unit_id for channel in self._channels.values())

    def due(self, now_us: int) -> list[Step]:
        """Return what is to be done now, the oldest push first; each step is returned once and counts as done."""
        steps: list[Step] = []
        by_unit: dict[int, list[Channel]] = {}
        for channel in self._channels.values():
            by_unit.setdefault(channel.unit_id, []).append(channel)
        for push in sorted(self._pushes.values(), key=lambda push: (push.queued_us, push.push_id)):
            channels = by_unit.get(push.unit_id, [])
            steps += self._offers(push, channels, now_us)
            if _is_without_channel(push, channels, now_us) and self._tells_first(push, NoChannel):
                steps.append(NoChannel(push_id=push.push_id))
            is_late = push.state is not PushState.ANSWERED and now_us >= push.answer_by_us
            if is_late and self._tells_first(push, Unanswered):
                steps.append(Unanswered(push_id=push.push_id))
        return steps

    def untold(self, step: Step) -> None:
        """Say that a step could not be done (the database was away): it is due again."""
        if isinstance(step, Offer):
            self._offered_us.pop((step.push_id, step.channel.channel_id), None)
        else:
            self._told.discard((step.push_id, type(step)))

    def _offers(self, push: Push, channels: Iterable[Channel], now_us: int) -> list[Step]:
        if push.state not in _WAITING:
            return []
        offers: list[Step] = []
        for channel in channels:
            key = (push.push_id, channel.channel_id)
            at_us = self._offered_us.get(key)
            if at_us is not None and (not channel.acknowledges or 0 <= now_us - at_us < OFFER_AGAIN_US):
                continue
            self._offered_us[key] = now_us
            offers.append(Offer(push_id=push.push_id, channel=channel))
        return offers

    def _tells_first(self, push: Push, kind: type[Step]) -> bool:
        key = (push.push_id, kind)
        if key in self._told:
            return False
        self._told.add(key)
        return True


def _is_without_channel(push: Push, channels: Sequence[Channel], now_us: int) -> bool:
    waits_us = now_us - push.queued_us
    return push.state is PushState.QUEUED and not channels and waits_us >= NO_CHANNEL_AFTER_US
