"""Calls from other programs: keys, signatures, replays, oversize, words that look like SQL; figures and the shift report."""

import asyncio
import csv
import io
import secrets
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from console.auth.strangers import WRONG_KEYS_AT_ONCE
from console.incidents.intake_keys import CALLS_AT_ONCE, add_key, revoke_key
from console.webhooks.signature import secret_of, signed_headers
from console.wire import Role
from infra.vault import Vault
from tests.conftest import FakeClock, TestDatabase
from tests.console_house import CAR, House, running

CALL: dict[str, Any] = {"source_ref": "110-1", "title": "Fight", "urgency": 1, "lat_deg": 36.05, "lon_deg": 103.8}


def make_key(database: TestDatabase, folder: Path, *, label: str = "centre", is_hook: bool = False) -> tuple[int, str]:
    with psycopg.connect(database.owner_url) as owner:
        key, secret = add_key(owner, label, vault=Vault.open(folder) if is_hook else None, now_us=1_790_000_000_000_000)
    return key.intake_key_id, secret


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def count_incidents(database: TestDatabase) -> int:
    with psycopg.connect(database.owner_url) as owner:
        row = owner.execute("select count(*) from incident").fetchone()
        assert row is not None
        return int(row[0])


async def test_a_key_brings_a_call_once_however_often_it_comes_and_however_at_once(
    database: TestDatabase, tmp_path: Path
) -> None:
    _, token = make_key(database, tmp_path)
    async with running(database, tmp_path) as house, house.client() as centre:
        calls = [centre.post("/intake/incidents", json=CALL, headers=bearer(token)) for _ in range(8)]
        answers = await asyncio.gather(*calls)
        assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
        assert len({answer.json()["incident_id"] for answer in answers}) == 1
        other = await centre.post("/intake/incidents", json=CALL | {"urgency": 3}, headers=bearer(token))
        assert (other.status_code, other.json()["error"]) == (409, "conflict")
        assert count_incidents(database) == 1


async def test_keys_that_are_none_are_refused_and_their_senders_slowed(database: TestDatabase, tmp_path: Path) -> None:
    _, token = make_key(database, tmp_path)
    async with running(database, tmp_path) as house, house.client() as stranger:
        with psycopg.connect(database.owner_url) as owner:
            assert owner.execute("select token_sha256 from intake_key").fetchone() != (token.encode(),)
            revoke_key(owner, "centre", now_us=1_790_000_000_000_000)
        wrong = [bearer(token), bearer("skbi_x"), {"authorization": f"Basic {token}"}, {}, bearer("' or 1=1 --")]
        for headers in wrong:
            assert (await stranger.post("/intake/incidents", json=CALL, headers=headers)).status_code == 401
        for _ in range(WRONG_KEYS_AT_ONCE):
            last = await stranger.post("/intake/incidents", json=CALL, headers=bearer("skbi_guess"))
        assert last.status_code == 429
        assert count_incidents(database) == 0


async def test_a_right_key_is_heard_whatever_wrong_ones_come_from_its_address(
    database: TestDatabase, tmp_path: Path
) -> None:
    _, token = make_key(database, tmp_path)
    async with running(database, tmp_path) as house, house.client() as centre:
        assert (await centre.post("/intake/incidents", json=CALL, headers=bearer(token))).status_code == 201
        for _ in range(WRONG_KEYS_AT_ONCE + 1):  # a neighbour's program, with a key that was revoked
            last = await centre.post("/intake/incidents", json=CALL, headers=bearer("skbi_revoked"))
        assert last.status_code == 429
        other = CALL | {"source_ref": "110-2"}
        assert (await centre.post("/intake/incidents", json=other, headers=bearer(token))).status_code == 201
        with psycopg.connect(database.owner_url) as owner:
            revoke_key(owner, "centre", now_us=1_790_000_000_000_000)
        assert (await centre.post("/intake/incidents", json=other, headers=bearer(token))).status_code == 401
        assert (await centre.post("/intake/incidents", json=other, headers=bearer(token))).status_code == 429


async def test_unsigned_webhooks_from_many_addresses_use_up_no_room_of_the_key(
    database: TestDatabase, tmp_path: Path, fake_clock: FakeClock
) -> None:
    number, secret = make_key(database, tmp_path, is_hook=True)
    proxied: dict[str, Any] = {"behind_proxy": True, "public_origin": "https://console.example.org"}
    async with running(database, tmp_path, clock=fake_clock, **proxied) as house, house.client() as centre:
        for address in range(CALLS_AT_ONCE + 1):
            headers = {"x-forwarded-for": f"198.51.100.{address}"}
            forged = await centre.post(f"/intake/hooks/{number}", content=b"{}", headers=headers)
            assert forged.status_code == 401
        body = msgspec.json.encode(CALL)
        now_s = fake_clock.now_us() // 1_000_000
        signed = signed_headers(secret_of(secret), message_id="msg_1", timestamp_s=now_s, body=body)
        assert (await centre.post(f"/intake/hooks/{number}", content=body, headers=signed)).status_code == 201


async def test_a_webhook_is_taken_by_its_signature_alone_and_a_replay_is_the_same_call(
    database: TestDatabase, tmp_path: Path
) -> None:
    number, secret = make_key(database, tmp_path, is_hook=True)
    body = msgspec.json.encode({name: value for name, value in CALL.items() if name != "source_ref"})

    async with running(database, tmp_path) as house, house.client() as centre:
        now_s = house.bridge.clock.now_us() // 1_000_000

        def signed(message_id: str, content: bytes = body, at_s: int = now_s) -> dict[str, str]:
            return signed_headers(secret_of(secret), message_id=message_id, timestamp_s=at_s, body=content)

        async def post(content: bytes, headers: dict[str, str], hook: int = number) -> int:
            answer = await centre.post(f"/intake/hooks/{hook}", content=content, headers=headers)
            return answer.status_code

        assert await post(body, signed("msg_1")) == 201
        assert await post(body, signed("msg_1")) == 200
        assert await post(body + b" ", signed("msg_1", body + b" ")) == 200  # the same content, written otherwise
        other = body.replace(b"Fight", b"Flood")
        assert await post(other, signed("msg_1", other)) == 409
        assert await post(other, signed("msg_2")) == 401  # signed for another body
        assert await post(body, signed("msg_3", at_s=now_s - 400)) == 401
        assert await post(body, signed("msg_3", at_s=now_s + 400)) == 401
        assert await post(body, signed("msg_3") | {"webhook-signature": "v1," + "A" * 44}) == 401
        assert await post(body, {}) == 401
        assert await post(body, signed("msg_3"), hook=number + 1) == 401
        assert await post(body, signed("m" * 101)) == 422
        assert await post(other, signed("msg_2", other)) == 201
        assert count_incidents(database) == 2


async def test_what_is_too_long_no_json_or_looks_like_sql_does_no_harm(database: TestDatabase, tmp_path: Path) -> None:
    _, token = make_key(database, tmp_path)
    async with running(database, tmp_path) as house, house.client() as centre:

        async def post(**more: Any) -> Any:  # noqa: ANN401 - httpx's own options
            return await centre.post("/intake/incidents", headers=bearer(token), **more)

        for wrong in (
            CALL | {"text": "x" * 3_000},
            CALL | {"title": "a\x00b"},
            CALL | {"lat_deg": 91.0},
            CALL | {"lon_deg": None},
            CALL | {"crs": "gcj"},
            CALL | {"urgency": 4},
            CALL | {"reported_at": "2026-11-21T08:00:00"},
            CALL | {"reported_at": "2099-01-01T00:00:00Z"},
            CALL | {"reported_at": "1999-01-01T00:00:00Z"},
            CALL | {"audio_url": "javascript:alert(1)"},
            CALL | {"caller_phone": "<b>"},
            CALL | {"unknown": 1},
            {"title": "no reference"},
        ):
            answer = await post(json=wrong)
            assert answer.status_code == 422, wrong
        assert (await post(content=b"{" * 100_000)).status_code == 422
        assert (await post(content=b"\xff\xfe")).status_code == 422
        evil = "'); drop table incident; --"
        taken = await post(json=CALL | {"source_ref": evil, "title": evil, "text": evil})
        assert taken.status_code == 201
        async with house.client(await house.cookie(Role.OPERATOR)) as operator:
            shown = (await operator.get(f"/api/incidents/{taken.json()['incident_id']}")).json()["incident"]
            assert shown["title"] == evil
        assert count_incidents(database) == 1


async def test_a_call_without_a_place_or_with_shifted_coordinates_is_kept_and_told(
    database: TestDatabase, tmp_path: Path
) -> None:
    _, token = make_key(database, tmp_path)
    async with running(database, tmp_path) as house, house.client() as centre:
        placeless = {name: value for name, value in CALL.items() if not name.endswith("_deg")}
        first = await centre.post("/intake/incidents", json=placeless, headers=bearer(token))
        assert (first.status_code, first.json()["place_note"]) == (201, "missing")
        declared = CALL | {"source_ref": "110-2", "crs": "bd09"}
        await centre.post("/intake/incidents", json=declared, headers=bearer(token))
        async with house.client(await house.cookie(Role.OPERATOR)) as operator:
            listed = {one["number"]: one for one in (await operator.get("/api/incidents")).json()["incidents"]}
            placed = next(one for one in listed.values() if one["lat_deg"] is not None)
            assert abs(placed["lat_deg"] - CALL["lat_deg"]) > 1e-3
            assert placed["source"] == "rest"


async def test_a_clock_that_jumps_makes_no_response_negative(
    database: TestDatabase, tmp_path: Path, fake_clock: FakeClock
) -> None:
    async with (
        running(database, tmp_path, clock=fake_clock, session_idle_s=86_400) as house,
        house.client(await house.cookie(Role.OPERATOR)) as operator,
    ):
        incident = (await operator.post("/api/incidents", json=CALL)).json()["incident"]
        url = f"/api/incidents/{incident['incident_id']}"
        await operator.post(f"{url}/dispatch", json={"version": 1, "unit_ids": [CAR]})
        fake_clock.step(-600)
        there = await operator.post(f"{url}/state", json={"version": 2, "state": "on_scene"})
        told = there.json()["incident"]
        assert told["response_s"] == 0.0
        sent = told["dispatches"][0]
        assert sent["arrived_ms"] >= sent["queued_ms"]
        fake_clock.step(7_200)
        done = await operator.post(f"{url}/state", json={"version": 3, "state": "cleared"})
        assert done.json()["incident"]["closed_ms"] > told["reported_ms"]


async def test_figures_and_the_shift_report_measure_against_one_three_and_five_minutes(
    database: TestDatabase, tmp_path: Path, fake_clock: FakeClock
) -> None:
    async with (
        running(database, tmp_path, clock=fake_clock, session_idle_s=86_400) as house,
        house.client(await house.cookie(Role.OPERATOR)) as operator,
        house.client(await house.cookie(Role.VIEWER, stations=(2,))) as far,
    ):
        await respond(operator, house, fake_clock, "a", after_s=40.0)
        await respond(operator, house, fake_clock, "b", after_s=100.0)
        await operator.post("/api/incidents", json=CALL | {"source_ref": "c", "title": '=HYPERLINK("x")'})
        figures = (await operator.get("/api/figures")).json()
        first = figures["by_urgency"][0]
        assert (first["count"], first["answered"], first["on_target_ratio"]) == (3, 2, 0.5)
        assert (figures["open_count"], figures["to_send_count"]) == (1, 1)
        assert figures["response_p50_s"] == 40.0
        assert (await far.get("/api/figures")).json()["open_count"] == 0
        fake_clock.advance(1)
        report = (await operator.get("/api/reports/shift")).json()
        assert [row["unit_id"] for row in report["unit_rows"]] == [CAR]
        assert (report["unit_rows"][0]["arrived"], len(report["incidents"])) == (2, 3)
        wrong = await operator.get("/api/reports/shift", params={"from": "2026-01-01T00:00:00"})
        assert wrong.status_code == 422
        file = await operator.get("/api/reports/shift.csv")
        rows = list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"))))
        assert [row["on_target"] for row in rows] == ["yes", "no", ""]
        assert rows[2]["title"] == '\'=HYPERLINK("x")'
        assert "138" not in file.text
        empty = (await far.get("/api/reports/shift")).json()
        assert (empty["incidents"], empty["unit_rows"]) == ([], [])
    with psycopg.connect(database.owner_url) as owner:
        assert owner.execute("select count(*) from audit where action = 'exported'").fetchone() == (1,)


async def respond(operator: Any, house: House, clock: FakeClock, ref: str, *, after_s: float) -> None:  # noqa: ANN401 - a client
    call = CALL | {"source_ref": ref, "caller_phone": "13812345678"}
    incident = (await operator.post("/api/incidents", json=call)).json()["incident"]
    url = f"/api/incidents/{incident['incident_id']}"
    await operator.post(f"{url}/dispatch", json={"version": 1, "unit_ids": [CAR]})
    clock.advance(after_s)
    await operator.post(f"{url}/state", json={"version": 2, "state": "on_scene"})
    await operator.post(f"{url}/state", json={"version": 3, "state": "cleared"})
    assert house.parts.desk.board.get(incident["incident_id"]) is not None


def test_every_key_is_another_and_unguessable(database: TestDatabase, tmp_path: Path) -> None:
    secrets_made = {make_key(database, tmp_path, label=secrets.token_hex(4))[1] for _ in range(5)}
    assert len(secrets_made) == 5
    assert min(len(secret) for secret in secrets_made) >= 40
