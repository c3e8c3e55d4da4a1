"""An officer is alone who is on duty, outdoors and without another unit near for a while; company ends it."""

from typing import Any

import msgspec
import pytest

from telemetry.geofences.fence import AloneRule, GeofencePlan
from telemetry.geofences.watch import GeofenceWatch
from telemetry.model.batch import Batch, concatenate, new_batch
from telemetry.model.events import AnyEvent, OfficerAlone
from telemetry.model.unit import Assignment, Device, DutyStatus, Service, Station, Unit, UnitKind
from telemetry.picture.live import Picture
from telemetry.registry.table import RegistryContents, RegistryTable

NOW_US = 1_800_000_000_000_000
SECOND_US = 1_000_000
LIN, WANG, CAR, DRONE = 1, 2, 3, 4
KINDS = {LIN: UnitKind.OFFICER, WANG: UnitKind.OFFICER, CAR: UnitKind.CAR, DRONE: UnitKind.DRONE}
STATION = Station(station_id=5, number=1, name_zh="所", name_en="Station", lat_deg=36.1, lon_deg=103.8)
RULE = AloneRule(limit_m=300.0, after_s=60.0)


def contents(**of_lin: Any) -> RegistryContents:  # noqa: ANN401 - fields of a unit
    units = [
        Unit(unit_id=n, call_sign=str(n), kind=kind, service=Service.PATROL, duty_status=DutyStatus.FREE, station_id=5)
        for n, kind in KINDS.items()
    ]
    units[0] = msgspec.structs.replace(units[0], **of_lin)
    return RegistryContents(
        units=tuple(units),
        devices=tuple(Device(device_id=n, protocol="osmand", address=str(n)) for n in KINDS),
        assignments=tuple(Assignment(device_id=n, unit_id=n, started_us=0) for n in KINDS),
        stations=(STATION,),
    )


def fix(device_id: int, north_m: float, at_s: float, **columns: int) -> Batch:
    batch = new_batch(1)
    batch["device_id"] = device_id
    batch["observed_us"] = batch["received_us"] = NOW_US + int(at_s * SECOND_US)
    batch["lat_e7"], batch["lon_e7"] = 360_000_000 + round(north_m * 89.83), 1_038_000_000
    for column, value in columns.items():
        batch[column] = value
    return batch


class Scene:
    def __init__(self, *rules: AloneRule, **of_lin: Any) -> None:  # noqa: ANN401 - fields of a unit
        self.registry = RegistryTable(contents(**of_lin))
        self.picture = Picture(self.registry, NOW_US)
        self.watch = GeofenceWatch(self.registry, self.picture)
        self.watch.replace(GeofencePlan(alone_rules=rules or (RULE,)))

    def stand(self, places_m: dict[int, float], from_s: int, to_s: int, **columns: int) -> list[AnyEvent]:
        """Let units stand where they are, reporting each 5 s; return what was told."""
        events: list[AnyEvent] = []
        for at_s in range(from_s, to_s, 5):
            fixes = [fix(n, north_m, at_s, **(columns if n == LIN else {})) for n, north_m in places_m.items()]
            self.picture.apply(concatenate(fixes), NOW_US + at_s * SECOND_US)
            events += self.watch.tick(NOW_US + at_s * SECOND_US)
        return events


def told(events: list[AnyEvent]) -> list[tuple[Any, ...]]:
    return [(event.device_id, event.active, event.nearest_m) for event in events if isinstance(event, OfficerAlone)]


def test_who_has_nobody_near_for_the_time_of_the_rule_is_alone_once_until_somebody_comes() -> None:
    scene = Scene()
    assert scene.stand({LIN: 0, CAR: 700}, 0, 60) == []
    assert told(scene.stand({LIN: 0, CAR: 700}, 60, 120)) == [(LIN, True, pytest.approx(700, abs=2))]
    assert scene.stand({LIN: 0, CAR: 285}, 120, 130) == []
    assert told(scene.stand({LIN: 0, CAR: 200}, 130, 140)) == [(LIN, False, pytest.approx(200, abs=1))]


def test_a_short_parting_and_a_drone_overhead_change_nothing() -> None:
    scene = Scene()
    scene.stand({LIN: 0, CAR: 700, DRONE: 0}, 0, 50)
    assert scene.stand({LIN: 0, CAR: 100, DRONE: 0}, 50, 60) == []
    assert scene.stand({LIN: 0, CAR: 700, DRONE: 0}, 60, 115) == []
    assert len(told(scene.stand({LIN: 0, CAR: 700, DRONE: 0}, 115, 130))) == 1


def test_two_officers_together_are_company_and_apart_they_are_both_alone() -> None:
    scene = Scene()
    assert scene.stand({LIN: 0, WANG: 50}, 0, 100) == []
    assert {device_id for device_id, *_ in told(scene.stand({LIN: 0, WANG: 9_000}, 100, 200))} == {LIN, WANG}


@pytest.mark.parametrize(
    ("of_lin", "north_m", "columns"),
    [
        ({"duty_status": DutyStatus.OFF_DUTY}, 0.0, {}),
        ({"kind": UnitKind.CAR}, 0.0, {}),
        ({}, 11_132.0, {}),
        ({}, 0.0, {"accuracy_dm": 900}),
    ],
    ids=["off duty", "no officer", "at a station", "indoors"],
)
def test_who_is_off_duty_indoors_or_in_a_car_is_not_alone(
    of_lin: dict[str, Any], north_m: float, columns: dict[str, int]
) -> None:
    assert Scene(**of_lin).stand({LIN: north_m}, 0, 200, **columns) == []


def test_the_nearer_rule_counts_and_none_is_a_rule_too() -> None:
    force, none = AloneRule(limit_m=300.0, after_s=0.0), AloneRule(limit_m=None, station_id=5)
    assert Scene(force, none).stand({LIN: 0}, 0, 60) == []
    own = AloneRule(limit_m=100.0, after_s=0.0, unit_id=LIN)
    assert told(Scene(force, none, own).stand({LIN: 0, CAR: 200}, 0, 20)) == [(LIN, True, pytest.approx(200, abs=1))]


def test_going_off_duty_ends_it_and_falling_silent_does_not() -> None:
    scene = Scene()
    assert len(told(scene.stand({LIN: 0}, 0, 100))) == 1
    assert scene.watch.tick(NOW_US + 400 * SECOND_US) == ()
    scene.registry.set_duty({LIN: DutyStatus.OFF_DUTY})
    assert told(list(scene.watch.tick(NOW_US + 410 * SECOND_US))) == [(LIN, False, None)]


def test_a_restart_tells_nobody_twice() -> None:
    scene = Scene()
    events = scene.stand({LIN: 0}, 0, 100)
    after = Scene()
    for event in events:
        after.watch.restore_event(event)
    assert after.stand({LIN: 0}, 100, 200) == []
    assert [active for _, active, _ in told(after.stand({LIN: 0, CAR: 20}, 200, 210))] == [False]
