"""Whose a place is where nobody knows the zones: the nearest station's."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from telemetry.model.geodesy import distance_m
from telemetry.model.unit import Station

FARTHEST_M: Final = 30_000.0
"""No station is asked to answer for a place farther away than this."""


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
