"""The places of the demo force: stations, docks, posts, checkpoints and cameras, as lines of a force file."""

from typing import Final

import numpy as np

from console.demo.city import City, CitySpot
from mission.roads.graph import CLASS_PRIMARY
from telemetry.model.geodesy import distance_m
from telemetry.registry.force_file import CameraLine, ForceLine, Place, PostKind, PostLine, StationLine

SAFETY_POSTS: Final = 24
CAMERAS: Final = 72


def place_lines(city: City, random: np.random.Generator) -> list[ForceLine]:
    """Return all places of the city that the registry knows."""
    return [*_stations(city), *_posts(city, random), *_cameras(city, random)]


def nearest_station(city: City, spot: CitySpot) -> int:
    """Return the number of the station nearest to a spot."""
    stations = city.facts.stations
    lats, lons = [s.lat_deg for s in stations], [s.lon_deg for s in stations]
    return int(stations[int(distance_m(spot.lat_deg, spot.lon_deg, lats, lons).argmin())].key)


def _place(lat_deg: float, lon_deg: float) -> Place:
    return Place(round(lat_deg * 1e7), round(lon_deg * 1e7))


def _stations(city: City) -> list[StationLine]:
    return [
        StationLine(
            line=0,
            number=int(spot.key),
            name_zh=spot.name_zh,
            name_en=spot.name_en,
            place=_place(spot.lat_deg, spot.lon_deg),
            ring_order=order,
        )
        for order, spot in enumerate(city.facts.stations, 1)
    ]


def _posts(city: City, random: np.random.Generator) -> list[PostLine]:
    """Return docks, a standing post at each place, safety posts on main streets and checkpoints at the valley's ends."""
    docks = [_post(city, PostKind.DOCK, spot) for spot in city.facts.docks]
    standing = [_post(city, PostKind.STANDING_POST, spot) for spot in city.facts.places]
    safety = [
        _post(city, PostKind.SAFETY_POST, _numbered(spot, f"平安驿站 {rank:02d}", f"Safety post {rank:02d}"))
        for rank, spot in enumerate(_on_main_streets(city, SAFETY_POSTS, random), 1)
    ]
    roads = city.roads
    main = np.unique(roads.edge_from[roads.edge_class <= CLASS_PRIMARY])
    ends = main[np.argsort(roads.node_lon_deg[main])][[0, 6, -7, -1]]
    spots = [
        CitySpot(key="", name_zh="", name_en="", lat_deg=roads.node_lat_deg[n], lon_deg=roads.node_lon_deg[n])
        for n in ends
    ]
    checks = [
        _post(city, PostKind.CHECKPOINT, _numbered(spot, f"{side}卡点 {rank}", f"{word} checkpoint {rank}"))
        for spot, (side, word, rank) in zip(
            spots, (("西", "West", 1), ("西", "West", 2), ("东", "East", 1), ("东", "East", 2)), strict=True
        )
    ]
    return [*docks, *standing, *safety, *checks]


def _cameras(city: City, random: np.random.Generator) -> list[CameraLine]:
    return [
        CameraLine(
            line=0,
            name_zh=f"摄像机 {rank:03d}",
            name_en=f"Camera {rank:03d}",
            place=_place(spot.lat_deg, spot.lon_deg),
            station_number=nearest_station(city, spot),
        )
        for rank, spot in enumerate(_on_main_streets(city, CAMERAS, random), 1)
    ]


def _on_main_streets(city: City, count: int, random: np.random.Generator) -> list[CitySpot]:
    roads = city.roads
    nodes = random.choice(np.unique(roads.edge_from[roads.edge_class <= CLASS_PRIMARY]), count, replace=False)
    positions = zip(roads.node_lat_deg[nodes].tolist(), roads.node_lon_deg[nodes].tolist(), strict=True)
    return [CitySpot(key="", name_zh="", name_en="", lat_deg=lat, lon_deg=lon) for lat, lon in positions]


def _numbered(spot: CitySpot, name_zh: str, name_en: str) -> CitySpot:
    return CitySpot(key=spot.key, name_zh=name_zh, name_en=name_en, lat_deg=spot.lat_deg, lon_deg=spot.lon_deg)


def _post(city: City, kind: PostKind, spot: CitySpot) -> PostLine:
    place, station = _place(spot.lat_deg, spot.lon_deg), nearest_station(city, spot)
    return PostLine(line=0, kind=kind, name_zh=spot.name_zh, name_en=spot.name_en, place=place, station_number=station)
