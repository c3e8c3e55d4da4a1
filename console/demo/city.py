"""Makes the demo city Jincheng from a seed, once, and keeps it under the data directory."""

import gzip
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from console.city.geojson import Feature
from console.demo import basemap
from console.demo import city_table as table
from console.demo.city_life import no_fly, people_at, tiers
from console.demo.city_roads import build_roads
from console.demo.far_ends import far_ends
from console.demo.hills import inside, lay_hill_roads
from console.demo.street_plan import Names, StreetPlan
from console.demo.streets import SideStreets, lay_streets
from console.demo.valley import Ground, Valley
from mission.cover.contours import planned_geojson
from mission.cover.coverage import Coverage
from mission.cover.ground import GroundUnits, station_posts
from mission.cover.posting import planned_units
from mission.roads.graph import CLASS_SECONDARY, RoadGraph, load_roads
from telemetry.model.geodesy import local_plane

CITY_VERSION: Final = 7
"""Grows whenever the same seed would give another city, so that a kept city is made again."""

_BLOCK_INSET: Final = 0.06
Progress = Callable[[str], None]


class CitySpot(msgspec.Struct, frozen=True, kw_only=True):
    """A named place of the city, WGS-84; `key` is a station's number, a dock's or a place's id."""

    key: str
    name_zh: str
    name_en: str
    lat_deg: float
    lon_deg: float


class CityFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What `city.json` says: which city this is and where. `bounds` is [west, south, east, north], `center` [lon, lat].

    `far_ends` are where patrols stand towards the next station's zone; their keys are as 3-before and 3-after in the ring.
    """

    name_zh: str
    name_en: str
    seed: int
    version: int
    bounds: tuple[float, float, float, float]
    center: tuple[float, float]
    stations: tuple[CitySpot, ...]
    docks: tuple[CitySpot, ...]
    places: tuple[CitySpot, ...]
    far_ends: tuple[CitySpot, ...]


class City(msgspec.Struct, frozen=True, kw_only=True):
    """A city that stands ready: its directory, its facts, its roads."""

    directory: Path
    facts: CityFacts
    roads: RoadGraph


def prepare_city(data_dir: Path, seed: int, progress: Progress = lambda _: None) -> City:
    """Return the city of a seed from `data_dir`/city, made first if it is missing or of another seed or version.

    Making takes about 6 s of CPU; `progress` hears one short line a step.
    """
    directory = data_dir / "city"
    kept = _kept(directory, seed)
    if kept is not None:
        return kept
    return _make(directory, seed, progress)


def _kept(directory: Path, seed: int) -> City | None:
    try:
        facts = msgspec.json.decode((directory / "city.json").read_bytes(), type=CityFacts)
    except (OSError, msgspec.DecodeError):
        return None
    if (facts.seed, facts.version) != (seed, CITY_VERSION):
        return None
    return City(directory=directory, facts=facts, roads=load_roads(directory / "roads.npz"))


def _make(directory: Path, seed: int, progress: Progress) -> City:
    """Write all files, `city.json` last: it is what says that the others are whole."""
    progress("city: laying out valley and streets")
    plan, sides, roads = lay_out(seed)
    (directory / "basemap").mkdir(parents=True, exist_ok=True)
    (directory / "city.json").unlink(missing_ok=True)
    roads.save(directory / "roads.npz")
    roads = load_roads(directory / "roads.npz")
    stations = _on_main_roads(roads, table.STATIONS)
    progress("city: drawing the map")
    for layer, content in basemap.draw(plan.valley, roads, _blocks(plan, sides), stations, seed=seed).items():
        _write_layer(directory / "basemap" / f"{layer}.geojson", content)
    facts = _facts(seed, roads, stations)
    _write_life(directory, roads, seed)
    progress("city: reckoning how far each station reaches in 1, 3 and 5 minutes")
    _write_planned(directory / "planned.geojson", roads, facts)
    (directory / "city.json").write_bytes(msgspec.json.format(msgspec.json.encode(facts)))
    return City(directory=directory, facts=facts, roads=roads)


def lay_out(seed: int) -> tuple[StreetPlan, dict[int, SideStreets], RoadGraph]:
    """Return the street plan, its two sides and the road graph of a seed; the same for the same seed everywhere."""
    random = np.random.default_rng(seed)
    plan, names = StreetPlan(Valley(random)), Names(random)
    sides = lay_streets(plan, random, names)
    lay_hill_roads(plan, sides, random, names)
    return plan, sides, build_roads(plan, table.ROAD_NODES)


def _write_life(directory: Path, roads: RoadGraph, seed: int) -> None:
    """Write people, tiered places and no-fly areas: what coverage and flights ask of any city that has them."""
    people = people_at(roads, seed)
    np.save(directory / "people.npy", people.astype(np.float32), allow_pickle=False)
    (directory / "tiers.geojson").write_bytes(msgspec.json.encode(tiers(roads, people, seed)))
    (directory / "no_fly.geojson").write_bytes(msgspec.json.encode(no_fly()))


def _write_layer(path: Path, content: Feature) -> None:
    encoded = msgspec.json.encode(content)
    path.write_bytes(encoded)
    path.with_suffix(".geojson.gz").write_bytes(gzip.compress(encoded, 6, mtime=0))


def _write_planned(path: Path, roads: RoadGraph, facts: CityFacts) -> None:
    lat, lon = (np.array([getattr(spot, name) for spot in facts.stations]) for name in ("lat_deg", "lon_deg"))
    coverage = Coverage(roads, station_posts([int(spot.key) for spot in facts.stations], lat, lon))
    planned = planned_geojson(coverage, coverage.now(planned_units(coverage, GroundUnits())))
    for feature in planned["features"]:
        feature["properties"]["station_number"] = feature["properties"].pop("station_id")
    path.write_bytes(msgspec.json.encode(planned))


def _on_main_roads(roads: RoadGraph, spots: Sequence[table.Spot]) -> list[table.Spot]:
    """Return the spots moved to the nearest node of a main or secondary road: a station stands on a street."""
    plane = local_plane(table.ORIGIN_LAT_DEG, table.ORIGIN_LON_DEG)
    nodes = np.unique(roads.edge_from[roads.edge_class <= CLASS_SECONDARY])
    east, north = plane.to_plane(roads.node_lat_deg[nodes], roads.node_lon_deg[nodes])
    nearest = [int(np.hypot(east - spot.east_m, north - spot.north_m).argmin()) for spot in spots]
    return [
        spot._replace(east_m=float(east[place]), north_m=float(north[place]))
        for spot, place in zip(spots, nearest, strict=True)
    ]


def _blocks(plan: StreetPlan, sides: dict[int, SideStreets]) -> Ground:
    """Return the blocks between local streets, a little smaller than their streets' frame: arrays of shape (blocks, 4)."""
    corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float64)
    inset = _BLOCK_INSET + corners * (1.0 - 2.0 * _BLOCK_INSET)
    grounds = []
    for side, streets in sides.items():
        column, share = streets.cells()
        places = [axis[:, :1] + inset[:, place] * np.diff(axis, axis=1) for place, axis in enumerate((column, share))]
        grounds.append(plan.valley.place(side, places[0], places[1]))
    blocks = Ground(*(np.concatenate(axes) for axes in zip(*grounds, strict=True)))
    greens = [green for green in table.GREENS if green.kind in table.STREETLESS]
    free = ~np.any([inside(green, blocks).any(axis=1) for green in greens], axis=0)
    return Ground(blocks.east_m[free], blocks.north_m[free])


def _facts(seed: int, roads: RoadGraph, stations: Sequence[table.Spot]) -> CityFacts:
    lon, lat = roads.node_lon_deg, roads.node_lat_deg
    bounds = tuple(round(float(value), 6) for value in (lon.min(), lat.min(), lon.max(), lat.max()))
    return CityFacts(
        name_zh=table.NAME_ZH,
        name_en=table.NAME_EN,
        seed=seed,
        version=CITY_VERSION,
        bounds=(bounds[0], bounds[1], bounds[2], bounds[3]),
        center=(table.ORIGIN_LON_DEG, table.ORIGIN_LAT_DEG),
        stations=tuple(map(_spot, stations)),
        docks=tuple(map(_spot, table.DOCKS)),
        places=tuple(map(_spot, table.PLACES)),
        far_ends=_far_ends(roads, stations),
    )


def _far_ends(roads: RoadGraph, stations: Sequence[table.Spot]) -> tuple[CitySpot, ...]:
    east, north = local_plane(table.ORIGIN_LAT_DEG, table.ORIGIN_LON_DEG).to_plane(
        roads.node_lat_deg, roads.node_lon_deg
    )
    nodes = [int(np.hypot(east - spot.east_m, north - spot.north_m).argmin()) for spot in stations]
    return tuple(
        CitySpot(
            key=f"{station.key}-{side}",
            name_zh="",
            name_en="",
            lat_deg=round(float(roads.node_lat_deg[node]), 7),
            lon_deg=round(float(roads.node_lon_deg[node]), 7),
        )
        for station, ends in zip(stations, far_ends(roads, np.array(nodes, np.int32)), strict=True)
        for side, node in zip(("before", "after"), ends, strict=True)
    )


def _spot(spot: table.Spot) -> CitySpot:
    lat, lon = local_plane(table.ORIGIN_LAT_DEG, table.ORIGIN_LON_DEG).from_plane(spot.east_m, spot.north_m)
    return CitySpot(
        key=spot.key,
        name_zh=spot.name_zh,
        name_en=spot.name_en,
        lat_deg=round(float(lat), 7),
        lon_deg=round(float(lon), 7),
    )
