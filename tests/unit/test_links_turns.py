"""One turn of the loop: one take, then one write a peer; replies that promise wait for the disk in their order."""

import asyncio
from collections.abc import Sequence

import pytest

from infra.journal import JournalError
from telemetry.links import turns
from telemetry.links.speaker import Speaker
from telemetry.links.turns import ROWS_A_TURN, Turns
from telemetry.model.batch import new_batch
from telemetry.model.decoding import Output, Peer, Promise, Reply
from tests.link_scene import FakeKeeper, LineDecoder, eventually


class Told(Speaker):
    """A peer that remembers what it was written, one entry a write."""

    def __init__(self) -> None:
        peer = Peer(transport="tcp", host="192.0.2.7")
        super().__init__(peer, LineDecoder(peer), 1)
        self.writes: list[list[bytes]] = []
        self.cuts: list[str] = []

    def write(self, replies: Sequence[bytes]) -> None:
        self.writes.append(list(replies))

    def cut(self, reason: str) -> None:
        self.cuts.append(reason)

    def pause(self) -> None:
        raise AssertionError

    def resume(self) -> None:
        raise AssertionError


def said(*replies: Reply, rows: int = 1, close: str | None = None) -> Output:
    return Output(batch=new_batch(rows), replies=replies, close=close)


def durable(data: bytes) -> Reply:
    return Reply(data, Promise.DURABLE, b"no " + data)


class Scene:
    def __init__(self) -> None:
        self.keeper = FakeKeeper()
        self.refusals: list[JournalError] = []
        self.turns = Turns(self.keeper, protocol="lines", acknowledged=True, when_refused=self.refusals.append)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_all_that_became_safe_at_once_is_one_write_and_keeps_its_order() -> None:
    scene, first, second = Scene(), Told(), Told()
    scene.keeper.gate.clear()
    for number in range(3):
        scene.turns.add(first, said(durable(b"%d" % number), Reply(b"now %d" % number)), 1)
        scene.turns.add(second, said(durable(b"second")), 1)
        scene.turns.end()
        await settle()
    assert len(scene.keeper.turns) == 3
    assert first.writes == [[b"now 0"], [b"now 1"], [b"now 2"]]
    assert (first.waiting, scene.turns.waiting) == (3, 6)
    scene.keeper.gate.set()
    await settle()
    assert first.writes[3:] == [[b"0", b"1", b"2"]]
    assert second.writes == [[b"second"] * 3]
    assert (first.waiting, scene.turns.waiting) == (0, 0)


async def test_a_repeat_that_became_no_record_promises_no_sooner_than_what_it_repeats() -> None:
    scene, peer = Scene(), Told()
    scene.keeper.gate.clear()
    scene.turns.add(peer, said(durable(b"first")), 1)
    await settle()
    scene.turns.add(peer, said(durable(b"again"), rows=0), 1)
    scene.turns.end()
    await settle()
    assert peer.writes == []
    scene.keeper.gate.set()
    await settle()
    assert peer.writes == [[b"first", b"again"]]


async def test_what_the_journal_refuses_is_answered_with_its_refusal_at_once() -> None:
    scene, peer = Scene(), Told()
    scene.keeper.is_full = True
    scene.turns.add(peer, said(durable(b"a"), Reply(b"hello"), durable(b"b")), 1)
    await settle()
    assert peer.writes == [[b"hello", b"no a", b"no b"]]
    assert (scene.turns.refused, len(scene.refusals)) == (2, 1)


async def test_a_peer_that_must_go_goes_when_its_last_reply_has_left() -> None:
    scene, peer = Scene(), Told()
    scene.keeper.gate.clear()
    scene.turns.add(peer, said(durable(b"kept"), Reply(b"bye"), close="over"), 1)
    await settle()
    assert (peer.writes, peer.cuts) == ([[b"bye"]], [])
    scene.keeper.gate.set()
    await settle()
    assert (peer.writes, peer.cuts) == ([[b"bye"], [b"kept"]], ["closed_by_protocol"])


async def test_turns_that_follow_each_other_at_once_become_one_and_the_first_waits_for_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "SHORTEST_TURN_S", 0.3)
    scene, peer = Scene(), Told()
    scene.turns.add(peer, said(), 1)
    await settle()
    assert len(scene.keeper.turns) == 1
    for _ in range(10):
        scene.turns.add(peer, said(), 1)
        await settle()
    assert len(scene.keeper.turns) == 1
    await eventually(lambda: len(scene.keeper.rows) == 11)
    assert len(scene.keeper.turns) == 2


async def test_what_was_said_before_a_link_closes_is_kept_though_nobody_is_answered() -> None:
    scene, peer = Scene(), Told()
    scene.turns.add(peer, said(durable(b"a")), 1)
    scene.turns.close()
    assert len(scene.keeper.turns) == 1
    assert scene.turns.waiting == 0


async def test_a_turn_with_very_many_rows_ends_before_the_loop_does() -> None:
    scene, peer = Scene(), Told()
    scene.turns.add(peer, said(rows=ROWS_A_TURN), 1)
    assert len(scene.keeper.turns) == 1
