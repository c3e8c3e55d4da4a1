"""What enemies and unlucky people send to incidents: numbers beyond all, a line feed at the end, pits of brackets, guessed ids."""

import json
from pathlib import Path
from typing import Any

import pytest
import websockets

from console.wire import CLOSE_WRONG, Role
from tests.conftest import TestDatabase
from tests.console_house import CAR, COVERT, OFFICER, hello, next_text, running
from tests.integration.test_incident_http import CALL, call
from tests.officer_house import call as called
from tests.officer_house import now_ms, officer, send

BEYOND = 2**80


async def test_numbers_that_no_table_holds_are_refused_as_wrong_input(database: TestDatabase, tmp_path: Path) -> None:
    async with running(database, tmp_path) as house, house.client(await house.cookie(Role.SUPERVISOR)) as supervisor:
        url = f"/api/incidents/{(await call(supervisor))['incident_id']}"
        asked: list[tuple[str, str, dict[str, Any]]] = [
            ("PATCH", url, {"version": 2**31, "title": "x"}),
            ("PATCH", url, {"version": 2**63, "title": "x"}),
            ("POST", f"{url}/state", {"version": BEYOND, "state": "cleared"}),
            ("POST", f"{url}/dispatch", {"version": BEYOND, "unit_ids": [CAR]}),
            ("POST", "/api/whatif", {"away_unit_ids": [BEYOND]}),
            ("POST", "/api/whatif", {"stations": [{"station_id": BEYOND, "lat_deg": 36.05, "lon_deg": 103.8}]}),
            ("POST", "/api/beats", {"station_ids": [BEYOND]}),
        ]
        for method, where, body in asked:
            answer = await supervisor.request(method, where, json=body)
            assert (answer.status_code, answer.json()["error"]) == (422, "wrong_input"), (where, answer.text)


async def test_a_line_feed_at_the_end_is_no_part_of_a_line_a_phone_or_an_answer(
    database: TestDatabase, tmp_path: Path
) -> None:
    async with running(database, tmp_path) as house, house.client(await house.cookie(Role.OPERATOR)) as operator:
        for name in ("source_ref", "title", "place_text", "caller_name", "caller_phone"):
            answer = await operator.post("/api/incidents", json=CALL | {name: "138\n"})
            assert (answer.status_code, name in answer.json()["detail"]) == (422, True), answer.text
        link = await operator.post("/api/incidents", json=CALL | {"audio_url": "https://calls.example/1\n"})
        assert link.status_code == 422
        kept = await operator.post("/api/incidents", json=CALL | {"source_ref": "two", "text": "two\nlines\n"})
        assert kept.status_code == 201, kept.text
        page = await officer(house)
        (sent,) = await send(house, await called(house), OFFICER)
        said = await page.ask(
            "POST", f"/api/me/tasks/{sent.dispatch_id}", json={"answer": "received\n", "answered_ms": now_ms()}
        )
        assert (said.status_code, said.json()["error"]) == (422, "wrong_input")


async def test_a_pit_of_brackets_is_wrong_input_on_the_live_connection_too(
    database: TestDatabase, tmp_path: Path
) -> None:
    async with running(database, tmp_path) as house:
        cookie = await house.cookie(Role.OPERATOR)
        async with house.socket(cookie) as socket:
            await hello(socket)
            await socket.send('{"type":"sub","more":' + "[" * 3_000)
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await next_text(socket, "nothing")
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == CLOSE_WRONG


async def test_a_place_at_the_end_of_the_world_in_shifted_coordinates_is_taken(
    database: TestDatabase, tmp_path: Path
) -> None:
    async with running(database, tmp_path) as house, house.client(await house.cookie(Role.OPERATOR)) as operator:
        for number, (lat_deg, lon_deg) in enumerate([(-90, -180), (90, 180), (-90, 180), (90, -180)]):
            for crs in ("gcj02", "bd09"):
                place = {"lat_deg": lat_deg, "lon_deg": lon_deg, "crs": crs, "source_ref": f"{crs} {number}"}
                answer = await operator.post("/api/incidents", json=CALL | place)
                assert answer.status_code == 201, answer.text
                incident = answer.json()["incident"]
                assert (incident["lat_deg"], incident["lon_deg"]) == (lat_deg, lon_deg)


async def test_history_tells_those_who_watch_no_links_to_what_callers_said(
    database: TestDatabase, tmp_path: Path
) -> None:
    async with (
        running(database, tmp_path) as house,
        house.client(await house.cookie(Role.OPERATOR)) as operator,
        house.client(await house.cookie(Role.VIEWER)) as viewer,
    ):
        url = f"/api/incidents/{(await call(operator))['incident_id']}"
        links = {"audio_url": "https://calls.example/1", "recording_url": "https://calls.example/2"}
        edit = await operator.patch(url, json={"version": 1, "title": "Two persons", **links})
        assert edit.status_code == 200, edit.text
        told = [json.dumps((await who.get(f"{url}/entries")).json()) for who in (operator, viewer)]
        assert ["calls.example" in text for text in told] == [True, False]
        assert all("Two persons" in text for text in told)


async def test_who_takes_a_call_for_another_station_still_sees_it_and_can_put_its_place_right(
    database: TestDatabase, tmp_path: Path
) -> None:
    async with (
        running(database, tmp_path) as house,
        house.client(await house.cookie(Role.OPERATOR, stations=(2,))) as operator,
        house.client(await house.cookie(Role.OPERATOR, stations=(1,))) as neighbour,
    ):
        incident = await call(operator)
        url = f"/api/incidents/{incident['incident_id']}"
        assert incident["station_id"] == 1
        assert [(await who.get(url)).status_code for who in (operator, neighbour)] == [200, 200]
        edit = await operator.patch(url, json={"version": 1, "place_text": "the other bank"})
        assert edit.status_code == 200, edit.text


async def test_a_covert_unit_cannot_be_recalled_by_guessing_its_dispatch(
    database: TestDatabase, tmp_path: Path
) -> None:
    async with (
        running(database, tmp_path) as house,
        house.client(await house.cookie(Role.SUPERVISOR)) as supervisor,
        house.client(await house.cookie(Role.OPERATOR)) as operator,
    ):
        url = f"/api/incidents/{(await call(supervisor))['incident_id']}"
        sent = await supervisor.post(f"{url}/dispatch", json={"version": 1, "unit_ids": [COVERT]})
        number, (first,) = sent.json()["incident"]["number"], sent.json()["incident"]["dispatches"]
        dispatch_id = first["dispatch_id"]
        guessed = await operator.post(f"{url}/dispatches/{dispatch_id}/recall", json={})
        missing = await operator.post(f"{url}/dispatches/{dispatch_id + 1}/recall", json={})
        assert (guessed.status_code, missing.status_code) == (404, 404)
        assert guessed.json()["detail"] == f"incident {number} has no dispatch {dispatch_id}: read the incident again"
        assert (await supervisor.get(url)).json()["incident"]["state"] == "offered"
        back = await supervisor.post(f"{url}/dispatches/{dispatch_id}/recall", json={})
        assert back.json()["incident"]["dispatches"][0]["state"] == "recalled"
