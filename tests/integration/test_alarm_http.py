"""An alarm is handed over and closed over HTTP: by those who act, to those who see it, with a note, audited."""

from pathlib import Path

import psycopg

from console.wire import Role
from tests.conftest import TestDatabase
from tests.console_house import FAR, OFFICER, running


async def test_an_alarm_goes_from_hand_to_hand_and_is_closed_with_a_note(
    database: TestDatabase, tmp_path: Path
) -> None:
    async with running(database, tmp_path) as house:
        cookie = await house.cookie(Role.OPERATOR)
        chief = await house.account(Role.SUPERVISOR)
        stranger = await house.account(Role.OPERATOR, stations=(2,))
        alarm = house.bridge.sos(OFFICER)
        path = f"/api/alarms/{alarm.alarm_id}"
        async with house.client(cookie) as client:
            owners = (await client.get("/api/alarms/owners")).json()["owners"]
            assert {chief.account_id, stranger.account_id} <= {owner["account_id"] for owner in owners}
            wish = {"account_id": chief.account_id, "note": "he knows the place"}
            assert (await client.post(f"{path}/hand-over", json=wish)).status_code == 409
            await client.post(f"{path}/acknowledge")
            elsewhere = await client.post(f"{path}/hand-over", json={"account_id": stranger.account_id})
            assert elsewhere.status_code == 422
            given = (await client.post(f"{path}/hand-over", json=wish)).json()["alarm"]
            assert (given["owner"], given["note"], given["state"]) == (chief.name, "he knows the place", "acknowledged")
            closed = (await client.post(f"{path}/close", json={"note": "found well"})).json()["alarm"]
            assert (closed["state"], closed["note"]) == ("ended", "found well")
            assert (await client.post(f"{path}/close", json={})).status_code == 409
            assert (await client.get("/api/alarms")).json()["alarms"] == []
    with psycopg.connect(database.owner_url) as connection:
        actions = [row[0] for row in connection.execute("select action from audit order by audit_id")]
    assert actions[-3:] == ["alarm_acknowledged", "alarm_handed_over", "alarm_closed"]


async def test_nobody_closes_what_is_out_of_sight_and_nothing_is_closed_that_cannot_be_kept(
    database: TestDatabase, tmp_path: Path
) -> None:
    async with running(database, tmp_path) as house:
        near = await house.cookie(Role.OPERATOR, stations=(1,))
        viewer = await house.cookie(Role.VIEWER)
        alarm = house.bridge.sos(FAR)
        path = f"/api/alarms/{alarm.alarm_id}/close"
        async with house.client(near) as client:
            assert (await client.post(path, json={})).status_code == 404
        async with house.client(viewer) as client:
            assert (await client.post(path, json={})).status_code == 403
        house.bridge.journal_failed = True
        async with house.client(await house.cookie(Role.ADMIN)) as client:
            assert (await client.post(path, json={})).status_code == 503
        assert house.bridge.alarms.open() == [alarm]
