"""What-if against networkx: closed streets are as if they were not there, and units that are away reach nothing."""

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from numpy.typing import NDArray

from mission.cover.ground import GroundUnits, station_posts
from mission.cover.posting import Manned
from mission.roads.travel import DEFAULT_SPEEDS, GROUND_MODES, TravelMode, network_of
from mission.siting.whatif import (
    Changes,
    City,
    Stage,
    changed_situation,
    difference,
    situation_of,
    streets_at,
    streets_named,
)
from tests.grid_town import BRIDGE_NAME_ZH, SIDE, grid_town, place_of

TOWN = grid_town()
CARS = (22, 77)


@pytest.fixture(name="stage", scope="module")
def made_stage() -> Stage:
    lat, lon = np.array([place_of(TOWN, node) for node in CARS]).T
    return Stage(City(TOWN), station_posts([1, 2], lat, lon, ring_order=[1, 2]))


def cars() -> GroundUnits:
    lat, lon = np.array([place_of(TOWN, node) for node in CARS]).T
    ids = np.array([11, 12], np.int32)
    return GroundUnits(ids, np.array([1, 2], np.int32), lat, lon, np.zeros(2, np.int32), np.zeros(2))


def graph_without(closed: NDArray[np.int32]) -> "nx.DiGraph[int]":
    network = network_of(TOWN, TravelMode.CAR, speeds=DEFAULT_SPEEDS, closed_streets=closed)
    found: nx.DiGraph[int] = nx.DiGraph()
    found.add_nodes_from(range(TOWN.node_count))
    streets = TOWN.streets
    for street in np.setdiff1d(np.arange(streets.count), closed).tolist():
        tail, head = int(streets.tail[street]), int(streets.head[street])
        found.add_edge(tail, head, weight=float(network.forward_s[street]))
        found.add_edge(head, tail, weight=float(network.backward_s[street]))
    return found


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("away", [(), (12,)])
def test_times_after_closures_are_networkx_s(stage: Stage, seed: int, away: tuple[int, ...]) -> None:
    closed = np.random.default_rng(seed).choice(TOWN.streets.count, 25, replace=False).astype(np.int32)
    closed = np.setdiff1d(closed, np.flatnonzero(np.isin(TOWN.streets.tail, CARS) | np.isin(TOWN.streets.head, CARS)))
    changes = Changes({}, closed.astype(np.int32), frozenset(away))
    after = changed_situation(stage, cars(), cars(), changes)
    present = [node for node, unit_id in zip(CARS, (11, 12), strict=True) if unit_id not in away]
    expected = nx.multi_source_dijkstra_path_length(graph_without(closed), set(present))
    seconds = after.now.nearest.seconds[0]
    for node in range(TOWN.node_count):
        assert seconds[node] == pytest.approx(expected.get(node, np.inf), abs=0.05)


def test_a_stretch_closed_by_a_click_is_that_stretch_and_no_more(stage: Stage) -> None:
    lat, lon = place_of(TOWN, 11, east_m=150.0)
    streets = streets_at(stage.coverage, lat, lon)
    ends = {(int(TOWN.streets.tail[s]), int(TOWN.streets.head[s])) for s in streets}
    assert ends == {(11, 12)}
    bridge = streets_named(TOWN, BRIDGE_NAME_ZH)
    assert len(bridge) == 1
    assert abs(int(TOWN.streets.head[bridge[0]]) - int(TOWN.streets.tail[bridge[0]])) == SIDE


def test_the_difference_counts_road_both_ways(stage: Stage) -> None:
    before = situation_of(stage, cars(), cars())
    alone = changed_situation(stage, cars(), cars(), Changes({}, np.zeros(0, np.int32), frozenset({12})))
    lost, won = difference(before, alone), difference(alone, before)
    assert lost.lost_km == pytest.approx(won.won_km)
    assert (lost.won_km, won.lost_km) == (0.0, 0.0)
    assert lost.lost_km > 0.0
    assert set(won.closed_links) == set(lost.opened_links)


def test_the_same_stage_serves_question_after_question(stage: Stage) -> None:
    first, second = (situation_of(stage, cars(), cars()) for _ in range(2))
    assert all((a == b).all() for a, b in pairwise((first.now.shares, second.now.shares)))
    assert first.ring == second.ring


def test_the_plan_before_and_after_has_the_posts_that_crews_man(stage: Stage) -> None:
    lat, lon = place_of(TOWN, 7)
    manned = Manned([1], np.array([lat]), np.array([lon]))
    crews = GroundUnits(
        np.array([11, 12, 13], np.int32),
        np.array([1, 2, 1], np.int32),
        np.append(cars().lat_deg, cars().lat_deg[0]),
        np.append(cars().lon_deg, cars().lon_deg[0]),
        np.array([0, 0, GROUND_MODES.index(TravelMode.FOOT)], np.int32),
        np.zeros(3),
    )
    changes = Changes({}, np.zeros(0, np.int32), frozenset())
    for case in (
        situation_of(stage, cars(), crews, manned=manned),
        changed_situation(stage, cars(), crews, changes, manned=manned),
    ):
        assert case.plan.nearest.seconds[0][7] < 10.0
    assert situation_of(stage, cars(), crews).plan.nearest.seconds[0][7] > 10.0
