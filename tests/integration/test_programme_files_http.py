"""Programmes and plans as files over HTTP: brought in from other tools all or nothing, written out for them, and audited."""

import io
import zipfile
from typing import Any

import psycopg
import pytest

from console.wire import Role
from infra.clock import SYSTEM_CLOCK
from mission.formats import programme_yaml, qgc_plan
from tests.conftest import TestDatabase
from tests.console_house import DRONE, House
from tests.patrol_day import programme
from tests.shared_house import emptied_house, shared_house  # noqa: F401 - fixtures

pytestmark = pytest.mark.asyncio(loop_scope="module")
HOUR_US = 3_600_000_000
KML = """<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>
<Placemark><name>No-fly school</name><Polygon><outerBoundaryIs><LinearRing><coordinates>
103.80,36.06 103.81,36.06 103.81,36.07 103.80,36.06</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>
<Placemark><name>Bridge</name><Point><coordinates>103.82,36.06</coordinates></Point></Placemark>
</Document></kml>"""


ROUTE = b"""{"fileType": "Plan", "version": 1, "geoFence": {"circles": [], "polygons": []}, "rallyPoints": {"points": []},
"mission": {"items": [
{"type": "SimpleItem", "command": 16, "frame": 3, "params": [0, 0, 0, null, 36.06, 103.80, 50]},
{"type": "SimpleItem", "command": 16, "frame": 3, "params": [0, 0, 0, null, 36.07, 103.81, 50]}]}}"""


async def bring(house: House, cookie: str, data: bytes, **query: Any) -> Any:  # noqa: ANN401 - an answer
    async with house.client(cookie) as client:
        return await client.post("/api/programme/import", content=data, params=query)


async def shown(house: House, cookie: str) -> Any:  # noqa: ANN401 - JSON
    async with house.client(cookie) as client:
        return (await client.get("/api/programme")).json()["programme"]


async def test_a_mission_file_is_brought_whole_with_new_numbers_and_written_out_again(house: House) -> None:
    cookie, whole = await house.cookie(Role.ADMIN), programme()
    answer = await bring(house, cookie, programme_yaml.write(whole), name="day.yaml")
    assert answer.status_code == 200, answer.text
    kept = await shown(house, cookie)
    assert answer.json()["added"] == sum(
        len(kept[name]) for name in ("tasks", "airframes", "docks", "batteries", "zones", "weather", "crews")
    )
    docks = {one["dock_id"] for one in kept["docks"]}
    assert {one["dock_id"] for one in kept["airframes"]} <= docks
    async with house.client(cookie) as client:
        written = await client.get("/api/programme/export", params={"format": "yaml"})
    again = programme_yaml.read(written.content)
    assert [one.name_en for one in again.tasks] == [one.name_en for one in whole.tasks]
    assert [one.geometry for one in again.tasks] == [one.geometry for one in whole.tasks]
    assert written.headers["content-disposition"] == 'attachment; filename="programme.yaml"'


async def test_a_dry_run_says_what_would_come_and_keeps_nothing(house: House) -> None:
    cookie = await house.cookie(Role.ADMIN)
    answer = await bring(house, cookie, KML.encode(), name="east.kml", dry_run=True)
    found = answer.json()
    assert (found["is_kept"], found["added"]) == (False, 2)
    assert (len(found["programme"]["tasks"]), len(found["programme"]["zones"])) == (1, 1)
    assert (await shown(house, cookie))["tasks"] == []
    assert (await bring(house, cookie, KML.encode(), name="east.kml")).json()["added"] == 2


def files() -> dict[str, bytes]:
    return {"day.yaml": programme_yaml.write(programme()), "east.kml": KML.encode(), "route.plan": ROUTE}


@pytest.mark.parametrize("name", ["day.yaml", "east.kml", "route.plan"])
async def test_a_file_that_is_brought_again_adds_nothing_and_says_so_before_and_after(house: House, name: str) -> None:
    cookie, data = await house.cookie(Role.ADMIN), files()[name]
    first = (await bring(house, cookie, data, name=name)).json()
    before = await shown(house, cookie)
    assert first["added"] > 0
    for dry_run in (True, False):
        again = (await bring(house, cookie, data, name=name, dry_run=dry_run)).json()
        assert (again["added"], again["changed"], again["unchanged"]) == (0, 0, first["added"])
        assert again["is_kept"] is not dry_run
    assert await shown(house, cookie) == before


async def test_a_copy_of_a_file_under_another_name_adds_nothing_either(house: House) -> None:
    cookie = await house.cookie(Role.ADMIN)
    await bring(house, cookie, KML.encode(), name="east.kml")
    copied = (await bring(house, cookie, KML.encode(), name="east (1).kml")).json()
    assert (copied["added"], copied["changed"], copied["unchanged"]) == (0, 0, 2)


async def test_a_file_that_says_otherwise_by_now_changes_what_it_brought(house: House) -> None:
    cookie = await house.cookie(Role.ADMIN)
    await bring(house, cookie, KML.encode(), name="east.kml")
    moved = KML.replace("103.82,36.06", "103.83,36.07").encode()
    looked = (await bring(house, cookie, moved, name="east.kml", dry_run=True)).json()
    again = (await bring(house, cookie, moved, name="east.kml")).json()
    for said in (looked, again):
        assert (said["added"], said["changed"], said["unchanged"]) == (0, 1, 1)
    (task,) = (await shown(house, cookie))["tasks"]
    assert task["geometry"]["coordinates"] == [103.83, 36.07]


async def test_a_drone_brought_again_keeps_its_unit_and_its_dock(house: House) -> None:
    cookie = await house.cookie(Role.ADMIN)
    text = "docks: [{dock_id: 7, name: D, lat_deg: 36.05, lon_deg: 103.8}]\nairframes: [{name: A, dock_id: 7, endurance_s: %d}]"
    await bring(house, cookie, (text % 1500).encode(), name="fleet.yaml")
    (drone,) = (await shown(house, cookie))["airframes"]
    item = {name: value for name, value in drone.items() if name != "airframe_id"} | {"unit_id": 5}
    async with house.client(cookie) as client:
        await client.put(f"/api/programme/airframes/{drone['airframe_id']}", json={"item": item})
    again = (await bring(house, cookie, (text % 1800).encode(), name="fleet.yaml")).json()
    assert (again["added"], again["changed"], again["unchanged"]) == (0, 1, 1)
    (after,) = (await shown(house, cookie))["airframes"]
    assert (after["dock_id"], after["unit_id"], after["endurance_s"]) == (drone["dock_id"], 5, 1800)


async def test_what_is_wrong_and_left_out_is_said_in_chinese_too(house: House) -> None:
    cookie = await house.cookie(Role.ADMIN)
    wrong = (await bring(house, cookie, b"<kml><Placemark><Point/></Placemark></kml>", name="a.kml")).json()
    assert wrong["detail_zh"] == "KML 文件，第 1 个地标（placemark 1）：点有 0 个位置"
    empty = (await bring(house, cookie, b"<kml><Placemark/></kml>", name="a.kml", dry_run=True)).json()
    assert empty["notes"] == [
        {
            "en": "placemark 1 (placemark 1): it has no point, line or polygon and was left out",
            "zh": "第 1 个地标（placemark 1）：没有点、线或面，已略去",
        }
    ]


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (b"", "a.kml", "is empty"),
        (b"hello", "a.txt", "of no known kind"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><kml>&x;</kml>', "a.kml", "entities"),
        (b"tasks: [{name_en: A}]", "a.yaml", "tasks 1"),
        (b"x" * ((16 << 20) + 1), "a.kml", "send less"),
    ],
)
async def test_what_is_no_such_file_is_refused_in_words_and_nothing_is_kept(
    house: House, data: bytes, name: str, said: str
) -> None:
    cookie = await house.cookie(Role.ADMIN)
    answer = await bring(house, cookie, data, name=name)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
    assert (await shown(house, cookie))["airframes"] == []


async def test_a_file_with_something_that_cannot_be_is_not_kept_and_says_what(house: House) -> None:
    cookie = await house.cookie(Role.ADMIN)
    found = (await bring(house, cookie, b"airframes: [{name: A, dock_id: 3}]", name="a.yaml")).json()
    assert (found["is_kept"], found["added"]) == (False, 0)
    assert "which does not exist" in found["refusals"][0]["reason_en"]
    assert (await shown(house, cookie))["airframes"] == []


async def test_viewers_bring_nothing_but_may_read_files(house: House) -> None:
    cookie = await house.cookie(Role.VIEWER)
    assert (await bring(house, cookie, KML.encode(), name="a.kml")).status_code == 403
    async with house.client(cookie) as client:
        assert (await client.get("/api/programme/export", params={"format": "geojson"})).status_code == 200


async def test_a_plan_is_written_for_other_tools_and_that_is_audited(
    house: House, module_database: TestDatabase
) -> None:
    cookie = await house.cookie(Role.ADMIN)
    from_us = (SYSTEM_CLOCK.now_us() // HOUR_US + 24) * HOUR_US
    window = {"start_us": from_us, "end_us": from_us + 4 * HOUR_US}
    async with house.client(cookie) as client:
        dock = (
            await client.post("/api/programme/docks", json={"item": {"name": "D", "lat_deg": 36.05, "lon_deg": 103.8}})
        ).json()
        drone = {"name": "A", "dock_id": dock["item_id"], "model": "M30", "unit_id": DRONE}
        await client.post("/api/programme/airframes", json={"item": drone})
        for lon in (103.81, 103.79):
            place = {"type": "Point", "coordinates": [lon, 36.06]}
            item = {
                "name_zh": "点",
                "name_en": "P",
                "kind": "point",
                "geometry": place,
                "windows": [window],
                "revisit_s": 3600,
            }
            await client.post("/api/programme/tasks", json={"item": item})
        wish = {"from_us": from_us, "until_us": from_us + 4 * HOUR_US, "iterations": 20}
        plan = (await client.post("/api/plans", json=wish, timeout=60)).json()["plan"]
        base = f"/api/plans/{plan['plan_id']}/export"
        answers = {
            name: await client.get(base, params={"format": name}) for name in ("kml", "geojson", "gpx", "ics", "plan")
        }
        one = await client.get(base, params={"format": "plan", "sortie_id": plan["sorties"][0]["sortie_id"]})
        none = await client.get(base, params={"format": "plan", "sortie_id": 999})
        report = f"/api/plans/{plan['plan_id']}/report"
        printed = await client.get(report, params={"language": "zh", "sortie_id": plan["sorties"][0]["sortie_id"]})
        tables = [await client.get(report, params={"format": name}) for name in ("csv", "geojson")]
    assert {answer.status_code for answer in answers.values()} == {200}
    assert len(plan["sorties"]) > 1
    with zipfile.ZipFile(io.BytesIO(answers["plan"].content)) as archive:
        assert len(archive.namelist()) == len(plan["sorties"])
    assert qgc_plan.read(one.content).waypoints
    assert none.status_code == 404
    assert printed.headers["content-security-policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert printed.text.startswith("<!doctype html>")
    assert [answer.status_code for answer in tables] == [200, 200]
    async with house.client(await house.cookie(Role.VIEWER, stations=(2,))) as client:
        of_another_station = await client.get(report, params={"format": "csv", "language": "zh"})
    assert "不在您的权限范围" in of_another_station.text
    assert "不在您的权限范围" not in printed.text
    assert "not in your scope" not in tables[0].text
    with psycopg.connect(module_database.owner_url) as connection:
        rows = connection.execute("select subject from audit where action = 'exported'").fetchall()
    assert (f"plan-{plan['plan_id']}.kml",) in rows
