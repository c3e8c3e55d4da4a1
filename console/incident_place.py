"""Whose an incident is and what is to be asked about its place."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from console.sources import BridgeSource
from telemetry.model.geodesy import distance_m
from telemetry.model.unit import Station

FARTHEST_M: Final = 30_000.0
"""No station is asked to answer for a place farther away than this."""


class NearestStations:
    """Judges places by the stations alone, where there are no roads: the nearest one's it is."""

    def __init__(self, bridge: BridgeSource) -> None:
        self._bridge = bridge

    async def judge(self, lat_deg: float, lon_deg: float) -> tuple[str, int | None]:
        """Return no question, and the nearest station within 30 km."""
        return "", nearest_station(self._bridge.registry.stations, lat_deg, lon_deg)


def nearest_station(stations: Mapping[int, Station], lat_deg: float, lon_deg: float) -> int | None:
    """Return the station nearest by air, None when none is within 30 km."""
    if not stations:
        return None
    ids = list(stations)
    lat = np.array([stations[station_id].lat_deg for station_id in ids])
    lon = np.array([stations[station_id].lon_deg for station_id in ids])
    away_m = distance_m(lat, lon, lat_deg, lon_deg)
    best = int(np.argmin(away_m))
    return ids[best] if away_m[best] <= FARTHEST_M else None
