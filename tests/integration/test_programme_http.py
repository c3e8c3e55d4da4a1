"""The programme over HTTP: who may draw what, in which coordinates, what is refused, and that nobody overwrites another."""

from typing import Any

import pytest

from console.wire import Role
from telemetry.model.datum import Crs, from_wgs84
from tests.console_house import House, hello, next_text
from tests.shared_house import emptied_house, shared_house  # noqa: F401 - fixtures

pytestmark = pytest.mark.asyncio(loop_scope="module")
DOCK = {"name": "East", "lat_deg": 36.05, "lon_deg": 103.8}
AIRFRAME = {"name": "D1", "unit_id": 1, "device_id": 11}
TASK = {
    "name_zh": "湿地",
    "name_en": "Wetland",
    "kind": "point",
    "geometry": {"type": "Point", "coordinates": [103.81, 36.06]},
}


async def add(house: House, cookie: str, where: str, item: dict[str, Any], **more: Any) -> Any:  # noqa: ANN401 - JSON
    async with house.client(cookie) as client:
        answer = await client.post(f"/api/programme/{where}", json={"item": item, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_what_is_drawn_is_read_again_with_numbers_versions_and_rules(house: House) -> None:
    cookie = await house.cookie(Role.SUPERVISOR)
    dock = await add(house, cookie, "docks", DOCK)
    drone = await add(house, cookie, "airframes", AIRFRAME | {"dock_id": dock["item_id"]})
    task = await add(house, cookie, "tasks", TASK)
    async with house.client(await house.cookie(Role.VIEWER)) as client:
        shown = (await client.get("/api/programme")).json()
    programme = shown["programme"]
    assert [one["dock_id"] for one in programme["docks"]] == [dock["item_id"]]
    assert programme["airframes"][0]["airframe_id"] == drone["item_id"]
    assert programme["tasks"][0]["task_id"] == task["item_id"]
    assert shown["versions"]["tasks"] == {str(task["item_id"]): 1}
    assert "cn_interim_2024" in {one["name"] for one in shown["rule_sets"]}
    assert {"R-01", "R-07"} <= {one["rule_id"] for one in shown["rules"]}
    assert not shown["is_managed"]


async def test_places_are_taken_in_their_datum_and_kept_in_wgs84(house: House) -> None:
    lat, lon = from_wgs84([36.06], [103.81], crs=Crs.GCJ02)
    shifted = TASK | {"geometry": {"type": "Point", "coordinates": [float(lon[0]), float(lat[0])]}}
    found = await add(house, await house.cookie(Role.ADMIN), "tasks", shifted, crs="gcj02")
    assert found["item"]["geometry"]["coordinates"] == pytest.approx([103.81, 36.06], abs=1e-6)


async def test_a_change_of_an_old_version_is_refused_and_changes_nothing(house: House) -> None:
    cookie = await house.cookie(Role.SUPERVISOR)
    task = await add(house, cookie, "tasks", TASK)
    async with house.client(cookie) as client:
        path = f"/api/programme/tasks/{task['item_id']}"
        first = await client.put(path, json={"item": TASK | {"priority": 9}, "version": 1})
        late = await client.put(path, json={"item": TASK | {"priority": 1}, "version": 1})
        shown = (await client.get("/api/programme")).json()
    assert (first.status_code, first.json()["version"]) == (200, 2)
    assert late.status_code == 409
    assert "not of version 1 any more" in late.json()["detail"]
    assert shown["programme"]["tasks"][0]["priority"] == 9


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.OFFICER])
async def test_who_only_watches_or_operates_changes_nothing(house: House, role: Role) -> None:
    cookie = await house.cookie(role, unit_id=2 if role is Role.OFFICER else None)
    async with house.client(cookie) as client:
        answers = [
            await client.post("/api/programme/tasks", json={"item": TASK}),
            await client.put("/api/programme/tasks/1", json={"item": TASK}),
            await client.delete("/api/programme/tasks/1"),
            await client.put("/api/programme/settings", json={"zone": "Asia/Shanghai"}),
        ]
    assert {answer.status_code for answer in answers} == {403}


async def test_a_supervisor_of_a_station_draws_for_it_alone_and_sees_nothing_of_another(house: House) -> None:
    first = await house.cookie(Role.SUPERVISOR, stations=(1,))
    second = await house.cookie(Role.SUPERVISOR, stations=(2,))
    task = await add(house, first, "tasks", TASK)
    async with house.client(second) as client:
        shown = (await client.get("/api/programme")).json()
        gone = await client.delete(f"/api/programme/tasks/{task['item_id']}")
        elsewhere = await client.post("/api/programme/tasks", json={"item": TASK, "station_id": 1})
        whole = await client.put("/api/programme/settings", json={"zone": "Asia/Shanghai"})
    assert shown["programme"]["tasks"] == []
    assert (gone.status_code, elsewhere.status_code) == (404, 403)
    assert whole.status_code == 409
    async with house.client(first) as client:
        assert (await client.get("/api/programme")).json()["station_ids"]["tasks"] == {str(task["item_id"]): 1}


async def test_a_zone_closes_the_air_for_every_station_and_is_changed_by_its_own_alone(house: House) -> None:
    first = await house.cookie(Role.SUPERVISOR, stations=(1,))
    second = await house.cookie(Role.SUPERVISOR, stations=(2,))
    corners = [[103.8, 36.05], [103.81, 36.05], [103.81, 36.06], [103.8, 36.05]]
    zone = {"name": "hospital", "kind": "no_fly", "geometry": {"type": "Polygon", "coordinates": [corners]}}
    drawn = await add(house, first, "zones", zone)
    await add(house, first, "zones", zone | {"name": "ours", "kind": "keep_in"})
    async with house.client(second) as client:
        shown = (await client.get("/api/programme")).json()["programme"]["zones"]
        changed = await client.put(f"/api/programme/zones/{drawn['item_id']}", json={"item": zone | {"name": "gone"}})
        removed = await client.delete(f"/api/programme/zones/{drawn['item_id']}")
    assert [one["name"] for one in shown] == ["hospital"]
    assert (changed.status_code, removed.status_code) == (409, 404)


@pytest.mark.parametrize(
    ("where", "item", "said"),
    [
        ("tasks", TASK | {"revisits_s": 60}, "has no field 'revisits_s'"),
        ("tasks", TASK | {"kind": "dance"}, "Invalid enum value 'dance'"),
        (
            "tasks",
            TASK | {"geometry": {"type": "Point", "coordinates": [36.0, 103.8]}},
            "longitude -180..180 comes first",
        ),
        ("airframes", AIRFRAME | {"dock_id": 999}, "stands in dock 999, which does not exist"),
        (
            "tasks",
            TASK | {"windows": [{"start_us": 1_790_000_000_000_000, "end_us": 1_780_000_000_000_000}]},
            "windows",
        ),
        ("tasks", TASK | {"kind": "area", "geometry": {"type": "Polygon", "coordinates": []}}, "geometry"),
        ("docks", [1], "is an object of fields"),
    ],
)
async def test_what_cannot_be_is_refused_in_words(house: House, where: str, item: Any, said: str) -> None:  # noqa: ANN401 - bad JSON on purpose
    async with house.client(await house.cookie(Role.ADMIN)) as client:
        answer = await client.post(f"/api/programme/{where}", json={"item": item})
    assert answer.status_code == 422
    assert said in answer.json()["detail"]


async def test_a_dock_at_which_something_stands_stays(house: House) -> None:
    cookie = await house.cookie(Role.ADMIN)
    dock = await add(house, cookie, "docks", DOCK)
    await add(house, cookie, "batteries", {"name": "B1", "dock_id": dock["item_id"]})
    async with house.client(cookie) as client:
        answer = await client.delete(f"/api/programme/docks/{dock['item_id']}")
    assert answer.status_code == 409
    assert "B1" in answer.json()["detail"]


async def test_rules_are_chosen_and_changed_value_by_value(house: House) -> None:
    async with house.client(await house.cookie(Role.ADMIN)) as client:
        wish = {"zone": "Asia/Shanghai", "rule_set": "cn_interim_2024", "rules": {"R-07": {"least_ratio": 0.4}}}
        shown = (await client.put("/api/programme/settings", json=wish)).json()
        bad = await client.put("/api/programme/settings", json=wish | {"rules": {"R-07": {"least_ratio": 4}}})
        nowhere = await client.put("/api/programme/settings", json={"zone": "Asia/Beijing"})
    values = {one["rule_id"]: one["values"] for one in shown["rules"]}
    assert (shown["rule_set"], values["R-07"]["least_ratio"]) == ("cn_interim_2024", 0.4)
    assert bad.status_code == 422
    assert (nowhere.status_code, "tz database" in nowhere.json()["detail"]) == (422, True)


async def test_a_metar_becomes_weather(house: House) -> None:
    async with house.client(await house.cookie(Role.ADMIN)) as client:
        answer = await client.post(
            "/api/programme/weather", json={"metar": "METAR ZLLL 221000Z 09005MPS 5000 NSC 03/M05 Q1025"}
        )
        bad = await client.post("/api/programme/weather", json={"metar": "sunny"})
    assert answer.status_code == 201, answer.text
    assert answer.json()["item"]["wind_mps"] == 5.0
    assert bad.status_code == 422


async def test_browsers_that_watch_are_told_that_the_programme_changed(house: House) -> None:
    async with house.socket(await house.cookie(Role.VIEWER)) as socket:
        await hello(socket)
        await add(house, await house.cookie(Role.ADMIN), "tasks", TASK)
        assert await next_text(socket, "programme_changed")


async def test_a_task_that_is_being_drawn_is_shown_as_it_would_be_flown_and_not_kept(house: House) -> None:
    cookie = await house.cookie(Role.SUPERVISOR)
    dock = await add(house, cookie, "docks", DOCK)
    drone = await add(house, cookie, "airframes", AIRFRAME | {"dock_id": dock["item_id"]})
    async with house.client(cookie) as client:
        drawn = (await client.post("/api/programme/check", json={"item": TASK}, timeout=60)).json()
        ring = {
            "type": "Polygon",
            "coordinates": [[[103.8, 36.06], [103.81, 36.07], [103.81, 36.06], [103.8, 36.07], [103.8, 36.06]]],
        }
        crossed = (
            await client.post("/api/programme/check", json={"item": TASK | {"kind": "area", "geometry": ring}})
        ).json()
        shown = (await client.get("/api/programme")).json()
    assert drawn["preview"]["airframe_id"] == drone["item_id"]
    assert drawn["preview"]["line"]["type"] == "LineString"
    assert drawn["preview"]["battery_ratio"] < 1
    assert crossed["preview"] is None
    assert crossed["refusals"]
    assert shown["programme"]["tasks"] == []
