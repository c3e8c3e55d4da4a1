"""The datum doors give the published shifts, and nothing outside China."""

import numpy as np
import pytest

from telemetry.model.datum import Crs, from_wgs84, parse_crs, to_wgs84
from telemetry.model.errors import InputError, UnknownCrsError
from telemetry.model.geodesy import distance_m


@pytest.mark.parametrize(
    ("lat_deg", "lon_deg", "north_m", "east_m"),
    [(36.06, 103.83, -36, 217), (34.79, 114.31, -100, 534), (38.93, 100.45, 71, 147), (25.09, 104.9, -346, 248)],
    ids=["Lanzhou", "Kaifeng", "Zhangye", "Xingyi"],
)
def test_gcj02_moves_known_cities_by_the_known_metres(
    lat_deg: float, lon_deg: float, north_m: float, east_m: float
) -> None:
    lat, lon = from_wgs84(lat_deg, lon_deg, crs=Crs.GCJ02)
    north = float(distance_m(lat_deg, lon_deg, lat, lon_deg)) * np.sign(float(lat) - lat_deg)
    east = float(distance_m(lat_deg, lon_deg, lat_deg, lon)) * np.sign(float(lon) - lon_deg)
    assert north == pytest.approx(north_m, abs=12)
    assert east == pytest.approx(east_m, abs=12)


@pytest.mark.parametrize("crs", [Crs.GCJ02, Crs.BD09])
def test_nothing_is_shifted_outside_chinas_box(crs: Crs) -> None:
    lat, lon = np.array([60.17, -33.9, 0.0]), np.array([24.94, 151.2, 0.0])
    for moved in (from_wgs84(lat, lon, crs=crs), to_wgs84(lat, lon, crs=crs)):
        assert (moved[0] == lat).all()
        assert (moved[1] == lon).all()


def test_cgcs2000_and_wgs84_are_one_at_our_accuracy() -> None:
    for lat, lon in (from_wgs84(36.0, 103.0, crs=Crs.CGCS2000), to_wgs84(36.0, 103.0, crs=Crs.CGCS2000)):
        assert (float(lat), float(lon)) == (36.0, 103.0)


def test_a_name_that_no_door_knows_is_refused_with_the_allowed_ones() -> None:
    assert parse_crs("gcj02") is Crs.GCJ02
    with pytest.raises(UnknownCrsError, match="wgs84, gcj02, bd09, cgcs2000") as caught:
        parse_crs("mars")
    assert isinstance(caught.value, InputError)
