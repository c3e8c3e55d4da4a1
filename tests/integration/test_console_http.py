"""The HTTP interface over a real server and a real database: signing in, scopes, reasons, audits, headers, bad requests."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from console.auth.accounts import first_link
from console.wire import Role
from tests.conftest import TestDatabase
from tests.console_house import CAR, COVERT, DRONE, FAR, OFFICER, House, running

pytestmark = pytest.mark.database


@pytest.fixture
async def house(database: TestDatabase, tmp_path: Path) -> AsyncIterator[House]:
    async with running(database, tmp_path) as built:
        yield built


def audit_of(database: TestDatabase) -> list[Any]:
    with psycopg.connect(database.owner_url) as connection:
        return connection.execute(
            "select account_name, action, subject, reason from audit order by audit_id"
        ).fetchall()


async def test_a_one_time_link_signs_in_once(house: House, database: TestDatabase) -> None:
    token = await first_link(house.accounts, house.bridge.clock.now_us())
    async with house.client() as browser:
        first = await browser.post("/api/session/link", json={"token": token})
        assert first.status_code == 200
        assert first.json()["role"] == "admin"
        assert first.json()["must_set_password"] is True
        cookie = first.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert (await browser.get("/api/session")).json()["name"] == "admin"
    async with house.client() as thief:
        second = await thief.post("/api/session/link", json={"token": token})
        assert (second.status_code, second.json()["error"]) == (401, "not_signed_in")
    assert [row[1] for row in audit_of(database)] == ["signed_in", "sign_in_refused"]


async def test_a_link_older_than_15_minutes_is_refused(house: House) -> None:
    token = await first_link(house.accounts, house.bridge.clock.now_us() - 901_000_000)
    async with house.client() as browser:
        assert (await browser.post("/api/session/link", json={"token": token})).status_code == 401


async def test_a_newer_link_voids_the_older_one_and_none_is_made_once_an_admin_has_a_password(house: House) -> None:
    now_us = house.bridge.clock.now_us()
    old, new = await first_link(house.accounts, now_us), await first_link(house.accounts, now_us)
    async with house.client() as browser:
        assert (await browser.post("/api/session/link", json={"token": old})).status_code == 401
        assert (await browser.post("/api/session/link", json={"token": new})).status_code == 200
        done = await browser.post("/api/account/password", json={"password": "correct horse battery"})
        assert done.json()["must_set_password"] is False
    assert await first_link(house.accounts, now_us) is None
    async with house.client() as other:
        signed = await other.post("/api/session", json={"name": "admin", "password": "correct horse battery"})
        assert signed.status_code == 200
        assert (await other.delete("/api/session")).status_code == 204
        assert (await other.get("/api/session")).status_code == 401


async def test_who_finds_a_signed_in_console_cannot_change_its_password(house: House) -> None:
    account = await house.account(Role.OPERATOR)
    password_hash = await house.parts.passwords.hash("correct horse battery")
    await house.accounts.set_password_hash(account.account_id, password_hash)
    known = await house.accounts.by_name(account.name)
    assert known is not None
    cookie, _ = await house.parts.sessions.sign_in(known)
    wanted = {"password": "another horse battery"}
    async with house.client(cookie) as browser:
        for wrong in ({}, {"current": "a guess"}):
            refused = await browser.post("/api/account/password", json=wanted | wrong)
            assert refused.status_code == 403
        right = {"current": "correct horse battery"}
        assert (await browser.post("/api/account/password", json=wanted | right)).status_code == 200


async def test_a_wrong_password_tells_nothing_and_the_sixth_attempt_must_wait(house: House) -> None:
    await house.account(Role.VIEWER)
    async with house.client() as browser:
        answers = [
            await browser.post("/api/session", json={"name": name, "password": "wrong"})
            for name in ("viewer-0", "nobody", *["viewer-0"] * 5)
        ]
    assert [answer.status_code for answer in answers] == [401] * 6 + [429]
    assert answers[0].json() == answers[1].json()
    assert "wait" in answers[-1].json()["detail"]


async def test_a_write_from_another_page_is_refused(house: House) -> None:
    async with house.client() as browser:
        for headers in ({"origin": "http://evil.example"}, {"x-skybeat": "0"}, {"origin": ""}):
            answer = await browser.post("/api/session", json={"name": "a", "password": "b"}, headers=headers)
            assert (answer.status_code, answer.json()["error"]) == (403, "not_allowed")


@pytest.mark.parametrize(
    ("role", "stations", "unit_id", "seen"),
    [
        (Role.ADMIN, (), None, {DRONE, OFFICER, CAR, COVERT, FAR}),
        (Role.VIEWER, (), None, {DRONE, OFFICER, CAR, FAR}),
        (Role.OPERATOR, (1,), None, {DRONE, OFFICER, CAR}),
        (Role.SUPERVISOR, (1,), None, {DRONE, OFFICER, CAR, COVERT}),
        (Role.OFFICER, (), OFFICER, {OFFICER}),
    ],
)
async def test_an_account_sees_the_units_of_its_scope_and_no_other(
    house: House, role: Role, stations: tuple[int, ...], unit_id: int | None, seen: set[int]
) -> None:
    async with house.client(await house.cookie(role, stations=stations, unit_id=unit_id)) as browser:
        answer = await browser.get("/api/units")
        assert {unit["unit_id"] for unit in answer.json()["units"]} == seen
        again = await browser.get("/api/units", headers={"if-none-match": answer.headers["etag"]})
        assert again.status_code == 304
        for hidden in {DRONE, OFFICER, CAR, COVERT, FAR} - seen:
            track = await browser.get(f"/api/units/{hidden}/track", params={"reason": "looking around"})
            assert track.status_code == 404


async def test_trips_stops_and_steps_are_told_to_the_scope_for_a_reason_and_audited(
    house: House, database: TestDatabase
) -> None:
    with psycopg.connect(database.owner_url) as connection:
        connection.execute("select store.ensure_position_partitions(current_date - 1, current_date + 1)")
        connection.execute(
            "insert into store.position (device_id, observed_at, received_at, lat_e7, lon_e7, quality, fix_hash)"
            " select 12, now() - n * interval '10 seconds', now(), 360000000, 1038000000, 0, n from generate_series(30, 90) n"
        )
        connection.execute("select store.claim_through(now() - interval '2 minutes')")
        for step in ("store.derive_next()", "store.move_next('0 s')"):
            while connection.execute(f"select {step}".encode()).fetchone() == (True,):
                pass
    why = {"reason": "missing since 8"}
    async with house.client(await house.cookie(Role.OPERATOR)) as browser:
        assert (await browser.get(f"/api/units/{OFFICER}/movements")).status_code == 422
        told = (await browser.get(f"/api/units/{OFFICER}/movements", params=why)).json()["movements"]
        assert {movement["kind"] for movement in told} == {"stop"}
        steps = (await browser.get(f"/api/units/{OFFICER}/steps", params=why | {"step_s": 60})).json()
        assert sum(steps["columns"]["position_count"]) == 61
        assert set(steps["columns"]["mean_speed_cmps"]) == {None}
        assert set(steps["columns"]["distance_m"]) == {0}
        too_fine = await browser.get(
            f"/api/units/{OFFICER}/steps", params=why | {"step_s": 1, "from": "2020-01-01T00:00:00Z"}
        )
        assert too_fine.status_code == 422
    async with house.client(await house.cookie(Role.OFFICER, unit_id=CAR)) as browser:
        for question in ("movements", "steps"):
            assert (await browser.get(f"/api/units/{OFFICER}/{question}", params=why)).status_code in {403, 404}
    rows = [row for row in audit_of(database) if row[1] == "trail_viewed"]
    assert len(rows) >= 2


async def test_an_officers_trail_asks_for_a_reason_and_is_audited(house: House, database: TestDatabase) -> None:
    with psycopg.connect(database.writer_url) as connection:
        connection.execute("select store.ensure_position_partitions(current_date - 1, current_date + 1)")
        connection.execute(
            "insert into store.position (device_id, observed_at, received_at, lat_e7, lon_e7, quality, fix_hash)"
            " select 12, now() - n * interval '1 second', now(), 360000000 + n, 1038000000, 0, n"
            " from generate_series(1, 5) n"
        )
    async with house.client(await house.cookie(Role.OPERATOR)) as browser:
        refused = await browser.get(f"/api/units/{OFFICER}/track")
        assert refused.status_code == 422
        assert "reason" in refused.json()["detail"]
        given = await browser.get(f"/api/units/{OFFICER}/track", params={"reason": "  missing since 8 "})
        assert given.json()["point_count"] == 5
        assert given.json()["columns"]["lat_e7"] == [360000005, 360000004, 360000003, 360000002, 360000001]
        assert given.json()["columns"]["battery_pct"] == [None] * 5
        cut = await browser.get(f"/api/units/{OFFICER}/track", params={"reason": "missing", "limit": 2})
        assert (cut.json()["truncated"], cut.json()["columns"]["lat_e7"]) == (True, [360000002, 360000001])
        refused = await browser.get(f"/api/units/{OFFICER}/track.csv")
        assert refused.status_code == 422
        kept = await browser.get(f"/api/units/{OFFICER}/track.csv", params={"reason": "for the court"})
        assert kept.headers["content-disposition"] == f'attachment; filename="track-{OFFICER}.csv"'
        assert len(kept.text.splitlines()) == 6
        drawn = await browser.get(f"/api/units/{OFFICER}/track.geojson", params={"reason": "for the court"})
        assert len(drawn.json()["features"]) == 5
        assert (await browser.get(f"/api/units/{OFFICER}/track.xlsx", params={"reason": "why"})).status_code == 422
        assert (await browser.get(f"/api/units/{DRONE}/track")).json()["point_count"] == 0
    rows = [row for row in audit_of(database) if row[1] == "trail_viewed"]
    assert rows[0] == ("operator-0", "trail_viewed", "U2", "missing since 8")
    assert len(rows) == 3


async def test_an_officer_needs_no_reason_for_its_own_trail(house: House) -> None:
    async with house.client(await house.cookie(Role.OFFICER, unit_id=OFFICER)) as browser:
        assert (await browser.get(f"/api/units/{OFFICER}/track")).status_code == 200
        assert (await browser.get("/api/posts")).status_code == 403


async def test_wrong_parameters_are_named(house: House) -> None:
    async with house.client(await house.cookie(Role.ADMIN)) as browser:
        for query in (
            {"limit": 0},
            {"from": "yesterday"},
            {"from": "2026-01-01T00:00:00"},
            {"from": "2990-01-01T00:00:00Z"},
        ):
            answer = await browser.get(f"/api/units/{DRONE}/track", params=query)
            assert answer.status_code == 422, query
            assert answer.json()["error"] == "wrong_input"
        assert (await browser.post("/api/session", content=b"x" * 70_000)).status_code == 422
        assert (await browser.get("/api/nothing")).status_code == 404
        assert (await browser.post("/api/units")).status_code == 405


async def test_an_alarm_is_acknowledged_by_those_who_may(house: House, database: TestDatabase) -> None:
    alarm = house.bridge.sos()
    async with house.client(await house.cookie(Role.VIEWER)) as viewer:
        assert (await viewer.get("/api/alarms")).json()["alarms"][0]["alarm_id"] == alarm.alarm_id
        assert (await viewer.post(f"/api/alarms/{alarm.alarm_id}/acknowledge")).status_code == 403
    async with house.client(await house.cookie(Role.OPERATOR, stations=(2,))) as stranger:
        assert (await stranger.get("/api/alarms")).json()["alarms"] == []
        assert (await stranger.post(f"/api/alarms/{alarm.alarm_id}/acknowledge")).status_code == 404
    async with house.client(await house.cookie(Role.OPERATOR, stations=(1,))) as operator:
        house.bridge.journal_failed = True
        assert (await operator.post(f"/api/alarms/{alarm.alarm_id}/acknowledge")).status_code == 503
        assert "alarm_acknowledged" not in {action for _, action, _, _ in audit_of(database)}
        house.bridge.journal_failed = False
        answer = await operator.post(f"/api/alarms/{alarm.alarm_id}/acknowledge")
        assert answer.json()["alarm"]["state"] == "acknowledged"
        assert answer.json()["alarm"]["acknowledged_by"] == "operator-2"
    assert ("operator-2", "alarm_acknowledged", alarm.alarm_id, "") in audit_of(database)


async def test_places_devices_map_and_system_are_given(house: House, database: TestDatabase) -> None:
    with psycopg.connect(database.owner_url) as connection:
        connection.execute("insert into post (kind, lat_e7, lon_e7, station_id) values ('dock', 10000000, 20000000, 1)")
        connection.execute("insert into camera (lat_e7, lon_e7, station_id) values (10000000, 20000000, 2)")
    house.bridge.registry.quarantine("osmand", "deadbeef", house.bridge.clock.now_us(), "unknown token")
    async with house.client(await house.cookie(Role.SUPERVISOR, stations=(1,))) as browser:
        assert [s["number"] for s in (await browser.get("/api/stations")).json()["stations"]] == [11, 12]
        assert (await browser.get("/api/posts")).json()["posts"][0]["lat_deg"] == 1.0
        assert (await browser.get("/api/cameras")).json()["cameras"] == []
        devices = (await browser.get("/api/devices")).json()["devices"]
        assert {device["unit_id"] for device in devices} == {DRONE, OFFICER, CAR, COVERT}
        assert {device["address"] for device in devices} == {"main/1", None}
        assert (await browser.get("/api/devices/quarantine")).json()["quarantine"][0]["address"] == "deadbeef"
        assert (await browser.get("/api/map")).json()["layers"] == ["roads"]
        assert (await browser.get("/api/map/roads.geojson")).headers["content-type"] == "application/geo+json"
        assert (await browser.get("/api/map/..%2f..%2fcity.geojson")).status_code == 404
        planned = (await browser.get("/api/coverage/planned")).json()["features"]
        assert [contour["properties"]["station_id"] for contour in planned] == [1], "those of its stations alone"
        system = (await browser.get("/api/system")).json()
        assert system["database_ok"] is True
        assert set(system["checks"].values()) == {"ok"}
        link = system["links"][0]
        assert (link["link_group"], link["state"], link["figures"]["datagrams"]) == ("main", "open", 3)
        openapi = (await browser.get("/api/openapi.json")).json()
        assert "UnitsReply" in openapi["components"]["schemas"]
        assert "/api/units/{unit_id}/track" in openapi["paths"]


async def test_probes_answer_without_a_session(house: House) -> None:
    async with house.client() as probe:
        assert (await probe.get("/livez")).json() == {"status": "alive"}
        ready = await probe.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "ready")
        assert b"skybeat_stream_clients" in (await probe.get("/metrics")).content
        forwarded = await probe.get("/metrics", headers={"x-forwarded-for": "9.9.9.9"})
        assert forwarded.status_code == 401


async def test_the_site_is_served_with_strict_headers_and_nothing_outside_its_folder(
    house: House, tmp_path: Path
) -> None:
    static = tmp_path / "static"
    async with house.client() as browser:
        assert (await browser.get("/")).status_code == 503
        (static / "assets").mkdir(parents=True)
        (static / "index.html").write_text("<!doctype html>map")
        (static / "assets" / "app-1234.js").write_text("x" * 100)
        (static / "assets" / "app-1234.js.gz").write_bytes(b"packed")
        page = await browser.get("/units/3")
        assert (page.text, page.headers["cache-control"]) == ("<!doctype html>map", "no-cache")
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert page.headers["x-content-type-options"] == "nosniff"
        assert "geolocation=(self)" in page.headers["permissions-policy"]
        assert "camera=()" in page.headers["permissions-policy"]
        assert "server" not in page.headers
        script = await browser.get("/assets/app-1234.js", headers={"accept-encoding": "identity"})
        assert script.headers["cache-control"].endswith("immutable")
        assert script.headers["content-type"].startswith("text/javascript")
        for path in (
            "/../city/city.json",
            "/%2e%2e/city/city.json",
            "/assets/none.js",
            "/.hidden",
            "/assets/app-1234.js.gz",
        ):
            assert (await browser.get(path)).text != "packed"
            assert "Jincheng" not in (await browser.get(path)).text


async def test_a_disabled_account_is_out_within_five_seconds(house: House) -> None:
    cookie = await house.cookie(Role.OPERATOR)
    async with house.client(cookie) as browser:
        assert (await browser.get("/api/session")).status_code == 200
        await house.accounts.disable("operator-0", house.bridge.clock.now_us())
        async with asyncio.timeout(5):
            while (await browser.get("/api/session")).status_code != 401:  # noqa: ASYNC110 - a browser can only ask
                await asyncio.sleep(0.2)


async def test_without_the_database_the_map_goes_on_and_history_says_so(house: House) -> None:
    async with house.client(await house.cookie(Role.ADMIN)) as browser:
        assert (await browser.get("/api/units")).status_code == 200
        await house.pool.close()
        assert (await browser.get("/api/units")).status_code == 200
        lost = await browser.get(f"/api/units/{DRONE}/track")
        assert (lost.status_code, lost.json()["error"]) == (503, "unavailable")
