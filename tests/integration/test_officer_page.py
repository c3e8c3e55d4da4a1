"""From the centre's push to the officer's answer, over a real page's connection: what reaches whom, and what does not."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from console.field.officers import Field
from console.incidents.desk import IncidentDesk
from console.wire import Role
from infra.clock import SYSTEM_CLOCK
from mission.calls.incident import DispatchState, Incident, Urgency
from telemetry.model.commands import SendText
from telemetry.model.errors import UnavailableError
from telemetry.model.events import AlarmKind, CommandAnswered
from telemetry.model.unit import Device
from telemetry.rate_limit import RateLimit
from tests.conftest import FakeClock, TestDatabase
from tests.console_house import CAR, COVERT, DRONE, FAR, OFFICER, House, SmallBridge, running
from tests.officer_house import (
    CENTRE,
    LAT_DEG,
    LON_DEG,
    call,
    eventually,
    next_task,
    now_ms,
    officer,
    send,
    state_of,
)

pytestmark = pytest.mark.database


@pytest.fixture
async def house(database: TestDatabase, tmp_path: Path) -> AsyncIterator[House]:
    async with running(database, tmp_path) as built:
        yield built


def column(database: TestDatabase, statement: str) -> list[object]:
    with psycopg.connect(database.owner_url) as connection:
        return [row[0] for row in connection.execute(statement).fetchall()]


# --- the push ----------------------------------------------------------------------------------------------------


async def test_a_push_reaches_the_page_within_a_second_with_the_caller_and_comes_to_its_end(house: House) -> None:
    lin = await officer(house)
    async with lin.page() as page:
        (sent,) = await send(house, await call(house), OFFICER)
        async with asyncio.timeout(1.5):
            task = await next_task(page)
        assert task["incident"]["caller_phone"] == "13800138000"
        assert task["dispatch"]["dispatch_id"] == sent.dispatch_id
        await next_task(page, "sent")
        for answer, state in (
            ("received", "received"),
            ("accepted", "accepted"),
            ("under_way", "under_way"),
            ("arrived", "arrived"),
            ("cleared", "cleared"),
        ):
            reply = await lin.answer(sent.dispatch_id, answer)
            assert reply.status_code == 200, reply.text
            assert reply.json()["task"]["dispatch"]["state"] == state
            await next_task(page, state)
    after = await state_of(house, sent.dispatch_id)
    assert after.channel == "page"
    assert after.sent_us is not None
    assert after.arrived_by.startswith("officer")
    assert await lin.tasks() == []


async def test_a_page_that_connects_later_finds_its_task_and_every_page_of_the_officer_gets_it(house: House) -> None:
    lin = await officer(house)
    (sent,) = await send(house, await call(house), OFFICER)
    async with lin.page() as first, lin.page() as second:
        for page in (first, second):
            assert (await next_task(page))["dispatch"]["dispatch_id"] == sent.dispatch_id
        await eventually(lambda: house.parts.desk.board.live_dispatches()[0][1].state is DispatchState.SENT)
    async with lin.page() as again:  # neither page said that it received
        assert (await next_task(again))["dispatch"]["state"] == "sent"
        await lin.answer(sent.dispatch_id, "received")
    async with lin.page() as third:  # one phone has it, and another one is taken in hand
        assert (await next_task(third))["dispatch"]["state"] == "received"
        await lin.answer(sent.dispatch_id, "accepted")
    async with lin.page() as later:
        assert (await next_task(later))["dispatch"]["state"] == "accepted"


async def test_nobody_else_is_told_of_a_task(house: House) -> None:
    far, lin = await officer(house, FAR), await officer(house)
    async with far.page() as page, lin.page() as own:
        (sent,) = await send(house, await call(house), OFFICER)
        await next_task(own)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.7):
                await next_task(page)
    assert await far.tasks() == []
    for answer in ("received", "accepted", "declined", "cleared"):
        assert (await far.answer(sent.dispatch_id, answer)).status_code == 404
    assert (await far.answer(2**31 - 1, "accepted")).status_code == 404
    assert (await state_of(house, sent.dispatch_id)).accepted_us is None


async def test_a_recalled_task_is_told_to_the_page_and_its_answer_refused_with_the_reason(house: House) -> None:
    lin = await officer(house)
    incident = await call(house)
    async with lin.page() as page:
        (sent,) = await send(house, incident, OFFICER)
        await next_task(page, "sent")
        await house.parts.desk.recall(incident.incident_id, sent.dispatch_id, CENTRE, reason="another is nearer")
        assert (await next_task(page, "recalled"))["dispatch"]["reason"] == "another is nearer"
    late = await lin.answer(sent.dispatch_id, "accepted")
    assert late.status_code == 409
    assert "another is nearer" in late.json()["detail"]


async def test_an_answer_given_offline_keeps_its_time_and_a_forged_one_is_held_between_push_and_now(
    house: House,
) -> None:
    lin = await officer(house)
    (sent,) = await send(house, await call(house), OFFICER)
    given_ms = sent.queued_us / 1000 + 1
    accepted = (await lin.answer(sent.dispatch_id, "accepted", at_ms=given_ms)).json()["task"]["dispatch"]
    assert accepted["accepted_ms"] == pytest.approx(given_ms, abs=0.01)
    again = (await lin.answer(sent.dispatch_id, "accepted")).json()["task"]["dispatch"]
    assert again["accepted_ms"] == accepted["accepted_ms"]
    before_ms = now_ms()
    arrived = (await lin.answer(sent.dispatch_id, "arrived", at_ms=4e12)).json()["task"]["dispatch"]
    assert before_ms - 50 <= arrived["arrived_ms"] <= now_ms() + 50
    (other,) = await send(house, await call(house), CAR)
    driver = await officer(house, CAR)
    early = (await driver.answer(other.dispatch_id, "accepted", at_ms=0)).json()["task"]["dispatch"]
    assert early["accepted_ms"] == pytest.approx(early["queued_ms"], abs=0.01)
    for wrong in (
        {"answer": "sent", "answered_ms": 1},
        {"answer": "accepted"},
        {"answer": "accepted", "answered_ms": 1e300},
    ):
        assert (await driver.ask("POST", f"/api/me/tasks/{other.dispatch_id}", json=wrong)).status_code == 422


async def test_a_companion_is_named_and_a_covert_one_is_not(house: House) -> None:
    lin = await officer(house)
    async with lin.page() as page:
        await send(house, await call(house), OFFICER, CAR, COVERT)
        task = await next_task(page)
    assert [one["unit_id"] for one in task["companions"]] == [CAR]
    assert {one["unit_id"] for one in task["incident"]["dispatches"]} == {OFFICER, CAR}


async def test_a_unit_that_nothing_reaches_is_told_to_the_desk_once_and_a_restart_tells_it_no_second_time(
    house: House, database: TestDatabase
) -> None:
    (sent,) = await send(house, await call(house), CAR)
    told = "select action from incident_entry where action in ('no_channel', 'unanswered')"
    await eventually(lambda: house.parts.desk.board.live_dispatches()[0][1].channel == "none")
    assert column(database, told) == ["no_channel"]
    field = house.parts.officers
    field._downlink._told.clear()  # as a process that begins anew knows nothing
    field.turn()
    assert not field._to_write.empty()
    await field._write(field._to_write.get_nowait())
    assert column(database, told) == ["no_channel"]
    assert (await state_of(house, sent.dispatch_id)).state is DispatchState.QUEUED


async def test_a_page_at_another_console_is_a_channel_too(house: House, database: TestDatabase) -> None:
    lin, clock = await officer(house), FakeClock(SYSTEM_CLOCK.now_us())
    other = IncidentDesk(house.pool, clock, SmallBridge())
    field = Field(other, SmallBridge(), house.pool, clock)
    async with lin.page() as page:
        (sent,) = await send(house, await call(house), OFFICER)
        await next_task(page, "sent")
    await other.follower.refresh()
    clock.advance(20)
    field.turn()
    assert field._to_write.empty()  # the officer's own console has brought it
    (unseen,) = await send(house, await call(house), CAR)
    await other.follower.refresh()
    clock.advance(5)
    field.turn()
    assert field._to_write.get_nowait().dispatch_id == unseen.dispatch_id
    assert (await state_of(house, sent.dispatch_id)).channel == "page"
    assert column(database, "select count(*) from incident_entry where action = 'unanswered'") == [0]


async def test_a_drone_that_is_heard_gets_a_line_of_text_without_place_or_name(house: House) -> None:
    house.bridge.hears.add(10 + DRONE)
    (sent,) = await send(house, await call(house), DRONE)
    await eventually(lambda: bool(house.bridge.sent))
    (command,) = house.bridge.sent
    assert isinstance(command, SendText)
    assert command.text.startswith("JQ-")
    assert "water" not in command.text
    await eventually(lambda: house.parts.desk.board.live_dispatches()[0][1].state is DispatchState.SENT)
    assert (await state_of(house, sent.dispatch_id)).channel == "mavlink text"


async def test_a_vehicle_without_a_page_is_told_on_its_own_screen_and_its_answer_is_the_receipt(house: House) -> None:
    terminal = Device(device_id=93, protocol="jt808", address="13912345678")
    house.bridge.registry.register(terminal, house.bridge.registry.units[CAR], 0)
    house.bridge.hears.add(93)
    (sent,) = await send(house, await call(house, urgency=Urgency.ONE), CAR)
    await eventually(lambda: bool(house.bridge.sent))
    (command,) = house.bridge.sent
    assert isinstance(command, SendText)
    assert (command.device_id, command.is_spoken, command.is_urgent, "water" in command.text) == (93, True, True, False)
    await eventually(lambda: house.parts.desk.board.live_dispatches()[0][1].state is DispatchState.SENT)
    now_us = house.bridge.clock.now_us()
    house.bridge.happen(
        CommandAnswered(
            device_id=93,
            observed_us=now_us,
            received_us=now_us,
            command_id=command.command_id,
            state="delivered",
        )
    )
    await eventually(lambda: house.parts.desk.board.live_dispatches()[0][1].state is DispatchState.RECEIVED)
    assert (await state_of(house, sent.dispatch_id)).channel == "jt808 text"
    house.parts.officers.look()
    house.parts.officers.turn()
    assert house.bridge.sent == [command], "told once"


async def test_a_device_stays_quiet_while_an_officer_looks_at_the_page(house: House) -> None:
    lin = await officer(house)
    terminal = Device(device_id=93, protocol="jt808", address="13912345678")
    house.bridge.registry.register(terminal, house.bridge.registry.units[OFFICER], 0)
    house.bridge.hears.add(93)
    async with lin.page() as page:
        await send(house, await call(house), OFFICER)
        await next_task(page, "sent")
        house.parts.officers.look()
        house.parts.officers.turn()
        assert house.bridge.sent == []


async def test_a_task_that_is_not_accepted_in_time_is_told_to_the_desk(house: House, database: TestDatabase) -> None:
    lin = await officer(house)
    async with lin.page() as page:
        await send(house, await call(house, urgency=Urgency.ONE), OFFICER)
        await next_task(page)
        with psycopg.connect(database.owner_url) as connection:  # half a minute passes
            connection.execute("update dispatch set queued_at = queued_at - interval '40 seconds'")
            connection.execute("update incident set change_sequence = nextval('incident_change_sequence')")
        told = "select action from incident_entry where action = 'unanswered'"
        await eventually(lambda: column(database, told) == ["unanswered"])


async def test_a_push_reaches_the_page_while_the_database_is_away_and_is_written_down_when_it_is_back(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    lin = await officer(house)
    (sent,) = await send(house, await call(house), OFFICER)
    desk, refused = house.parts.desk, 0
    answer = desk.answer

    async def away(*arguments: Any, **more: Any) -> Incident:  # noqa: ANN401 - as the desk takes them
        nonlocal refused
        refused += 1
        if refused > 1:
            return await answer(*arguments, **more)
        message = "the database does not answer"
        raise UnavailableError(message)

    monkeypatch.setattr(desk, "answer", away)
    async with lin.page() as page:
        assert (await next_task(page))["dispatch"]["state"] == "queued"
        assert (await next_task(page, "sent"))["dispatch"]["dispatch_id"] == sent.dispatch_id
    assert refused == 2


async def test_an_officer_that_nobody_can_answer_is_told_so_and_not_that_there_is_no_task(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    lin = await officer(house)

    async def away() -> None:
        message = "the database does not answer"
        raise UnavailableError(message)

    monkeypatch.setattr(house.parts.desk.follower, "refresh", away)
    assert (await lin.ask("GET", "/api/me/tasks")).status_code == 503


async def test_the_system_tells_of_webhooks(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async with house.client(await house.cookie(Role.ADMIN)) as client:
        assert (await client.get("/api/system")).json()["checks"]["webhooks"] == "ok"
        monkeypatch.setitem(house.parts.health.further, "webhooks", lambda: "webhook 1: 3 changes wait")
        checks = (await client.get("/api/system")).json()["checks"]
        assert checks["webhooks"] == "webhook 1: 3 changes wait"
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")


# --- the track ---------------------------------------------------------------------------------------------------


async def test_positions_alone_tell_that_the_officer_is_under_way_and_there(
    database: TestDatabase, tmp_path: Path
) -> None:
    clock = FakeClock(SYSTEM_CLOCK.now_us())
    async with running(database, tmp_path, clock=clock) as house:
        lin = await officer(house)
        (sent,) = await send(house, await call(house), OFFICER)
        assert (await lin.answer(sent.dispatch_id, "accepted", at_ms=clock.now_us() / 1000)).status_code == 200
        for step in range(30):
            clock.advance(2)
            away_deg = max(0.0015 - step * 0.0001, 0.0)
            place = {"accuracy_m": 4, "speed_mps": 5.5 if away_deg else 0.0, "observed_ms": clock.now_us() / 1000 - 200}
            assert (await lin.report(LAT_DEG + away_deg, LON_DEG, **place)).status_code == 200
            house.parts.officers.look()
        await eventually(lambda: house.parts.desk.board.live_dispatches()[0][1].arrived_us is not None)
        after = await state_of(house, sent.dispatch_id)
        assert after.under_way_us is not None
        assert after.arrived_us is not None
        assert after.arrived_by == "track"
        assert 20 < (after.arrived_us - sent.queued_us) / 1e6 < 34  # 40 m before the place, not when it stood
    assert column(database, "select duty_status from unit where unit_id = 2") == ["on_scene"]


# --- position, help, duty ----------------------------------------------------------------------------------------


async def test_a_position_is_the_units_own_and_is_kept_before_it_is_answered(
    house: House, database: TestDatabase
) -> None:
    lin = await officer(house)
    assert (await lin.report(crs="gcj02", accuracy_m=5)).json() == {"kept": True, "ignored": []}
    assert column(database, "select address from device where protocol = 'skybeat'") == [f"account/{lin.account_id}"]
    assert column(database, "select unit_id from assignment where device_id = 1") == [OFFICER]
    row = house.bridge.picture.units[house.bridge.picture.row_of(OFFICER)]
    assert abs(int(row["lat_e7"]) / 1e7 - LAT_DEG) < 0.01
    assert int(row["lat_e7"]) != round(LAT_DEG * 1e7)  # shifted back
    for wrong in ({"crs": "mars"}, {"unit_id": CAR}, {"lat_deg": 91}):
        assert (await lin.report(**wrong)).status_code == 422
    house.bridge.journal_failed = True
    assert (await lin.report()).status_code == 503


async def test_a_revoked_page_is_refused(house: House, database: TestDatabase) -> None:
    lin = await officer(house)
    with psycopg.connect(database.owner_url) as connection:
        connection.execute(
            "insert into device (protocol, address, revoked_at) values ('skybeat', %s, now())",
            (f"account/{lin.account_id}",),
        )
    refused = await lin.report()
    assert refused.status_code == 403
    assert "revoked" in refused.json()["detail"]
    device = Device(device_id=1, protocol="skybeat", address=f"account/{lin.account_id}", revoked=True)
    house.bridge.registry.register(device, None, 0)  # and as the registry tells it, without the database
    assert (await lin.report()).status_code == 403
    assert (await lin.ask("POST", "/api/me/sos", json={"observed_ms": 1})).status_code == 403


async def test_a_page_that_answers_without_end_is_told_to_wait(house: House) -> None:
    lin = await officer(house)
    (sent,) = await send(house, await call(house), OFFICER)
    house.parts.reports._answers = RateLimit(0.001, 2)
    assert [(await lin.answer(sent.dispatch_id, "received")).status_code for _ in range(3)] == [200, 200, 429]


async def test_too_many_positions_are_refused_and_other_officers_are_heard(house: House) -> None:
    lin, far = await officer(house), await officer(house, FAR)
    house.parts.reports._rate = RateLimit(0.001, 5)
    statuses = [(await lin.report()).status_code for _ in range(12)]
    assert statuses[:5] == [200] * 5
    assert 429 in statuses
    assert (await far.report()).status_code == 200


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.SUPERVISOR, Role.ADMIN])
async def test_only_officers_have_a_page(house: House, role: Role) -> None:
    async with house.client(await house.cookie(role)) as client:
        assert (await client.get("/api/me/tasks")).status_code == 403
        for path in ("position", "sos", "tasks/1"):
            assert (await client.post(f"/api/me/{path}", json={})).status_code == 403
        assert (await client.delete("/api/me/sos")).status_code == 403
    async with house.client() as nobody:
        assert (await nobody.post("/api/me/sos", json={})).status_code == 401


async def test_a_call_for_help_is_an_alarm_at_once_and_ends_when_the_officer_says_so(house: House) -> None:
    lin = await officer(house)
    first = {
        "observed_ms": now_ms(),
        "text": "two men",
        "position": {"observed_ms": now_ms(), "lat_deg": 36, "lon_deg": 103},
    }
    for _ in range(3):  # repeated by a page that heard no answer
        assert (await lin.ask("POST", "/api/me/sos", json=first)).status_code == 200
    (alarm,) = house.bridge.alarms.open()
    assert (alarm.kind, alarm.unit_id, alarm.text) == (AlarmKind.SOS, OFFICER, "two men")
    assert sum(len(output.events) for output in house.bridge.taken) == 1
    assert (await lin.ask("DELETE", "/api/me/sos")).status_code == 200
    (alarm,) = house.bridge.alarms.open()
    assert alarm.ended_us is not None
    await lin.ask("POST", "/api/me/sos", json=first)  # a late repetition of the call that is over
    assert all(one.ended_us is not None for one in house.bridge.alarms.open())
    await lin.ask("POST", "/api/me/sos", content=b"not even JSON")
    assert [one.ended_us is None for one in house.bridge.alarms.open()].count(True) == 1
    assert (await lin.ask("DELETE", "/api/me/sos")).status_code == 200
    assert (await lin.ask("DELETE", "/api/me/sos")).status_code == 200


async def test_a_call_for_help_that_the_disk_refuses_is_shown_and_asked_for_again(house: House) -> None:
    lin = await officer(house)
    assert (await lin.report()).status_code == 200
    house.bridge.journal_failed = True
    assert (await lin.ask("POST", "/api/me/sos", json={"observed_ms": 1})).status_code == 503
    assert len(house.bridge.alarms.open()) == 1


async def test_on_and_off_duty_by_hand_within_the_scope(house: House, database: TestDatabase) -> None:
    lin = await officer(house)
    off = await lin.ask("PUT", f"/api/units/{OFFICER}/duty", json={"duty_status": "off_duty"})
    assert off.json() == {"unit_id": OFFICER, "duty_status": "off_duty"}
    assert column(database, "select duty_status from unit where unit_id = 2") == ["off_duty"]
    assert column(database, "select subject from audit where action = 'duty_set'") == ["U2"]
    assert (await lin.ask("PUT", f"/api/units/{CAR}/duty", json={"duty_status": "free"})).status_code == 404
    assert (await lin.ask("PUT", f"/api/units/{OFFICER}/duty", json={"duty_status": "on_scene"})).status_code == 422
    async with house.client(await house.cookie(Role.OPERATOR)) as client:
        assert (await client.put(f"/api/units/{CAR}/duty", json={"duty_status": "free"})).status_code == 200
        assert (await client.put(f"/api/units/{COVERT}/duty", json={"duty_status": "free"})).status_code == 404
    async with house.client(await house.cookie(Role.VIEWER)) as client:
        assert (await client.put(f"/api/units/{CAR}/duty", json={"duty_status": "free"})).status_code == 403
    await send(house, await call(house), CAR)
    async with house.client(await house.cookie(Role.SUPERVISOR, stations=(1,))) as client:
        busy = await client.put(f"/api/units/{CAR}/duty", json={"duty_status": "off_duty"})
        assert busy.status_code == 409
        assert "has a task" in busy.json()["detail"]
