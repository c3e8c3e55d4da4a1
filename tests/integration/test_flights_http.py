"""Control of drones and orders in flight over HTTP and websocket: who has it, who may, prepared and confirmed, told to everybody."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from console.wire import Role
from telemetry.flight.traffic import OwnDrone
from telemetry.flight_log.log import FlightLog
from telemetry.model.commands import FlightAction, FlightCommand
from telemetry.model.events import ArmedChanged, CommandAnswered
from telemetry.model.flight_events import HomeTold
from telemetry.model.sighting import Sighting, SightingSource
from tests.conftest import FakeClock, TestDatabase
from tests.console_house import CAR, DRONE, House, hello, next_text, running
from tests.mavlink_scene import Drone

pytestmark = pytest.mark.database
HAWK = 11


@pytest.fixture
async def house(database: TestDatabase, tmp_path: Path, fake_clock: FakeClock) -> AsyncIterator[House]:
    async with running(database, tmp_path, clock=fake_clock) as built:
        built.bridge.hears = {HAWK}
        built.bridge.move(DRONE)
        yield built


@pytest.fixture
async def operator(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with house.client(await house.cookie(Role.OPERATOR)) as client:
        yield client


async def change(client: httpx.AsyncClient, what: str, unit_id: int = DRONE, **body: object) -> httpx.Response:
    return await client.post(f"/api/flights/{unit_id}/control/{what}", json=body or None)


async def fly(client: httpx.AsyncClient, **wanted: object) -> httpx.Response:
    prepared = await client.post(f"/api/flights/{DRONE}/actions/prepare", json=wanted)
    if prepared.status_code != 200:
        return prepared
    return await client.post(f"/api/flights/{DRONE}/actions", json=wanted | {"token": prepared.json()["token"]})


async def holder(client: httpx.AsyncClient) -> dict[str, Any]:
    flight = (await client.get(f"/api/flights/{DRONE}")).json()["flight"]
    found: dict[str, Any] = flight["control"]["holder"]
    return found


async def test_a_drone_belongs_to_nobody_until_somebody_takes_it_and_the_next_one_is_told_who(
    house: House, operator: httpx.AsyncClient
) -> None:
    assert (await holder(operator))["kind"] == "nobody"
    assert (await change(operator, "take")).status_code == 200
    assert (await holder(operator))["name"] == "operator-0"
    async with house.client(await house.cookie(Role.OPERATOR)) as other:
        refused = await change(other, "take")
        assert refused.status_code == 409
        assert "operator-0 is in control of U" in refused.json()["detail"]
        ordered = await fly(other, action="hold")
        assert (ordered.status_code, "operator-0 is in control" in ordered.json()["detail"]) == (409, True)
    assert house.bridge.sent == []


async def test_an_action_is_prepared_then_confirmed_sent_and_answered(
    house: House, operator: httpx.AsyncClient
) -> None:
    await change(operator, "take")
    given = await fly(operator, action="hold")
    assert given.status_code == 201
    (action,) = given.json()["flight"]["actions"]
    assert (action["action"], action["ordered_by"]) == ("hold", "operator-0")
    (command,) = house.bridge.sent
    assert isinstance(command, FlightCommand)
    assert command.action is FlightAction.HOLD
    now_us = house.bridge.clock.now_us()
    answer = CommandAnswered(
        device_id=HAWK, observed_us=now_us, received_us=now_us, command_id=command.command_id, state="delivered"
    )
    house.bridge.happen(answer)
    (action,) = (await operator.get(f"/api/flights/{DRONE}")).json()["flight"]["actions"]
    assert (action["state"], action["way"]) == ("delivered", "own")


async def test_an_action_without_its_own_fresh_token_is_not_ordered(
    house: House, operator: httpx.AsyncClient, fake_clock: FakeClock
) -> None:
    await change(operator, "take")
    address = f"/api/flights/{DRONE}/actions"
    assert (await operator.post(address, json={"action": "hold"})).status_code == 409
    prepared = (await operator.post(f"{address}/prepare", json={"action": "hold"})).json()
    other = {"action": "arm", "token": prepared["token"]}
    assert (await operator.post(address, json=other)).status_code == 409
    prepared = (await operator.post(f"{address}/prepare", json={"action": "hold"})).json()
    fake_clock.advance(16)
    late = {"action": "hold", "token": prepared["token"]}
    assert (await operator.post(address, json=late)).status_code == 409
    assert house.bridge.sent == []


async def test_a_preparation_says_what_the_action_costs(house: House, operator: httpx.AsyncClient) -> None:
    await change(operator, "take")
    now_us = house.bridge.clock.now_us()
    home = HomeTold(device_id=HAWK, observed_us=now_us, received_us=now_us, lat_e7=360_500_000, lon_e7=1_038_000_000)
    house.bridge.happen(home)
    wanted = {"action": "go_to", "lat_deg": 36.06, "lon_deg": 103.8, "alt_home_m": 60}
    costs = (await operator.post(f"/api/flights/{DRONE}/actions/prepare", json=wanted)).json()
    assert costs["distance_m"] == pytest.approx(1_110, abs=5)
    assert (costs["home_distance_m"], costs["warnings"]) == (0.0, [])
    missing = await operator.post(f"/api/flights/{DRONE}/actions/prepare", json={"action": "go_to"})
    assert (missing.status_code, "give lat_deg and lon_deg" in missing.json()["detail"]) == (422, True)


async def test_control_is_offered_accepted_and_taken_by_force_only_by_a_supervisor_who_says_why(
    house: House, operator: httpx.AsyncClient
) -> None:
    await change(operator, "take")
    account = await house.account(Role.SUPERVISOR)
    token, _ = await house.parts.sessions.sign_in(account)
    async with house.client(token) as supervisor:
        offered = await change(operator, "offer", account_id=account.account_id)
        assert offered.json()["flight"]["control"]["offered"]["name"] == account.name
        assert (await change(supervisor, "accept")).status_code == 200
        assert (await holder(operator))["name"] == account.name
        assert (await change(operator, "force", reason="mine")).status_code == 403
        await change(supervisor, "release")
        await change(operator, "take")
        assert (await change(supervisor, "force", reason=" ")).status_code == 422
        said = (await supervisor.get("/api/flights/0")).json()
        assert said["detail_zh"] == "path.unit_id：值 '0' 不可用，须不小于 1"
        forced = (await change(supervisor, "force", reason="no answer")).json()["flight"]["control"]
        assert (forced["change"], forced["reason"], forced["holder"]["name"]) == ("forced", "no answer", account.name)


async def test_control_is_offered_to_nobody_who_may_not_fly(house: House, operator: httpx.AsyncClient) -> None:
    await change(operator, "take")
    viewer = await house.account(Role.VIEWER)
    refused = await change(operator, "offer", account_id=viewer.account_id)
    assert (refused.status_code, "may not fly" in refused.json()["detail"]) == (404, True)
    refused = await change(operator, "offer", ground_station="field")
    assert (refused.status_code, "SKYBEAT_FORWARD" in refused.json()["detail"]) == (404, True)


async def test_everybody_on_the_map_is_told_who_is_in_control(house: House, operator: httpx.AsyncClient) -> None:
    async with house.socket(await house.cookie(Role.VIEWER)) as socket:
        await hello(socket)
        first = await next_text(socket, "flight")
        assert (first["flight"]["unit_id"], first["flight"]["control"]["holder"]["kind"]) == (DRONE, "nobody")
        await change(operator, "take")
        told = await next_text(socket, "flight")
        assert told["flight"]["control"]["holder"]["name"] == "operator-0"


async def test_control_lapses_a_minute_after_its_holder_signed_out(
    house: House, operator: httpx.AsyncClient, fake_clock: FakeClock
) -> None:
    await change(operator, "take")
    desk = house.parts.flights.control
    fake_clock.advance(120)
    await desk.look()
    assert desk.of(HAWK).holder.name == "operator-0"  # still signed in
    await operator.delete("/api/session")
    fake_clock.advance(120)
    await desk.look()
    assert desk.of(HAWK).holder.name == "operator-0"
    fake_clock.advance(61)
    await desk.look()
    assert (desk.of(HAWK).holder.name, desk.of(HAWK).reason) == ("", "signed out")


async def test_a_drone_is_lent_to_a_ground_station_until_that_is_silent_for_a_minute(
    house: House, operator: httpx.AsyncClient, fake_clock: FakeClock
) -> None:
    house.bridge.stations.heard["field"] = fake_clock.now_us()
    assert (await operator.get("/api/flights")).json()["ground_stations"] == ["field"]
    await change(operator, "take")
    lent = (await change(operator, "offer", ground_station="field")).json()["flight"]["control"]
    assert (lent["holder"]["kind"], lent["holder"]["name"], lent["by"]["name"]) == (
        "ground_station",
        "field",
        "operator-0",
    )
    assert (await fly(operator, action="hold")).status_code == 409
    desk = house.parts.flights.control
    for _ in range(3):
        fake_clock.advance(31)
        await desk.look()
    fake_clock.advance(61)
    await desk.look()
    assert (desk.of(HAWK).holder.name, desk.of(HAWK).reason) == ("", "silent")


async def test_what_is_no_drone_of_the_scope_is_not_there(house: House, operator: httpx.AsyncClient) -> None:
    assert (await operator.get(f"/api/flights/{CAR}")).status_code == 404
    async with house.client(await house.cookie(Role.OPERATOR, stations=(2,))) as stranger:
        assert (await change(stranger, "take")).status_code == 404
        assert (await stranger.get("/api/flights")).json()["flights"] == []
    async with house.client(await house.cookie(Role.VIEWER)) as viewer:
        assert (await change(viewer, "take")).status_code == 403


async def test_others_in_the_air_are_told_without_a_name_and_told_once_more_when_they_are_gone(
    house: House, operator: httpx.AsyncClient, fake_clock: FakeClock
) -> None:
    drone = OwnDrone(
        unit_id=DRONE,
        device_id=HAWK,
        lat_deg=36.05,
        lon_deg=103.8,
        alt_msl_m=1600.0,
        east_mps=0,
        north_mps=0,
        climb_mps=0,
    )
    now_us, traffic = fake_clock.now_us(), house.bridge.traffic
    plane = Sighting(
        key=b"B-1234", source=SightingSource.ADSB, seen_us=now_us, lat_deg=36.055, lon_deg=103.8, alt_msl_m=1640.0
    )
    traffic.take([plane])
    traffic.look([drone], now_us)
    async with house.socket(await house.cookie(Role.VIEWER)) as socket:
        await hello(socket)
        told = await next_text(socket, "traffic")
        (hazard,) = told["hazards"]
        assert (hazard["source"], hazard["approaches"][0]["unit_id"], "B-1234" in str(told)) == ("adsb", DRONE, False)
        assert hazard["approaches"][0]["distance_m"] == pytest.approx(556, abs=2)
        listed = (await operator.get("/api/traffic")).json()["hazards"]
        assert [one["hazard_id"] for one in listed] == [hazard["hazard_id"]]
        async with house.client(await house.cookie(Role.OPERATOR, stations=(2,))) as stranger:
            assert (await stranger.get("/api/traffic")).json()["hazards"][0]["approaches"] == []
        fake_clock.advance(61)
        traffic.look([drone], fake_clock.now_us())
        while told["hazards"]:  # who joins between two turns is told the same once more
            told = await next_text(socket, "traffic")


async def test_the_log_of_a_flight_that_goes_on_is_listed_fetched_up_to_its_last_frame_and_the_fetch_is_written_down(
    database: TestDatabase, tmp_path: Path, fake_clock: FakeClock
) -> None:
    log = FlightLog(tmp_path / "flights", fake_clock, keep_days=1, max_bytes=1 << 30, least_free_bytes=0)
    now_us, frame = fake_clock.now_us(), Drone().position(fake_clock.now_us())
    log.hear(ArmedChanged(device_id=HAWK, observed_us=now_us, received_us=now_us, armed=True), now_us)
    log.take([(HAWK, 1, frame)], now_us)
    async with running(database, tmp_path, clock=fake_clock, flight_log=log) as house:
        async with asyncio.timeout(30):
            while not any(one.size_bytes for one in log.logs()):  # noqa: ASYNC110 - a thread writes it
                await asyncio.sleep(0.02)
        async with house.client(await house.cookie(Role.OPERATOR)) as operator:
            (told,) = (await operator.get("/api/flights/logs")).json()["logs"]
            with (tmp_path / "flights" / told["name"]).open("ab") as growing:
                growing.write(b"half a frame")
            fetched = await operator.get(f"/api/flights/logs/{told['name']}")
            assert (told["unit_id"], told["ended_ms"], told["size_bytes"]) == (DRONE, None, 8 + len(frame))
            assert fetched.content == now_us.to_bytes(8, "big") + frame
            assert fetched.headers["content-length"] == str(told["size_bytes"])
            assert (await operator.get("/api/flights/logs/device11-20260101T000000Z.tlog")).status_code == 404
        async with house.client(await house.cookie(Role.OPERATOR, stations=(2,))) as stranger:
            assert (await stranger.get("/api/flights/logs")).json()["logs"] == []
            assert (await stranger.get(f"/api/flights/logs/{told['name']}")).status_code == 404
        async with house.client(await house.cookie(Role.VIEWER)) as viewer:
            assert (await viewer.get("/api/flights/logs")).status_code == 403
    with psycopg.connect(database.owner_url) as connection:
        rows = connection.execute("select subject from audit where action = 'flight_log_read'").fetchall()
    log.close()
    assert rows == [("U1",)]


async def test_who_took_control_and_who_ordered_what_stands_in_the_audit(
    operator: httpx.AsyncClient, database: TestDatabase
) -> None:
    await change(operator, "take")
    await fly(operator, action="hold")
    with psycopg.connect(database.owner_url) as connection:
        rows = connection.execute("select action, account_name, subject from audit order by at").fetchall()
    assert rows[-2:] == [("control_changed", "operator-0", "U1"), ("flight_ordered", "operator-0", "U1")]


async def test_one_who_prepares_without_end_keeps_nobody_else_from_ordering(
    house: House, operator: httpx.AsyncClient
) -> None:
    await change(operator, "take")
    wanted = {"action": "hold"}
    answers = [await operator.post(f"/api/flights/{DRONE}/actions/prepare", json=wanted) for _ in range(101)]
    assert [answer.status_code for answer in answers] == [200] * 100 + [503]
    async with house.client(await house.cookie(Role.SUPERVISOR)) as other:
        assert (await change(other, "force", reason="mine now")).status_code == 200
        assert (await fly(other, action="hold")).status_code == 201
