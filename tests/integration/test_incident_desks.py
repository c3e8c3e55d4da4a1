"""Two consoles on one database: each sees the other's changes, neither overwrites, one unit goes to one place; rows by scope."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from click.testing import CliRunner
from psycopg_pool import AsyncConnectionPool

from console.auth.policy import Scope
from console.commands.incident import command
from console.incidents.desk import TRACK_ACTOR, Actor, IncidentDesk
from console.incidents.file_import import import_incidents
from console.incidents.follow import IncidentFollower
from console.incidents.past import PastIncidents
from console.wire import Role
from infra.clock import SYSTEM_CLOCK
from infra.database import SERVICE, app_pool, scoped
from infra.database import Scope as DatabaseScope
from mission.calls import store
from mission.calls.dispatch import VersionConflictError
from mission.calls.errand import By
from mission.calls.incident import DispatchState, Draft, Incident, IncidentState
from mission.calls.incident_file import parse_incident_file
from telemetry.model.errors import ConflictError, NotFoundError, UnavailableError
from tests.conftest import TestDatabase
from tests.console_house import CAR, COVERT, FAR, OFFICER, SmallBridge, contents

OPERATOR = Actor(by=By(name="li", account_id=1), scope=Scope(Role.OPERATOR))
SUPERVISOR = Actor(by=By(name="wang", account_id=2), scope=Scope(Role.SUPERVISOR))
NOW_US = SYSTEM_CLOCK.now_us()


def draft(ref: str = "1", **more: Any) -> Draft:  # noqa: ANN401 - fields of Draft
    said: dict[str, Any] = {"sha256": bytes(32), "title": "t", "station_id": 1, "reported_us": NOW_US}
    return Draft(source="console", source_ref=ref, **(said | more))


@pytest.fixture
def force(database: TestDatabase) -> TestDatabase:
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("insert into station (station_id, number, lat_e7, lon_e7) values (1, 1, 0, 0), (2, 2, 0, 0)")
        for unit in contents().units:
            owner.execute(
                "insert into unit (unit_id, call_sign, kind, service, duty_status, station_id, covert)"
                " values (%s, %s, %s, %s, %s, %s, %s)",
                (unit.unit_id, unit.call_sign, unit.kind, unit.service, unit.duty_status, unit.station_id, unit.covert),
            )
    return database


@pytest.fixture
async def pools(force: TestDatabase) -> AsyncIterator[tuple[AsyncConnectionPool, AsyncConnectionPool]]:
    async with app_pool(force.app_url) as one, app_pool(force.app_url) as other:
        yield one, other


@pytest.fixture
def desks(pools: Sequence[AsyncConnectionPool]) -> tuple[IncidentDesk, IncidentDesk]:
    first, second = (IncidentDesk(pool, SYSTEM_CLOCK, SmallBridge()) for pool in pools)
    return first, second


async def opened(desk: IncidentDesk, ref: str = "1", **more: Any) -> Incident:  # noqa: ANN401 - fields of Draft
    incident, created = await desk.create(draft(ref, **more), OPERATOR)
    assert created
    return incident


async def until(follower: IncidentFollower, seq: int) -> None:
    async with asyncio.timeout(8):
        while follower.board.seq < seq:  # noqa: ASYNC110 - the notice comes by the database
            await asyncio.sleep(0.01)


async def test_each_console_hears_of_the_others_changes_at_once_and_in_order(
    desks: tuple[IncidentDesk, IncidentDesk],
) -> None:
    here, there = desks
    heard: list[int] = []
    there.follower.on_change(lambda news: heard.extend(one.change_seq for one in news))
    following = asyncio.create_task(there.follower.run())
    try:
        incident = await opened(here)
        for version in range(1, 6):
            incident = await here.edit(incident.incident_id, version, {"title": f"v{version}"}, OPERATOR)
        await until(there.follower, incident.change_seq)
    finally:
        following.cancel()
        await asyncio.wait((following,))
    assert there.board.get(incident.incident_id) == here.board.get(incident.incident_id) == incident
    assert heard == sorted(heard)
    assert heard[-1] == incident.change_seq


async def test_of_two_desks_editing_at_once_one_wins_and_the_other_is_told_the_version_and_what_changed(
    desks: tuple[IncidentDesk, IncidentDesk],
) -> None:
    for round_number in range(10):
        incident = await opened(desks[0], f"race-{round_number}")
        done = await asyncio.gather(
            desks[0].edit(incident.incident_id, 1, {"title": "one"}, OPERATOR),
            desks[1].edit(incident.incident_id, 1, {"text": "two"}, SUPERVISOR),
            return_exceptions=True,
        )
        refused = [one for one in done if isinstance(one, VersionConflictError)]
        kept = [one for one in done if isinstance(one, Incident)]
        assert (len(refused), len(kept)) == (1, 1)
        assert "stands at version 2" in str(refused[0])
        now = await desks[0].read(incident.incident_id, OPERATOR)
        assert (now.title, now.text) in {("one", ""), ("t", "two")}


async def test_one_unit_is_sent_to_one_place_however_many_ask_at_once(
    desks: tuple[IncidentDesk, IncidentDesk], force: TestDatabase
) -> None:
    incidents = [await opened(desks[0], f"call-{number}") for number in range(6)]
    done = await asyncio.gather(
        *(
            desks[number % 2].dispatch(incident.incident_id, 1, [CAR], OPERATOR)
            for number, incident in enumerate(incidents)
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(one, Incident) for one in done) == 1
    assert sum(isinstance(one, ConflictError) for one in done) == 5
    with psycopg.connect(force.owner_url) as owner:
        assert owner.execute("select count(*) from dispatch").fetchone() == (1,)
        with pytest.raises(psycopg.errors.UniqueViolation):
            owner.execute(
                "insert into dispatch (incident_id, unit_id, state, sent_by, queued_at) values (%s, %s, 'queued', '', now())",
                (incidents[5].incident_id, CAR),
            )


async def test_change_numbers_come_in_the_order_of_commits_whoever_writes(
    desks: tuple[IncidentDesk, IncidentDesk], pools: Sequence[AsyncConnectionPool]
) -> None:
    watcher = IncidentFollower(pools[1], SYSTEM_CLOCK)
    await watcher.refresh()
    missed: list[int] = []

    async def watch() -> None:
        seen = 0
        while True:
            await watcher.refresh()
            missed.extend(one.change_seq for one in watcher.board.all() if one.change_seq > watcher.board.seq)
            assert watcher.board.seq >= seen
            seen = watcher.board.seq
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    await asyncio.gather(*(opened(desks[number % 2], f"n-{number}") for number in range(40)))
    watching.cancel()
    await asyncio.wait((watching,))
    await watcher.refresh()
    assert missed == []
    assert len(watcher.board.all()) == 40
    assert len({one.number for one in watcher.board.all()}) == 40


async def test_the_board_is_what_the_database_holds_after_everything_that_happened(
    desks: tuple[IncidentDesk, IncidentDesk], pools: Sequence[AsyncConnectionPool]
) -> None:
    here, there = desks
    incident = await here.dispatch((await opened(here)).incident_id, 1, [CAR, OFFICER], OPERATOR)
    car, officer = (sent.dispatch_id for sent in incident.dispatches)
    officer_actor = Actor(by=By(name="zhao", account_id=9), scope=Scope(Role.OFFICER, unit_id=OFFICER))
    await there.answer(officer, "accepted", officer_actor, at_us=NOW_US)
    with pytest.raises(NotFoundError):
        await there.answer(car, "accepted", officer_actor)
    await here.answer(car, "sent", TRACK_ACTOR, channel="page")
    await there.answer(officer, "arrived", TRACK_ACTOR)
    again = await there.answer(officer, "arrived", TRACK_ACTOR)
    await here.recall(incident.incident_id, car, SUPERVISOR, reason="enough")
    done = await here.answer(officer, "cleared", officer_actor)
    assert done.state is IncidentState.CLEARED
    assert done.version == 3, "opened, sent, recalled: answers are no decisions"
    assert again.dispatches[1].state is DispatchState.ARRIVED
    await there.follower.refresh()
    async with scoped(pools[0], SERVICE) as connection:
        kept = await store.find_incident(connection, incident.incident_id)
        entries = await store.entries_of(connection, incident.incident_id)
    assert here.board.get(incident.incident_id) == there.board.get(incident.incident_id) == kept == done
    assert [entry.action for entry in entries] == [
        *("created", "dispatched", "dispatched", "accepted", "sent", "arrived", "recalled", "cleared"),
    ]
    assert entries[5].account_name == "track"


async def test_rows_are_shown_by_scope_and_an_officer_sees_what_it_was_sent_to_alone(
    desks: tuple[IncidentDesk, IncidentDesk], pools: Sequence[AsyncConnectionPool]
) -> None:
    desk = desks[0]
    own = await opened(desk, "own")
    await desk.dispatch(own.incident_id, 1, [OFFICER], OPERATOR)
    await desk.dispatch(own.incident_id, 2, [COVERT], SUPERVISOR)
    other = await opened(desk, "other", station_id=2)
    placeless = await opened(desk, "placeless", station_id=None)
    everything = {own.incident_id, other.incident_id, placeless.incident_id}
    cases: list[tuple[DatabaseScope, set[int], set[int]]] = [
        (DatabaseScope(account_role=""), set(), set()),
        (DatabaseScope(account_role="hacker"), set(), set()),
        (DatabaseScope(account_role="officer", unit_id=OFFICER), {own.incident_id}, {OFFICER}),
        (DatabaseScope(account_role="officer", unit_id=FAR), set(), set()),
        (DatabaseScope(account_role="officer"), set(), set()),
        (DatabaseScope(account_role="viewer", station_ids=(1,)), {own.incident_id}, {OFFICER}),
        (DatabaseScope(account_role="operator"), everything, {OFFICER}),
        (DatabaseScope(account_role="supervisor", station_ids=(1,)), {own.incident_id}, {OFFICER, COVERT}),
        (DatabaseScope(account_role="supervisor", station_ids=(2,)), {other.incident_id}, set()),
        (DatabaseScope(account_role="admin"), everything, {OFFICER, COVERT}),
        (SERVICE, everything, {OFFICER, COVERT}),
    ]
    for scope, incidents, units in cases:
        async with scoped(pools[0], scope) as connection:
            rows = await (await connection.execute("select incident_id from incident")).fetchall()
            sent = await (await connection.execute("select unit_id from dispatch")).fetchall()
            entries = await (await connection.execute("select distinct unit_id from incident_entry")).fetchall()
            keys = await (await connection.execute("select 1 from incident_day")).fetchall()
        assert {row[0] for row in rows} == incidents, scope
        assert {row[0] for row in sent} == units, scope
        assert {row[0] for row in entries} - {None} <= units, scope
        assert bool(keys) is (scope is SERVICE)


@pytest.mark.parametrize(
    "attack",
    [
        "update incident set title = 'x'",
        "update dispatch set state = 'cleared'",
        "insert into incident_entry (incident_id, version, at, account_name, action) values (1, 1, now(), '', 'x')",
        "delete from incident_entry",
        "delete from incident",
        "insert into agency (name_zh, name_en) values ('x', 'y')",
        "insert into intake_key (label, token_sha256, created_at) values ('x', decode(repeat('00', 32), 'hex'), now())",
        "select setval('incident_change_sequence', 1)",
    ],
)
async def test_nobody_but_the_desk_writes_and_nobody_rewrites_history(
    desks: tuple[IncidentDesk, IncidentDesk], pools: Sequence[AsyncConnectionPool], force: TestDatabase, attack: str
) -> None:
    incident = await opened(desks[0])
    before = await desks[0].read(incident.incident_id, SUPERVISOR)
    for role in ("officer", "operator", "admin", ""):
        try:
            async with scoped(pools[0], DatabaseScope(account_role=role, unit_id=OFFICER)) as connection:
                changed = (await connection.execute(attack)).rowcount
        except psycopg.errors.InsufficientPrivilege:
            continue
        assert changed == 0, "row policies let nothing through"
    assert await desks[0].read(incident.incident_id, SUPERVISOR) == before
    with psycopg.connect(force.owner_url) as owner, pytest.raises(psycopg.errors.InsufficientPrivilege):
        owner.execute("delete from incident_entry")


async def test_a_database_that_is_away_is_said_so_and_the_board_stands(
    desks: tuple[IncidentDesk, IncidentDesk], pools: Sequence[AsyncConnectionPool]
) -> None:
    incident = await opened(desks[0])
    await pools[0].close()
    with pytest.raises((UnavailableError, psycopg.Error)):
        await desks[0].edit(incident.incident_id, 1, {"title": "x"}, OPERATOR)
    assert desks[0].board.get(incident.incident_id) == incident


async def test_what_was_written_before_the_database_went_away_is_not_told_as_refused(
    desks: tuple[IncidentDesk, IncidentDesk], monkeypatch: pytest.MonkeyPatch
) -> None:
    incident = await opened(desks[0])

    async def away() -> None:
        raise UnavailableError("the database went away after the commit")

    with monkeypatch.context() as broken:
        broken.setattr(desks[0].follower, "refresh", away)
        after = await desks[0].dispatch(incident.incident_id, 1, [CAR], OPERATOR)
        _, is_new = await desks[0].create(draft("2"), OPERATOR)
    assert (after.state, is_new) == (IncidentState.OFFERED, True)
    await desks[0].follower.refresh()
    assert desks[0].board.get(incident.incident_id) == after


async def test_nobody_queues_behind_others_for_a_database_that_does_not_answer(
    desks: tuple[IncidentDesk, IncidentDesk], force: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit in ("ANSWER_WITHIN_S", "TURN_WITHIN_S"):
        monkeypatch.setattr(f"console.incidents.desk.{limit}", 0.4)
    began_s = SYSTEM_CLOCK.monotonic_s()
    with psycopg.connect(force.owner_url) as stalled:
        stalled.execute("select pg_advisory_xact_lock(%s)", (store._LOCK_KEY,))
        calls = [desks[0].create(draft(str(ref)), OPERATOR) for ref in range(8)]
        answers = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(answer) for answer in answers} == {UnavailableError}
    assert SYSTEM_CLOCK.monotonic_s() - began_s < 2.4, "eight one after another would take 3.2 s"
    await desks[0].create(draft(), OPERATOR)


FILE = (
    "source_ref,title,urgency,lat_deg,lon_deg,reported_at,closed_at\n"
    "a-1,Fight,1,36.05,103.8,2026-09-01T08:00:00+08:00,2026-09-01T08:20:00+08:00\n"
    "a-2,Open,2,,,2026-09-02T08:00:00+08:00,\n"
)


async def test_a_file_is_brought_once_and_a_changed_line_stops_it_all(
    force: TestDatabase, pools: Sequence[AsyncConnectionPool]
) -> None:
    async def bring(text: str, *, is_dry: bool = False) -> tuple[int, int, list[int]]:
        parsed = parse_incident_file(text.encode(), now_us=NOW_US)
        report = await import_incidents(force.owner_url, parsed, now_us=NOW_US, is_dry=is_dry)
        return report.added_count, report.known_count, [problem.line for problem in report.problems]

    assert await bring(FILE, is_dry=True) == (2, 0, [])
    assert await bring(FILE) == (2, 0, [])
    assert await bring(FILE) == (0, 2, [])
    changed = FILE.replace("Fight", "Flood") + "a-3,New,1,,,,\n"
    assert (await bring(changed))[2] == [2]
    with psycopg.connect(force.owner_url) as owner:
        rows = owner.execute("select number, state, station_id is null from incident order by incident_id").fetchall()
    assert rows == [("JQ-0901-0001", "cleared", True), ("JQ-0902-0001", "new", True)]
    told = await PastIncidents(pools[0], SYSTEM_CLOCK).told()
    assert told is None or len(told.lat_deg) == 1


def test_the_command_adds_keys_and_agencies_and_brings_files(
    force: TestDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = psycopg.conninfo.conninfo_to_dict(force.owner_url)
    pairs = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in parts.items() if name != "dbname")
    monkeypatch.setenv("SKYBEAT_DATABASE_URL", f"postgresql:///{parts['dbname']}?{pairs}")
    monkeypatch.setenv("SKYBEAT_DATA_DIR", str(tmp_path))
    (tmp_path / "calls.csv").write_text(FILE)

    def run(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(command, words)
        return result.exit_code, result.output + (str(result.exception) if result.exception else "")

    assert "2 new, 0 known, 1 of the new without a place" in run("import", str(tmp_path / "calls.csv"))[1]
    assert "0 new, 2 known" in run("import", str(tmp_path / "calls.csv"))[1]
    (tmp_path / "wrong.csv").write_text("source_ref,title\n,x\n")
    code, said = run("import", str(tmp_path / "wrong.csv"))
    assert (code, "line 2" in said, "nothing was written" in said) == (1, True, True)
    assert "token (shown this once): skbi_" in run("key", "add", "centre")[1]
    assert "whsec_" in run("key", "add", "app", "--webhook")[1]
    assert "already" in run("key", "add", "centre")[1]
    assert "is revoked" in run("key", "revoke", "centre")[1]
    assert "no intake key" in run("key", "revoke", "nobody")[1]
    assert "2 keys" in run("key", "list")[1]
    assert "agency 1 added" in run("agency", "add", "--zh", "消防", "--en", "Fire brigade", "--phone", "119")[1]
    assert "消防 / Fire brigade" in run("agency", "list")[1]
