"""Plans over HTTP: made in a process of their own, kept, approved by another than who submitted, changed by one at a time."""

from typing import Any

import psycopg
import pytest

from console.wire import Role
from infra.clock import SYSTEM_CLOCK
from tests.conftest import TestDatabase
from tests.console_house import House, hello, next_text
from tests.shared_house import emptied_house, shared_house  # noqa: F401 - fixtures

pytestmark = pytest.mark.asyncio(loop_scope="module")
HOUR_US = 3_600_000_000
FROM_US = (SYSTEM_CLOCK.now_us() // HOUR_US + 24) * HOUR_US
WISH = {"from_us": FROM_US, "until_us": FROM_US + 8 * HOUR_US, "effort_s": 0.5, "iterations": 20}


def task(name: str, lon_deg: float) -> dict[str, Any]:
    window = {"start_us": FROM_US + HOUR_US, "end_us": FROM_US + 5 * HOUR_US}
    place = {"type": "Point", "coordinates": [lon_deg, 36.06]}
    return {"name_zh": name, "name_en": name, "kind": "point", "geometry": place, "windows": [window]}


async def make(house: House, cookie: str, **more: Any) -> Any:  # noqa: ANN401 - JSON
    async with house.client(cookie) as client:
        answer = await client.post("/api/plans", json=WISH | more, timeout=60)
    assert answer.status_code == 201, answer.text
    return answer.json()["plan"]


async def to(house: House, cookie: str, plan_id: int, state: str, version: int, reason: str = "") -> Any:  # noqa: ANN401 - an answer
    async with house.client(cookie) as client:
        wish = {"state": state, "version": version, "reason": reason}
        return await client.post(f"/api/plans/{plan_id}/state", json=wish)


async def test_a_plan_is_kept_listed_shown_with_its_programme_and_taken_away(house: House) -> None:
    cookie = await house.cookie(Role.SUPERVISOR)
    plan = await make(house, cookie)
    async with house.client(await house.cookie(Role.VIEWER)) as client:
        listed = (await client.get("/api/plans", params={"from_us": FROM_US, "until_us": FROM_US + 1})).json()["plans"]
        shown = (await client.get(f"/api/plans/{plan['plan_id']}")).json()
        elsewhere = await client.get("/api/plans", params={"from_us": 0, "until_us": 1})
        kept = await client.delete(f"/api/plans/{plan['plan_id']}")
    assert [one["plan_id"] for one in listed] == [plan["plan_id"]]
    assert shown["plan"] == plan
    assert shown["programme"]["zone"] == "Asia/Shanghai"
    assert elsewhere.json()["plans"] == []
    assert kept.status_code == 403
    async with house.client(cookie) as client:
        assert (await client.delete(f"/api/plans/{plan['plan_id']}")).status_code == 200
        assert (await client.get(f"/api/plans/{plan['plan_id']}")).status_code == 404


async def test_what_is_asked_for_is_planned_and_what_cannot_be_done_is_said(house: House) -> None:
    cookie = await house.cookie(Role.SUPERVISOR)
    async with house.client(cookie) as client:
        dock = await client.post(
            "/api/programme/docks", json={"item": {"name": "D", "lat_deg": 36.05, "lon_deg": 103.8}}
        )
        drone = {"name": "A", "dock_id": dock.json()["item_id"]}
        await client.post("/api/programme/airframes", json={"item": drone})
        near = await client.post("/api/programme/tasks", json={"item": task("near", 103.81)})
        far = await client.post("/api/programme/tasks", json={"item": task("far", 105.9)})
    plan = await make(house, cookie)
    assert [sortie["task_ids"] for sortie in plan["sorties"]] == [[near.json()["item_id"]]]
    assert far.json()["item_id"] in {refusal["task_id"] for refusal in plan["refusals"] if not refusal["is_warning"]}


async def test_a_plan_is_mended_for_a_drone_that_is_lost_and_remembers_it(house: House) -> None:
    cookie = await house.cookie(Role.SUPERVISOR)
    async with house.client(cookie) as client:
        place = {"name": "D", "lat_deg": 36.05, "lon_deg": 103.8, "pad_count": 2}
        dock = (await client.post("/api/programme/docks", json={"item": place})).json()["item_id"]
        for name in ("A", "B"):
            await client.post("/api/programme/airframes", json={"item": {"name": name, "dock_id": dock}})
        await client.post("/api/programme/tasks", json={"item": task("near", 103.81)})
        plan = await make(house, cookie)
        lost = plan["sorties"][0]["airframe_id"]
        wish = {"without_airframe_ids": [lost]}
        asked = (await client.post(f"/api/plans/{plan['plan_id']}/what_if", json=wish, timeout=60)).json()["plan"]
        kept = (await client.get(f"/api/plans/{plan['plan_id']}")).json()
        assert kept["plan"] == plan
        mended = await client.post(f"/api/plans/{plan['plan_id']}/repair", json=wish, timeout=60)
        kept = (await client.get(f"/api/plans/{plan['plan_id']}")).json()
    assert mended.json()["plan"]["version"] == 2
    assert {sortie["airframe_id"] for sortie in kept["plan"]["sorties"]}.isdisjoint({lost})
    assert {sortie["airframe_id"] for sortie in asked["sorties"]}.isdisjoint({lost})
    assert [one["is_ready"] for one in kept["programme"]["airframes"] if one["airframe_id"] == lost] == [False]


async def test_a_dry_run_is_not_kept(house: House) -> None:
    cookie = await house.cookie(Role.SUPERVISOR)
    assert (await make(house, cookie, is_kept=False))["plan_id"] == 0


async def test_who_submitted_a_plan_does_not_approve_it(house: House) -> None:
    one, other = await house.cookie(Role.SUPERVISOR), await house.cookie(Role.SUPERVISOR)
    plan_id = (await make(house, one))["plan_id"]
    assert (await to(house, one, plan_id, "published", 1)).status_code == 409
    assert (await to(house, one, plan_id, "submitted", 1)).json()["plan"]["version"] == 2
    own = await to(house, one, plan_id, "approved", 2)
    assert own.status_code == 403
    assert "was submitted by you" in own.json()["detail"]
    assert (await to(house, other, plan_id, "approved", 2)).status_code == 200
    published = await to(house, one, plan_id, "published", 3)
    assert published.json()["plan"]["state"] == "published"
    async with house.client(one) as client:
        assert (await client.delete(f"/api/plans/{plan_id}")).status_code == 404
        shown = (await client.get(f"/api/plans/{plan_id}")).json()
    assert shown["submitted_by"] != shown["approved_by"]


async def test_an_administrator_alone_says_why_and_it_is_written_down(
    house: House, module_database: TestDatabase
) -> None:
    cookie = await house.cookie(Role.ADMIN)
    plan_id = (await make(house, cookie))["plan_id"]
    await to(house, cookie, plan_id, "submitted", 1)
    assert (await to(house, cookie, plan_id, "approved", 2)).status_code == 422
    assert (await to(house, cookie, plan_id, "approved", 2, "nobody else on duty")).status_code == 200
    with psycopg.connect(module_database.owner_url) as connection:
        rows = connection.execute("select detail->>'reason' from audit where action = 'plan_state_set'").fetchall()
    assert ("nobody else on duty",) in rows
    assert (await to(house, cookie, plan_id, "published", 2)).status_code == 409


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"until_us": FROM_US}, "the end after the beginning"),
        ({"until_us": FROM_US + 72 * HOUR_US}, "at most 48 h"),
        ({"effort_s": 600}, "Expected `float` <= 60"),
        ({"colour": 1}, "unknown field"),
    ],
)
async def test_a_period_that_is_none_is_refused(house: House, wish: dict[str, Any], said: str) -> None:
    async with house.client(await house.cookie(Role.ADMIN)) as client:
        answer = await client.post("/api/plans", json=WISH | wish)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]


async def test_operators_and_viewers_make_no_plans(house: House) -> None:
    for role in (Role.OPERATOR, Role.VIEWER):
        async with house.client(await house.cookie(role)) as client:
            assert (await client.post("/api/plans", json=WISH)).status_code == 403
            assert (await client.post("/api/plans/1/repair", json={})).status_code == 403


async def test_browsers_are_told_when_a_plan_changes(house: House) -> None:
    cookie = await house.cookie(Role.SUPERVISOR)
    async with house.socket(await house.cookie(Role.OPERATOR)) as socket:
        await hello(socket)
        plan = await make(house, cookie)
        told = await next_text(socket, "plan_changed")
        assert (told["plan_id"], told["version"], told["state"]) == (plan["plan_id"], 1, "draft")


async def test_a_repair_of_an_old_version_is_refused(house: House) -> None:
    cookie = await house.cookie(Role.SUPERVISOR)
    plan_id = (await make(house, cookie))["plan_id"]
    async with house.client(cookie) as client:
        mended = await client.post(f"/api/plans/{plan_id}/repair", json={"version": 1}, timeout=60)
        late = await client.post(f"/api/plans/{plan_id}/repair", json={"version": 1}, timeout=60)
        asked = await client.post(f"/api/plans/{plan_id}/what_if", json={}, timeout=60)
        stale = await client.post(f"/api/plans/{plan_id}/what_if", json={"version": 1}, timeout=60)
    assert (mended.status_code, mended.json()["plan"]["version"]) == (200, 2)
    assert late.status_code == stale.status_code == 409
    assert "第 2 版" in late.json()["detail_zh"]
    assert asked.json()["plan"]["plan_id"] == 0


async def test_who_mends_a_plan_does_not_approve_what_they_made_of_it(house: House) -> None:
    one, other = await house.cookie(Role.SUPERVISOR), await house.cookie(Role.SUPERVISOR)
    plan_id = (await make(house, one))["plan_id"]
    await to(house, one, plan_id, "submitted", 1)
    mended = await mend(house, other, plan_id, {})
    assert (mended["state"], mended["version"]) == ("submitted", 3)
    assert (await to(house, other, plan_id, "approved", 3)).status_code == 403
    assert (await to(house, one, plan_id, "approved", 3)).status_code == 200


async def test_an_approved_plan_stays_so_when_a_priority_changes_and_waits_again_when_it_gets_a_task(
    house: House,
) -> None:
    one, other = await house.cookie(Role.SUPERVISOR), await house.cookie(Role.SUPERVISOR)
    plan_id = (await make(house, one))["plan_id"]
    await to(house, one, plan_id, "submitted", 1)
    await to(house, other, plan_id, "approved", 2)
    assert (await mend(house, one, plan_id, {"priorities": {"1": 9}}))["state"] == "approved"
    new = task("smuggled in", 103.81) | {"task_id": 77}
    assert (await mend(house, one, plan_id, {"tasks": [new]}))["state"] == "submitted"
    assert (await to(house, one, plan_id, "approved", 5)).status_code == 403
    assert (await to(house, other, plan_id, "approved", 5)).status_code == 200


async def test_a_plan_is_not_mended_as_of_a_time_that_cannot_be(house: House) -> None:
    cookie = await house.cookie(Role.SUPERVISOR)
    plan_id = (await make(house, cookie))["plan_id"]
    async with house.client(cookie) as client:
        for now_us, said in ((1, "is past"), (-1, "is past"), (10**18, "UTC microseconds")):
            answer = await client.post(f"/api/plans/{plan_id}/repair", json={"now_us": now_us}, timeout=60)
            assert answer.status_code == 422, answer.text
            assert said in answer.json()["detail"]


async def mend(house: House, cookie: str, plan_id: int, change: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    async with house.client(cookie) as client:
        answer = await client.post(f"/api/plans/{plan_id}/repair", json=change, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()["plan"]
