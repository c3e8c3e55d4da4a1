"""Sorties laid over a terrain keep their true heights, within what the controller takes."""

import numpy as np
import pytest
from msgspec.structs import replace

from mission.air.draping import TOLERANCE_M, draped
from mission.air.flight_path import path_of
from mission.air.terrain import FLAT, Ground
from mission.plan import VisitPart
from mission.rules.remedies import remedied_sortie
from tests.sky_scene import DOCK, PLANE, clock, sortie

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
    after = true_heights(draped(FLOWN, plane=PLANE, ground=ground, dock=DOCK), ground)
    assert np.abs(after[(after > 0.0)] - 80.0).max() < TOLERANCE_M + 2.0


def test_the_controllers_limit_is_kept_with_a_coarser_line() -> None:
    ground = waves(40.0)
    fine = draped(FLOWN, plane=PLANE, ground=ground, dock=DOCK)
    coarse = draped(FLOWN, plane=PLANE, ground=ground, dock=DOCK, most_waypoints=16)
    assert len(FLOWN.waypoints) < len(coarse.waypoints) <= 16 < len(fine.waypoints)
    assert len(draped(FLOWN, plane=PLANE, ground=ground, dock=DOCK, most_waypoints=3).waypoints) == 4


def test_parts_of_visits_point_to_the_same_places_as_before() -> None:
    flown = draped(replace(FLOWN, visit_parts=PARTS), plane=PLANE, ground=waves(40.0), dock=DOCK)
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
    flown = draped(sortie([(800.0, 0.0)], clock(20), alt_m=60.0), plane=PLANE, ground=ground, dock=DOCK)
    assert flown.transit_alt_home_m == pytest.approx(130.0, abs=0.5)


def test_over_flat_ground_and_from_a_dock_of_unknown_height_nothing_is_changed() -> None:
    assert draped(FLOWN, plane=PLANE, ground=FLAT, dock=DOCK) == FLOWN
    assert draped(FLOWN, plane=PLANE, ground=waves(40.0), dock=replace(DOCK, lat_deg=37.0)) == FLOWN


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
