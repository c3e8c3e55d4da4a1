"""Coverage on real extracts equals networkx, igraph and pandana: nearest units with one-way streets, in the right direction."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
import shapely

from console.bench.coverage import Networkx, Scene
from mission.cover.contours import LIVE_CELL_M, Surface, field_of
from mission.cover.coverage import FARTHEST_S, LIMITS_S
from mission.cover.gaps import LEAST_AREA_KM2, Gaps
from mission.roads.osm import read_osm
from mission.roads.travel import GROUND_MODES, TravelMode, network_of

EXTRACTS = ("shanghai_center", "beijing_haidian", "fujian_small", "Helsinki", "baltimore", "liechtenstein-latest")
SCENES: dict[str, Scene] = {}


@pytest.fixture(params=EXTRACTS)
def scene(request: pytest.FixtureRequest, test_data: Path) -> Scene:
    """Five hundred units in three modes and fourteen stations on an extract."""
    name = str(request.param)
    if name not in SCENES:
        SCENES[name] = Scene(read_osm(test_data / "osm" / f"{name}.osm.pbf").roads, 7)
    return SCENES[name]


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


@pytest.mark.shared_data
def test_the_nearest_unit_of_every_node_equals_networkx(scene: Scene) -> None:
    assert Networkx(scene).worst_error_s() <= 0.001


@pytest.mark.shared_data
def test_the_nearest_car_of_every_node_equals_igraph(scene: Scene) -> None:
    igraph = pytest.importorskip("igraph")
    matrix = network_of(scene.graph, TravelMode.CAR, hour=12).matrix.tocoo()
    count = scene.graph.node_count
    starts = list(scene.starts(TravelMode.CAR))
    edges = np.column_stack((matrix.row, matrix.col)).tolist() + [(count, node) for node, _ in starts]
    weights = [*matrix.data.tolist(), *(max(seconds, 1e-6) for _, seconds in starts)]
    network = igraph.Graph(n=count + 1, edges=edges, directed=True)
    expected = np.array(network.distances(source=[count], weights=weights, mode="out")[0][:count])
    stands = scene.standing.of_mode(GROUND_MODES.index(TravelMode.CAR))
    labels = scene.coverage.ways(GROUND_MODES.index(TravelMode.CAR), 12).labels(stands, limits_s=(FARTHEST_S,))
    ours = labels.seconds[0].take(scene.coverage.skeleton.place_of_node)
    both = np.minimum(np.vstack((expected, ours)), FARTHEST_S)
    assert np.abs(both[0] - both[1]).max() <= 0.001


@pytest.mark.shared_data
def test_direction_counts_pandana_agrees_only_with_its_edges_reversed(test_data: Path) -> None:
    pandana, pandas = pytest.importorskip("pandana"), pytest.importorskip("pandas")
    graph = read_osm(test_data / "osm" / "Helsinki.osm.pbf").roads
    matrix = network_of(graph, TravelMode.CAR).matrix.tocoo()
    nodes = np.random.default_rng(4).choice(np.unique(matrix.row), 12, replace=False)
    expected = _from_nodes(matrix, nodes.tolist(), graph.node_count)
    worst_s = []
    for tails, heads in ((matrix.col, matrix.row), (matrix.row, matrix.col)):
        with quiet():
            network = pandana.Network(
                pandas.Series(graph.node_lon_deg),
                pandas.Series(graph.node_lat_deg),
                pandas.Series(tails),
                pandas.Series(heads),
                pandas.DataFrame({"seconds": matrix.data}),
                twoway=False,
            )
            network.set_pois(
                "units", 300.0, 1, pandas.Series(graph.node_lon_deg[nodes]), pandas.Series(graph.node_lat_deg[nodes])
            )
            found = network.nearest_pois(300.0, "units", num_pois=1)[1].to_numpy()
        worst_s.append(float(np.abs(np.minimum(expected, 300.0) - np.minimum(found, 300.0)).max()))
    assert worst_s[0] <= 0.05, "reversed, it measures from units to nodes as we do"
    assert worst_s[1] > 30.0, "as it comes, it measures from nodes to units: one-way streets show it"


def _from_nodes(matrix: Any, nodes: list[int], count: int) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":  # noqa: ANN401
    network: nx.DiGraph[int] = nx.DiGraph()
    network.add_nodes_from(range(count))
    network.add_weighted_edges_from(zip(matrix.row.tolist(), matrix.col.tolist(), matrix.data.tolist(), strict=True))
    found = nx.multi_source_dijkstra_path_length(network, set(nodes), cutoff=300.0)
    seconds = np.full(count, np.inf)
    seconds[list(found)] = list(found.values())
    return seconds


@pytest.mark.shared_data
def test_contours_and_gaps_are_sound_apart_and_of_the_area_that_shapely_measures(scene: Scene) -> None:
    few = scene.coverage.now(scene.units.part(np.arange(len(scene.units)) < 6))
    field = field_of(scene.graph, cell_m=LIVE_CELL_M)
    surface = Surface(field, few.nearest.seconds[0])
    shapes = [shapely.union_all(surface.within(limit_s)) for limit_s in LIMITS_S]
    for inner, outer in ((shapes[0], shapes[1]), (shapes[1], shapes[2])):
        assert inner.difference(outer).area <= 0.02 * inner.area + 1.0
    gaps = Gaps(scene.coverage, field).find(few, surface)
    labels = [gap.label for gap in gaps]
    assert labels == sorted(labels)
    for gap in gaps:
        assert gap.shape.is_valid
        assert gap.area_km2 == pytest.approx(shapely.area(gap.shape) / 1e6)
        assert gap.area_km2 >= LEAST_AREA_KM2
        assert gap.shape.intersection(shapes[2]).area <= 0.05 * gap.shape.area
        east, north = scene.graph.node_xy_m[gap.middle_node]
        assert gap.shape.buffer(30.0).contains(shapely.Point(east, north))
        soonest = [closer.arrival_s for closer in gap.closers]
        assert soonest == sorted(soonest)
