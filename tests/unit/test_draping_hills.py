"""Sorties laid over a terrain keep their true heights, within what the controller takes."""

import io
import zipfile

import numpy as np
import pytest
from msgspec.structs import replace

from mission.air.climbing import LIFT_S_A_M
from mission.air.draping import TOLERANCE_M, draped
from mission.air.flight_path import path_of
from mission.air.terrain import FLAT, Ground
from mission.formats import wpml
from mission.formats.mavlink_items import TRIGGER_DISTANCE, items_of
from mission.model import ZoneKind
from mission.plan import CameraAction, Sortie, VisitPart
from mission.rules.remedies import remedied_sortie
from tests.sky_scene import DOCK, FRAME, PLANE, box, clock, sortie, zone

LAT = 36.0 + np.arange(60, -61, -1) * 0.0002
LON = 103.8 + np.arange(-60, 101) * 0.0002


def waves(height_m: float) -> Ground:
    """Return ground that rises and falls every 600 m to the east."""
    east_m = (LON - 103.8) * 90_163.0
    rise_m = 1500.0 + height_m * np.sin(east_m * np.pi / 300.0)
    return Ground(
        np.broadcast_to(rise_m, (len(LAT), len(LON))).copy(), float(LAT[0]), float(LON[0]), 0.0002, 0.0002, "waves"
    )


FLOWN = sortie([(0.0, 300.0), (1500.0, 300.0), (1500.0, 600.0), (0.0, 600.0)], clock(20), alt_m=80.0)
PARTS = (VisitPart(visit_id=3, number=0, part_count=1, first_waypoint=1, last_waypoint=3),)


def true_heights(flown: object, ground: Ground) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    path = path_of(flown, plane=PLANE, dock=DOCK, ground=ground)  # type: ignore[arg-type]
    inner = (path.places[:, 1] > 299.0) & (path.places[:, 1] < 601.0) & (path.level_m > path.level_m[0] + 1.0)
    return np.asarray(path.alt_agl_m[inner])


def test_true_heights_are_kept_over_hills_and_were_not_before() -> None:
    ground = waves(40.0)
    before = true_heights(FLOWN, ground)
    assert np.ptp(before) > 70.0
    after = true_heights(draped(FLOWN, plane=PLANE, ground=ground, dock=DOCK, airframe=FRAME), ground)
    assert np.abs(after[(after > 0.0)] - 80.0).max() < TOLERANCE_M + 2.0


def test_the_controllers_limit_is_kept_with_a_coarser_line() -> None:
    ground = waves(40.0)
    fine = draped(FLOWN, plane=PLANE, ground=ground, dock=DOCK, airframe=FRAME)
    coarse = draped(FLOWN, plane=PLANE, ground=ground, dock=DOCK, airframe=replace(FRAME, most_waypoints=16))
    assert len(FLOWN.waypoints) < len(coarse.waypoints) <= 16 < len(fine.waypoints)
    assert (
        len(draped(FLOWN, plane=PLANE, ground=ground, dock=DOCK, airframe=replace(FRAME, most_waypoints=3)).waypoints)
        == 4
    )


def test_photos_go_on_over_the_places_that_hills_put_in() -> None:
    row = {"action": CameraAction.PHOTOS_BY_DISTANCE, "trigger_m": 12.0}
    ways = tuple(replace(one, **row) if number in (1, 2) else one for number, one in enumerate(FLOWN.waypoints))
    flown = draped(replace(FLOWN, waypoints=ways), plane=PLANE, ground=waves(40.0), dock=DOCK, airframe=FRAME)
    assert len(flown.waypoints) > len(ways) + 2
    told = [item.param1 for item in items_of(flown, FRAME, DOCK).mission if item.command == TRIGGER_DISTANCE]
    assert told == [12.0, 0.0]


def test_parts_of_visits_point_to_the_same_places_as_before() -> None:
    flown = draped(replace(FLOWN, visit_parts=PARTS), plane=PLANE, ground=waves(15.0), dock=DOCK, airframe=FRAME)
    (part,) = flown.visit_parts
    for number, before in ((part.first_waypoint, FLOWN.waypoints[1]), (part.last_waypoint, FLOWN.waypoints[3])):
        found = flown.waypoints[number]
        assert (found.lat_deg, found.lon_deg, found.arrive_us) == (before.lat_deg, before.lon_deg, before.arrive_us)
    times = [one.arrive_us for one in flown.waypoints]
    assert times == sorted(times, key=lambda at_us: at_us or 0)


def test_the_way_home_clears_a_hill_between() -> None:
    grid = np.full((len(LAT), len(LON)), 1500.0)
    grid[:, 80:90] = 1570.0
    ground = Ground(grid, float(LAT[0]), float(LON[0]), 0.0002, 0.0002, "ridge")
    flown = draped(sortie([(800.0, 0.0)], clock(20), alt_m=60.0), plane=PLANE, ground=ground, dock=DOCK, airframe=FRAME)
    assert flown.transit_alt_home_m == pytest.approx(130.0, abs=0.5)


def test_over_flat_ground_and_from_a_dock_of_unknown_height_nothing_is_changed() -> None:
    assert draped(FLOWN, plane=PLANE, ground=FLAT, dock=DOCK, airframe=FRAME) == FLOWN
    assert draped(FLOWN, plane=PLANE, ground=waves(40.0), dock=replace(DOCK, lat_deg=37.0), airframe=FRAME) == FLOWN


def test_a_detour_and_a_shortened_sortie_keep_their_parts_in_step() -> None:
    flown = replace(FLOWN, visit_parts=PARTS)
    around = remedied_sortie(flown, {"detour": "0+3.0:36.001,103.801 36.001,103.802;3+1.0:36.0,103.8"})
    assert around is not None
    assert [(one.first_waypoint, one.last_waypoint) for one in around.visit_parts] == [(3, 5)]
    assert len(around.waypoints) == 7
    cut = remedied_sortie(
        flown, {"keep_waypoints": 3.0, "way_home": "36.0,103.8", "landing_us": 5.0, "landing_battery_ratio": 0.5}
    )
    assert cut is not None
    assert [(one.first_waypoint, one.last_waypoint) for one in cut.visit_parts] == [(1, 2)]
    assert (len(cut.waypoints), cut.landing_us) == (4, 5)


def climbs_mps(flown: Sortie) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return how fast a sortie climbs between its waypoints, sinking negative."""
    heights = np.diff([one.alt_home_m for one in flown.waypoints])
    reached = np.array([one.arrive_us or 0 for one in flown.waypoints])
    left = reached + np.array([round(one.hold_s * 1e6) for one in flown.waypoints])
    return np.asarray(heights / ((reached[1:] - left[:-1]) / 1e6))


def test_a_leg_too_short_for_its_climb_is_made_longer_with_all_that_follows() -> None:
    quick = replace(FRAME, climb_mps=2.0, sink_mps=1.5)
    flown = draped(replace(FLOWN, visit_parts=PARTS), plane=PLANE, ground=waves(40.0), dock=DOCK, airframe=quick)
    speeds = climbs_mps(flown)
    assert speeds.max() == pytest.approx(2.0, abs=0.01)
    assert speeds.min() == pytest.approx(-1.5, abs=0.01)
    later_us = flown.landing_us - FLOWN.landing_us
    assert later_us > 30_000_000
    told = [one.speed_mps for one in flown.waypoints]
    assert 1.0 <= min(told) < FLOWN.waypoints[0].speed_mps
    heights, (east_m, north_m) = (
        [one.alt_home_m for one in flown.waypoints],
        PLANE.to_plane([one.lat_deg for one in flown.waypoints], [one.lon_deg for one in flown.waypoints]),
    )
    lasting_s = np.hypot(np.diff(east_m), np.diff(north_m)) / told[1:]
    assert (np.abs(np.diff(heights)) <= 2.05 * lasting_s + 0.5).all()
    assert (flown.waypoints[-1].arrive_us or 0) - (FLOWN.waypoints[-1].arrive_us or 0) <= later_us
    spent_ratio = FLOWN.landing_battery_ratio - flown.landing_battery_ratio
    assert spent_ratio > later_us / 1e6 / quick.endurance_s


def test_lifting_costs_battery_where_a_slope_is_too_gentle_to_cost_time() -> None:
    grid = 1500.0 + np.linspace(0.0, 150.0, len(LON))[None, :] * np.ones((len(LAT), 1))
    ground = Ground(grid, float(LAT[0]), float(LON[0]), 0.0002, 0.0002, "slope")
    flown = draped(FLOWN, plane=PLANE, ground=ground, dock=DOCK, airframe=FRAME)
    assert flown.landing_us == FLOWN.landing_us
    climbed_m = flown.waypoints[2].alt_home_m - 80.0
    spent_s = (FLOWN.landing_battery_ratio - flown.landing_battery_ratio) * FRAME.endurance_s
    assert spent_s == pytest.approx(climbed_m * LIFT_S_A_M, abs=1.0)


def test_in_hills_the_way_out_keeps_near_the_ground_instead_of_climbing_over_the_dock() -> None:
    grid = np.full((len(LAT), len(LON)), 1500.0)
    grid[:, 80:90] = 1620.0
    ground = Ground(grid, float(LAT[0]), float(LON[0]), 0.0002, 0.0002, "ridge")
    flown = draped(
        sortie([(1000.0, 0.0)], clock(20), alt_m=60.0), plane=PLANE, ground=ground, dock=DOCK, airframe=FRAME
    )
    path = path_of(flown, plane=PLANE, dock=DOCK, ground=ground, airframe=FRAME)
    assert path.highest_agl_m < 100.0
    assert flown.transit_alt_home_m == pytest.approx(180.0, abs=0.5)
    assert flown.waypoints[0].ground_above_home_m == 0.0
    assert max(one.ground_above_home_m for one in flown.waypoints) == 120.0


def test_on_board_it_climbs_to_its_first_place_over_the_dock_and_returns_above_the_ridge() -> None:
    grid = np.full((len(LAT), len(LON)), 1500.0)
    grid[:, 80:90] = 1620.0
    ground = Ground(grid, float(LAT[0]), float(LON[0]), 0.0002, 0.0002, "ridge")
    flown = draped(
        sortie([(1000.0, 0.0)], clock(20), alt_m=60.0), plane=PLANE, ground=ground, dock=DOCK, airframe=FRAME
    )
    low, high = (
        zone(ZoneKind.NO_FLY, box(500.0, -400.0, 900.0, -100.0), floor_agl_m=floor_m) for floor_m in (40.0, 110.0)
    )
    board = items_of(flown, FRAME, DOCK, zones=[low, high])
    assert board.mission[0].alt_m == 60.0
    assert max(item.alt_m for item in board.mission) == pytest.approx(180.0, abs=1.0)
    assert len(board.fence) == len(items_of(flown, FRAME, DOCK, zones=[low]).fence)
    file = wpml.write(flown, replace(FRAME, model="M3TD"), dock=DOCK)
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        said = archive.read("wpmz/waylines.wpml").decode()
    assert "<wpml:takeOffSecurityHeight>60<" in said
    assert "<wpml:globalRTHHeight>180<" in said
