"""The websocket over a real server: who may open it, what it sends, what it keeps for one that comes back."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import websockets

from console.api import live
from console.wire import FrameKind, Role
from tests.conftest import TestDatabase
from tests.console_house import CAR, COVERT, DRONE, FAR, OFFICER, House, hello, next_frame, next_text, running

pytestmark = pytest.mark.database


@pytest.fixture
async def house(database: TestDatabase, tmp_path: Path) -> AsyncIterator[House]:
    async with running(database, tmp_path) as built:
        yield built


async def test_a_stranger_another_origin_and_another_protocol_are_refused_at_the_upgrade(house: House) -> None:
    cookie = await house.cookie(Role.ADMIN)
    wrong = (
        house.socket(None),
        house.socket("made-up-token"),
        house.socket(cookie, origin="http://evil.example"),
        house.socket(cookie, origin=None),
        house.socket(cookie, origin=house.origin + "0"),
        house.socket(cookie, subprotocols=["chat"]),
        house.socket(cookie, subprotocols=None),
    )
    for attempt in wrong:
        with pytest.raises(websockets.InvalidStatus) as refused:
            await attempt
        assert refused.value.response.status_code == 403


async def test_hello_brings_welcome_units_coverage_and_a_snapshot_then_deltas(house: House) -> None:
    house.bridge.move(DRONE, CAR)
    async with house.socket(await house.cookie(Role.VIEWER)) as socket:
        assert socket.subprotocol == "skb1"
        welcome, units = await hello(socket)
        assert (welcome["type"], welcome["role"], welcome["epoch"]) == ("welcome", "viewer", house.parts.stream.epoch)
        assert {unit["unit_id"] for unit in units["units"]} == {DRONE, OFFICER, CAR, FAR}
        snapshot = await next_frame(socket)
        assert snapshot.kind is FrameKind.SNAPSHOT
        assert sorted(snapshot.columns["unit_id"].tolist()) == [DRONE, OFFICER, CAR, FAR]
        house.bridge.move(DRONE, COVERT, lat_e7=360_600_000)
        delta = await next_frame(socket, FrameKind.DELTA)
        assert (delta.columns["unit_id"].tolist(), delta.columns["lat_e7"].tolist()) == ([DRONE], [360_600_000])
        assert delta.seq == snapshot.seq + 1
        assert (await next_text(socket, "coverage"))["shares"] == [0.1, 0.2, 0.3]


async def test_a_browser_that_offers_compression_is_not_taken_at_its_word(house: House) -> None:
    async with house.socket(await house.cookie(Role.VIEWER), compression="deflate") as socket:
        assert socket.protocol.extensions == []
        assert (await hello(socket))[0]["type"] == "welcome"


async def test_an_officer_is_sent_itself_alone(house: House) -> None:
    house.bridge.move(DRONE, OFFICER, CAR, FAR)
    async with house.socket(await house.cookie(Role.OFFICER, unit_id=OFFICER)) as socket:
        _, units = await hello(socket)
        assert [unit["unit_id"] for unit in units["units"]] == [OFFICER]
        assert (await next_frame(socket)).columns["unit_id"].tolist() == [OFFICER]


async def test_a_unit_that_leaves_the_viewport_is_gone_and_one_that_calls_for_help_is_shown_anywhere(
    house: House,
) -> None:
    house.bridge.move(DRONE, CAR)
    async with house.socket(await house.cookie(Role.OPERATOR)) as socket:
        await hello(socket)
        await socket.send('{"type":"sub","bbox":[103.7,36.0,103.9,36.1]}')
        first = await next_frame(socket, FrameKind.SNAPSHOT)
        while sorted(first.columns["unit_id"].tolist()) != [DRONE, CAR]:
            first = await next_frame(socket, FrameKind.SNAPSHOT)
        house.bridge.move(DRONE, lat_e7=500_000_000)
        assert (await next_frame(socket, FrameKind.GONE)).columns["unit_id"].tolist() == [DRONE]


async def test_the_trail_of_a_followed_drone_comes_and_that_of_an_officer_does_not(house: House) -> None:
    house.bridge.move(DRONE, OFFICER)
    async with house.socket(await house.cookie(Role.OPERATOR)) as socket:
        await hello(socket)
        sub = {"type": "sub", "bbox": None, "unit_ids": [OFFICER, DRONE], "hz": 5}
        await socket.send(msgspec.json.encode(sub).decode())
        trail = await next_frame(socket, FrameKind.TRAIL)
        assert (trail.unit_id, trail.columns["lat_e7"].tolist()) == (DRONE, [360_500_000])


async def test_alarms_are_numbered_and_come_again_to_one_that_was_away(house: House) -> None:
    cookie = await house.cookie(Role.OPERATOR, stations=(1,))
    async with house.socket(cookie) as socket:
        welcome, _ = await hello(socket)
        alarm = house.bridge.sos(OFFICER)
        first = await next_text(socket, "alarm")
        assert first["alarm"]["alarm_id"] == alarm.alarm_id
    house.bridge.sos(FAR)
    await house.bridge.acknowledge_alarm(alarm.alarm_id, 1, "chief", house.bridge.clock.now_us())
    async with house.socket(cookie) as socket:
        await hello(socket, {"epoch": welcome["epoch"], "alarm_seq": first["seq"]})
        missed = await next_text(socket, "alarm")
        assert missed["seq"] > first["seq"]
        assert (missed["alarm"]["alarm_id"], missed["alarm"]["state"]) == (alarm.alarm_id, "acknowledged")
    async with house.socket(cookie) as socket:
        await socket.send('{"type":"hello","v":1,"resume":{"epoch":1,"alarm_seq":99}}')
        assert (await next_text(socket, "alarm"))["alarm"]["alarm_id"] == alarm.alarm_id


async def test_a_disabled_account_loses_its_websocket_within_five_seconds(house: House) -> None:
    async with house.socket(await house.cookie(Role.OPERATOR)) as socket:
        await hello(socket)
        await house.accounts.disable("operator-0", house.bridge.clock.now_us())
        async with asyncio.timeout(5):
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await drain(socket)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401
    async with asyncio.timeout(2):
        while house.parts.stream.clients:  # noqa: ASYNC110 - the server ends the connection by itself
            await asyncio.sleep(0.01)


async def test_signing_out_closes_the_sessions_websocket(house: House) -> None:
    cookie = await house.cookie(Role.OPERATOR)
    async with house.socket(cookie) as socket, house.client(cookie) as browser:
        await hello(socket)
        assert (await browser.delete("/api/session")).status_code == 204
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await drain(socket)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ('{"type":"sub"}', 4400),
        ('{"type":"hello","v":2}', 4400),
        ("nonsense", 4400),
        (b"\x00", 4400),
        ("x" * 20_000, 1009),
    ],
)
async def test_one_that_does_not_say_hello_properly_is_closed_with_a_code(
    house: House, said: str | bytes, code: int
) -> None:
    async with house.socket(await house.cookie(Role.VIEWER)) as socket:
        await socket.send(said)
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await drain(socket)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == code


async def test_one_that_floods_is_closed(house: House) -> None:
    async with house.socket(await house.cookie(Role.VIEWER)) as socket:
        await hello(socket)
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await flood(socket)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4429


async def test_a_new_unit_is_told_and_shown(house: House) -> None:
    async with house.socket(await house.cookie(Role.ADMIN)) as socket:
        await hello(socket)
        device = house.bridge.registry.devices[10 + DRONE]
        unit = msgspec.structs.replace(house.bridge.registry.units[DRONE], unit_id=77, call_sign="new")
        house.bridge.registry.register(msgspec.structs.replace(device, device_id=87, address="main/77"), unit, 0)
        house.bridge.move(77)
        units = await next_text(socket, "units")
        assert 77 in {unit["unit_id"] for unit in units["units"]}
        frame = await next_frame(socket, FrameKind.SNAPSHOT)
        while 77 not in frame.columns["unit_id"]:
            frame = await next_frame(socket)


async def drain(socket: websockets.ClientConnection) -> None:
    while True:
        await socket.recv()


async def flood(socket: websockets.ClientConnection) -> None:
    for _ in range(100):
        await socket.send('{"type":"pong"}')
    await drain(socket)


async def test_a_browser_that_vanishes_is_let_go_at_once(house: House) -> None:
    socket = await house.socket(await house.cookie(Role.VIEWER))
    await hello(socket)
    assert len(house.parts.stream.clients) == 1
    socket.transport.abort()
    async with asyncio.timeout(2):
        while house.parts.stream.clients:  # noqa: ASYNC110 - the server ends the connection by itself
            await asyncio.sleep(0.01)


async def test_one_that_never_reads_costs_the_server_little_and_others_nothing(house: House) -> None:
    cookie = await house.cookie(Role.VIEWER)
    async with house.socket(cookie) as quick, house.socket(cookie, max_queue=1) as stalled:
        await hello(quick)
        await stalled.send('{"type":"hello","v":1}')
        for number in range(5):
            house.bridge.move(DRONE, lat_e7=360_000_000 + number)
            frame = await next_frame(quick)
            while frame.columns["lat_e7"][frame.columns["unit_id"] == DRONE].tolist() != [360_000_000 + number]:
                frame = await next_frame(quick)
        stalled.transport.abort()


async def test_a_lost_database_is_told_once_and_the_map_goes_on(house: House) -> None:
    async with house.socket(await house.cookie(Role.VIEWER)) as socket:
        await hello(socket)
        await house.pool.close()
        told = await next_text(socket, "degraded")
        assert (told["what"], told["since_ms"] is not None) == ("history", True)
        house.bridge.move(DRONE, lat_e7=361_000_000)
        frame = await next_frame(socket)
        while 361_000_000 not in frame.columns["lat_e7"]:
            frame = await next_frame(socket)
        assert house.parts.health.state() == "degraded"


async def test_one_account_cannot_take_everybodys_place(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MAX_CLIENTS_OF_ACCOUNT", 1)
    cookie = await house.cookie(Role.VIEWER)
    async with house.socket(cookie) as first:
        await hello(first)
        with pytest.raises(websockets.InvalidStatus) as refused:
            await house.socket(cookie)
        assert refused.value.response.status_code == 503
        async with house.socket(await house.cookie(Role.VIEWER)) as other:
            await hello(other)
