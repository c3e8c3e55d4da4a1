"""GCJ-02 and BD-09 come back to within a micrometre anywhere in China."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.model.datum import Crs, from_wgs84, to_wgs84
from telemetry.model.geodesy import distance_m

LATS = st.floats(1.0, 55.5)
LONS = st.floats(72.2, 137.5)


@given(lat_deg=LATS, lon_deg=LONS, crs=st.sampled_from([Crs.GCJ02, Crs.BD09]))
def test_a_round_trip_is_exact_to_a_micrometre(lat_deg: float, lon_deg: float, crs: Crs) -> None:
    lat, lon = to_wgs84(*from_wgs84(lat_deg, lon_deg, crs=crs), crs=crs)
    assert float(distance_m(lat_deg, lon_deg, lat, lon)) <= 1e-6


@pytest.mark.parametrize("crs", [Crs.GCJ02, Crs.BD09])
def test_a_round_trip_of_many_positions_is_exact_to_a_micrometre(crs: Crs) -> None:
    random = np.random.default_rng(5)
    lat, lon = random.uniform(1.0, 55.5, 50_000), random.uniform(72.2, 137.5, 50_000)
    back = to_wgs84(*from_wgs84(lat, lon, crs=crs), crs=crs)
    assert distance_m(lat, lon, *back).max() <= 1e-6


@pytest.mark.parametrize("crs", [Crs.GCJ02, Crs.BD09])
def test_a_position_alone_becomes_what_it_becomes_among_others(crs: Crs) -> None:
    random = np.random.default_rng(6)
    lat, lon = random.uniform(-10.0, 60.0, 300), random.uniform(70.0, 140.0, 300)
    together = np.array(to_wgs84(lat, lon, crs=crs))
    alone = [to_wgs84(lat[row : row + 1], lon[row : row + 1], crs=crs) for row in range(len(lat))]
    assert np.array_equal(together, np.concatenate(alone, axis=1))
