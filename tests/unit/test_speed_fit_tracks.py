"""Class speeds follow the tracks: medians by class and mode, enough units or the default, bad fixes and standing left out."""

from dataclasses import replace

import numpy as np
import pytest

from mission.roads.graph import ACCESS_ALL, ACCESS_FOOT, CLASS_LOCAL, CLASS_PRIMARY, CLASS_SPEED_MPS, RoadGraph
from mission.roads.speed_fit import LEAST_PAIRS, SpeedFit, UnitTrack, said, weighted_median
from mission.roads.travel import DEFAULT_SPEEDS, GROUND_MODES, TravelMode
from telemetry.model.batch import Batch, Quality, new_batch
from tests.unit.test_roads_travel_times import PLANE, graph_of

LENGTH_M = 20_000.0
START_US = 1_790_000_000_000_000


def two_roads() -> RoadGraph:
    """A primary road in the south and, 500 m north of it, a local one with a footpath 20 m beside it."""
    ends = [(0.0, 0.0), (LENGTH_M, 0.0), (0.0, 500.0), (LENGTH_M, 500.0), (0.0, 520.0), (LENGTH_M, 520.0)]
    graph = graph_of(ends, [(0, 1, 1.0), (2, 3, 1.0), (4, 5, 1.0)])
    classes = np.array([CLASS_PRIMARY, CLASS_LOCAL, CLASS_LOCAL], np.int8)
    return replace(
        graph,
        edge_class=classes,
        edge_seconds=graph.edge_length_m / np.array(CLASS_SPEED_MPS)[classes],
        edge_access=np.array([ACCESS_ALL, ACCESS_ALL, ACCESS_FOOT], np.uint8),
    )


def drive(speed_mps: float, *, north_m: float, device_id: int = 1, count: int = 120, every_s: float = 10.0) -> Batch:
    """A straight drive to the east with a fix every so many seconds."""
    elapsed = np.arange(count) * every_s
    lat, lon = PLANE.from_plane(elapsed * speed_mps, np.full(count, north_m))
    batch = new_batch(count)
    batch["device_id"] = device_id
    batch["observed_us"] = START_US + (elapsed * 1e6).astype(np.int64)
    batch["lat_e7"], batch["lon_e7"] = np.rint(lat * 1e7), np.rint(lon * 1e7)
    return batch


def car(unit_id: int, batch: Batch, mode: TravelMode = TravelMode.CAR) -> UnitTrack:
    return UnitTrack(unit_id, mode, batch)


def fitted(*tracks: UnitTrack, graph: RoadGraph | None = None) -> dict[tuple[TravelMode, int], float]:
    fit = SpeedFit(graph or two_roads())
    fit.add(tracks)
    speeds = fit.fit()[0].class_speed_mps
    return {
        (mode, number): speed
        for mode in GROUND_MODES
        for number, speed in enumerate(speeds[mode])
        if speed != DEFAULT_SPEEDS.class_speed_mps[mode][number]
    }


def test_a_class_gets_the_median_pace_of_its_units_and_the_others_stay() -> None:
    found = fitted(car(1, drive(11.0, north_m=3.0)), car(2, drive(13.0, north_m=-3.0, device_id=2)))
    assert list(found) == [(TravelMode.CAR, CLASS_PRIMARY)]
    assert 10.9 < found[TravelMode.CAR, CLASS_PRIMARY] < 13.1


def test_each_mode_has_its_own_speeds() -> None:
    found = fitted(
        *(car(unit, drive(9.0, north_m=500.0, device_id=unit)) for unit in (1, 2)),
        *(car(unit, drive(1.5, north_m=519.0, device_id=unit), TravelMode.FOOT) for unit in (3, 4)),
    )
    assert found == {
        (TravelMode.CAR, CLASS_LOCAL): pytest.approx(9.0, abs=0.05),
        (TravelMode.FOOT, CLASS_LOCAL): pytest.approx(1.5, abs=0.05),
    }


def test_one_unit_alone_or_too_few_pairs_change_nothing_and_it_says_so() -> None:
    fit = SpeedFit(two_roads())
    fit.add([car(1, drive(11.0, north_m=0.0, count=500))])
    speeds, findings = fit.fit()
    assert speeds.class_speed_mps == DEFAULT_SPEEDS.class_speed_mps
    pairs = speeds.measured[TravelMode.CAR][CLASS_PRIMARY]
    assert pairs > LEAST_PAIRS
    seen = f"{pairs} pairs of fixes by 1 units; 100 by 2 units are needed"
    assert said(findings) == [f"car on primary roads: stays 14.0 m/s ({seen})"]
    few = (car(unit, drive(11.0, north_m=0.0, device_id=unit, count=20)) for unit in (1, 2))
    assert fitted(*few) == {}


@pytest.mark.parametrize(
    "bit", [Quality.MOCK, Quality.JUMPED, Quality.REPLAYED, Quality.NO_FIX, Quality.TIME_OF_ARRIVAL]
)
def test_fixes_that_one_cannot_trust_do_not_count(bit: Quality) -> None:
    batches = [drive(30.0, north_m=0.0, device_id=unit) for unit in (1, 2)]
    for batch in batches:
        batch["quality"] = bit
    assert fitted(*(car(unit, batch) for unit, batch in enumerate(batches))) == {}


def test_standing_gaps_and_unknown_positions_do_not_count() -> None:
    standing = [car(unit, drive(0.2, north_m=0.0, device_id=unit)) for unit in (1, 2)]
    sparse = [car(unit, drive(11.0, north_m=0.0, device_id=unit, every_s=45.0)) for unit in (3, 4)]
    unknown = [car(unit, new_batch(200)) for unit in (5, 6)]
    off_road = [car(unit, drive(11.0, north_m=250.0, device_id=unit)) for unit in (7, 8)]
    assert fitted(*standing, *sparse, *unknown, *off_road) == {}


def test_many_fixes_a_second_are_thinned_so_that_their_noise_does_not_make_speed() -> None:
    random = np.random.default_rng(5)
    tracks = []
    for unit in (1, 2):
        batch = drive(11.0, north_m=0.0, device_id=unit, count=1500, every_s=1.0)
        batch["lat_e7"] += np.rint(random.normal(0, 300, 1500)).astype(np.int32)
        batch["lon_e7"] += np.rint(random.normal(0, 300, 1500)).astype(np.int32)
        tracks.append(car(unit, batch))
    assert fitted(*tracks)[TravelMode.CAR, CLASS_PRIMARY] == pytest.approx(11.0, abs=0.4)


def test_a_posted_limit_is_not_counted_twice() -> None:
    graph = two_roads()
    slow = replace(graph, edge_seconds=graph.edge_seconds / np.array([0.6, 1.0, 1.0]))
    tracks = [car(unit, drive(7.2, north_m=0.0, device_id=unit)) for unit in (1, 2)]
    assert fitted(*tracks, graph=slow)[TravelMode.CAR, CLASS_PRIMARY] == pytest.approx(12.0, abs=0.1)


def test_drones_and_empty_tracks_give_nothing() -> None:
    fit = SpeedFit(two_roads())
    assert fit.add([car(1, drive(11.0, north_m=0.0), TravelMode.DRONE), car(2, new_batch(0))]) == 0
    assert said(fit.fit()[1]) == []


@pytest.mark.parametrize(
    ("values", "weights", "median"),
    [([1.0], [3.0], 1.0), ([5.0, 1.0, 3.0], [1.0, 1.0, 1.0], 3.0), ([1.0, 9.0], [1.0, 5.0], 9.0)],
)
def test_the_weighted_median_is_where_half_the_weight_is_reached(
    values: list[float], weights: list[float], median: float
) -> None:
    assert weighted_median(np.array(values), np.array(weights)) == median
