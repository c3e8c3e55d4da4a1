"""The coverage worker answers, survives its own death and leaves with its parent."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from console.coverage_worker import CoverageWorker, available_positions
from infra.clock import SYSTEM_CLOCK
from mission.coverage import Coverage
from mission.roads import ACCESS_ALL, RoadGraph, load_roads
from telemetry.model.errors import UnavailableError
from telemetry.model.unit import DutyStatus, LinkState, Station, UnitKind
from telemetry.model.unit_state import DUTY_STATUSES, LINK_STATES, UNIT_STATE, UnitBit

WALKS = np.zeros(1, np.bool_)


@pytest.fixture
def roads(tmp_path: Path) -> Path:
    """A straight two-way street of 10 nodes, 400 m apart, driven at 10 m/s."""
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
    return tmp_path / "roads.npz"


STATIONS = (
    Station(station_id=7, number=1, name_zh="", name_en="", lat_deg=36.0, lon_deg=103.8),
    Station(station_id=9, number=2, name_zh="", name_en="", lat_deg=36.0, lon_deg=103.8 + 9 * 0.00443),
)


async def test_the_process_answers_what_the_engine_answers(roads: Path) -> None:
    worker = CoverageWorker(roads, STATIONS, SYSTEM_CLOCK)
    lat, lon = np.array([36.0]), np.array([103.8])
    try:
        assert worker.latest() is None
        told = await worker.shares(lat, lon, WALKS)
    finally:
        await worker.stop()
    graph = load_roads(roads)
    expected = Coverage(graph, *(np.array([getattr(s, n) for s in STATIONS]) for n in ("lat_deg", "lon_deg"))).shares(
        lat, lon
    )
    assert told.shares == pytest.approx(expected.total.tolist())
    assert told.shares == pytest.approx([600 / 3600, 1800 / 3600, 3000 / 3600], rel=1e-3)
    assert [entry.station_id for entry in told.stations] == [7, 9]
    assert told.available_count == 1
    assert worker.latest() is told
    assert worker.pid is None


async def test_a_killed_process_is_started_again_by_the_next_question(roads: Path) -> None:
    worker = CoverageWorker(roads, STATIONS, SYSTEM_CLOCK)
    lat, lon = np.array([36.0]), np.array([103.8])
    try:
        await worker.shares(lat, lon, WALKS)
        first = worker.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        with pytest.raises(UnavailableError):
            await worker.shares(lat, lon, WALKS)
        assert (await worker.shares(lat, lon, WALKS)).available_count == 1
        assert worker.pid not in (None, first)
    finally:
        await worker.stop()


async def test_it_tells_each_second_and_goes_on_after_a_kill(roads: Path) -> None:
    worker = CoverageWorker(roads, STATIONS, SYSTEM_CLOCK)
    told: asyncio.Queue[int] = asyncio.Queue()
    positions = (np.array([36.0]), np.array([103.8]), WALKS)
    task = asyncio.create_task(
        worker.run(lambda: positions, lambda change: told.put_nowait(change.available_count), every_s=0.05)
    )
    try:
        await told.get()
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        while not told.empty():
            told.get_nowait()
        async with asyncio.timeout(20):
            assert await told.get() == 1
            assert await told.get() == 1
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await worker.stop()


def test_the_process_leaves_when_its_parent_is_killed(roads: Path) -> None:
    program = textwrap.dedent(f"""
        import asyncio, numpy as np
        from pathlib import Path
        from console.coverage_worker import CoverageWorker
        from infra.clock import SYSTEM_CLOCK
        async def main():
            worker = CoverageWorker(Path({str(roads)!r}), (), SYSTEM_CLOCK)
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


def test_only_units_that_may_be_sent_over_the_roads_count() -> None:
    states = np.zeros(6, UNIT_STATE)
    states["unit_id"] = np.arange(6)
    states["observed_us"] = [1, 1, 1, 1, 1, 0]
    states["duty"] = DUTY_STATUSES.index(DutyStatus.FREE)
    states["duty"][1] = DUTY_STATUSES.index(DutyStatus.ENGAGED)
    states["link"] = LINK_STATES.index(LinkState.LIVE)
    states["link"][2] = LINK_STATES.index(LinkState.LOST)
    states["lat_e7"], states["lon_e7"] = 360000000, 1038000000
    kinds = {0: UnitKind.CAR, 1: UnitKind.CAR, 2: UnitKind.CAR, 3: UnitKind.DRONE, 4: UnitKind.OFFICER, 5: UnitKind.CAR}
    lat, lon, on_foot = available_positions(states, kinds.get)
    assert lat.tolist() == pytest.approx([36.0, 36.0])
    assert lon.tolist() == pytest.approx([103.8, 103.8])
    assert on_foot.tolist() == [False, True]


def test_a_covert_unit_shows_in_no_share_and_no_count() -> None:
    states = np.zeros(2, UNIT_STATE)
    states["unit_id"], states["observed_us"] = [1, 2], 1
    states["duty"] = DUTY_STATUSES.index(DutyStatus.FREE)
    states["link"] = LINK_STATES.index(LinkState.LIVE)
    states["lat_e7"], states["lon_e7"] = [360000000, 361000000], 1038000000
    states["state"][1] = int(UnitBit.COVERT)
    lat, _, _ = available_positions(states, lambda _: UnitKind.CAR)
    assert lat.tolist() == pytest.approx([36.0])
