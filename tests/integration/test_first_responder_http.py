"""First responders over HTTP: who would be there soonest, who may ask, and why the others cannot go."""

from typing import Any

import pytest

from console.wire import Role
from telemetry.model.datum import Crs, from_wgs84
from tests.console_house import DRONE, House
from tests.shared_house import emptied_house, shared_house  # noqa: F401 - fixtures

pytestmark = pytest.mark.asyncio(loop_scope="module")
PLACE = {"lat_deg": 36.055, "lon_deg": 103.806, "dry_run": True}


async def draw(house: House, cookie: str) -> None:
    async with house.client(cookie) as client:
        place = {"name": "D", "lat_deg": 36.05, "lon_deg": 103.8, "station_id": 1}
        dock = await client.post("/api/programme/docks", json={"item": place, "station_id": 1})
        drone = {"name": "Kestrel", "unit_id": DRONE, "device_id": 11, "dock_id": dock.json()["item_id"]}
        assert (await client.post("/api/programme/airframes", json={"item": drone})).status_code == 201
        weather = {
            "from_us": house.bridge.clock.now_us(),
            "observed_us": house.bridge.clock.now_us(),
            "source": "here",
            "wind_mps": 2.0,
        }
        await client.post(
            "/api/programme/weather", json={"item": weather | {"wind_from_deg": 90.0, "visibility_m": 9999.0}}
        )


async def ask(house: House, cookie: str, **more: Any) -> Any:  # noqa: ANN401 - an answer
    async with house.client(cookie) as client:
        return await client.post("/api/flights/to", json=PLACE | more, timeout=60)


async def test_a_drone_that_is_heard_is_told_with_its_time_and_battery_and_one_that_is_silent_with_why(
    house: House,
) -> None:
    cookie = await house.cookie(Role.ADMIN)
    await draw(house, cookie)
    house.bridge.picture.units["observed_us"] = 0  # whatever another test let it say before
    silent = (await ask(house, cookie)).json()
    assert (silent["chosen"], silent["candidates"][0]["refusals"][0]["reason_en"]) == (None, "it is not heard")
    house.bridge.move(DRONE, lat_e7=360_500_000, lon_e7=1_038_000_000)
    heard = (await ask(house, cookie)).json()
    found = heard["candidates"][0]
    assert heard["sent_unit_id"] is None
    assert found["unit_id"] == DRONE
    assert 60 < found["arrive_s"] < 180
    assert 0.3 < found["return_ratio"] < found["battery_at_scene_ratio"] <= 1.0


async def test_a_place_in_another_datum_is_the_same_place(house: House) -> None:
    cookie = await house.cookie(Role.OPERATOR)
    await draw(house, await house.cookie(Role.ADMIN))
    house.bridge.move(DRONE, lat_e7=360_500_000, lon_e7=1_038_000_000)
    lat, lon = from_wgs84([PLACE["lat_deg"]], [PLACE["lon_deg"]], crs=Crs.GCJ02)
    plain = (await ask(house, cookie)).json()["candidates"][0]
    moved = (await ask(house, cookie, lat_deg=float(lat[0]), lon_deg=float(lon[0]), crs="gcj02")).json()["candidates"][
        0
    ]
    assert moved["arrive_s"] == pytest.approx(plain["arrive_s"], abs=0.2)


async def test_viewers_send_nothing_and_an_operator_of_another_station_has_no_such_drone(house: House) -> None:
    await draw(house, await house.cookie(Role.ADMIN))
    assert (await ask(house, await house.cookie(Role.VIEWER))).status_code == 403
    elsewhere = await ask(house, await house.cookie(Role.OPERATOR, stations=(2,)))
    assert elsewhere.status_code == 404
    assert "no drone of the programme in your scope" in elsewhere.json()["detail"]
    assert (await ask(house, await house.cookie(Role.OPERATOR), unit_id=99)).status_code == 404


@pytest.mark.parametrize("wish", [{"lat_deg": 95}, {"alt_agl_m": 9000}, {"crs": "mars"}, {"speed": 3}])
async def test_what_is_no_place_is_refused(house: House, wish: dict[str, Any]) -> None:
    assert (await ask(house, await house.cookie(Role.OPERATOR), **wish)).status_code == 422
