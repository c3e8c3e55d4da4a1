"""Geofences over HTTP: drawn, changed, assigned and taken away within the scope, kept in WGS-84, and every step audited."""

import math
import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest

from console import geofence_views
from console.wire import Role
from infra.clock import SYSTEM_CLOCK
from telemetry.geofence_store import GeofenceStore, save_visits
from telemetry.geofences.fence import Geofence, GeofencePlan
from telemetry.geofences.shapes import Ring, rings_of
from telemetry.geofences.visits import Visit
from tests.conftest import TestDatabase
from tests.console_house import COVERT, FAR, OFFICER, House, running

RING = [[103.79, 36.04], [103.81, 36.04], [103.81, 36.06], [103.79, 36.06], [103.79, 36.04]]
SQUARE = {"type": "Polygon", "coordinates": [RING]}
WISH: dict[str, Any] = {"name_zh": "河边", "name_en": "Riverside", "geometry": SQUARE}


async def drawn(house: House, cookie: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - a wish's own fields
    async with house.client(cookie) as client:
        answer = await client.post("/api/geofences", json=WISH | more)
        assert answer.status_code == 201, answer.text
        view: dict[str, Any] = answer.json()["geofence"]
        return view


async def watched(house: House, database: TestDatabase) -> GeofencePlan:
    """Do what the service does after a notice: load with the bridge's role and watch."""
    plan = await GeofenceStore(database.writer_url).load()
    house.bridge.geofences.replace(plan)
    return plan


async def test_a_geofence_is_drawn_changed_watched_and_taken_away(database: TestDatabase, tmp_path: Path) -> None:
    async with running(database, tmp_path) as house:
        cookie = await house.cookie(Role.SUPERVISOR)
        view = await drawn(house, cookie, dwell_s=60, kinds=["officer"], days=[1, 7], from_minute=1320, to_minute=360)
        assert (view["version"], view["days"], view["kinds"]) == (1, [1, 7], ["officer"])
        assert view["is_managed"]
        async with house.client(cookie) as client:
            path = f"/api/geofences/{view['geofence_id']}"
            changed = await client.patch(
                path,
                json={
                    "version": 1,
                    "limit_mps": 8.5,
                    "days": [1, 2, 3, 4, 5, 6, 7],
                    "from_minute": 0,
                    "to_minute": 1440,
                },
            )
            assert changed.status_code == 200, changed.text
            assert (changed.json()["geofence"]["version"], changed.json()["geofence"]["dwell_s"]) == (2, 60)
            assert (await client.patch(path, json={"version": 1, "limit_mps": 9})).status_code == 409
            assert (await client.patch(path, json={"colour": "red"})).status_code == 422
            await watched(house, database)
            batch = house.bridge.reports(OFFICER, lat_e7=360_500_000, lon_e7=1_038_000_000)
            house.bridge.geofences.apply(batch, SYSTEM_CLOCK.now_us())
            listed = (await client.get("/api/geofences")).json()["geofences"]
            assert [one["inside_unit_ids"] for one in listed] == [[OFFICER]]
            visits = (await client.get(f"{path}/visits")).json()["visits"]
            assert [(one["unit_id"], one["left_ms"]) for one in visits] == [(OFFICER, None)]
            assert (await client.delete(path)).status_code == 200
            assert (await client.delete(path)).status_code == 404
            assert (await client.get("/api/geofences")).json() == {"geofences": []}
    with psycopg.connect(database.owner_url) as connection:
        actions = [row[0] for row in connection.execute("select action from audit order by audit_id")]
    assert [action for action in actions if action.startswith("geofence")] == [
        "geofence_drawn",
        "geofence_changed",
        "geofence_removed",
    ]


async def test_circles_and_corridors_are_told_with_the_border_that_is_watched(
    database: TestDatabase, tmp_path: Path
) -> None:
    async with running(database, tmp_path) as house:
        cookie = await house.cookie(Role.OPERATOR)
        circle = await drawn(house, cookie, geometry={"type": "Point", "coordinates": [103.8, 36.05]}, radius_m=300)
        assert len(circle["rings"][0]) == 65
        line = {"type": "LineString", "coordinates": [[103.8, 36.05], [103.82, 36.05]]}
        corridor = await drawn(house, cookie, geometry=line, width_m=20, crs="gcj02")
        assert corridor["geometry"]["coordinates"][0] != [103.8, 36.05]
        assert corridor["geometry"]["coordinates"][0] == pytest.approx([103.8, 36.05], abs=0.01)


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"geometry": {"type": "Polygon", "coordinates": [RING[:-1]]}}, "open"),
        ({"geometry": {"type": "Point", "coordinates": [103.8, 36.05]}}, "radius_m"),
        ({"geometry": {"type": "Point", "coordinates": [36.05, 103.8]}, "radius_m": 50}, "longitude"),
        ({"crs": "mars"}, "mars"),
        ({"limit_mps": 1000}, "limit_mps"),
        ({"days": []}, "days"),
        ({"lowest_m": 100, "highest_m": 50}, "lowest_m"),
        ({"name_zh": "", "name_en": " "}, "name"),
        ({"height_above": "roof"}, "height_above"),
    ],
)
async def test_what_cannot_be_watched_is_refused_with_what_is_allowed(
    database: TestDatabase, tmp_path: Path, wish: dict[str, Any], said: str
) -> None:
    async with running(database, tmp_path) as house, house.client(await house.cookie(Role.ADMIN)) as client:
        answer = await client.post("/api/geofences", json=WISH | wish)
        assert answer.status_code == 422
        assert said in answer.json()["detail"]


async def test_each_sees_and_draws_within_its_stations_and_officers_and_viewers_do_not_draw(
    database: TestDatabase, tmp_path: Path
) -> None:
    async with running(database, tmp_path) as house:
        whole = await house.cookie(Role.SUPERVISOR)
        first = await house.cookie(Role.SUPERVISOR, stations=(1,))
        second = await house.cookie(Role.SUPERVISOR, stations=(2,))
        force = await drawn(house, whole)
        own = await drawn(house, first, station_id=1)
        assert force["is_managed"]
        async with house.client(second) as client:
            listed = (await client.get("/api/geofences")).json()["geofences"]
            assert [(one["geofence_id"], one["is_managed"]) for one in listed] == [(force["geofence_id"], False)]
            assert (await client.delete(f"/api/geofences/{force['geofence_id']}")).status_code == 404
            assert (await client.patch(f"/api/geofences/{own['geofence_id']}", json={"dwell_s": 5})).status_code == 404
            assert (await client.get(f"/api/geofences/{own['geofence_id']}/visits")).status_code == 404
            assert (await client.post("/api/geofences", json=WISH)).status_code == 403
            assert (await client.post("/api/geofences", json=WISH | {"station_id": 1})).status_code == 403
        for role, status in ((Role.VIEWER, 200), (Role.OFFICER, 403)):
            unit_id = OFFICER if role is Role.OFFICER else None
            async with house.client(await house.cookie(role, unit_id=unit_id)) as client:
                assert (await client.get("/api/geofences")).status_code == status
                assert (await client.post("/api/geofences", json=WISH)).status_code == 403


async def test_areas_are_assigned_as_data_all_or_none(database: TestDatabase, tmp_path: Path) -> None:
    async with running(database, tmp_path) as house:
        cookie = await house.cookie(Role.SUPERVISOR, stations=(1,))
        geofence_id = (await drawn(house, cookie, station_id=1))["geofence_id"]
        one, other = {"geofence_id": geofence_id, "unit_id": OFFICER}, {"geofence_id": geofence_id, "station_id": 1}
        path = "/api/geofences/assignments"
        async with house.client(cookie) as client:
            foreign = await client.post(path, json={"assignments": [one, {"geofence_id": geofence_id, "unit_id": FAR}]})
            assert foreign.status_code == 403
            assert (await client.post(path, json={"assignments": [one | {"station_id": 1}]})).status_code == 422
            assert (await client.post(path, json={"assignments": [one | {"to_ms": 5.0}]})).status_code == 422
            assert (
                await client.post(path, json={"assignments": [{"geofence_id": 999, "unit_id": OFFICER}]})
            ).status_code in {403, 404}
            added = (await client.post(path, json={"assignments": [one, other]})).json()["assignments"]
            assert [(row["unit_id"], row["station_id"]) for row in added] == [(OFFICER, None), (None, 1)]
            plan = await watched(house, database)
            assert len(plan.assignments) == 2
            left = (await client.delete(f"{path}/{added[0]['assignment_id']}")).json()["assignments"]
            assert [row["assignment_id"] for row in left] == [added[1]["assignment_id"]]


async def test_rules_of_who_is_alone_are_set_and_replaced(database: TestDatabase, tmp_path: Path) -> None:
    async with running(database, tmp_path) as house, house.client(await house.cookie(Role.ADMIN)) as client:
        path = "/api/geofences/alone"
        await client.put(path, json={"limit_m": 500})
        await client.put(path, json={"limit_m": None, "station_id": 2})
        rules = (await client.put(path, json={"limit_m": 300, "after_s": 60})).json()["rules"]
        assert sorted((rule["station_id"] or 0, rule["limit_m"], rule["after_s"]) for rule in rules) == [
            (0, 300, 60),
            (2, None, 120),
        ]
        assert (await client.put(path, json={"limit_m": 5})).status_code == 422


async def test_visits_that_late_reports_changed_stand_in_place_of_the_events(
    database: TestDatabase, tmp_path: Path
) -> None:
    now_us = SYSTEM_CLOCK.now_us()
    hour_us = 3_600_000_000
    async with running(database, tmp_path) as house:
        cookie = await house.cookie(Role.SUPERVISOR)
        geofence_id = (await drawn(house, cookie))["geofence_id"]
        device_id = 10 + OFFICER
        with psycopg.connect(database.owner_url) as connection:
            connection.execute(
                "insert into store.event (device_id, observed_at, received_at, kind, severity, body, event_hash)"
                " select %s, at, at, 'geofence_left', 0, jsonb_build_object('geofence_id', %s::int, 'inside_s', 600), 1"
                " from unnest(array[now() - interval '5 hours', now() - interval '2 hours']) at",
                (device_id, geofence_id),
            )
        judged = Visit(
            device_id=device_id, geofence_id=geofence_id, entered_us=now_us - 2 * hour_us, left_us=now_us - hour_us
        )
        with psycopg.connect(database.writer_url) as connection:
            for _ in range(2):
                save_visits(connection, device_id, [judged], from_us=now_us - 3 * hour_us, to_us=now_us)
        async with house.client(cookie) as client:
            visits = (await client.get(f"/api/geofences/{geofence_id}/visits")).json()["visits"]
        assert [round((one["left_ms"] - one["entered_ms"]) / 60_000) for one in visits] == [60, 10]
        assert [one["is_judged_late"] for one in visits] == [True, False]


async def test_a_covert_unit_that_a_geofence_concerns_is_neither_told_nor_lost_by_who_cannot_see_it(
    database: TestDatabase, tmp_path: Path
) -> None:
    async with running(database, tmp_path) as house:
        chief, clerk = await house.cookie(Role.SUPERVISOR), await house.cookie(Role.OPERATOR)
        path = f"/api/geofences/{(await drawn(house, chief, unit_ids=[OFFICER, COVERT]))['geofence_id']}"
        async with house.client(clerk) as client:
            (shown,) = (await client.get("/api/geofences")).json()["geofences"]
            assert shown["unit_ids"] == [OFFICER]
            changed = await client.patch(path, json={"unit_ids": [OFFICER, FAR]})
            assert changed.json()["geofence"]["unit_ids"] == [OFFICER, FAR]
        async with house.client(chief) as client:
            (shown,) = (await client.get("/api/geofences")).json()["geofences"]
            assert sorted(shown["unit_ids"]) == sorted([OFFICER, COVERT, FAR])


async def test_a_number_that_no_station_unit_or_geofence_can_have_is_refused_as_such(
    database: TestDatabase, tmp_path: Path
) -> None:
    far = 2**40
    async with running(database, tmp_path) as house, house.client(await house.cookie(Role.SUPERVISOR)) as client:
        answers = [
            await client.post("/api/geofences", json=WISH | {"station_id": far}),
            await client.post("/api/geofences/assignments", json={"assignments": [{"geofence_id": far, "unit_id": 2}]}),
            await client.post("/api/geofences/assignments", json={"assignments": [{"geofence_id": 1, "unit_id": far}]}),
            await client.put("/api/geofences/alone", json={"unit_id": far, "limit_m": 50}),
            await client.put("/api/geofences/alone", json={"station_id": -far, "limit_m": 50}),
        ]
    assert [answer.status_code for answer in answers] == [422] * 5


async def test_a_geofence_of_as_many_corners_as_are_allowed_is_taken(database: TestDatabase, tmp_path: Path) -> None:
    turns = [2 * math.pi * corner / 19_999 for corner in range(19_999)]
    ring = [[103.8 + 0.1 * math.cos(turn), 36.0 + 0.1 * math.sin(turn)] for turn in turns]
    square = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    async with running(database, tmp_path) as house:
        assert len((await drawn(house, await house.cookie(Role.SUPERVISOR), geometry=square))["rings"][0]) == 20_000


async def test_thousands_of_geofences_are_listed_while_the_console_goes_on(
    database: TestDatabase, tmp_path: Path
) -> None:
    """The list is made beside the loop: a viewer that reads it holds up nobody's acknowledgement and nobody's map."""
    in_loop = threading.get_ident()
    made_in: set[int] = set()

    def seen(fence: Geofence) -> list[Ring]:
        made_in.add(threading.get_ident())
        return rings_of(fence)

    async with running(database, tmp_path) as house:
        cookie = await house.cookie(Role.SUPERVISOR)
        view = await drawn(house, cookie)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(geofence_views, "rings_of", seen)
            geofence_views.border_of.cache_clear()
            async with house.client(cookie) as client:
                listed = [(await client.get("/api/geofences")).json()["geofences"] for _ in range(2)]
    assert listed == [[view], [view]]
    assert len(made_in) == 1
    assert in_loop not in made_in
