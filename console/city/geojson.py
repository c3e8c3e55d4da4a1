"""GeoJSON for the map: features, collections, and the roads of any graph as the web map's `roads` layer."""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mission.roads.graph import BASEMAP_CLASS, CLASS_PATH, CLASS_STEPS, RoadGraph
from telemetry.model.geodesy import Floats

Feature = dict[str, Any]

DECIMALS: Final = 6
"""Digits of a degree on the map: 0.1 m."""
_STRAIGHT_M: Final = 1.2
_ROAD_PIECES: Final = 40


def collection(features: Iterable[Feature]) -> Feature:
    """Return a GeoJSON FeatureCollection."""
    return {"type": "FeatureCollection", "features": list(features)}


def feature(kind: str, coordinates: object, properties: Mapping[str, object]) -> Feature:
    """Return a GeoJSON Feature; [lon, lat] in WGS-84."""
    return {"type": "Feature", "properties": dict(properties), "geometry": {"type": kind, "coordinates": coordinates}}


def road_features(graph: RoadGraph) -> list[Feature]:
    """Return one feature a named way, and the nameless ones in pieces by look (a feature's properties cost bytes).

    Properties: `class` 0..3, `name_zh` and `name_en` where there are names, `bridge`, `oneway`, `tunnel`. Footpaths and
    steps without a name are left out.
    """
    edges = _drawn(graph)
    edges = edges[np.lexsort((edges, graph.edge_way[edges]))]
    class_of_way = np.zeros(len(graph.way_oneway), np.int8)
    class_of_way[graph.edge_way] = np.array(BASEMAP_CLASS, np.int8)[graph.edge_class]
    named, nameless = list[Feature](), dict[tuple[object, ...], list[Any]]()
    for way, parts in _lines(graph, edges):
        properties = _properties(graph, way, int(class_of_way[way]))
        if "name_zh" in properties:
            named.append(feature("MultiLineString", parts, properties))
        else:
            nameless.setdefault(tuple(properties.items()), []).append(parts)
    return [*named, *(piece for look, lines in nameless.items() for piece in _pieces(look, lines))]


def _drawn(graph: RoadGraph) -> NDArray[np.int64]:
    """Return one edge for each street that is drawn, the lower number of two."""
    streets = graph.streets
    is_path = np.isin(streets.road_class, (CLASS_PATH, CLASS_STEPS))
    kept = ~is_path | (graph.way_name_zh[streets.way] != "")
    edges: NDArray[np.int64] = streets.forward_edge[kept].astype(np.int64)
    return edges


def _pieces(look: tuple[Any, ...], lines: list[Any]) -> list[Feature]:
    starts = range(0, len(lines), _ROAD_PIECES)
    chunks = [[part for parts in lines[start : start + _ROAD_PIECES] for part in parts] for start in starts]
    return [feature("MultiLineString", chunk, dict(look)) for chunk in chunks]


def _properties(graph: RoadGraph, way: int, road_class: int) -> dict[str, object]:
    properties: dict[str, object] = {"class": road_class}
    if graph.way_name_zh[way]:
        properties |= {"name_zh": str(graph.way_name_zh[way]), "name_en": str(graph.way_name_en[way])}
    properties |= {"bridge": bool(graph.way_bridge[way]), "oneway": bool(graph.way_oneway[way])}
    if len(graph.way_tunnel) and graph.way_tunnel[way]:
        properties["tunnel"] = True
    return properties


def _lines(graph: RoadGraph, edges: NDArray[np.int64]) -> list[tuple[int, list[list[list[float]]]]]:
    """Return for each way its unbroken lines; edges come ordered by way and along it."""
    tails, heads, ways = graph.edge_from[edges], graph.edge_to[edges], graph.edge_way[edges]
    broken = (ways[1:] != ways[:-1]) | (tails[1:] != heads[:-1])
    bounds = np.concatenate(([0], np.flatnonzero(broken) + 1, [len(edges)]))
    positions = np.column_stack((graph.node_lon_deg, graph.node_lat_deg)).round(DECIMALS)
    lines: dict[int, list[list[list[float]]]] = {}
    for start, end in pairwise(bounds.tolist()):
        nodes = np.append(tails[start:end], heads[end - 1])
        kept = nodes[_corners(graph.node_xy_m[nodes])]
        lines.setdefault(int(ways[start]), []).append(positions[kept].tolist())
    return list(lines.items())


def _corners(points: Floats) -> NDArray[np.bool_]:
    """Tell which points of a line matter: those that stand off the line of their neighbours, and the ends."""
    kept = np.ones(len(points), np.bool_)
    for _ in range(3):
        index = np.flatnonzero(kept)
        if len(index) < 3:
            break
        before, here, after = points[index[:-2]], points[index[1:-1]], points[index[2:]]
        across = (after - before)[:, 0] * (here - before)[:, 1] - (after - before)[:, 1] * (here - before)[:, 0]
        off = np.abs(across) / np.maximum(np.hypot(*(after - before).T), 1e-6)
        flat = off < _STRAIGHT_M
        flat[1::2] = False
        kept[index[1:-1][flat]] = False
    return kept
