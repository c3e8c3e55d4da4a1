"""The coverage worker answers, survives its own death and leaves with its parent."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from console.coverage.protocol import IncidentsTold, LeavingAnswer, LeavingAsked, UnitColumns
from console.coverage.units import available_units, crews, silent
from console.coverage.worker import CoverageWorker, hour_of_week
from infra.clock import SYSTEM_CLOCK
from mission.roads.graph import ACCESS_ALL, RoadGraph
from mission.roads.travel import GROUND_MODES, TravelMode
from telemetry.model.errors import UnavailableError
from telemetry.model.unit import DutyStatus, LinkState, Service, Station, Unit, UnitKind
from telemetry.model.unit_state import DUTY_STATUSES, LINK_STATES, UNIT_STATE, UnitBit, UnitStates
from tests.conftest import FakeClock


@pytest.fixture
def city(tmp_path: Path) -> Path:
    """A folder with a straight two-way street of 10 nodes, 400 m apart, driven at 10 m/s."""
    lon = 103.8 + np.arange(10) * 0.00443
    forward, length = np.arange(9, dtype=np.int32), np.full(18, 400.0)
    graph = RoadGraph(
        node_lat_deg=np.full(10, 36.0),
        node_lon_deg=np.asarray(lon, np.float64),
        edge_from=np.concatenate((forward, forward + 1)).astype(np.int32),
        edge_to=np.concatenate((forward + 1, forward)).astype(np.int32),
        edge_length_m=length,
        edge_seconds=length / 10.0,
        edge_class=np.zeros(18, np.int8),
        edge_access=np.full(18, ACCESS_ALL, np.uint8),
        edge_way=np.zeros(18, np.int32),
        way_name_zh=np.array([""]),
        way_name_en=np.array([""]),
        way_oneway=np.zeros(1, np.bool_),
        way_bridge=np.zeros(1, np.bool_),
    )
    graph.save(tmp_path / "roads.npz")
    return tmp_path


STATIONS = (
    Station(station_id=7, number=1, name_zh="", name_en="", lat_deg=36.0, lon_deg=103.8, ring_order=1),
    Station(station_id=9, number=2, name_zh="", name_en="", lat_deg=36.0, lon_deg=103.8 + 9 * 0.00443, ring_order=2),
)
EMPTY = UnitColumns()


def columns(*units: tuple[int, int, float]) -> UnitColumns:
    """Cars: unit id, station id, how many nodes along the street."""
    return UnitColumns(
        unit_id=[unit[0] for unit in units],
        station_id=[unit[1] for unit in units],
        lat_deg=[36.0] * len(units),
        lon_deg=[103.8 + unit[2] * 0.00443 for unit in units],
        mode=[0] * len(units),
    )


class QuietHour:
    """A clock that stands in the night, by the machine's own zone: by day the roads are slower in some hours."""

    def __init__(self) -> None:
        hours = (1_790_000_000_000_000 + 3_600_000_000 * hour for hour in range(24))
        self._now_us = next(now_us for now_us in hours if hour_of_week(now_us) % 24 == 3)

    def now_us(self) -> int:
        """Return the set time."""
        return self._now_us

    def monotonic_s(self) -> float:
        """Return the real monotonic time."""
        return SYSTEM_CLOCK.monotonic_s()


@pytest.fixture
async def worker(city: Path) -> AsyncIterator[CoverageWorker]:
    worker = CoverageWorker(city, STATIONS, QuietHour())
    yield worker
    await worker.stop()
    assert worker.pid is None


async def test_a_tick_tells_shares_now_and_as_planned_the_ring_and_contours(worker: CoverageWorker) -> None:
    assert worker.latest() is None
    await worker.tell_crews(columns((1, 7, 0), (2, 9, 0)))
    told = await worker.tick(columns((1, 7, 0)), silent=[2])
    assert told.shares == pytest.approx([600 / 3600, 1800 / 3600, 3000 / 3600], rel=1e-3)
    assert told.plan == pytest.approx([1200 / 3600, 1.0, 1.0], rel=1e-3)
    assert [(entry.station_id, entry.on_duty, entry.crew) for entry in told.stations] == [(7, 1, 1), (9, 0, 1)]
    assert [entry.missing_unit_ids for entry in told.stations] == [[], [2]]
    assert (told.available_count, told.off_map_count) == (1, 0)
    assert told.people_shares is None
    assert told.response_p50_s is not None
    assert told.ring is not None
    assert [(link.from_station_id, link.to_station_id, link.closed) for link in told.ring.links] == [(7, 9, False)]
    assert worker.latest() is told
    contours = worker.contours(frozenset())
    assert contours
    assert {contour.minutes for contour in contours} >= {3, 5}


async def test_both_ends_close_the_ring_and_each_units_leaving_is_told(worker: CoverageWorker) -> None:
    told = await worker.tick(columns((1, 7, 1), (2, 9, 8)))
    assert told.ring is not None
    assert told.ring.closed
    losses = await worker.ask(LeavingAsked([2, 77]))
    assert isinstance(losses, LeavingAnswer)
    assert [loss.unit_id for loss in losses.losses] == [2], "77 does not count now"
    assert losses.losses[0].opens_ring == [7, 9]
    assert losses.losses[0].loss_ratio == pytest.approx(1400 / 3600, rel=1e-2)
    assert [loss.unit_id for loss in worker.losses()] == [1, 2]


async def test_a_limited_account_gets_contours_and_gaps_of_its_zones_alone(worker: CoverageWorker) -> None:
    scope = frozenset({9})
    worker.watch([scope, frozenset()])
    await worker.tick(columns((1, 7, 0)))
    cover, contours = worker.scope(scope), worker.contours(scope)
    assert cover is not None
    assert contours
    zone_begins_deg = 103.8 + 4.5 * 0.00443
    lons = [lon for contour in contours for ring in contour.polygon for lon, _ in ring]
    assert min(lons) > zone_begins_deg - 0.001
    assert worker.contours(frozenset({7})) is None
    worker.watch([frozenset()])
    await worker.tick(columns((1, 7, 0)))
    assert worker.scope(scope) is None
    assert worker.contours(scope) is None


async def test_zero_units_and_units_off_the_map_are_answers_too(worker: CoverageWorker) -> None:
    told = await worker.tick(EMPTY)
    assert told.shares == [0.0, 0.0, 0.0]
    assert told.response_p50_s is None
    lost = UnitColumns(unit_id=[5], station_id=[-1], lat_deg=[30.0], lon_deg=[103.8], mode=[0])
    told = await worker.tick(lost)
    assert (told.available_count, told.off_map_count) == (0, 1)


async def test_columns_of_unequal_length_are_refused_and_the_process_lives_on(worker: CoverageWorker) -> None:
    await worker.tick(EMPTY)
    first = worker.pid
    with pytest.raises(UnavailableError, match="differ in length"):
        await worker.tick(UnitColumns(unit_id=[5], station_id=[-1], lat_deg=[], lon_deg=[103.8], mode=[0]))
    with pytest.raises(UnavailableError, match="allowed are 0 to"):
        await worker.tick(UnitColumns(unit_id=[5], station_id=[-1], lat_deg=[36.0], lon_deg=[103.8], mode=[50]))
    with pytest.raises(UnavailableError, match="differ in length"):
        await worker.tell_incidents(IncidentsTold([36.0], [], []))
    await worker.tick(EMPTY)
    assert worker.pid == first


async def test_a_city_without_roads_is_told_and_asked_for_again(tmp_path: Path) -> None:
    worker = CoverageWorker(tmp_path / "none", STATIONS, SYSTEM_CLOCK)
    try:
        for _ in range(2):
            with pytest.raises(UnavailableError, match="skybeat roads import"):
                await worker.tick(EMPTY)
            assert worker.pid is None
    finally:
        await worker.stop()


async def test_past_incidents_weigh_and_other_stations_start_another_process(worker: CoverageWorker) -> None:
    assert (await worker.tick(columns((1, 7, 0)))).incident_shares is None
    await worker.tell_incidents(IncidentsTold([36.0, 36.0], [103.8, 103.8 + 9 * 0.00443], [0, 1]))
    assert (await worker.tick(columns((1, 7, 0)))).incident_shares == [0.5, 0.5, 0.5]
    first = worker.pid
    await worker.tell_stations(STATIONS[:1])
    told = await worker.tick(columns((1, 7, 0)))
    assert worker.pid != first
    assert [entry.station_id for entry in told.stations] == [7]
    assert told.ring is None
    assert told.incident_shares == [0.5, 0.5, 0.5], "a process that is started anew knows them too"


async def test_planned_contours_and_ring_ways_are_geojson(worker: CoverageWorker) -> None:
    planned = json.loads(await worker.planned())
    keys = [(f["properties"]["station_id"], f["properties"]["minutes"]) for f in planned["features"]]
    assert keys == [(station, minutes) for station in (7, 9, None) for minutes in (5, 3, 1)]
    ways = json.loads(await worker.ring_ways())
    assert [feature["geometry"]["type"] for feature in ways["features"]] == ["LineString"]


async def test_the_last_hour_is_kept_and_survives_a_clock_that_jumps(city: Path, fake_clock: FakeClock) -> None:
    worker = CoverageWorker(city, STATIONS, fake_clock)
    try:
        for _ in range(4):
            await worker.tick(EMPTY)
            fake_clock.advance(10)
        assert len(worker.trend()) == 4
        fake_clock.step(-25)
        await worker.tick(EMPTY)
        times = [at_ms for at_ms, _ in worker.trend()]
        assert times == sorted(times)
        assert times[-1] <= fake_clock.now_us() / 1000
        fake_clock.step(86_400)
        assert (await worker.tick(EMPTY)).at_ms == fake_clock.now_us() / 1000
    finally:
        await worker.stop()


async def test_a_killed_process_is_started_again_by_the_next_question(worker: CoverageWorker) -> None:
    await worker.tick(EMPTY)
    first = worker.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    with pytest.raises(UnavailableError):
        await worker.tick(EMPTY)
    assert (await worker.tick(columns((1, 7, 0)))).available_count == 1
    assert worker.pid not in (None, first)


async def test_an_abandoned_question_does_not_leave_its_answer_to_the_next(worker: CoverageWorker) -> None:
    await worker.tick(EMPTY)
    asking = asyncio.create_task(worker.planned())
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert (await worker.tick(columns((1, 7, 0)))).available_count == 1


async def test_it_tells_each_second_and_goes_on_after_a_kill(worker: CoverageWorker) -> None:
    ticks: asyncio.Queue[None] = asyncio.Queue()

    def units() -> tuple[UnitColumns, list[int]]:
        ticks.put_nowait(None)
        return columns((1, 7, 0)), []

    async def nothing() -> None:
        return

    task = asyncio.create_task(worker.run(units, before=nothing, every_s=0.05))
    try:
        for _ in range(2):
            await ticks.get()
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        while not ticks.empty():
            ticks.get_nowait()
        async with asyncio.timeout(30):
            for _ in range(3):
                await ticks.get()
        assert worker.latest() is not None
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_the_process_leaves_when_its_parent_is_killed(city: Path) -> None:
    program = textwrap.dedent(f"""
        import asyncio, numpy as np
        from pathlib import Path
        from console.coverage.worker import CoverageWorker
        from infra.clock import SYSTEM_CLOCK
        async def main():
            worker = CoverageWorker(Path({str(city)!r}), (), SYSTEM_CLOCK)
            await worker.start()
            print(worker.pid, flush=True)
            await asyncio.sleep(60)
        asyncio.run(main())
    """)
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    descriptor = os.pidfd_open(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    import select

    readable, _, _ = select.select([descriptor], [], [], 10)
    os.close(descriptor)
    assert readable, "the worker outlived its parent"


def unit(unit_id: int, kind: UnitKind, *, covert: bool = False, duty_status: DutyStatus = DutyStatus.FREE) -> Unit:
    return Unit(
        unit_id=unit_id,
        call_sign=f"U{unit_id}",
        kind=kind,
        service=Service.PATROL,
        duty_status=duty_status,
        station_id=8,
        covert=covert,
    )


def heard(count: int) -> UnitStates:
    states = np.zeros(count, UNIT_STATE)
    states["unit_id"] = np.arange(count)
    states["observed_us"] = 1
    states["duty"] = DUTY_STATUSES.index(DutyStatus.FREE)
    states["link"] = LINK_STATES.index(LinkState.LIVE)
    states["lat_e7"], states["lon_e7"] = 360000000, 1038000000
    return states


def test_only_units_that_may_be_sent_over_the_roads_count() -> None:
    states = heard(7)
    states["observed_us"][5] = 0
    states["duty"][1] = DUTY_STATUSES.index(DutyStatus.ENGAGED)
    states["link"][2] = LINK_STATES.index(LinkState.LOST)
    states["lon_e7"][6] = np.iinfo(np.int32).min
    kinds = {3: UnitKind.DRONE, 4: UnitKind.OFFICER}
    units = {number: unit(number, kinds.get(number, UnitKind.CAR)) for number in range(7)}
    told = available_units(states, units)
    assert told.unit_id == [0, 4]
    assert told.lat_deg == pytest.approx([36.0, 36.0])
    assert told.lon_deg == pytest.approx([103.8, 103.8])
    assert told.station_id == [8, 8]
    assert [GROUND_MODES[mode] for mode in told.mode] == [TravelMode.CAR, TravelMode.FOOT]


def test_a_covert_unit_shows_in_no_share_no_count_and_no_crew() -> None:
    states = heard(3)
    states["state"][1] = int(UnitBit.COVERT)
    units = {0: unit(0, UnitKind.CAR), 1: unit(1, UnitKind.CAR)}
    units[2] = unit(2, UnitKind.CAR, covert=True, duty_status=DutyStatus.OFF_DUTY)
    assert available_units(states, units).unit_id == [0]
    assert crews(units.values()).unit_id == [0, 1]


def test_hours_of_the_week_are_local_and_count_from_monday() -> None:
    assert 0 <= hour_of_week(1_790_000_000_000_000) < 168
    assert (hour_of_week(3_600_000_000) - hour_of_week(0)) % 168 == 1


def test_a_crew_is_who_is_on_duty_rooms_apart_and_the_silent_are_those_of_it_not_heard_lately() -> None:
    states = heard(4)
    states["link"][1] = LINK_STATES.index(LinkState.LOST)
    units = {
        0: unit(0, UnitKind.CAR),
        1: unit(1, UnitKind.OFFICER, duty_status=DutyStatus.ENGAGED),
        2: unit(2, UnitKind.CAR, duty_status=DutyStatus.OFF_DUTY),
        3: unit(3, UnitKind.MOBILE_ROOM),
        9: unit(9, UnitKind.MOTORCYCLE),
    }
    on_duty = crews(units.values()).unit_id
    assert on_duty == [0, 1, 9]
    assert silent(states, on_duty) == [1, 9]
