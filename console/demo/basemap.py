"""Draws the demo city as GeoJSON layers for the map: relief, valley, water, parks, blocks, roads, labels, places."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from console.demo import city_table as table
from console.demo.hills import oval
from console.demo.relief import INDEX_M, contour_lines
from console.demo.valley import Ground, Valley
from mission.roads import RoadGraph
from telemetry.model.geodesy import Floats, local_plane

Feature = dict[str, Any]
_DECIMALS: Final = 6
_STRAIGHT_M: Final = 1.2
_OUTLINE_POINTS: Final = 72
_ROAD_PIECES: Final = 40


def collection(features: Iterable[Feature]) -> Feature:
    """Return a GeoJSON FeatureCollection."""
    return {"type": "FeatureCollection", "features": list(features)}


def feature(kind: str, coordinates: object, properties: Mapping[str, object]) -> Feature:
    """Return a GeoJSON Feature; [lon, lat] in WGS-84."""
    return {"type": "Feature", "properties": dict(properties), "geometry": {"type": kind, "coordinates": coordinates}}


def draw(
    valley: Valley, graph: RoadGraph, blocks: Ground, stations: Sequence[table.Spot], *, seed: int
) -> dict[str, Feature]:
    """Return a FeatureCollection for each layer that the console serves (LAYERS of console/api/city.py)."""
    return {
        "relief": collection(_relief(valley, seed)),
        "valley": collection([_area(valley.floor_ring(), {"kind": "valley"})]),
        "water": collection(_water(valley)),
        "parks": collection(_greens()),
        "blocks": collection([_block_feature(blocks)]),
        "roads": collection(_roads(graph)),
        "labels": collection(_labels(valley)),
        "places": collection(_places(stations)),
    }


def lonlat(ground: Ground, *, decimals: int = _DECIMALS) -> list[list[float]]:
    """Return places in the city's plane as [lon, lat], by default to 6 decimals (0.1 m)."""
    lat, lon = local_plane(table.ORIGIN_LAT_DEG, table.ORIGIN_LON_DEG).from_plane(ground.east_m, ground.north_m)
    positions: list[list[float]] = np.column_stack((lon, lat)).round(decimals).tolist()
    return positions


def _ring(ground: Ground) -> list[list[float]]:
    positions = lonlat(ground)
    return [*positions, positions[0]]


def _relief(valley: Valley, seed: int) -> list[Feature]:
    """Return one feature a height: `height_m` above the sea; `index` marks each fifth line."""
    lines: dict[int, list[list[list[float]]]] = {}
    for height_m, ground in contour_lines(valley, seed):
        lines.setdefault(height_m, []).append(lonlat(ground, decimals=5))
    return [
        feature("MultiLineString", parts, {"kind": "contour", "height_m": height_m, "index": height_m % INDEX_M == 0})
        for height_m, parts in sorted(lines.items())
    ]


def _block_feature(blocks: Ground) -> Feature:
    """Return all blocks, arrays of shape (blocks, corners), as one MultiPolygon."""
    closed = Ground(*(np.column_stack((axis, axis[:, 0])) for axis in blocks))
    rings = np.array(lonlat(Ground(closed.east_m.ravel(), closed.north_m.ravel()))).reshape(*closed.east_m.shape, 2)
    return feature("MultiPolygon", [[ring] for ring in rings.tolist()], {"kind": "block"})


def _area(ground: Ground, properties: Mapping[str, object]) -> Feature:
    return feature("Polygon", [_ring(ground)], properties)


def _names(thing: table.Spot | table.Green) -> dict[str, object]:
    return {"name_zh": thing.name_zh, "name_en": thing.name_en}


def _outline(green: table.Green) -> Ground:
    return oval(green, np.linspace(0.0, 2.0 * np.pi, _OUTLINE_POINTS, endpoint=False))


def _water(valley: Valley) -> list[Feature]:
    ring = valley.river_ring()
    thin = slice(None, None, 4)
    river = Ground(ring.east_m[thin], ring.north_m[thin])
    islands = [_area(_outline(g), {"kind": "wetland", **_names(g)}) for g in table.GREENS if g.kind == "wetland"]
    return [_area(river, {"kind": "river", "name_zh": "金河", "name_en": "Jin River"}), *islands]


def _greens() -> list[Feature]:
    return [
        _area(_outline(green), {"kind": green.kind, **_names(green)})
        for green in table.GREENS
        if green.kind != "wetland"
    ]


def _roads(graph: RoadGraph) -> list[Feature]:
    """Return one feature a named way, and the nameless local ones in pieces (a feature's properties cost bytes)."""
    one_direction = _drawn_once(graph)
    edges = one_direction[np.lexsort((one_direction, graph.edge_way[one_direction]))]
    lines = _lines(graph, edges)
    named, nameless = [], []
    for way, parts in lines:
        if graph.way_name_zh[way]:
            named.append(feature("MultiLineString", parts, _road_properties(graph, way)))
        else:
            nameless.append((way, parts))
    return [*named, *_pieces(graph, nameless)]


def _drawn_once(graph: RoadGraph) -> NDArray[np.int64]:
    """Return the edges of one direction: a two-way street's backward edges stand behind all forward ones."""
    key = np.minimum(graph.edge_from, graph.edge_to).astype(np.int64) * graph.node_count
    key += np.maximum(graph.edge_from, graph.edge_to)
    return np.sort(np.unique(key, return_index=True)[1])


def _pieces(graph: RoadGraph, nameless: list[tuple[int, list[Any]]]) -> list[Feature]:
    pieces: list[Feature] = []
    for oneway in (False, True):
        mine = [(way, parts) for way, parts in nameless if bool(graph.way_oneway[way]) is oneway]
        for start in range(0, len(mine), _ROAD_PIECES):
            chunk = mine[start : start + _ROAD_PIECES]
            parts = [part for _, way_parts in chunk for part in way_parts]
            pieces.append(feature("MultiLineString", parts, _road_properties(graph, chunk[0][0])))
    return pieces


def _road_properties(graph: RoadGraph, way: int) -> dict[str, object]:
    first = int(np.flatnonzero(graph.edge_way == way)[0])
    properties: dict[str, object] = {"class": int(graph.edge_class[first])}
    if graph.way_name_zh[way]:
        properties |= {"name_zh": str(graph.way_name_zh[way]), "name_en": str(graph.way_name_en[way])}
    properties |= {"bridge": bool(graph.way_bridge[way]), "oneway": bool(graph.way_oneway[way])}
    return properties


def _lines(graph: RoadGraph, edges: NDArray[np.int64]) -> list[tuple[int, list[list[list[float]]]]]:
    """Return for each way its unbroken lines; edges come ordered by way and along it."""
    tails, heads, ways = graph.edge_from[edges], graph.edge_to[edges], graph.edge_way[edges]
    broken = (ways[1:] != ways[:-1]) | (tails[1:] != heads[:-1])
    bounds = np.concatenate(([0], np.flatnonzero(broken) + 1, [len(edges)]))
    positions = np.column_stack((graph.node_lon_deg, graph.node_lat_deg)).round(_DECIMALS)
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


def _labels(valley: Valley) -> list[Feature]:
    labels = [_point(spot, {"kind": "district", **_names(spot)}) for spot in table.DISTRICTS]
    for column in (-11600.0, -6300.0, 3000.0, 9000.0):
        middle = valley.bank(1, np.array([column]), 0.0)
        spot = table.Spot("river", "金河", "Jin River", float(middle.east_m[0]), float(middle.north_m[0]))
        labels.append(_point(spot, {"kind": "river", **_names(spot)}))
    greens = [table.Spot(g.kind, g.name_zh, g.name_en, g.east_m, g.north_m) for g in table.GREENS]
    labels += [_point(spot, {"kind": spot.key, **_names(spot)}) for spot in greens]
    for crossing in table.CROSSINGS:
        middle = valley.bank(1, np.array([crossing.column_m]), 0.0)
        spot = table.Spot(
            "bridge", crossing.bridge_zh, crossing.bridge_en, float(middle.east_m[0]), float(middle.north_m[0])
        )
        labels.append(_point(spot, {"kind": "bridge", **_names(spot)}))
    return labels


def _places(stations: Sequence[table.Spot]) -> list[Feature]:
    places = [_point(spot, {"kind": "place", "id": spot.key, **_names(spot)}) for spot in table.PLACES]
    docks = [_point(spot, {"kind": "dock", "id": spot.key, **_names(spot)}) for spot in table.DOCKS]
    shields = [_point(spot, {"kind": "station", "number": int(spot.key), **_names(spot)}) for spot in stations]
    return [*places, *docks, *shields]


def _point(spot: table.Spot, properties: Mapping[str, object]) -> Feature:
    position = lonlat(Ground(np.array([spot.east_m]), np.array([spot.north_m])))[0]
    return feature("Point", position, properties)
