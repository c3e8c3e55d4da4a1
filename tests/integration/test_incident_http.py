"""Incidents through the real console: taken, changed, sent to, told to browsers, in the scope and mask of each role."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import psycopg

from console.wire import Role
from telemetry.model.unit import DutyStatus
from tests.conftest import TestDatabase
from tests.console_house import CAR, COVERT, DRONE, FAR, OFFICER, hello, next_text, running

CALL: dict[str, Any] = {
    "source_ref": "call-1",
    "title": "Person in the river",
    "text": "near the second bridge",
    "urgency": 1,
    "category": "help",
    "lat_deg": 36.05,
    "lon_deg": 103.8,
    "caller_name": "王芳",
    "caller_phone": "13812345678",
    "needs": ["life_ring"],
}


async def call(client: httpx.AsyncClient, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of NewIncident
    answer = await client.post("/api/incidents", json=CALL | more)
    assert answer.status_code in {200, 201}, answer.text
    incident: dict[str, Any] = answer.json()["incident"]
    return incident


async def test_a_call_is_taken_sent_and_closed_and_its_history_says_who_did_what(
    database: TestDatabase, tmp_path: Path
) -> None:
    async with running(database, tmp_path) as house, house.client(await house.cookie(Role.OPERATOR)) as operator:
        taken = await operator.post("/api/incidents", json=CALL)
        assert (taken.status_code, taken.json()["created"]) == (201, True)
        incident = taken.json()["incident"]
        assert incident["number"].startswith("JQ-")
        assert (incident["state"], incident["version"], incident["needs"]) == ("new", 1, ["life_ring"])
        url = f"/api/incidents/{incident['incident_id']}"

        sent = await operator.post(f"{url}/dispatch", json={"version": 1, "unit_ids": [CAR, OFFICER]})
        assert sent.status_code == 200, sent.text
        assert (sent.json()["incident"]["state"], sent.json()["incident"]["version"]) == ("offered", 2)
        first = sent.json()["incident"]["dispatches"][0]
        assert (first["unit_id"], first["state"]) == (CAR, "queued")

        radio = await operator.post(f"{url}/state", json={"version": 2, "state": "on_scene", "note": "by radio"})
        assert radio.json()["incident"]["state"] == "on_scene"
        assert radio.json()["incident"]["response_s"] >= 0
        back = await operator.post(f"{url}/dispatches/{first['dispatch_id']}/recall", json={"reason": "enough"})
        assert back.json()["incident"]["dispatches"][0]["state"] == "recalled"
        done = await operator.post(f"{url}/state", json={"version": 4, "state": "cleared"})
        assert done.json()["incident"]["state"] == "cleared"

        history = (await operator.get(f"{url}/entries")).json()["entries"]
        assert [entry["action"] for entry in history] == [
            "created",
            "dispatched",
            "dispatched",
            "state",
            "recalled",
            "state",
            "cleared",
        ]
        assert {entry["account_name"] for entry in history} == {"operator-0"}
        again = await operator.post(f"{url}/state", json={"version": 5, "state": "cleared"})
        assert (again.status_code, again.json()["error"]) == (409, "conflict")
    with psycopg.connect(database.owner_url) as owner:
        audited = [row[0] for row in owner.execute("select action from audit order by audit_id")]
    assert [action for action in audited if action in {"dispatched", "recalled"}] == ["dispatched", "recalled"]


async def test_the_same_call_twice_is_one_incident_and_another_content_is_told_as_a_conflict(
    database: TestDatabase, tmp_path: Path
) -> None:
    async with running(database, tmp_path) as house, house.client(await house.cookie(Role.OPERATOR)) as operator:
        first = await operator.post("/api/incidents", json=CALL)
        second = await operator.post("/api/incidents", json=CALL)
        other = await operator.post("/api/incidents", json=CALL | {"title": "Two persons in the river"})
        assert [first.status_code, second.status_code, other.status_code] == [201, 200, 409]
        assert first.json()["incident"] == second.json()["incident"]
        assert second.json()["created"] is False
        assert first.json()["incident"]["number"] in other.json()["detail"]
        assert len((await operator.get("/api/incidents")).json()["incidents"]) == 1


async def test_two_centres_editing_one_incident_get_a_conflict_that_says_who_changed_what(
    database: TestDatabase, tmp_path: Path
) -> None:
    async with (
        running(database, tmp_path) as house,
        house.client(await house.cookie(Role.OPERATOR)) as one,
        house.client(await house.cookie(Role.SUPERVISOR)) as other,
    ):
        incident = await call(one)
        url = f"/api/incidents/{incident['incident_id']}"
        edits = await asyncio.gather(
            one.patch(url, json={"version": 1, "title": "first"}),
            other.patch(url, json={"version": 1, "text": "second"}),
        )
        assert sorted(answer.status_code for answer in edits) == [200, 409]
        refused = next(answer for answer in edits if answer.status_code == 409).json()["detail"]
        assert "version 2" in refused
        assert "edited" in refused
        winner = next(answer for answer in edits if answer.status_code == 200).json()["incident"]
        assert (await one.get(url)).json()["incident"]["title"] == winner["title"]


async def test_who_watches_sees_masked_callers_and_who_is_of_another_station_sees_nothing(
    database: TestDatabase, tmp_path: Path
) -> None:
    async with running(database, tmp_path) as house:
        clients = {
            name: house.client(await house.cookie(role, stations=stations, unit_id=unit_id))
            for name, role, stations, unit_id in (
                ("operator", Role.OPERATOR, (), None),
                ("viewer", Role.VIEWER, (), None),
                ("other", Role.SUPERVISOR, (2,), None),
                ("own", Role.SUPERVISOR, (1,), None),
                ("officer", Role.OFFICER, (), OFFICER),
            )
        }
        async with clients["operator"], clients["viewer"], clients["other"], clients["own"], clients["officer"]:
            incident = await call(clients["operator"])
            url = f"/api/incidents/{incident['incident_id']}"
            assert incident["station_id"] == 1
            seen = (await clients["viewer"].get(url)).json()["incident"]
            assert (seen["caller_name"], seen["caller_phone"]) == ("王**", "138******78")
            assert (await clients["own"].get(url)).json()["incident"]["caller_phone"] == "13812345678"
            assert (await clients["other"].get(url)).status_code == 404
            assert (await clients["other"].get("/api/incidents")).json()["incidents"] == []
            assert (await clients["other"].get("/api/incidents", params={"which": "all"})).json()["incidents"] == []
            assert (await clients["other"].patch(url, json={"version": 1, "title": "x"})).status_code == 404
            assert (await clients["other"].get(f"{url}/entries")).status_code == 404
            assert (await clients["officer"].get(url)).status_code == 403
            assert (await clients["viewer"].patch(url, json={"version": 1, "title": "x"})).status_code == 403
            # once a unit of station 2 is sent, its supervisor sees the incident
            sent = await clients["operator"].post(f"{url}/dispatch", json={"version": 1, "unit_ids": [FAR]})
            assert sent.status_code == 200
            assert (await clients["other"].get(url)).status_code == 200


async def test_units_out_of_scope_off_duty_covert_or_sent_elsewhere_are_refused_with_the_reason(
    database: TestDatabase, tmp_path: Path
) -> None:
    async with (
        running(database, tmp_path) as house,
        house.client(await house.cookie(Role.OPERATOR)) as operator,
        house.client(await house.cookie(Role.SUPERVISOR, stations=(1,))) as own,
    ):
        first, second = await call(operator), await call(operator, source_ref="call-2")
        url, other_url = (f"/api/incidents/{one['incident_id']}" for one in (first, second))

        async def send(client: httpx.AsyncClient, where: str, *units: int, version: int = 1) -> httpx.Response:
            return await client.post(f"{where}/dispatch", json={"version": version, "unit_ids": units})

        assert (await send(operator, url, COVERT)).status_code == 404
        assert (await send(own, url, FAR)).status_code == 404
        assert (await send(operator, url, 999)).status_code == 404
        assert (await send(operator, url, CAR, CAR)).status_code == 422
        assert (await send(own, url, COVERT)).status_code == 200
        hidden = (await operator.get(url)).json()["incident"]
        assert (hidden["state"], hidden["dispatches"]) == ("offered", [])
        assert (await send(operator, url, CAR, version=2)).status_code == 200
        elsewhere = await send(operator, other_url, CAR)
        assert elsewhere.status_code == 409
        assert first["number"] in elsewhere.json()["detail"]
        house.bridge.registry.set_duty({DRONE: DutyStatus.OFF_DUTY})
        off = await send(operator, other_url, DRONE)
        assert off.status_code == 409
        assert "off_duty" in off.json()["detail"]


async def test_browsers_are_told_every_change_in_order_and_miss_none_when_they_come_back(
    database: TestDatabase, tmp_path: Path
) -> None:
    async with running(database, tmp_path) as house:
        cookie = await house.cookie(Role.OPERATOR)
        async with house.client(cookie) as operator:
            incident = await call(operator)
            url = f"/api/incidents/{incident['incident_id']}"
            async with house.socket(cookie) as socket:
                welcome = (await hello(socket))[0]
                known = await next_text(socket, "incident")
                assert known["incident"]["title"] == CALL["title"]
                await operator.patch(url, json={"version": 1, "title": "changed"})
                told = await next_text(socket, "incident")
                assert (told["incident"]["title"], told["seq"] > known["seq"]) == ("changed", True)
            await operator.patch(url, json={"version": 2, "title": "while away"})
            closing = await call(operator, source_ref="call-2")
            await operator.post(
                f"/api/incidents/{closing['incident_id']}/state", json={"version": 1, "state": "cleared"}
            )
            resume = {"epoch": welcome["epoch"], "alarm_seq": 0, "incident_seq": told["seq"]}
            async with house.socket(cookie) as socket:
                await hello(socket, resume)
                missed = [await next_text(socket, "incident") for _ in range(2)]
                assert [one["incident"]["title"] for one in missed] == ["while away", CALL["title"]]
                assert missed[1]["incident"]["state"] == "cleared"


async def test_a_call_without_a_place_is_kept_and_the_place_is_asked_for(
    database: TestDatabase, tmp_path: Path
) -> None:
    async with running(database, tmp_path) as house, house.client(await house.cookie(Role.OPERATOR)) as operator:
        incident = await call(operator, lat_deg=None, lon_deg=None)
        assert (incident["place_note"], incident["lat_deg"], incident["station_id"]) == ("missing", None, None)
        url = f"/api/incidents/{incident['incident_id']}"
        placed = await operator.patch(
            url, json={"version": 1, "lat_deg": 36.0488, "lon_deg": 103.8017, "crs": "gcj02", "place_text": "bridge"}
        )
        after = placed.json()["incident"]
        assert (after["place_note"], after["station_id"]) == ("", 1)
        assert abs(after["lat_deg"] - 36.0488) > 1e-4  # shifted back to WGS-84
        wrong = await operator.patch(url, json={"version": 2, "lat_deg": 36.0, "lon_deg": 103.8, "crs": "gcj03"})
        assert (wrong.status_code, wrong.json()["error"]) == (422, "wrong_input")
        half = await operator.patch(url, json={"version": 2, "lat_deg": 36.0})
        assert half.status_code == 422


async def test_two_consoles_on_one_database_show_each_others_changes_to_their_browsers(
    database: TestDatabase, tmp_path: Path
) -> None:
    async with (
        running(database, tmp_path / "county", is_watched=False) as county,
        running(database, tmp_path / "station") as station,
    ):
        there = await station.cookie(Role.SUPERVISOR, stations=(1,))
        async with (
            county.client(await county.cookie(Role.OPERATOR)) as operator,
            station.client(there) as supervisor,
            station.socket(there) as socket,
        ):
            await hello(socket)
            incident = await call(operator)
            told = await next_text(socket, "incident")
            assert (told["incident"]["number"], told["incident"]["state"]) == (incident["number"], "new")
            url = f"/api/incidents/{incident['incident_id']}"
            sent = await supervisor.post(f"{url}/dispatch", json={"version": 1, "unit_ids": [CAR]})
            assert sent.status_code == 200
            late = await operator.patch(url, json={"version": 1, "title": "silently overwritten?"})
            assert (late.status_code, "dispatched" in late.json()["detail"]) == (409, True)
            told = await next_text(socket, "incident")
            assert (told["incident"]["state"], told["incident"]["title"]) == ("offered", CALL["title"])
            assert (await operator.get(url)).json()["incident"]["dispatches"][0]["unit_id"] == CAR
