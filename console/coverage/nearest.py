"""The coverage process's answers about one place: who is soonest there, whose zone it is, how far from the roads it lies."""

import math
from collections.abc import Callable
from typing import Final

import numpy as np

from console.coverage.protocol import Leaving, NearestAnswer, NearestAsked, PlaceAnswer, PlaceAsked
from mission.airspace import Airspace, Wind, flight_times
from mission.calls.recommend import arrivals
from mission.cover.coverage import Coverage
from mission.cover.ground import GroundUnits, street_places
from mission.roads.travel import Speeds, TravelMode
from telemetry.model.datum import Crs, to_wgs84
from telemetry.model.geodesy import Floats

TOLD_LOSSES: Final = 64
"""Of so many soonest units it is told what their leaving uncovers."""


def nearest_of(
    coverage: Coverage,
    speeds: Speeds,
    units: GroundUnits,
    asked: NearestAsked,
    *,
    airspace: Airspace,
    leaving: Callable[[list[int]], list[Leaving]],
) -> NearestAnswer:
    """Return how soon each unit is at the place, and what the leaving of the soonest uncovers."""
    wind = Wind(from_deg=asked.wind_from_deg, speed_mps=asked.wind_mps)
    drones = np.column_stack((asked.drones.lat_deg, asked.drones.lon_deg)).reshape(-1, 2)
    flight_s = flight_times(
        drones[:, 0],
        drones[:, 1],
        asked.lat_deg,
        asked.lon_deg,
        air_speed_mps=speeds.drone_air_speed_mps,
        wind=wind,
        airspace=airspace,
    )
    found = arrivals(coverage, units, asked.lat_deg, asked.lon_deg, hour=asked.hour_of_week % 24)
    soonest = np.argsort(found.travel_s + units.turnout_s, kind="stable")[:TOLD_LOSSES]
    return NearestAnswer(
        travel_s=_told(found.travel_s),
        turnout_s=units.turnout_s.tolist(),
        flight_s=_told(flight_s),
        launch_s=speeds.turnout_s[TravelMode.DRONE],
        off_map=units.unit_id[found.off_map].tolist(),
        losses=leaving(units.unit_id[soonest].tolist()),
    )


def place_of(coverage: Coverage, asked: PlaceAsked) -> PlaceAnswer:
    """Return whose zone a place lies in and how far from the roads it is, as told and were it told in GCJ-02."""
    lat, lon = np.array([asked.lat_deg]), np.array([asked.lon_deg])
    shifted_lat, shifted_lon = to_wgs84(lat, lon, crs=Crs.GCJ02)
    both_lat, both_lon = np.concatenate((lat, shifted_lat)), np.concatenate((lon, shifted_lon))
    snapped = coverage.index.snap(both_lat, both_lon, within_m=np.inf)
    station_id = None
    if snapped.edge[0] >= 0:
        street, along = street_places(coverage.graph, snapped.edge[:1], snapped.along_ratio[:1])
        streets = coverage.graph.streets
        node = streets.tail[street[0]] if along[0] < 0.5 else streets.head[street[0]]
        index = int(coverage.zone_of_node[node])
        station_id = int(coverage.stations.station_id[index]) if index >= 0 else None
    return PlaceAnswer(station_id, float(snapped.away_m[0]), float(snapped.away_m[1]))


def _told(seconds: Floats) -> list[float | None]:
    return [one if math.isfinite(one) else None for one in seconds.tolist()]
