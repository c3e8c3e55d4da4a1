"""Places that drones are ordered to: told in any datum, flown to where they are."""

import pytest

from console.api.flights import in_wgs84
from console.api.models_flights import WantAction
from telemetry.model.commands import FlightAction
from telemetry.model.datum import Crs, from_wgs84


def test_a_place_of_a_chinese_map_is_flown_to_where_it_is() -> None:
    lat, lon = from_wgs84([36.06], [103.83], crs=Crs.GCJ02)
    said = WantAction(action=FlightAction.GO_TO, lat_deg=float(lat[0]), lon_deg=float(lon[0]), crs=Crs.GCJ02)
    found = in_wgs84(said)
    assert (found.lat_deg, found.lon_deg) == pytest.approx((36.06, 103.83), abs=1e-6)
    assert found.crs is Crs.WGS84
    assert in_wgs84(found) == found


def test_an_order_without_a_place_stays_as_it_is() -> None:
    assert in_wgs84(WantAction(action=FlightAction.HOLD)) == WantAction(action=FlightAction.HOLD)
