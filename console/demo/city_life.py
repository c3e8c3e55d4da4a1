"""Where people live in the demo city, which places must be reached in 1, 3 or 5 minutes, and where no drone may fly. All made up."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from console.city.geojson import Feature, collection, feature
from console.demo import city_table as table
from console.demo.basemap import lonlat
from console.demo.hills import oval
from console.demo.valley import Ground
from mission.roads.graph import CLASS_LOCAL, CLASS_SECONDARY, Ints, RoadGraph
from telemetry.model.geodesy import Floats, local_plane

PEOPLE: Final = 1_250_000
CENTRES: Final = ((300.0, -1100.0, 2600.0, 3.0), (-6400.0, -900.0, 2200.0, 1.6), (8200.0, -200.0, 2400.0, 1.1))
"""Where the city is dense: metres east and north, reach, weight above a suburb's 1."""
NO_FLY_POINTS: Final = 36
TIER_FAMILIES: Final = (
    ("hospital", 1, 6, "人民医院", "People’s Hospital"),
    ("school", 3, 24, "中学", "Middle School"),
    ("bank", 3, 18, "银行", "Bank"),
    ("market", 3, 8, "商场", "Mall"),
    ("estate", 5, 30, "小区", "Estate"),
    ("works", 5, 8, "工业园", "Works"),
)
"""Kind, minutes, how many, and what the names end in."""
FIRST_TIER: Final = ("gov", "rail", "square")
"""Places of the table that must be reached within a minute; the others within three."""


class NoFly(NamedTuple):
    """An oval over which no drone may fly."""

    name_zh: str
    name_en: str
    east_m: float
    north_m: float
    long_m: float
    wide_m: float


NO_FLY: Final = (
    NoFly("东滩电厂禁飞区", "Dongtan Power Station no-fly area", 7700, 2750, 950, 620),
    NoFly("西津水厂禁飞区", "Xijin Waterworks no-fly area", -10300, -2550, 780, 480),
    NoFly("河湾看守所禁飞区", "Hewan Detention Centre no-fly area", 1350, -1750, 330, 260),
)


def people_at(graph: RoadGraph, seed: int) -> Floats:
    """Return how many people live round each node (nodes,): along local streets, more towards the centres."""
    random = np.random.default_rng([seed, 83])
    east, north = _plane_of(graph)
    local = graph.edge_class >= CLASS_LOCAL
    homes_m = np.bincount(graph.edge_from[local], graph.edge_length_m[local], minlength=graph.node_count)
    density = np.ones(graph.node_count)
    for centre_east_m, centre_north_m, reach_m, weight in CENTRES:
        away = np.hypot(east - centre_east_m, north - centre_north_m) / reach_m
        density += weight * np.exp(-(away**2))
    people = homes_m * density * random.uniform(0.6, 1.4, graph.node_count)
    whole: Floats = people / people.sum() * PEOPLE
    return whole


def tiers(graph: RoadGraph, people: Floats, seed: int) -> Feature:
    """Return the tiered places: points with `name_zh`, `name_en`, `kind` and `minutes` 1, 3 or 5."""
    return collection(list(_tiers(graph, people, np.random.default_rng([seed, 89]))))


def no_fly() -> Feature:
    """Return the areas over which no drone may fly."""
    features = []
    for area in NO_FLY:
        green = table.Green("no_fly", *area, 0.0)
        ring = lonlat(oval(green, np.linspace(0.0, 2.0 * np.pi, NO_FLY_POINTS, endpoint=False)))
        features.append(feature("Polygon", [[*ring, ring[0]]], {"name_zh": area.name_zh, "name_en": area.name_en}))
    return collection(features)


def _tiers(graph: RoadGraph, people: Floats, random: np.random.Generator) -> Iterator[Feature]:
    east, north = _plane_of(graph)
    for spot in table.PLACES:
        minutes = 1 if spot.key in FIRST_TIER else 3
        yield _tier(spot.east_m, spot.north_m, "place", minutes, spot.name_zh, spot.name_en)
    on_street = np.unique(graph.edge_from[graph.edge_class <= CLASS_SECONDARY])
    for kind, minutes, count, ending_zh, ending_en in TIER_FAMILIES:
        nodes = on_street if minutes == 1 else np.arange(graph.node_count)
        weight = people[nodes] + (1.0 if minutes == 1 else 0.0)
        chosen = random.choice(nodes, count * 12, replace=False, p=weight / weight.sum())
        for rank, node in enumerate(_apart(east, north, chosen, count), 1):
            first, second = (
                names[int(random.integers(0, len(names)))] for names in (table.NAME_FIRST, table.NAME_SECOND)
            )
            name_zh = f"{first[0]}{second[0]}{ending_zh}" if kind != "hospital" else f"第{rank}{ending_zh}"
            name_en = f"{first[1]}{second[1]} {ending_en}" if kind != "hospital" else f"{ending_en} No. {rank}"
            yield _tier(float(east[node]), float(north[node]), kind, minutes, name_zh, name_en)


def _apart(east: Floats, north: Floats, chosen: Ints, count: int) -> list[int]:
    """Return the first `count` of the chosen nodes that keep 350 m from each other."""
    kept: list[int] = []
    for node in chosen.tolist():
        if all(np.hypot(east[node] - east[other], north[node] - north[other]) > 350.0 for other in kept):
            kept.append(node)
        if len(kept) == count:
            break
    return kept


def _tier(east_m: float, north_m: float, kind: str, minutes: int, name_zh: str, name_en: str) -> Feature:
    (position,) = lonlat(Ground(np.array([east_m]), np.array([north_m])))
    return feature("Point", position, {"name_zh": name_zh, "name_en": name_en, "kind": kind, "minutes": minutes})


def _plane_of(graph: RoadGraph) -> tuple[Floats, Floats]:
    plane = local_plane(table.ORIGIN_LAT_DEG, table.ORIGIN_LON_DEG)
    east, north = plane.to_plane(graph.node_lat_deg, graph.node_lon_deg)
    return east, north
