"""Commands to devices over HTTP and websocket: kept, sent when the device is there, answered, told to who may know."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from console.wire import Role
from telemetry.model.commands import RequestPosition, SendText
from telemetry.model.events import CommandAnswered, DeviceInfo, OfficerOnBoard, VideoChanged
from telemetry.model.unit import Device
from telemetry.orders import QUEUED_FOR_US
from tests.conftest import FakeClock, TestDatabase
from tests.console_house import CAR, COVERT, DRONE, FAR, OFFICER, House, hello, next_text, running

pytestmark = pytest.mark.database
HAWK = 11
"""The drone's device: MAVLink, which shows texts."""


@pytest.fixture
async def house(database: TestDatabase, tmp_path: Path, fake_clock: FakeClock) -> AsyncIterator[House]:
    async with running(database, tmp_path, clock=fake_clock) as built:
        yield built


@pytest.fixture
async def operator(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with house.client(await house.cookie(Role.OPERATOR)) as client:
        yield client


async def give(client: httpx.AsyncClient, unit_id: int = DRONE, **wanted: object) -> httpx.Response:
    return await client.post(f"/api/units/{unit_id}/commands", json={"kind": "send_text", "text": "return"} | wanted)


async def standing(client: httpx.AsyncClient, unit_id: int = DRONE) -> list[tuple[str, str]]:
    commands = (await client.get(f"/api/units/{unit_id}/commands")).json()["commands"]
    return [(command["kind"], command["state"]) for command in commands]


def answer(house: House, command_id: int, state: str, text: str = "") -> None:
    now_us = house.bridge.clock.now_us()
    house.bridge.happen(
        CommandAnswered(
            device_id=HAWK, observed_us=now_us, received_us=now_us, command_id=command_id, state=state, text=text
        )
    )


async def test_a_text_to_a_device_that_is_there_is_sent_at_once_and_delivered_when_it_answers(
    house: House, operator: httpx.AsyncClient
) -> None:
    house.bridge.hears = {HAWK}
    given = await give(operator, is_spoken=True, is_urgent=True)
    assert given.status_code == 201
    command = given.json()["command"]
    assert (command["state"], command["device_id"], command["ordered_by"]) == ("sent", HAWK, "operator-0")
    sent = SendText(device_id=HAWK, command_id=command["command_id"], text="return", is_spoken=True, is_urgent=True)
    assert house.bridge.sent == [sent]
    answer(house, command["command_id"], "delivered")
    assert await standing(operator) == [("send_text", "delivered")]


async def test_a_command_waits_for_its_device_and_goes_as_soon_as_it_connects(
    house: House, operator: httpx.AsyncClient, fake_clock: FakeClock
) -> None:
    assert (await give(operator, kind="request_position")).json()["command"]["state"] == "queued"
    fake_clock.advance(500)
    house.parts.orders.turn()
    assert await standing(operator) == [("request_position", "queued")]
    house.bridge.hears = {HAWK}
    house.parts.orders.turn()
    house.parts.orders.turn()
    assert await standing(operator) == [("request_position", "sent")]
    assert [type(command) for command in house.bridge.sent] == [RequestPosition]


async def test_a_command_that_waited_ten_minutes_is_given_up_and_never_sent(
    house: House, operator: httpx.AsyncClient, fake_clock: FakeClock
) -> None:
    await give(operator)
    fake_clock.advance(QUEUED_FOR_US / 1e6 + 1)
    house.parts.orders.turn()
    house.bridge.hears = {HAWK}
    house.parts.orders.turn()
    assert (await standing(operator), house.bridge.sent) == ([("send_text", "expired")], [])


async def test_what_was_meant_for_one_crew_is_never_shown_to_another(
    house: House, operator: httpx.AsyncClient, fake_clock: FakeClock
) -> None:
    await give(operator)
    fake_clock.advance(5)
    moved = Device(device_id=HAWK, protocol="mavlink", address="main/1")
    house.bridge.registry.register(moved, house.bridge.registry.units[CAR], fake_clock.now_us())
    house.bridge.hears = {HAWK}
    house.parts.orders.turn()
    assert (await standing(operator), house.bridge.sent) == ([("send_text", "refused")], [])


async def test_what_a_device_refuses_is_told_with_its_words(house: House, operator: httpx.AsyncClient) -> None:
    house.bridge.hears = {HAWK}
    command_id = (await give(operator)).json()["command"]["command_id"]
    answer(house, command_id, "refused", "not supported")
    (command,) = (await operator.get(f"/api/units/{DRONE}/commands")).json()["commands"]
    assert (command["state"], command["answer"]) == ("refused", "not supported")


async def test_who_looks_on_is_told_of_each_step_and_nobody_beyond_the_scope(house: House) -> None:
    house.bridge.hears = {HAWK}
    near, far, viewer = (
        await house.cookie(Role.OPERATOR, stations=(1,)),
        await house.cookie(Role.SUPERVISOR, stations=(2,)),
        await house.cookie(Role.VIEWER),
    )
    async with house.socket(near) as one, house.socket(far) as two, house.socket(viewer) as three:
        for socket in (one, two, three):
            await hello(socket)
        async with house.client(near) as client:
            command_id = (await give(client)).json()["command"]["command_id"]
        told = (await next_text(one, "command"))["command"]
        while told["state"] != "sent":
            told = (await next_text(one, "command"))["command"]
        answer(house, command_id, "delivered")
        assert (await next_text(one, "command"))["command"]["state"] == "delivered"
        house.bridge.sos(CAR)
        house.bridge.sos(FAR)  # what everyone is told comes behind whatever they were told before
        assert (await next_text(two))["type"] != "command"
        assert "command" not in {(await next_text(three))["type"] for _ in range(2)}


async def test_a_command_that_the_disk_does_not_keep_is_not_sent(house: House, operator: httpx.AsyncClient) -> None:
    house.bridge.hears, house.bridge.journal_failed = {HAWK}, True
    assert (await give(operator)).status_code == 503
    house.parts.orders.turn()
    assert (await standing(operator), house.bridge.sent) == ([("send_text", "expired")], [])


async def test_the_audit_says_who_asked_what_of_whom(operator: httpx.AsyncClient, database: TestDatabase) -> None:
    command_id = (await give(operator)).json()["command"]["command_id"]
    await operator.put(f"/api/units/{DRONE}/trusted-device", json={"device_id": HAWK})
    with psycopg.connect(database.owner_url) as connection:
        found = connection.execute(
            "select action, account_name, subject, detail from audit where action in ('commanded', 'device_trusted') order by 1"
        ).fetchall()
    assert [row[:3] for row in found] == [("commanded", "operator-0", "U1"), ("device_trusted", "operator-0", "U1")]
    assert (found[0][3]["command"], found[0][3]["text"], found[0][3]["unit_id"]) == ("send_text", "return", DRONE)
    assert found[0][3]["command_id"] == command_id


async def test_a_unit_shows_its_devices_and_what_they_say(house: House, operator: httpx.AsyncClient) -> None:
    now_us = house.bridge.clock.now_us()
    second = Device(device_id=61, protocol="osmand", address="6" * 64, label="spare phone")
    house.bridge.registry.register(second, house.bridge.registry.units[DRONE], 0)
    house.bridge.move(DRONE)
    times: dict[str, Any] = {"device_id": HAWK, "observed_us": now_us, "received_us": now_us}
    house.bridge.happen(OfficerOnBoard(present=True, name="Li Wei", card="6201", agency="Air", **times))
    house.bridge.happen(DeviceInfo(fields={"maker": "Holybro"}, **times))
    house.bridge.happen(VideoChanged(channel="1", url="rtsp://media.example/1", **times))
    told = (await operator.get(f"/api/units/{DRONE}/devices")).json()
    shown, spare = told["devices"]
    assert (shown["device_id"], shown["is_shown"], shown["link"], shown["distance_m"]) == (HAWK, True, "live", 0)
    assert (shown["on_board"]["name"], shown["info"], shown["video"]) == (
        "Li Wei",
        {"maker": "Holybro"},
        [{"channel": "1", "url": "rtsp://media.example/1"}],
    )
    assert "6201" not in str(told), "a card's number is for nobody's screen"
    assert (spare["label"], spare["link"], spare["observed_ms"], spare["takes"]) == ("spare phone", "never", None, [])


async def test_only_a_device_of_the_unit_itself_can_be_trusted(
    operator: httpx.AsyncClient, database: TestDatabase
) -> None:
    path = f"/api/units/{DRONE}/trusted-device"
    assert (await operator.put(path, json={"device_id": HAWK})).status_code == 200
    assert (await operator.put(path, json={"device_id": 13})).status_code == 409
    with psycopg.connect(database.owner_url) as connection:
        chosen = "select trusted_device_id from unit where unit_id = 1"
        assert connection.execute(chosen).fetchone() == (HAWK,)
        connection.execute("update assignment set ended_at = now() where device_id = 11")
        assert connection.execute(chosen).fetchone() == (None,), "what speaks for it no longer is trusted no longer"
    assert (await operator.put(path, json={"device_id": None})).status_code == 200


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"text": "   "}, 422),
        ({"text": "a\x07b"}, 422),
        ({"text": "x" * 501}, 422),
        ({"kind": "fly_home"}, 422),
        ({"kind": "open_video", "channel": "1/../2"}, 422),
        ({"kind": "open_video"}, 422),
        ({"kind": "track_faster", "interval_s": 0.01}, 422),
        ({"device_id": 13}, 404),
        ({"extra": 1}, 422),
    ],
)
async def test_what_cannot_be_asked_is_refused_with_what_can(
    house: House, operator: httpx.AsyncClient, wanted: dict[str, Any], status: int
) -> None:
    refused = await give(operator, **wanted)
    assert refused.status_code == status, refused.text
    assert (house.bridge.sent, await standing(operator)) == ([], [])


async def test_a_unit_without_a_device_that_understands_is_said_to_be_so(operator: httpx.AsyncClient) -> None:
    refused = await give(operator, unit_id=CAR)
    assert (refused.status_code, "osmand" in refused.json()["detail"]) == (422, True)


async def test_nobody_commands_beyond_scope_or_role(house: House) -> None:
    house.bridge.hears = {HAWK, 13, 14, 15}
    asked = {"kind": "send_text", "text": "x"}
    for role, unit_id, stations, status in (
        (Role.VIEWER, DRONE, (), 403),
        (Role.OFFICER, OFFICER, (), 403),
        (Role.OPERATOR, FAR, (1,), 404),
        (Role.OPERATOR, COVERT, (), 404),
        (Role.ADMIN, 999, (), 404),
    ):
        own = OFFICER if role is Role.OFFICER else None
        async with house.client(await house.cookie(role, stations=stations, unit_id=own)) as client:
            for answered in (
                await client.post(f"/api/units/{unit_id}/commands", json=asked),
                await client.get(f"/api/units/{unit_id}/commands"),
                await client.get(f"/api/units/{unit_id}/devices"),
                await client.put(f"/api/units/{unit_id}/trusted-device", json={"device_id": None}),
            ):
                assert answered.status_code == status, (role, unit_id)
    assert house.bridge.sent == []


async def test_a_flood_of_commands_is_stopped(operator: httpx.AsyncClient) -> None:
    statuses = [(await give(operator)).status_code for _ in range(35)]
    assert (statuses[:20], set(statuses[20:])) == ([201] * 20, {409, 429})


async def test_links_say_how_they_do_without_secrets(house: House, operator: httpx.AsyncClient) -> None:
    house.bridge.move(DRONE)
    told = (await operator.get("/api/links")).json()
    assert (told["links"][0]["url"], told["links"][0]["state"]) == ("udpin:127.0.0.1:14550", "open")
    sums = {line["protocol"]: line for line in told["protocols"]}
    assert (sums["mavlink"]["live"], sums["mavlink"]["links"], sums["osmand"]["never"]) == (1, 1, 4)
    url = told["links"][0]["url"]
    (peer,) = (await operator.get("/api/links/peers", params={"url": url})).json()["peers"]
    assert (peer["host"], peer["device_ids"], peer["is_proven"]) == ("127.0.0.1", [HAWK], True)
    assert (await operator.get("/api/links/peers", params={"url": "none"})).status_code == 404
    async with house.client(await house.cookie(Role.OPERATOR, stations=(2,))) as far:
        hidden = (await far.get("/api/links/peers", params={"url": url})).json()
    assert (hidden["peer_count"], hidden["peers"]) == (1, []), "nobody learns where another station's drone speaks from"
    async with house.client(await house.cookie(Role.VIEWER)) as viewer:
        for path in ("/api/links", f"/api/links/peers?url={url}"):
            assert (await viewer.get(path)).status_code == 403
