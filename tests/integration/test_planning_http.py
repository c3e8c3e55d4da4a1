"""Planning over HTTP and its process: who may ask, what is answered, what is refused, and what a lost process costs."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from console.api.models_siting import BeatsRequest, SiteKindWanted, SitingRequest
from console.coverage.protocol import StationPlace
from console.planning.protocol import PIPE, BeatsAsked, Ground, Question, SitesAsked
from console.process_worker import MOST_WAITING, ProcessWorker
from console.wire import Role
from telemetry.model.datum import Crs, from_wgs84
from telemetry.model.errors import InputError, NotFoundError, UnavailableError
from tests.conftest import TestDatabase
from tests.console_house import CAR, FAR, OFFICER, House, running
from tests.grid_town import BRIDGE_NAME_EN, grid_town, place_of

TOWN = grid_town()
WITHIN_S = 60.0
PROCESS = "console.planning.process"


@pytest.fixture(name="ground")
def made_ground(tmp_path: Path) -> Ground:
    TOWN.save(tmp_path / "roads.npz")
    return Ground(str(tmp_path), [StationPlace(1, *place_of(TOWN, 22), 1), StationPlace(2, *place_of(TOWN, 77), 2)])


@pytest.fixture(name="worker")
async def started_worker() -> AsyncIterator[ProcessWorker[Question]]:
    worker = ProcessWorker(PROCESS, PIPE)
    yield worker
    await worker.stop()
    assert worker.pid is None


def pid_of(worker: ProcessWorker[Question]) -> int | None:
    return worker.pid


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_the_process_starts_with_the_first_question_and_stays_for_the_next(
    worker: ProcessWorker[Question], ground: Ground
) -> None:
    assert worker.pid is None
    first = await worker.ask(BeatsAsked(ground, BeatsRequest()), within_s=WITHIN_S)
    pid = worker.pid
    assert await worker.ask(BeatsAsked(ground, BeatsRequest()), within_s=WITHIN_S) == first
    assert worker.pid == pid


async def test_what_cannot_be_asked_is_refused_by_its_own_error_and_costs_no_process(
    worker: ProcessWorker[Question], ground: Ground
) -> None:
    with pytest.raises(NotFoundError, match="there is no station 99"):
        await worker.ask(BeatsAsked(ground, BeatsRequest(station_ids=[99])), within_s=WITHIN_S)
    pid = worker.pid
    too_many = SitingRequest(kinds=[SiteKindWanted(kind="station", new_count=99, candidate_count=5)])
    with pytest.raises(InputError, match="99 new sites are wanted"):
        await worker.ask(SitesAsked(ground, too_many), within_s=WITHIN_S)
    assert worker.pid == pid


async def test_a_process_that_dies_is_told_and_the_next_question_starts_another(
    worker: ProcessWorker[Question], ground: Ground
) -> None:
    await worker.ask(BeatsAsked(ground, BeatsRequest()), within_s=WITHIN_S)
    dead = worker.pid
    assert dead is not None
    os.kill(dead, signal.SIGKILL)
    with pytest.raises(UnavailableError, match="ask again, another is started"):
        await worker.ask(BeatsAsked(ground, BeatsRequest()), within_s=WITHIN_S)
    assert await worker.ask(BeatsAsked(ground, BeatsRequest()), within_s=WITHIN_S)
    assert worker.pid != dead


async def test_a_question_that_takes_too_long_or_is_given_up_ends_the_process(
    worker: ProcessWorker[Question], ground: Ground
) -> None:
    await worker.ask(BeatsAsked(ground, BeatsRequest()), within_s=WITHIN_S)
    slow = pid_of(worker)
    with pytest.raises(UnavailableError, match="ask for less, or with more time"):
        await worker.ask(BeatsAsked(ground, BeatsRequest()), within_s=0.0)
    assert pid_of(worker) is None
    assert slow is not None
    assert not is_alive(slow)
    question = asyncio.create_task(worker.ask(BeatsAsked(ground, BeatsRequest()), within_s=WITHIN_S))
    while pid_of(worker) is None:  # noqa: ASYNC110 - the process tells nobody that it starts
        await asyncio.sleep(0.01)
    given_up = pid_of(worker)
    assert given_up is not None
    question.cancel()
    with pytest.raises(asyncio.CancelledError):
        await question
    assert pid_of(worker) is None
    assert not is_alive(given_up)


async def test_too_many_questions_at_once_are_refused_and_the_others_answered(
    worker: ProcessWorker[Question], ground: Ground
) -> None:
    asked = [
        asyncio.create_task(worker.ask(BeatsAsked(ground, BeatsRequest()), within_s=WITHIN_S))
        for _ in range(MOST_WAITING + 1)
    ]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, UnavailableError)]
    assert len(refused) == 1
    assert "planning questions wait already" in str(refused[0])
    assert len({answer for answer in answers if isinstance(answer, bytes)}) == 1


async def test_a_process_without_questions_ends_by_itself(ground: Ground) -> None:
    worker = ProcessWorker(PROCESS, PIPE, idle_s=0.05)
    await worker.ask(BeatsAsked(ground, BeatsRequest()), within_s=WITHIN_S)
    async with asyncio.timeout(10.0):
        while worker.pid is not None:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
    await worker.stop()


# --- HTTP ------------------------------------------------------------------------------------------------------------


@pytest.fixture(name="house")
async def running_house(database: TestDatabase, tmp_path: Path) -> AsyncIterator[House]:
    async with running(database, tmp_path) as house:
        TOWN.save(tmp_path / "city" / "roads.npz")
        registry: Any = house.bridge.registry
        for station, node in zip(list(registry.stations.values()), (22, 77), strict=True):
            lat, lon = place_of(TOWN, node)
            registry.stations[station.station_id] = type(station)(
                station_id=station.station_id,
                number=station.number,
                name_zh="所",
                name_en="Station",
                lat_deg=lat,
                lon_deg=lon,
            )
        for unit_id, node in ((OFFICER, 22), (CAR, 22), (FAR, 77)):
            lat, lon = place_of(TOWN, node)
            house.bridge.move(unit_id, lat_e7=round(lat * 1e7), lon_e7=round(lon * 1e7))
        yield house


@pytest.mark.database
async def test_a_supervisor_plans_over_http(house: House) -> None:
    async with house.client(await house.cookie(Role.SUPERVISOR)) as client:
        client.timeout = WITHIN_S
        sites = (
            (await client.post("/api/siting", json={"kinds": [{"kind": "station", "new_count": 1}]}))
            .raise_for_status()
            .json()
        )
        assert sites["proof"] == "optimal"
        assert len(sites["sites"]) == 1
        beats = (await client.post("/api/beats", json={})).raise_for_status().json()
        assert [beat["station_id"] for beat in beats["beats"]] == [1, 2]
        moves = (await client.get("/api/moveup", params={"drive_limit_s": 900})).raise_for_status().json()
        assert moves["available_count"] == 3
        what_if = {"away_unit_ids": [FAR], "closed": [{"name": BRIDGE_NAME_EN}]}
        both = (await client.post("/api/whatif", json=what_if)).raise_for_status().json()
        assert both["before"]["coverage"]["available_count"] == 3
        assert both["after"]["coverage"]["available_count"] == 2
        assert both["closed"][0]["name_en"] == BRIDGE_NAME_EN


@pytest.mark.database
async def test_coordinates_are_taken_in_the_declared_system_and_another_is_refused(house: House) -> None:
    lat, lon = from_wgs84(*place_of(TOWN, 44), crs=Crs.GCJ02)
    place = {"lat_deg": float(lat), "lon_deg": float(lon)}
    async with house.client(await house.cookie(Role.SUPERVISOR)) as client:
        client.timeout = WITHIN_S
        asked = {"kinds": [{"kind": "post", "candidates": [place], "keep_existing": False}], "crs": "gcj02"}
        site = (await client.post("/api/siting", json=asked)).raise_for_status().json()["sites"][0]
        assert (site["lat_deg"], site["lon_deg"]) == pytest.approx(place_of(TOWN, 44), abs=1e-6)
        closed = {"closed": [place], "stations": [{"station_id": 1, **place}], "crs": "gcj02"}
        both = (await client.post("/api/whatif", json=closed)).raise_for_status().json()
        assert both["closed"][0]["lines"]
        for path, body in (("/api/siting", asked | {"crs": "mars"}), ("/api/whatif", closed | {"crs": "mars"})):
            refused = await client.post(path, json=body)
            assert refused.status_code == 422
            assert "unknown crs 'mars'" in refused.json()["detail"]


@pytest.mark.database
async def test_wrong_questions_get_clear_answers(house: House) -> None:
    far = {"station_id": 1, "lat_deg": 10.0, "lon_deg": 10.0}
    async with house.client(await house.cookie(Role.SUPERVISOR)) as client:
        client.timeout = WITHIN_S
        cases: list[tuple[str, dict[str, Any], int, str]] = [
            (
                "/api/siting",
                {"kinds": [{"kind": "station", "new_count": 9, "candidate_count": 3}]},
                422,
                "are possible",
            ),
            ("/api/siting", {"kinds": [{"kind": "castle"}]}, 422, "kind"),
            ("/api/siting", {"kinds": [{"kind": "post"}], "demand": "people"}, 422, "knows no people"),
            ("/api/whatif", {"stations": [far]}, 422, "from the nearest street"),
            ("/api/whatif", {"closed": [{"name": "No Such Road"}]}, 404, "no street of this map is called"),
            ("/api/whatif", {"away_unit_ids": [4711]}, 404, "no unit 4711"),
            ("/api/beats", {"station_ids": [7]}, 404, "there is no station 7"),
        ]
        for path, body, status, words in cases:
            refused = await client.post(path, json=body)
            assert (refused.status_code, words in refused.json()["detail"]) == (status, True), refused.text
        wrong = await client.get("/api/moveup", params={"busy_ratio": 1.5})
        assert wrong.status_code == 422
        assert "busy_ratio" in wrong.json()["detail"]


@pytest.mark.database
@pytest.mark.parametrize("role", [Role.OFFICER, Role.OPERATOR])
async def test_only_supervisors_and_administrators_plan(house: House, role: Role) -> None:
    cookie = await house.cookie(role, unit_id=OFFICER if role is Role.OFFICER else None)
    async with house.client(cookie) as client:
        for answer in (
            await client.post("/api/siting", json={"kinds": [{"kind": "post"}]}),
            await client.post("/api/beats", json={}),
            await client.get("/api/moveup"),
            await client.post("/api/whatif", json={}),
        ):
            assert answer.status_code == 403, answer.text


@pytest.mark.database
async def test_a_station_s_supervisor_moves_only_own_units(house: House) -> None:
    async with house.client(await house.cookie(Role.SUPERVISOR, stations=(2,))) as client:
        client.timeout = WITHIN_S
        moves = (await client.get("/api/moveup", params={"drive_limit_s": 900})).raise_for_status().json()
        assert {move["unit_id"] for move in moves["moves"]} <= {FAR}
        assert {held["unit_id"] for held in moves["held"]} <= {FAR}
        both = (await client.post("/api/whatif", json={})).raise_for_status().json()
        assert [station["station_id"] for station in both["before"]["coverage"]["stations"]] == [2]
