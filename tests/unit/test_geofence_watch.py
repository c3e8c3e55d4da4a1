"""The watch tells who entered, left, stayed, sped and strayed, at the times between fixes, once, and after a restart not again."""

from typing import Any

import numpy as np
import pytest

from telemetry.geofences.fence import AreaAssignment, Geofence, GeofencePlan
from telemetry.geofences.index import GeofenceIndex
from telemetry.geofences.visits import Visit, visits_of
from telemetry.geofences.watch import GeofenceWatch
from telemetry.model.batch import Batch, Quality, concatenate, new_batch
from telemetry.model.events import (
    AnyEvent,
    GeofenceDwelt,
    GeofenceEntered,
    GeofenceLeft,
    GeofenceSpeeding,
    OutsideArea,
    kind_of,
)
from telemetry.model.unit import Assignment, Device, Service, Unit, UnitKind
from telemetry.picture.live import Picture
from telemetry.registry.table import RegistryContents, RegistryTable

MONDAY_US = 1_800_230_400_000_000
"""2027-01-18 00:00 UTC, a Monday: 08:00 in China."""
SECOND_US = 1_000_000
METRE_E7 = 1 / 0.011131949
LAT_E7, LON_E7 = 360_000_000, 1_038_000_000
CAR, DRONE = 1, 2
UNITS = (
    Unit(unit_id=1, call_sign="Car", kind=UnitKind.CAR, service=Service.PATROL, station_id=5),
    Unit(unit_id=2, call_sign="Hawk", kind=UnitKind.DRONE, service=Service.AIR, station_id=6),
)


def registry() -> RegistryTable:
    return RegistryTable(
        RegistryContents(
            units=UNITS,
            devices=(
                *(Device(device_id=number, protocol="jt808", address=str(number)) for number in (CAR, DRONE)),
                Device(device_id=9, protocol="jt808", address="9"),
            ),
            assignments=tuple(Assignment(device_id=n, unit_id=n, started_us=0) for n in (CAR, DRONE)),
        )
    )


def strip(south_m: float, north_m: float, **more: Any) -> Geofence:  # noqa: ANN401 - a geofence's own fields
    """Return a fence 2 km wide from `south_m` to `north_m` metres north of the origin."""
    south, north = (LAT_E7 + round(edge_m * METRE_E7) for edge_m in (south_m, north_m))
    west, east = LON_E7 - 100_000, LON_E7 + 100_000
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    geometry = {"type": "Polygon", "coordinates": [[[x / 1e7, y / 1e7] for x, y in ring]]}
    fields: dict[str, Any] = {"geofence_id": 7, "name_zh": "区", "name_en": "area", "geometry": geometry}
    return Geofence(**(fields | more))


def fix(at_s: float, north_m: float, *, device_id: int = CAR, **columns: int) -> Batch:
    batch = new_batch(1)
    batch["device_id"] = device_id
    batch["observed_us"] = batch["received_us"] = MONDAY_US + int(at_s * SECOND_US)
    batch["lat_e7"], batch["lon_e7"] = LAT_E7 + round(north_m * METRE_E7), LON_E7
    for column, value in columns.items():
        batch[column] = value
    return batch


class Scene:
    def __init__(self, *fences: Geofence, assignments: tuple[AreaAssignment, ...] = ()) -> None:
        self.registry = registry()
        self.picture = Picture(self.registry, MONDAY_US)
        self.watch = GeofenceWatch(self.registry, self.picture)
        self.watch.replace(GeofencePlan(fences=fences, assignments=assignments))

    def tell(self, *fixes: Batch) -> list[AnyEvent]:
        events: list[AnyEvent] = []
        for one in fixes:
            now_us = int(one["received_us"][-1])
            self.picture.apply(one, now_us)
            events += self.watch.apply(one, now_us)
        return events


def told(events: list[AnyEvent]) -> list[tuple[str, float]]:
    return [(kind_of(event), round((event.observed_us - MONDAY_US) / SECOND_US, 2)) for event in events]


def test_entering_and_leaving_are_told_at_the_times_between_the_fixes() -> None:
    events = Scene(strip(100, 200)).tell(*(fix(10 * step, 40 * step) for step in range(8)))
    assert told(events) == [("geofence_entered", 25.0), ("geofence_left", 50.0)]
    assert isinstance(events[1], GeofenceLeft)
    assert events[1].inside_s == pytest.approx(25.0, abs=0.01)


def test_a_fast_drone_does_not_jump_over_a_fence_20_m_wide() -> None:
    events = Scene(strip(100, 120)).tell(fix(0, 0, device_id=DRONE), fix(10, 200, device_id=DRONE))
    assert told(events) == [("geofence_entered", 5.0), ("geofence_left", 6.0)]


def test_over_a_long_gap_nobody_knows_the_way() -> None:
    assert Scene(strip(100, 120)).tell(fix(0, 0), fix(600, 200)) == []
    events = Scene(strip(100, 200)).tell(fix(0, 0), fix(600, 150))
    assert told(events) == [("geofence_entered", 600.0)]


def test_jitter_about_the_border_enters_once_and_leaves_at_the_first_crossing() -> None:
    way = [90, 101, 97, 102, 95, 103, 99, 92, 85]
    events = Scene(strip(100, 200)).tell(*(fix(step, north) for step, north in enumerate(way)))
    assert told(events) == [("geofence_entered", 0.91), ("geofence_left", 5.75)]


def test_a_fix_of_poor_accuracy_leaves_only_far_outside() -> None:
    scene = Scene(strip(100, 200))
    events = scene.tell(fix(0, 150), fix(10, 70, accuracy_dm=400), fix(20, 30, accuracy_dm=400))
    assert told(events) == [("geofence_entered", 0.0), ("geofence_left", 6.25)]


def test_a_short_stay_below_the_minimum_is_never_told_and_a_long_one_from_its_beginning() -> None:
    fence = strip(100, 200, minimum_stay_s=30.0)
    assert Scene(fence).tell(fix(0, 50), fix(10, 150), fix(20, 250)) == []
    events = Scene(fence).tell(*(fix(at, 150) for at in range(0, 40, 10)), fix(50, 300))
    assert told(events) == [("geofence_entered", 0.0), ("geofence_left", pytest.approx(36.67))]


def test_a_long_stay_is_told_once() -> None:
    events = Scene(strip(100, 200, dwell_s=60.0)).tell(*(fix(25 * step, 150) for step in range(6)))
    assert told(events) == [("geofence_entered", 0.0), ("geofence_dwelt", 60.0)]
    assert isinstance(events[1], GeofenceDwelt)


def test_speeding_begins_above_the_limit_and_ends_below_it_or_with_leaving() -> None:
    speeds = [900, 1_200, 990, 1_010, 900, 1_500]
    scene = Scene(strip(100, 2_000, limit_mps=10.0))
    events = scene.tell(*(fix(step, 150, speed_cmps=speed) for step, speed in enumerate(speeds)))
    speeding = [event.active for event in events if isinstance(event, GeofenceSpeeding)]
    assert speeding == [True, False, True]
    last = scene.tell(fix(7, 60, speed_cmps=1_500))
    assert [kind_of(event) for event in last] == ["geofence_speeding", "geofence_left"] or {
        kind_of(event) for event in last
    } == {"geofence_speeding", "geofence_left"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, True),
        ({"kinds": (UnitKind.CAR,)}, True),
        ({"kinds": (UnitKind.OFFICER,)}, False),
        ({"services": (Service.AIR,)}, False),
        ({"kinds": (UnitKind.CAR,), "station_ids": (6,)}, False),
        ({"unit_ids": (2,)}, False),
        ({"unit_ids": (1,)}, True),
        ({"kinds": (UnitKind.DRONE,), "unit_ids": (1,)}, True),
        ({"days": 0b0000001, "from_minute": 480, "to_minute": 540}, True),
        ({"days": 0b1111110, "from_minute": 480, "to_minute": 540}, False),
        ({"from_minute": 1_320, "to_minute": 480}, False),
        ({"from_minute": 1_320, "to_minute": 481}, True),
        ({"days": 0b1000000, "from_minute": 1_320, "to_minute": 481}, True),
        ({"days": 0b0000001, "from_minute": 1_320, "to_minute": 481}, False),
        ({"utc_offset_s": 0, "from_minute": 0, "to_minute": 60}, True),
        ({"valid_from_us": MONDAY_US + 1}, False),
        ({"valid_to_us": MONDAY_US + 1}, True),
        ({"lowest_m": 100.0}, False),
        ({"highest_m": 60.0}, True),
        ({"highest_m": 40.0, "height_above": "home"}, True),
    ],
)
def test_a_fence_concerns_whom_when_and_at_which_height_it_says(fields: dict[str, Any], expected: bool) -> None:
    events = Scene(strip(100, 200, **fields)).tell(fix(0, 150, alt_msl_dm=500))
    assert bool(events) == expected


def test_who_is_inside_when_the_hours_end_has_left() -> None:
    scene = Scene(strip(100, 200, from_minute=480, to_minute=481))
    assert told(scene.tell(fix(0, 150), fix(30, 150), fix(70, 150))) == [
        ("geofence_entered", 0.0),
        ("geofence_left", 70.0),
    ]


def test_late_doubtful_and_placeless_reports_and_devices_of_nobody_change_nothing() -> None:
    scene = Scene(strip(100, 200))
    bits = (Quality.ARCHIVE, Quality.OUT_OF_ORDER, Quality.JUMPED, Quality.NULL_ISLAND, Quality.REPLAYED)
    assert scene.tell(*(fix(0, 150, quality=bit) for bit in bits), fix(0, 150, device_id=9)) == []


def test_an_area_assigned_to_a_unit_or_its_station_is_to_be_stayed_in() -> None:
    for assignment in (
        AreaAssignment(assignment_id=1, geofence_id=7, unit_id=1),
        AreaAssignment(assignment_id=1, geofence_id=7, station_id=5),
    ):
        scene = Scene(strip(100, 200, kinds=(UnitKind.OFFICER,)), assignments=(assignment,))
        way = [150, 195, 204, 230, 240, 198]
        events = scene.tell(*(fix(step, north) for step, north in enumerate(way)), fix(0, 50, device_id=DRONE))
        outside = [event for event in events if isinstance(event, OutsideArea)]
        assert [(event.active, event.device_id) for event in outside] == [(True, CAR), (False, CAR)]


def test_outside_ends_with_its_assignment() -> None:
    until_us = MONDAY_US + 60 * SECOND_US
    scene = Scene(
        strip(100, 200), assignments=(AreaAssignment(assignment_id=1, geofence_id=7, unit_id=1, to_us=until_us),)
    )
    assert [kind_of(event) for event in scene.tell(fix(0, 0))] == ["outside_area"]
    assert scene.watch.tick(until_us - 1) == ()
    assert [event.active for event in scene.watch.tick(until_us + 6 * SECOND_US) if isinstance(event, OutsideArea)] == [
        False
    ]


def restarted(scene: Scene, events: list[AnyEvent], newest: Batch) -> Scene:
    after = Scene(*scene.watch.index.living(), assignments=scene.watch.index.assignments)
    after.picture.apply(newest, int(newest["received_us"][-1]))
    for event in events:
        after.watch.restore_event(event)
    after.watch.restore(newest, int(newest["received_us"][-1]))
    return after


def test_a_restart_tells_nothing_again_and_goes_on() -> None:
    assigned = (AreaAssignment(assignment_id=1, geofence_id=8, unit_id=1),)
    scene = Scene(strip(100, 300, dwell_s=5.0), strip(5_000, 6_000, geofence_id=8), assignments=assigned)
    newest = fix(10, 150)
    events = scene.tell(fix(0, 50), fix(4, 120), newest)
    assert len(events) == 3
    after = restarted(scene, events, newest)
    assert after.tell(fix(11, 160)) == []
    (left,) = after.tell(fix(20, 340))
    assert isinstance(left, GeofenceLeft)
    assert left.inside_s == pytest.approx(15.14, abs=0.01)


def test_a_restart_without_the_old_events_stands_where_the_unit_is_and_tells_nothing() -> None:
    scene = Scene(strip(100, 300, dwell_s=5.0))
    after = restarted(scene, [], fix(10, 150))
    assert after.tell(fix(30, 160)) == []
    assert [kind_of(event) for event in after.tell(fix(40, 400))] == ["geofence_left"]


def test_a_start_with_nothing_known_tells_nothing() -> None:
    scene = Scene(strip(100, 300))
    scene.watch.restore(new_batch(0), MONDAY_US)
    assert scene.watch.apply(new_batch(0), MONDAY_US) == ()


def test_a_fence_that_is_taken_away_is_left_and_a_new_one_is_entered_by_who_is_there() -> None:
    scene = Scene(strip(100, 300))
    scene.tell(fix(0, 150))
    scene.watch.replace(GeofencePlan(fences=(strip(100, 300, geofence_id=8),)))
    (left,) = scene.watch.tick(MONDAY_US + 5 * SECOND_US)
    assert isinstance(left, GeofenceLeft)
    assert (left.geofence_id, left.inside_s) == (7, 5.0)
    assert scene.watch.tick(MONDAY_US + 6 * SECOND_US) == ()
    events = scene.tell(fix(10, 150))
    assert [(kind_of(event), event.geofence_id) for event in events if isinstance(event, GeofenceEntered)] == [
        ("geofence_entered", 8)
    ]
    assert len(events) == 1


def test_many_rows_at_once_are_told_as_one_by_one() -> None:
    rng = np.random.default_rng(5)
    fences = [
        strip(edge, edge + 60, geofence_id=number, dwell_s=8.0, limit_mps=10.0)
        for number, edge in enumerate(range(0, 900, 45), 1)
    ]
    way = np.cumsum(rng.uniform(-25, 30, 400))
    fixes = [
        fix(step, float(north) + 40 * (step % 2), device_id=CAR + step % 2, speed_cmps=int(rng.integers(800, 1_300)))
        for step, north in enumerate(way)
    ]
    single = Scene(*fences).tell(*fixes)
    whole = Scene(*fences).tell(concatenate(fixes))
    assert len(single) > 50
    key = lambda event: (event.device_id, event.observed_us, kind_of(event), repr(event))  # noqa: E731 - said twice
    assert sorted(single, key=key) == sorted(whole, key=key)


def test_visits_of_a_whole_track_are_those_of_the_live_watch_had_all_come_in_time() -> None:
    fence, table = strip(100, 200), registry()
    fixes = [fix(10 * step, 40 * step) for step in range(8)]
    index = GeofenceIndex([fence])
    late = [one.copy() for one in fixes]
    for one in late[2:6]:
        one["quality"] = Quality.ARCHIVE
    shuffled = concatenate([late[place] for place in (7, 6, 0, 1, 5, 2, 4, 3, 3)])
    visits = visits_of(shuffled, index, lambda device_id, at_us: table.units.get(table.unit_of(device_id, at_us) or 0))
    at = MONDAY_US + 25 * SECOND_US
    assert [(visit.device_id, visit.geofence_id) for visit in visits] == [(CAR, 7)]
    assert (visits[0].entered_us, visits[0].left_us) == pytest.approx((at, at + 25 * SECOND_US), abs=5_000)
    assert visits_of(shuffled[:2], index, lambda *_: None) == []
    open_visit = visits_of(concatenate(fixes[:5]), index, lambda *_: UNITS[0])
    assert open_visit == [Visit(device_id=CAR, geofence_id=7, entered_us=visits[0].entered_us, left_us=None)]
