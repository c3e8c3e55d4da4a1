"""What the rules say before a flight is asked anew as time goes by, though nothing else changes."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from console.flight.briefs import Given
from console.patrols.rules_now import RulesDesk
from mission.model import US, Weather
from mission.plan import Sortie, Waypoint
from tests.conftest import FakeClock
from tests.patrol_day import airframe, dock, hour, place, programme

NINE_US = hour(9)
SEEN = Weather(
    from_us=NINE_US, observed_us=NINE_US, source="seen", wind_from_deg=0.0, wind_mps=3.0, gust_mps=4.0, visibility_m=9000.0
)  # fmt: skip


def planned(takeoff_us: int) -> Given:
    lon_deg, lat_deg = place(900.0, 200.0)
    there = Waypoint(lat_deg=lat_deg, lon_deg=lon_deg, alt_home_m=60.0, speed_mps=10.0)
    sortie = Sortie(
        sortie_id=1, airframe_id=1, dock_id=1, takeoff_us=takeoff_us, landing_us=takeoff_us + 300 * US,
        free_us=takeoff_us + 900 * US, visit_ids=(), task_ids=(), waypoints=(there,), length_m=2200.0,
        landing_battery_ratio=0.7, transit_alt_home_m=60.0,
    )  # fmt: skip
    return Given(
        sortie=sortie, airframe=airframe(1, 1), dock=dock(1, -200, 200), zones=(), plan_id=None, goal=0, account_id=5,
        account_name="li",
    )  # fmt: skip


class Read:
    """A programme and plans that never change."""

    def __init__(self) -> None:
        self.now = SimpleNamespace(programme=programme(zones=(), weather=(SEEN,)))

    async def read(self, _scope: object) -> SimpleNamespace:
        return self.now

    async def published(self, *_: object) -> list[object]:
        return []


def test_a_report_that_grows_old_is_told_though_nothing_else_has_changed() -> None:
    clock, read = FakeClock(NINE_US), cast("Any", Read())
    desk = RulesDesk(clock, programme=read, plans=read, feed=cast("Any", SimpleNamespace(version=0)))

    def said() -> set[str]:
        asked = desk.of_takeoff(planned(hour(11)), takeoff_us=hour(11), aloft=(), battery_ratio=1.0)
        return {one.rule_id for one in asyncio.run(asked) if not one.is_warning}

    assert said() == set()
    clock.advance(6000.0)
    assert said() == {"R-18"}
