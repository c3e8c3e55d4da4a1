"""Beats on real street nets: in one piece by networkx's word, balanced where fixed stations allow it, and honest where not."""

from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from mission.roads.osm import read_osm
from mission.roads.travel import TravelMode
from mission.siting.beats import balanced_beats, street_seconds
from mission.siting.planning_map import DemandKind, PlanningMap

pytestmark = pytest.mark.shared_data


@pytest.mark.parametrize(
    ("name", "stations", "beats_each"),
    [("shanghai_center", 14, 1), ("beijing_haidian", 4, 1), ("baltimore", 14, 3), ("Helsinki", 4, 2)],
)
def test_beats_of_a_real_city_are_contiguous_and_balanced(
    test_data: Path, name: str, stations: int, beats_each: int
) -> None:
    area = PlanningMap(read_osm(test_data / "osm" / f"{name}.osm.pbf").roads)
    seconds, weight = street_seconds(area.network(TravelMode.CAR)), area.node_weight(DemandKind.ROADS)
    posts = area.candidates(count=stations)
    beats = balanced_beats(seconds, posts, weight, beats_count=[beats_each] * len(posts))
    graph = nx.from_scipy_sparse_array(seconds)
    for beat in range(len(beats.weight)):
        assert nx.is_connected(graph.subgraph(np.flatnonzero(beats.beat == beat).tolist()))
    assert len(beats.weight) == stations * beats_each
    assert beats.is_balanced
    even = beats.weight.sum() / len(beats.weight)
    assert np.abs(beats.weight / even - 1.0).max() <= 0.05


def test_what_fixed_stations_do_not_allow_is_told(test_data: Path) -> None:
    area = PlanningMap(read_osm(test_data / "osm" / "Helsinki.osm.pbf").roads)
    seconds, weight = street_seconds(area.network(TravelMode.CAR)), area.node_weight(DemandKind.ROADS)
    beats = balanced_beats(seconds, area.candidates(count=14), weight)
    even = beats.weight.sum() / len(beats.weight)
    assert beats.imbalance_ratio == pytest.approx(np.abs(beats.weight / even - 1.0).max())
    assert beats.is_balanced == (beats.imbalance_ratio <= 0.05)
