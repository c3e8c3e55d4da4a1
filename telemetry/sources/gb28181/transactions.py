"""SIP transactions: our own requests until they are answered, and our answers until nobody can ask for them again."""

import hashlib
from collections import OrderedDict
from typing import Final, Generic, TypeAlias, TypeVar

import msgspec

from telemetry.sources.gb28181.sip import Sip

T1_US: Final = 500_000
T2_US: Final = 4_000_000
GIVEN_UP_US: Final = 32_000_000
"""64 x T1: so long a request waits for its answer, and an answer for the request's repetitions."""
ANSWERS_KEPT: Final = 65_536
LARGEST_KEPT_BYTES: Final = 2_048
INVITE: Final = "INVITE"

Purpose = TypeVar("Purpose")


class Asked(msgspec.Struct, Generic[Purpose], kw_only=True):
    """A request of ours on its way; `purpose` is what its answer is for."""

    data: bytes
    method: str
    purpose: Purpose
    due_us: int
    wait_us: int
    given_up_us: int
    is_proceeding: bool = False


class Asking(Generic[Purpose]):
    """Our requests to one peer, found again by the branch of their Via; on UDP they are repeated until answered."""

    def __init__(self, *, is_reliable: bool) -> None:
        self._is_reliable = is_reliable
        self._open: dict[str, Asked[Purpose]] = {}

    def __len__(self) -> int:
        """Return how many requests wait for an answer."""
        return len(self._open)

    def waiting(self) -> list[Asked[Purpose]]:
        """Return the requests that wait for an answer."""
        return list(self._open.values())

    def start(self, branch: str, data: bytes, *, method: str, purpose: Purpose, now_us: int) -> bytes:
        """Remember a request that is sent now, and return it."""
        asked = Asked(
            data=data,
            method=method,
            purpose=purpose,
            due_us=now_us + T1_US,
            wait_us=T1_US,
            given_up_us=now_us + GIVEN_UP_US,
        )
        self._open[branch] = asked
        return data

    def answered(self, response: Sip) -> Asked[Purpose] | None:
        """Return the request that a final response ends; None for a provisional one and for one that nobody waits for."""
        asked = self._open.get(response.branch)
        if asked is None or asked.method != response.cseq[1]:
            return None
        if response.status < 200:
            asked.is_proceeding = True
            return None
        return self._open.pop(response.branch)

    def due(self, now_us: int) -> tuple[list[bytes], list[Asked[Purpose]]]:
        """Return what must be sent again now, and the requests that nobody answered in 32 s; those are forgotten."""
        again: list[bytes] = []
        if not self._open:
            return again, []
        lost = {branch: asked for branch, asked in self._open.items() if now_us >= asked.given_up_us}
        for branch in lost:
            del self._open[branch]
        if not self._is_reliable:
            again = [asked.data for asked in self._open.values() if _is_due(asked, now_us)]
        return again, list(lost.values())

    def forget(self) -> list[Asked[Purpose]]:
        """Forget every request, and return them: the peer is gone."""
        lost = list(self._open.values())
        self._open.clear()
        return lost


def _is_due(asked: Asked[Purpose], now_us: int) -> bool:
    if now_us < asked.due_us or (asked.is_proceeding and asked.method == INVITE):
        return False
    asked.wait_us = asked.wait_us * 2 if asked.method == INVITE else min(asked.wait_us * 2, T2_US)
    asked.due_us = now_us + asked.wait_us
    return True


class Answered(msgspec.Struct, frozen=True):
    """Our answer to a request; `holds` says that it promises rows or events, which the request's repetition says again."""

    data: bytes
    first_us: int
    holds: bool


TransactionKey: TypeAlias = bytes


def key_of(request: Sip, *, host: str, port: int) -> TransactionKey:
    """Return what makes two requests one, as a digest: where they come from, branch, Call-ID, CSeq with its method, and body.

    The branch should do, but there are devices that use one for everything that they say. About 3 us.
    """
    said = "\0".join((host, str(port), request.branch, request.call_id, request.first("cseq"), ""))
    return hashlib.blake2b(said.encode() + request.body, digest_size=16).digest()


class Answers:
    """Our answers of the last 32 s, for requests that come again; at most 65,536 of 2 KiB each, the oldest makes room."""

    def __init__(self) -> None:
        self._answers: OrderedDict[TransactionKey, Answered] = OrderedDict()

    def get(self, key: TransactionKey, now_us: int) -> Answered | None:
        """Return the answer that was given, None for a request that is new."""
        answered = self._answers.get(key)
        return answered if answered is not None and now_us - answered.first_us <= GIVEN_UP_US else None

    def put(self, key: TransactionKey, answered: Answered) -> None:
        """Remember an answer, and forget those that are too old; one that echoes a monstrous request is made anew instead."""
        if len(answered.data) > LARGEST_KEPT_BYTES:
            return
        answers = self._answers
        answers.pop(key, None)
        answers[key] = answered
        while answers:
            oldest = next(iter(answers.values()))
            if answered.first_us - oldest.first_us <= GIVEN_UP_US and len(answers) <= ANSWERS_KEPT:
                return
            answers.popitem(last=False)
