"""Coverage equals what is reckoned unit by unit: reach along streets, doubles, losses, labels of the skeleton, the ring."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra

from mission.cover.coverage import LIMITS_S, Coverage, CoverageNow
from mission.cover.ground import GroundUnits, station_posts
from mission.cover.ring import CLOSED_RATIO, Border, Ring
from mission.roads.graph import RoadGraph
from mission.roads.labels import Starts, nearest_labels
from mission.roads.skeleton import AT_JUNCTION_M, Stands, Ways, skeleton_of
from mission.roads.travel import GROUND_MODES, TravelMode, network_of
from tests.unit.test_roads_travel_times import graph_of

MODES = tuple(GROUND_MODES.index(mode) for mode in (TravelMode.CAR, TravelMode.MOTORCYCLE, TravelMode.FOOT))
Floats = NDArray[np.float64]


@st.composite
def towns(draw: st.DrawFn) -> tuple[RoadGraph, GroundUnits, int]:
    """Crossroads joined by chains of bends, some of them one-way, and units at random places along the streets."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    crossroads = draw(st.integers(2, 9))
    places = [(float(x), float(y)) for x, y in random.uniform(0, 4000, (crossroads, 2))]
    edges: list[tuple[int, int, float]] = []
    for _ in range(draw(st.integers(1, 16))):
        tail, head = random.integers(0, crossroads, 2).tolist()
        bends = int(random.integers(0, 4))
        chain = [tail, *range(len(places), len(places) + bends), head]
        places += [(float(x), float(y)) for x, y in random.uniform(0, 4000, (bends, 2))]
        is_oneway = random.random() < 0.35
        for one, other in pairwise(chain):
            if one == other:
                continue
            seconds = float(random.uniform(5, 120))
            edges.append((one, other, seconds))
            if not is_oneway:
                edges.append((other, one, seconds))
    if not edges:
        edges = [(0, 1, 30.0)]
    graph = graph_of(places, edges)
    return graph, _units(graph, random, draw(st.integers(0, 9))), int(random.integers(0, 2**31))


def _units(graph: RoadGraph, random: np.random.Generator, count: int) -> GroundUnits:
    streets = graph.streets
    street, along = random.integers(0, streets.count, count), random.choice([0.0, 0.3, 0.7, 1.0], count)
    tail, head = streets.tail[street], streets.head[street]
    lat, lon = (c[tail] + along * (c[head] - c[tail]) for c in (graph.node_lat_deg, graph.node_lon_deg))
    ids = np.arange(count, dtype=np.int32)
    modes = np.array(MODES, np.int32)[random.integers(0, len(MODES), count)]
    return GroundUnits(ids, (ids % 3).astype(np.int32), lat, lon, modes, np.full(count, 20.0))


def starts_of(graph: RoadGraph, mode: int, stands: Stands) -> Starts:
    """Both ends of the streets where units stand, as on the whole graph."""
    network = network_of(graph, GROUND_MODES[mode])
    ahead, back = network.forward_s[stands.street], network.backward_s[stands.street]
    length_m, either = graph.streets.length_m[stands.street], np.minimum(ahead, back)
    ratio = stands.along_ratio
    with np.errstate(invalid="ignore"):
        to_head = (1 - ratio) * np.where((1 - ratio) * length_m <= AT_JUNCTION_M, either, ahead)
        to_tail = ratio * np.where(ratio * length_m <= AT_JUNCTION_M, either, back)
    node = np.concatenate((graph.streets.head[stands.street], graph.streets.tail[stands.street]))
    seconds = np.concatenate((to_head, to_tail))
    is_open = np.isfinite(seconds)
    return Starts(node[is_open], np.tile(stands.owner, 2)[is_open], seconds[is_open])


def node_seconds(graph: RoadGraph, now: CoverageNow) -> dict[int, Floats]:
    """Seconds to each node of each unit on the map, one plain search an entry."""
    found = {}
    for row, mode in zip(now.standing.stands.owner.tolist(), now.standing.mode.tolist(), strict=True):
        stands = now.standing.stands.of(now.standing.stands.owner == row)
        starts = starts_of(graph, mode, stands)
        matrix = network_of(graph, GROUND_MODES[mode]).matrix
        seconds = np.full(graph.node_count, np.inf)
        for node, offset_s in zip(starts.node.tolist(), starts.offset_s.tolist(), strict=True):
            seconds = np.minimum(seconds, dijkstra(matrix, indices=[node])[0] + offset_s)
        found[row] = seconds
    return found


def stretches(graph: RoadGraph, now: CoverageNow, limit_s: float) -> list[list[tuple[int, float, float]]]:
    """For each street the (unit, from, to) that units reach of it."""
    streets, seconds = graph.streets, node_seconds(graph, now)
    reached: list[list[tuple[int, float, float]]] = [[] for _ in range(streets.count)]
    for row, mode in zip(now.standing.stands.owner.tolist(), now.standing.mode.tolist(), strict=True):
        network = network_of(graph, GROUND_MODES[mode])
        stand = now.standing.stands.of(now.standing.stands.owner == row)
        for street in range(streets.count):
            ahead, back = float(network.forward_s[street]), float(network.backward_s[street])
            from_tail = max(limit_s - float(seconds[row][streets.tail[street]]), 0.0) / ahead
            from_head = max(limit_s - float(seconds[row][streets.head[street]]), 0.0) / back
            reached[street] += [(row, 0.0, min(from_tail, 1.0)), (row, 1.0 - min(from_head, 1.0), 1.0)]
            if int(stand.street[0]) == street:
                at = float(stand.along_ratio[0])
                reached[street].append((row, max(at - limit_s / back, 0.0), min(at + limit_s / ahead, 1.0)))
    return reached


def depth_lengths(rows: list[tuple[int, float, float]]) -> tuple[float, float, dict[int, float]]:
    """The length under one unit at least, under two at least, and under each unit alone."""
    cuts = sorted({place for _, low, high in rows for place in (low, high)})
    one, two, alone = 0.0, 0.0, dict.fromkeys((row for row, _, _ in rows), 0.0)
    for low, high in pairwise(cuts):
        middle = (low + high) / 2
        here = {row for row, begin, end in rows if begin <= middle <= end}
        one += (high - low) * (len(here) >= 1)
        two += (high - low) * (len(here) >= 2)
        if len(here) == 1:
            alone[here.pop()] += high - low
    return one, two, alone


@settings(max_examples=60, deadline=None)
@given(towns())
def test_shares_doubles_and_losses_equal_a_sweep_of_every_street(town: tuple[RoadGraph, GroundUnits, int]) -> None:
    graph, units, _ = town
    coverage = Coverage(graph, station_posts([], [], []))
    now = coverage.now(units)
    whole = max(float(coverage.road_m.sum()), 1e-9)
    for column, limit_s in enumerate(LIMITS_S):
        one, two, alone = 0.0, 0.0, np.zeros(len(units))
        for street, rows in enumerate(stretches(graph, now, limit_s)):
            length_m = float(coverage.road_m[street])
            any_ratio, double_ratio, by_unit = depth_lengths(rows)
            one += any_ratio * length_m
            two += double_ratio * length_m
            for row, ratio in by_unit.items():
                alone[row] += ratio * length_m
        assert now.shares[column] == pytest.approx(one / whole, abs=1e-6)
        assert now.double_shares[column] == pytest.approx(two / whole, abs=1e-6)
        if limit_s == 180.0:
            assert now.loss_ratio == pytest.approx(alone / whole, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(towns())
def test_what_a_unit_is_worth_is_what_is_lost_without_it(town: tuple[RoadGraph, GroundUnits, int]) -> None:
    graph, units, _ = town
    coverage = Coverage(graph, station_posts([], [], []))
    now = coverage.now(units)
    for row in range(len(units)):
        others = coverage.now(units.part(np.arange(len(units)) != row))
        assert now.shares[1] - others.shares[1] == pytest.approx(now.loss_ratio[row], abs=1e-6)


@settings(max_examples=120, deadline=None)
@given(towns())
def test_the_skeleton_labels_every_node_as_a_search_of_the_whole_graph_does(
    town: tuple[RoadGraph, GroundUnits, int],
) -> None:
    graph, units, _ = town
    coverage = Coverage(graph, station_posts([], [], []))
    standing = coverage.now(units).standing
    skeleton = skeleton_of(graph)
    for mode in MODES:
        network, stands = network_of(graph, GROUND_MODES[mode]), standing.of_mode(mode)
        limits_s = (400.0, 150.0)
        ours = Ways(skeleton, network).labels(stands, limits_s=limits_s)
        whole = nearest_labels(network.matrix, starts_of(graph, mode, stands), limits_s=limits_s)
        by_node = ours.seconds.take(skeleton.place_of_node, axis=1)
        np.testing.assert_allclose(by_node, whole.seconds, atol=1e-4)
        assert (np.isfinite(by_node) == (ours.owner.take(skeleton.place_of_node, axis=1) >= 0)).all()


@settings(max_examples=80, deadline=None)
@given(towns())
def test_times_of_many_units_to_one_place_equal_plain_searches(town: tuple[RoadGraph, GroundUnits, int]) -> None:
    graph, units, seed = town
    now = Coverage(graph, station_posts([], [], [])).now(units)
    random = np.random.default_rng(seed)
    street = int(random.integers(0, graph.streets.count))
    along = float(random.random())
    assume(
        min(along, 1.0 - along) * graph.streets.length_m[street] > AT_JUNCTION_M
    )  # what is nearer has a rule of its own
    target = Stands(np.array([street], np.int32), np.array([along]), np.zeros(1, np.int32))
    seconds = node_seconds(graph, now)
    for party in now.parties:
        network = party.ways.network
        found = party.ways.times_to(party.stands, target, limit_s=900.0)
        for place, row in enumerate(party.stands.owner.tolist()):
            ahead, back = float(network.forward_s[street]), float(network.backward_s[street])
            by_ends = [
                float(seconds[row][graph.streets.tail[street]]) + along * ahead,
                float(seconds[row][graph.streets.head[street]]) + (1 - along) * back,
            ]
            if int(party.stands.street[place]) == street:
                apart = along - float(party.stands.along_ratio[place])
                by_ends.append(apart * ahead if apart > 0 else -apart * back if apart < 0 else 0.0)
            expected = min(by_ends)
            assert found[place] == pytest.approx(expected if expected <= 900.0 else np.inf, abs=1e-3)


@settings(max_examples=60, deadline=None)
@given(towns())
def test_links_and_whom_they_hang_on_equal_plain_searches(town: tuple[RoadGraph, GroundUnits, int]) -> None:
    graph, units, seed = town
    random = np.random.default_rng(seed)
    posts = random.choice(graph.node_count, min(3, graph.node_count), replace=False)
    order = list(range(1, len(posts) + 1))
    stations = station_posts(order, graph.node_lat_deg[posts], graph.node_lon_deg[posts], ring_order=order)
    coverage = Coverage(graph, stations)
    ring = Ring(coverage, limit_s=150.0)
    now = coverage.now(units)
    station_of = units.station_id % len(posts)
    state = ring.now(now.standing, station_of)
    seconds = node_seconds(graph, now)
    for link, border in zip(state.links, ring.borders, strict=True):
        assert link.overlap_ratio == pytest.approx(_overlap(graph, now, seconds, border, station_of, None), abs=1e-9)
        assert link.closed == (link.overlap_ratio >= CLOSED_RATIO)
    for row in now.standing.stands.owner.tolist():
        opened = [
            place
            for place, (link, border) in enumerate(zip(state.links, ring.borders, strict=True))
            if link.closed and _overlap(graph, now, seconds, border, station_of, row) < CLOSED_RATIO
        ]
        assert state.opened_by.get(row) == (opened[0] if opened else None)


def _overlap(
    graph: RoadGraph,
    now: CoverageNow,
    seconds: dict[int, Floats],
    border: Border,
    station_of: NDArray[np.int32],
    without: int | None,
) -> float:
    """The share of a border that units of both sides reach within 150 s, unit by unit."""
    later = np.zeros(len(border.length_m))
    for side in (border.one, border.other):
        soonest = np.full(len(border.length_m), np.inf)
        for party in now.parties:
            for place, row in enumerate(party.stands.owner.tolist()):
                if int(station_of[row]) == side and row != without:
                    soonest = np.minimum(
                        soonest, _at_points(graph, party.ways, party.stands, place, seconds[row], border.points)
                    )
        later = np.maximum(later, soonest)
    return float(border.length_m[later <= 150.0].sum() / border.length_m.sum())


def _at_points(graph: RoadGraph, ways: Ways, stands: Stands, place: int, seconds: Floats, points: Stands) -> Floats:
    network, street, along = ways.network, points.street, points.along_ratio
    ahead, back = network.forward_s[street], network.backward_s[street]
    with np.errstate(invalid="ignore"):
        from_tail = seconds[graph.streets.tail[street]] + np.where(along > 0, along * ahead, 0.0)
        from_head = seconds[graph.streets.head[street]] + np.where(along < 1, (1 - along) * back, 0.0)
        apart = along - stands.along_ratio[place]
        direct = np.where(apart > 0, apart * ahead, np.where(apart < 0, -apart * back, 0.0))
    direct = np.where(street == stands.street[place], direct, np.inf)
    return np.asarray(np.minimum(np.minimum(from_tail, from_head), direct), np.float64)
