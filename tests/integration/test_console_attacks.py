"""What an attacker says to the console over HTTP and websocket, and what comes of it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import websockets

from console.api import contract
from console.audit import AuditAction
from console.wire import Role
from tests.conftest import TestDatabase
from tests.console_house import DRONE, House, hello, running

pytestmark = pytest.mark.database


@pytest.fixture
async def house(database: TestDatabase, tmp_path: Path) -> AsyncIterator[House]:
    async with running(database, tmp_path) as built:
        yield built


async def test_a_session_that_ends_before_its_websocket_says_hello_sees_nothing(house: House) -> None:
    cookie = await house.cookie(Role.OPERATOR)
    (account,) = await house.accounts.all()
    async with house.socket(cookie) as socket:
        await house.accounts.disable(account.name, house.bridge.clock.now_us())
        await house.parts.sessions._check(list(house.parts.sessions._known))
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await hello(socket)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401
    assert not house.parts.stream.clients


async def test_many_guesses_at_once_are_no_more_than_many_in_turn(house: House) -> None:
    async with house.client() as client:
        guesses = (
            client.post("/api/session", json={"name": "admin", "password": f"guess {number}"}, timeout=60)
            for number in range(12)
        )
        statuses = [answer.status_code for answer in await asyncio.gather(*guesses)]
    assert (statuses.count(401), statuses.count(429)) == (5, 7)


@pytest.mark.parametrize(
    "query",
    [
        "reason=%00abc",
        "reason=ab%07c",
        "from=0001-01-01T00:00:00%2B23:00",
        "to=9999-12-31T23:59:59-23:00",
        "from=0001-01-01T00:00:00Z&to=0001-01-01T00:10:00Z",
    ],
)
async def test_a_time_or_reason_that_no_database_keeps_is_told_of_and_breaks_nothing(house: House, query: str) -> None:
    async with house.client(await house.cookie(Role.ADMIN)) as client:
        answer = await client.get(f"/api/units/{DRONE}/track?{query}")
    assert (answer.status_code, answer.json()["error"]) == (422, "wrong_input")


async def test_a_name_with_a_zero_byte_is_wrong_input(house: House) -> None:
    async with house.client() as client:
        answer = await client.post("/api/session", json={"name": "adm\0in", "password": "x"})
    assert answer.status_code == 422


async def test_a_body_that_does_not_come_is_not_waited_for(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contract, "BODY_WITHIN_S", 0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    head = (
        f"POST /api/session HTTP/1.1\r\nHost: a\r\nOrigin: {house.origin}\r\nX-Skybeat: 1\r\nContent-Length: 9\r\n\r\n"
    )
    writer.write(head.encode())
    async with asyncio.timeout(5):
        assert (await reader.readline()).startswith(b"HTTP/1.1 422")
    writer.close()


async def test_a_page_elsewhere_that_points_its_name_at_this_machine_reads_no_figures(house: House) -> None:
    async with house.client() as client:
        assert (await client.get("/metrics")).status_code == 200
        rebound = await client.get("/metrics", headers={"host": f"evil.example:{house.port}"})
    assert rebound.status_code == 401


async def test_a_zero_byte_never_stops_the_audit_of_all_others(house: House) -> None:
    """PostgreSQL keeps no zero byte: an entry with one waited at the head of the rest for ever."""
    async with house.client(await house.cookie(Role.ADMIN)) as client:
        forced = await client.post("/api/flights/1/control/force", json={"reason": "mine\0"})
        bridge = b"docks: [{dock_id: 1, name: Bridge, lat_deg: 36.1, lon_deg: 103.1}]"
        named = await client.post("/api/programme/import", params={"name": "a\0.yaml"}, content=bridge)
        file = b'{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"name": "x\\u0000"},'
        file += b'"geometry": {"type": "Point", "coordinates": [103.8, 36.0]}}]}'
        brought = await client.post("/api/programme/import", params={"name": "a.geojson"}, content=file)
        drawn = await client.post("/api/programme/docks", json={"item": {"name": "D", "lat_deg": 36, "lon_deg": 2**70}})
        huge = await client.post(
            "/api/programme/zones",
            json={"item": {"name": "z", "kind": "no_fly", "geometry": {"type": "Point", "coordinates": [2**70, 1]}}},
        )
        given = await client.post("/api/flights/1/sortie", json={"plan_id": 2**40, "sortie_id": 1})
        kept = await client.post("/api/programme/docks", json={"item": {"name": "D", "lat_deg": 36, "lon_deg": 103}})
    answers = [forced, named, brought, drawn, huge, given, kept]
    assert [answer.status_code for answer in answers] == [422, 200, 422, 422, 422, 422, 201]
    detail = {"name": "a\0b", "of": ["\0"]}
    await house.parts.audit.write_soon(None, AuditAction.EXPORTED, subject="a\0", detail=detail)
    await house.parts.audit.write(None, AuditAction.EXPORTED, subject="after", reason="\0")
