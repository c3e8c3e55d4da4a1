"""Devices on real TCP connections: what they are answered and when, who is let in, who is cut, and by whom they are reached."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from telemetry.links import streams
from telemetry.links.link import LinkContext
from telemetry.links.listening import ListeningLink
from telemetry.links.tap import RawChunk
from telemetry.links.url import parse_link_url
from telemetry.model.commands import SendText
from telemetry.model.errors import ConflictError, NotFoundError
from tests.conftest import FakeClock
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
    try:
        return (await asyncio.wait_for(reader.readline(), 5)).decode().strip()
    except ConnectionResetError:  # it was cut while it spoke
        return ""


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


async def test_a_mistake_of_ours_costs_only_the_connection_that_met_it() -> None:
    async with (
        listening(context_of(FakeKeeper())) as link,
        device(link, 1) as (unlucky, unlucky_writer),
        device(link, 2) as (other, other_writer),
    ):
        assert await ask(unlucky, unlucky_writer, "crash") == ""
        assert await ask(other, other_writer, "at 1") == "kept 1"
        assert link.status().refused == {"decoder_failed": 1}


async def test_a_port_in_use_is_said_clearly() -> None:
    context = context_of(FakeKeeper())
    async with listening(context) as link:
        with pytest.raises(ConflictError, match="ss -tlpn"):
            await ListeningLink(parse_link_url(f"lines+tcpin:127.0.0.1:{link.port}"), context).open()


async def test_who_never_ends_a_message_is_cut_and_who_speaks_slowly_but_surely_is_not(fake_clock: FakeClock) -> None:
    async with (
        listening(context_of(FakeKeeper(), clock=fake_clock)) as link,
        device(link, 1) as (slow, slow_writer),
        device(link, 2) as (steady, steady_writer),
    ):
        for second in range(20):
            slow_writer.write(b"a")
            steady_writer.write(b"\nat %d" % second)
            assert await hear(steady) != ""
            await eventually(lambda second=second: link._hub.bytes_received >= 14 + second * 6)  # type: ignore[misc]
            fake_clock.advance(1)
            link.tick(fake_clock.now_us())
        assert await hear(slow) == ""
        assert link.status().refused == {"frame_too_slow": 1}
        assert {await ask(steady, steady_writer, "\nping"), await hear(steady)} == {"kept 19", "echo ping"}


async def test_who_proves_nothing_within_half_a_minute_is_cut(fake_clock: FakeClock) -> None:
    async with (
        listening(context_of(FakeKeeper(), clock=fake_clock)) as link,
        device(link) as (stranger, stranger_writer),
        device(link, 2) as (known, known_writer),
    ):
        assert await ask(stranger, stranger_writer, "hello?") == "echo hello?"
        for _ in range(7):
            fake_clock.advance(5)
            link.tick(fake_clock.now_us())
        assert await hear(stranger) == ""
        assert await ask(known, known_writer, "ping") == "echo ping"
        assert link.status().refused == {"proved_nothing": 1}


async def test_a_half_open_connection_is_let_go_of(fake_clock: FakeClock) -> None:
    async with listening(context_of(FakeKeeper(), clock=fake_clock)) as link, device(link, 1) as (reader, _):
        fake_clock.advance(901)
        link.tick(fake_clock.now_us())
        assert await hear(reader) == ""
        assert link.status().refused == {"silent": 1}
        assert link.status().peers == 0


async def test_a_message_without_end_is_cut_at_64_kib() -> None:
    async with listening(context_of(FakeKeeper())) as link, device(link, 1) as (reader, writer):
        writer.write(b"a" * 70_000)
        assert await hear(reader) == ""
        assert link.status().refused == {"frame_too_long": 1}


async def test_a_client_that_never_reads_is_cut_and_costs_a_bounded_memory() -> None:
    async with listening(context_of(FakeKeeper())) as link, device(link, 1) as (_, writer):
        with contextlib.suppress(OSError):
            for _ in range(2_000):
                writer.write((b"b" * 500 + b"\n") * 20)
                await writer.drain()
                if link.status().refused:
                    break
                await asyncio.sleep(0)
        await eventually(lambda: link.status().refused == {"never_reads": 1})
        assert link.status().peers == 0


async def test_who_is_let_go_and_does_not_read_does_not_stay_for_ever(
    fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "CLOSE_WITHIN_S", 0.1)
    async with listening(context_of(FakeKeeper(), clock=fake_clock)) as link, device(link, 1) as (_, writer):
        (speaker,) = link._hub.speakers.values()
        assert isinstance(speaker, streams.StreamSpeaker)
        assert speaker._transport is not None
        while not speaker._transport.get_write_buffer_size():
            writer.write(b"c" * 20_000 + b"\n")
            await asyncio.sleep(0.001)
        fake_clock.advance(901)
        link.tick(fake_clock.now_us())
        assert link.status().refused == {"silent": 1}
        await eventually(lambda: link._door.count == 0)


async def test_one_that_sends_far_too_fast_is_read_from_more_slowly_and_loses_nothing(fake_clock: FakeClock) -> None:
    context = context_of(FakeKeeper(), clock=fake_clock)
    async with (
        listening(context, "?pace=10000") as link,
        device(link, 1) as (reader, writer),
        device(link, 2) as (other, other_writer),
    ):
        sender = asyncio.create_task(send_much(writer))
        await eventually(lambda: any(peer.paused for peer in link.peers()))
        assert await ask(other, other_writer, "hi") == "echo hi"
        while link.status().bytes_received < 10_000_000:
            if any(peer.paused for peer in link.peers()):
                fake_clock.advance(10)
                link.tick(fake_clock.now_us())
            await asyncio.sleep(0)
        await sender
        fake_clock.advance(300)
        link.tick(fake_clock.now_us())
        assert await ask(reader, writer, "ping") == "echo ping"
    assert link.status().refused == {}


async def send_much(writer: asyncio.StreamWriter) -> None:
    """Send ten million bytes that are answered nothing."""
    for _ in range(200):
        writer.write(b"#" * 49_999 + b"\n")
        await writer.drain()


async def test_a_thousand_connections_at_once_are_all_served() -> None:
    keeper = FakeKeeper()
    async with listening(context_of(keeper)) as link:

        async def report(number: int) -> str:
            reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
            assert await ask(reader, writer, f"i am {number}") == "hello"
            said = await ask(reader, writer, f"at {number}")
            writer.close()
            return said

        said = await asyncio.gather(*(report(number) for number in range(1, 1001)))
        assert said == [f"kept {number}" for number in range(1, 1001)]
        assert link.status().refused == {}
        await eventually(lambda: link.status().peers == 0)
    assert sorted(keeper.rows["lat_e7"].tolist()) == list(range(1, 1001))


async def test_a_crowd_of_strangers_does_not_shut_the_door_to_a_device() -> None:
    async with (
        listening(context_of(FakeKeeper()), "?connections=50") as link,
        device(link, 1) as (known, known_writer),
        contextlib.AsyncExitStack() as stack,
    ):
        for _ in range(80):
            await stack.enter_async_context(device(link))
        async with device(link, 2) as (late, late_writer):
            assert await ask(late, late_writer, "at 2") == "kept 2"
            assert await ask(known, known_writer, "at 1") == "kept 1"
        assert link.status().refused["made_room"] >= 30


async def test_a_host_has_its_number_of_connections_and_its_rate() -> None:
    async with listening(context_of(FakeKeeper()), "?per_host=3") as link, contextlib.AsyncExitStack() as stack:
        for number in (1, 2, 3):
            await stack.enter_async_context(device(link, number))
        with contextlib.suppress(ConnectionResetError):
            reader, _ = await asyncio.open_connection("127.0.0.1", link.port)
            assert await reader.read() == b""
        assert link.status().refused == {"connections_of_host": 1}


async def test_a_storm_of_reconnections_ends_with_everybody_connected_once() -> None:
    context = context_of(FakeKeeper())
    storm: list[Streams] = []
    async with listening(context) as link:
        for _ in range(4):  # nobody says good-bye: the network was cut
            storm += [await asyncio.open_connection("127.0.0.1", link.port) for _ in range(100)]
            for number, (reader, writer) in enumerate(storm[-100:], 1):
                writer.write(b"i am %d\n" % number)
                assert await hear(reader) == "hello"
        await eventually(lambda: link.status().peers == 100)
        assert link.status().devices == 100
        assert link.status().refused == {"newer_connection": 300}
        for _, writer in storm:
            writer.close()
