"""Who could go, asked of the real coverage process on a small street, and guessed where it is away."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from console.auth.policy import Scope
from console.coverage.protocol import Answer, Question, UnitColumns
from console.coverage.worker import CoverageWorker
from console.incidents.nearest import ASKED_AT_ONCE, NearestUnits
from console.wire import Role
from mission.airspace import Wind
from mission.calls.incident import Caller, Category, Equipment, Incident, IncidentState, Urgency
from mission.calls.incident_board import IncidentBoard
from mission.roads.graph import ACCESS_ALL, RoadGraph
from telemetry.model.batch import new_batch
from telemetry.model.datum import Crs, from_wgs84
from telemetry.model.errors import UnavailableError
from telemetry.model.unit import DutyStatus, Unit
from tests.conftest import FakeClock
from tests.console_house import CAR, COVERT, DRONE, FAR, OFFICER, SmallBridge

STEP_DEG = 0.00443
"""About 400 m eastwards at 36 N."""
SUPERVISOR, OPERATOR = Scope(Role.SUPERVISOR), Scope(Role.OPERATOR)


def make_street(folder: Path) -> None:
    """A straight two-way street of 20 nodes, 400 m apart, driven at 10 m/s."""
    nodes = 20
    forward, length = np.arange(nodes - 1, dtype=np.int32), np.full(2 * (nodes - 1), 400.0)
    RoadGraph(
        node_lat_deg=np.full(nodes, 36.0),
        node_lon_deg=np.asarray(103.8 + np.arange(nodes) * STEP_DEG, np.float64),
        edge_from=np.concatenate((forward, forward + 1)).astype(np.int32),
        edge_to=np.concatenate((forward + 1, forward)).astype(np.int32),
        edge_length_m=length,
        edge_seconds=length / 10.0,
        edge_class=np.zeros(len(length), np.int8),
        edge_access=np.full(len(length), ACCESS_ALL, np.uint8),
        edge_way=np.zeros(len(length), np.int32),
        way_name_zh=np.array([""]),
        way_name_en=np.array([""]),
        way_oneway=np.zeros(1, np.bool_),
        way_bridge=np.zeros(1, np.bool_),
    ).save(folder / "roads.npz")


def incident(**more: object) -> Incident:
    made = Incident(
        incident_id=1,
        number="JQ-1122-0001",
        version=1,
        change_seq=1,
        state=IncidentState.NEW,
        urgency=Urgency.TWO,
        category=Category.THEFT,
        title="",
        text="",
        place_text="",
        lat_e7=360_000_000,
        lon_e7=round((103.8 + 10 * STEP_DEG) * 1e7),
        caller=Caller(),
        audio_url="",
        recording_url="",
        station_id=1,
        source="console",
        source_ref="1",
        reported_us=0,
        created_us=0,
        changed_us=0,
    )
    return msgspec.structs.replace(made, **more)


def stand(
    bridge: SmallBridge, unit_id: int, nodes_along: float, *, lat_deg: float = 36.0, battery_pct: int = 90
) -> None:
    assert isinstance(bridge.clock, FakeClock)
    bridge.clock.advance(1.0)
    batch = new_batch(1)
    batch["device_id"] = 10 + unit_id
    batch["observed_us"] = batch["received_us"] = bridge.clock.now_us()
    batch["lat_e7"], batch["lon_e7"] = round(lat_deg * 1e7), round((103.8 + nodes_along * STEP_DEG) * 1e7)
    batch["battery_pct"] = battery_pct
    bridge.picture.apply(batch, bridge.clock.now_us())


def equip(bridge: SmallBridge, unit_id: int, *carried: Equipment) -> None:
    unit: Unit = bridge.registry.units[unit_id]
    bridge.registry.units = {**bridge.registry.units, unit_id: msgspec.structs.replace(unit, equipment=carried)}


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loaded machine answers late; what happens then has its own test."""
    monkeypatch.setattr("console.incidents.nearest.ANSWER_WITHIN_S", 60.0)
    monkeypatch.setattr("console.incidents.nearest.PLACE_WITHIN_S", 60.0)


@pytest.fixture
def bridge(fake_clock: FakeClock) -> SmallBridge:
    made = SmallBridge(fake_clock)
    for unit_id, along in ((DRONE, 5.0), (OFFICER, 9.0), (CAR, 6.0), (COVERT, 10.0), (FAR, 2.0)):
        stand(made, unit_id, along)
    return made


@pytest.fixture
async def worker(tmp_path: Path, bridge: SmallBridge, fake_clock: FakeClock) -> AsyncIterator[CoverageWorker]:
    make_street(tmp_path)
    made = CoverageWorker(tmp_path, tuple(bridge.registry.stations.values()), fake_clock)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def nearest(bridge: SmallBridge, fake_clock: FakeClock, worker: CoverageWorker) -> NearestUnits:
    return NearestUnits(bridge, IncidentBoard(), fake_clock, worker)


async def test_units_come_by_arrival_with_mobilisation_apart_and_covert_ones_for_chiefs_alone(
    nearest: NearestUnits,
) -> None:
    reply = await nearest.candidates(incident(), OPERATOR, Wind())
    assert not reply.estimated
    by_id = {one.unit_id: one for one in reply.ground}
    assert [one.unit_id for one in reply.ground] == [OFFICER, CAR, FAR]
    assert by_id[CAR].travel_s == pytest.approx(160.0, rel=0.01)
    assert by_id[OFFICER].travel_s == pytest.approx(160.0, rel=0.01)
    assert (by_id[OFFICER].turnout_s, by_id[CAR].turnout_s) == (10.0, 20.0)
    assert by_id[CAR].distance_m == pytest.approx(1600, rel=0.02)
    assert [one.unit_id for one in reply.air] == [DRONE]
    assert reply.air[0].advised
    chief = await nearest.candidates(incident(), SUPERVISOR, Wind())
    assert chief.ground[0].unit_id == COVERT
    assert chief.ground[0].advised


async def test_who_lacks_what_is_asked_for_is_shown_but_not_advised(nearest: NearestUnits, bridge: SmallBridge) -> None:
    equip(bridge, FAR, Equipment.LIFE_RING)
    reply = await nearest.candidates(incident(needs=(Equipment.LIFE_RING,)), OPERATOR, Wind())
    assert [(one.unit_id, one.suits, one.advised) for one in reply.ground if one.suits] == [(FAR, True, True)]
    assert [one.lacks for one in reply.ground if one.unit_id == CAR] == [[Equipment.LIFE_RING]]
    assert reply.wanted == [Equipment.LIFE_RING]


async def test_a_unit_off_the_map_and_one_that_was_never_heard_are_told_not_dropped(
    nearest: NearestUnits, bridge: SmallBridge
) -> None:
    stand(bridge, CAR, 6.0, lat_deg=36.2)
    bridge.registry.set_duty({DRONE: DutyStatus.OFF_DUTY})
    reply = await nearest.candidates(incident(), OPERATOR, Wind())
    assert (reply.off_map_count, reply.off_map_unit_ids) == (1, [CAR])
    assert CAR not in {one.unit_id for one in reply.ground}
    assert reply.air == []
    fresh = SmallBridge(bridge.clock)
    unheard = NearestUnits(fresh, IncidentBoard(), bridge.clock, None)
    assert set((await unheard.candidates(incident(), OPERATOR, Wind())).unlocated_unit_ids) == {
        DRONE,
        OFFICER,
        CAR,
        FAR,
    }


async def test_who_is_wanted_or_engaged_elsewhere_is_not_offered(nearest: NearestUnits, bridge: SmallBridge) -> None:
    bridge.registry.set_duty({CAR: DutyStatus.EN_ROUTE})
    reply = await nearest.candidates(incident(), OPERATOR, Wind())
    assert [one.unit_id for one in reply.ground] == [OFFICER, FAR]


async def test_a_drone_without_the_battery_or_against_the_wind_is_no_advice(
    nearest: NearestUnits, bridge: SmallBridge
) -> None:
    stand(bridge, DRONE, 5.0, battery_pct=30)
    weak = (await nearest.candidates(incident(), OPERATOR, Wind())).air[0]
    assert (weak.suits, weak.unsuited, weak.advised) == (False, ["battery"], False)
    storm = await nearest.candidates(incident(), OPERATOR, Wind(from_deg=90.0, speed_mps=40.0))
    assert storm.air == []


async def test_what_leaving_uncovers_is_told_after_a_tick(nearest: NearestUnits, worker: CoverageWorker) -> None:
    columns = UnitColumns(
        unit_id=[CAR, FAR],
        station_id=[1, 2],
        lat_deg=[36.0, 36.0],
        lon_deg=[103.8 + 6 * STEP_DEG, 103.8 + 2 * STEP_DEG],
        mode=[0, 0],
    )
    await worker.tick(columns)
    car = next(one for one in (await nearest.candidates(incident(), OPERATOR, Wind())).ground if one.unit_id == CAR)
    assert car.cover_change_ratio is not None
    assert car.cover_change_ratio < 0


async def test_a_place_far_from_roads_is_asked_about_and_one_that_fits_as_gcj_is_flagged(
    nearest: NearestUnits,
) -> None:
    note, station_id = await nearest.judge(36.0, 103.8)
    assert (note, station_id in {1, 2}) == ("", True)
    assert (await nearest.judge(36.3, 103.8))[0] == "off_map"
    end_deg = 103.8 + 19 * STEP_DEG
    lat, lon = from_wgs84(36.0, end_deg, crs=Crs.GCJ02)  # some 200 m beyond the street's end
    assert (await nearest.judge(float(lat), float(lon)))[0] == "maybe_shifted"
    assert (await nearest.judge(36.0, end_deg))[0] == ""


async def test_while_the_process_is_away_times_are_guessed_and_said_to_be(
    bridge: SmallBridge, fake_clock: FakeClock
) -> None:
    class Away(CoverageWorker):
        async def ask(self, question: Question) -> Answer:
            message = f"no answer to {type(question).__name__}"
            raise UnavailableError(message)

    away = NearestUnits(bridge, IncidentBoard(), fake_clock, Away(Path(), (), fake_clock))
    reply = await away.candidates(incident(), OPERATOR, Wind())
    assert reply.estimated
    assert {one.unit_id for one in reply.ground} == {CAR, OFFICER, FAR}
    assert {one.unit_id for one in reply.air} == {DRONE}
    assert await away.judge(36.0, 103.8) == ("", 1)
    orders = await away.orders(incident(), [CAR, 99])
    assert orders[0].travel_s is not None
    assert orders[1].travel_s is None


async def test_without_a_place_nobody_is_offered_and_the_place_is_asked_for(nearest: NearestUnits) -> None:
    reply = await nearest.candidates(incident(lat_e7=None, lon_e7=None), OPERATOR, Wind())
    assert (reply.place_is_known, reply.ground, reply.air) == (False, [], [])


async def test_questions_that_wait_too_long_or_are_too_many_are_answered_by_a_guess(
    bridge: SmallBridge, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    release = asyncio.Event()

    class Slow(CoverageWorker):
        async def ask(self, question: Question) -> Answer:
            nonlocal asked
            asked += 1
            await release.wait()
            message = f"no answer to {type(question).__name__}"
            raise UnavailableError(message)

    monkeypatch.setattr("console.incidents.nearest.PLACE_WITHIN_S", 0.01)
    slow = NearestUnits(bridge, IncidentBoard(), fake_clock, Slow(Path(), (), fake_clock))
    answers = await asyncio.gather(*(slow.judge(36.0, 103.8) for _ in range(40)))
    assert set(answers) == {("", 1)}
    assert asked == ASKED_AT_ONCE
    release.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert await slow.judge(36.0, 103.8) == ("", 1)
    assert asked == ASKED_AT_ONCE + 1
