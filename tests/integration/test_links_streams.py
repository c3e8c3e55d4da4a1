"""Devices on real TCP connections: what they are answered and when, who is let in, who is cut, and by whom they are reached."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from telemetry.links.link import LinkContext
from telemetry.links.listening import ListeningLink
from telemetry.links.tap import RawChunk
from telemetry.links.url import parse_link_url
from telemetry.model.commands import SendText
from telemetry.model.errors import ConflictError, NotFoundError
from tests.link_scene import FakeKeeper, context_of, eventually

SECOND_US = 1_000_000
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def listening(context: LinkContext, options: str = "") -> AsyncIterator[ListeningLink]:
    """Give an open link on a free port of this machine."""
    link = ListeningLink(parse_link_url(f"lines+tcpin:127.0.0.1:0{options}#g"), context)
    await link.open()
    try:
        yield link
    finally:
        link.close()


@asynccontextmanager
async def device(link: ListeningLink, device_id: int | None = None) -> AsyncIterator[Streams]:
    """Give a connection to the link, proven to be a device's where one is named."""
    reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
    try:
        if device_id is not None:
            assert await ask(reader, writer, f"i am {device_id}") == "hello"
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: str) -> str:
    """Send a line and return the next one that comes."""
    writer.write(line.encode() + b"\n")
    return await hear(reader)


async def hear(reader: asyncio.StreamReader) -> str:
    """Return the next line; empty at the end."""
    return (await asyncio.wait_for(reader.readline(), 5)).decode().strip()


async def test_a_position_is_answered_only_when_the_disk_has_it_and_other_words_at_once() -> None:
    keeper = FakeKeeper()
    keeper.gate.clear()
    async with listening(context_of(keeper)) as link, device(link, 1) as (reader, writer):
        assert await ask(reader, writer, "at 1\nhow are you") == "echo how are you"
        assert link.status().replies_waiting == 1
        assert len(keeper.rows) == 1
        keeper.gate.set()
        assert await hear(reader) == "kept 1"
    assert link.status().replies_waiting == 0


async def test_what_many_devices_say_in_one_turn_is_one_record() -> None:
    keeper = FakeKeeper()
    async with listening(context_of(keeper)) as link, contextlib.AsyncExitStack() as stack:
        devices = [await stack.enter_async_context(device(link, number)) for number in range(1, 41)]
        turns = len(keeper.turns)
        for _, writer in devices:
            writer.write(b"at 1\nat 2\n")
        for reader, _ in devices:
            assert (await hear(reader), await hear(reader)) == ("kept 1", "kept 2")
        assert len(keeper.turns) - turns < 20
    assert len(keeper.rows) == 80
    assert all(keeper.acknowledged)


async def test_while_the_journal_is_full_devices_are_refused_and_not_read_from_until_it_has_room() -> None:
    keeper = FakeKeeper()
    async with listening(context_of(keeper)) as link, device(link, 1) as (reader, writer):
        keeper.is_full = True
        assert await ask(reader, writer, "at 1") == "not kept 1"
        assert link.status().paused
        writer.write(b"at 2\n")
        link.tick(link.peers()[0].last_heard_us + SECOND_US)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.readline(), 0.1)
        keeper.is_full = False
        link.tick(link.peers()[0].last_heard_us + SECOND_US)
        assert await hear(reader) == "kept 2"
        assert not link.status().paused
    assert keeper.rows["lat_e7"].tolist() == [2]
    assert link.status().replies_refused == 1


async def test_after_a_failed_sync_nothing_is_promised() -> None:
    keeper = FakeKeeper()
    async with listening(context_of(keeper)) as link, device(link, 1) as (reader, writer):
        keeper.gate.clear()
        writer.write(b"at 1\n")
        await eventually(lambda: link.status().replies_waiting == 1)
        keeper.has_failed = True
        keeper.gate.set()
        assert await hear(reader) == "not kept 1"
        assert await ask(reader, writer, "at 2") == "not kept 2"
        assert await ask(reader, writer, "ping") == "echo ping"
        assert not link.status().paused


async def test_the_newest_connection_of_a_device_wins_and_is_the_one_that_is_reached() -> None:
    context = context_of(FakeKeeper())
    async with listening(context) as link, device(link, 7) as (older, _), device(link, 7) as (newer, _):
        assert await hear(older) == ""
        link.send(SendText(device_id=7, text="come back"), 1)
        assert await hear(newer) == "do come back"
        with pytest.raises(NotFoundError, match="device 8 was not heard"):
            link.send(SendText(device_id=8, text="?"), 1)
        assert link.status().refused == {"newer_connection": 1}
        await eventually(lambda: link.status().peers == 1)
    await eventually(lambda: len(context.routes) == 0)


async def test_two_that_take_one_identity_from_each_other_without_end_are_sent_away() -> None:
    async with listening(context_of(FakeKeeper())) as link:
        for _ in range(40):
            reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
            said = await ask(reader, writer, "i am 7")
            writer.close()
            if said != "hello":
                break
        assert said == ""
        assert link.status().refused["identity_taken_in_turns"] == 1


async def test_a_farewell_is_answered_and_then_the_connection_ends() -> None:
    async with listening(context_of(FakeKeeper())) as link, device(link, 1) as (reader, writer):
        writer.write(b"at 1\nbye\n")
        assert sorted([await hear(reader), await hear(reader)]) == ["bye", "kept 1"]
        assert await hear(reader) == ""
        await eventually(lambda: link.status().peers == 0)


async def test_received_bytes_are_handed_to_the_raw_log_with_who_said_them() -> None:
    tapped: list[RawChunk] = []
    async with listening(context_of(FakeKeeper(), tapped=tapped)) as link, device(link, 3) as (reader, writer):
        assert await ask(reader, writer, "at 1") == "kept 1"
    assert b"".join(chunk.data for chunk in tapped) == b"i am 3\nat 1\n"
    assert {chunk.device_ids for chunk in tapped} == {(3,)}
    assert (tapped[0].protocol, tapped[0].transport, tapped[0].host) == ("lines", "tcp", "127.0.0.1")


async def test_a_port_in_use_is_said_clearly() -> None:
    context = context_of(FakeKeeper())
    async with listening(context) as link:
        with pytest.raises(ConflictError, match="ss -tlpn"):
            await ListeningLink(parse_link_url(f"lines+tcpin:127.0.0.1:{link.port}"), context).open()
