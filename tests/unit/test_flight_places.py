"""Places and heights that drones are ordered to: told in any datum, flown to where they are, asked for where they are missing, audited."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from console.api.flights import in_wgs84
from console.api.models_flights import WantAction
from console.auth.accounts import Account
from console.flight.actions import check_action
from console.patrols.first_responder import FirstResponder
from console.wire import Role
from infra.clock import SYSTEM_CLOCK
from mission.flying.responder import Candidate
from mission.flying.responder_trip import Errand
from mission.model import Programme
from telemetry.model.commands import FlightAction
from telemetry.model.datum import Crs, from_wgs84
from telemetry.model.errors import InputError, chinese_of
from tests.patrol_day import airframe, dock


def test_a_place_of_a_chinese_map_is_flown_to_where_it_is() -> None:
    lat, lon = from_wgs84([36.06], [103.83], crs=Crs.GCJ02)
    said = WantAction(action=FlightAction.GO_TO, lat_deg=float(lat[0]), lon_deg=float(lon[0]), crs=Crs.GCJ02)
    found = in_wgs84(said)
    assert (found.lat_deg, found.lon_deg) == pytest.approx((36.06, 103.83), abs=1e-6)
    assert found.crs is Crs.WGS84
    assert in_wgs84(found) == found


def test_an_order_without_a_place_stays_as_it_is() -> None:
    assert in_wgs84(WantAction(action=FlightAction.HOLD)) == WantAction(action=FlightAction.HOLD)


@pytest.mark.parametrize("alt_home_m", [None, 0.0])
def test_a_take_off_without_a_height_is_refused_before_anybody_confirms_it(alt_home_m: float | None) -> None:
    with pytest.raises(InputError, match=r"give alt_home_m, 1 \.\. 1000 m") as refused:
        check_action(WantAction(action=FlightAction.TAKE_OFF, alt_home_m=alt_home_m))
    assert chinese_of(refused.value) == "起飞高度须为 1 至 1000 m（相对起飞点）"
    check_action(WantAction(action=FlightAction.TAKE_OFF, alt_home_m=30.0))


@pytest.mark.parametrize(("incident_id", "told"), [(12, {}), (None, {"lat_deg": 36.0655, "lon_deg": 103.8341})])
async def test_who_is_sent_where_stands_in_the_audit_by_call_sign(
    incident_id: int | None, told: dict[str, float]
) -> None:
    written: list[tuple[str, dict[str, Any]]] = []

    async def write(_account: object, _action: object, *, subject: str, detail: dict[str, Any]) -> None:
        written.append((subject, detail))

    async def hand(*_: object, **__: object) -> None:
        pass

    fake: Any = SimpleNamespace(
        registry=SimpleNamespace(units={7: SimpleNamespace(call_sign="Hawk 7")}),
        write_soon=write,
        hand=hand,
        drones=SimpleNamespace(device_of=lambda _: 1),
        control=SimpleNamespace(of=lambda _: SimpleNamespace(holder=None)),
    )
    responder = FirstResponder(fake, SYSTEM_CLOCK, fake, programme=fake, plans=fake, flights=fake)
    account = Account(account_id=5, name="wang", role=Role.OPERATOR)
    chosen = Candidate(
        airframe_id=1, unit_id=7, name="Matrice", arrive_s=80.0, battery_at_scene_ratio=0.9, return_ratio=0.4, way=None,
        refusals=(), sortie=cast("Any", object()), goal=0,
    )  # fmt: skip
    whole = Programme(airframes=(airframe(1, 1),), docks=(dock(1, 0, 0),))
    errand = Errand(lat_deg=36.06551, lon_deg=103.83408)
    assert await responder.send(chosen, whole, account, errand=errand, incident_id=incident_id) == 7
    assert written == [("Hawk 7", {"unit_id": 7, "incident_id": incident_id, "arrive_s": 80.0, **told})]
