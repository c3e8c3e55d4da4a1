"""Draws the demo city as GeoJSON layers for the map: relief, valley, water, parks, blocks, roads, labels, places."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from console.city.geojson import Feature, collection, feature, road_features
from console.demo import city_table as table
from console.demo.hills import oval
from console.demo.relief import INDEX_M, contour_lines
from console.demo.valley import Ground, Valley
from mission.roads.graph import RoadGraph
from telemetry.model.geodesy import local_plane

_DECIMALS: Final = 6
_OUTLINE_POINTS: Final = 72


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
        "roads": collection(road_features(graph)),
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
