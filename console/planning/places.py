"""Places of the force on a planning map: those near streets, and what the streets there are called."""

from collections.abc import Sequence

import numpy as np

from mission.roads.graph import Ints, Snapped
from mission.roads.travel import MODE_ACCESS, TravelMode
from mission.siting.planning_map import SITE_WITHIN_M, PlanningMap


def nodes_near(area: PlanningMap, places: Sequence[tuple[float, float]]) -> Ints:
    """Return the junctions of places that stand at a street that cars may use; others are left out."""
    if not places:
        return np.zeros(0, np.int32)
    points = np.array(places, np.float64)
    snapped = area.index.snap(points[:, 0], points[:, 1], within_m=SITE_WITHIN_M, access=MODE_ACCESS[TravelMode.CAR])
    near = snapped.edge >= 0
    return area.nodes_at(Snapped(snapped.edge[near], snapped.along_ratio[near], snapped.away_m[near]))


def street_names(area: PlanningMap, node: int) -> tuple[str, str]:
    """Return the Chinese and English name of a street at a junction, the broadest one that has any; empty where none has."""
    streets, graph = area.graph.streets, area.graph
    here = np.flatnonzero((streets.tail == node) | (streets.head == node))
    ways = streets.way[here[np.argsort(streets.road_class[here], kind="stable")]].tolist()
    for way in ways:
        if graph.way_name_zh[way] or graph.way_name_en[way]:
            return str(graph.way_name_zh[way]), str(graph.way_name_en[way])
    return "", ""
