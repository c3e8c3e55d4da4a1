"""Areas in limbs: arms are flown along their length, compact areas stay whole, and orders of swaths have no easy gain left."""

from itertools import pairwise, permutations, product

import numpy as np
import pytest
import shapely

from mission.model import Airframe
from mission.patterns.flown import length_m
from mission.patterns.legs import fly_s
from mission.patterns.limbs import limbs_of, longest_bearings
from mission.patterns.order import tour_of
from mission.patterns.survey import survey
from telemetry.model.geodesy import Floats

DRONE = Airframe(airframe_id=1, name="D1", dock_id=1)
ELBOW = shapely.Polygon([(0, 0), (600, 0), (600, 75), (75, 75), (75, 600), (0, 600)])


def lines_s(area: object, angle_deg: float) -> float:
    """Say that lines take as long as the area is wide across them."""
    return float(np.ptp(shapely.get_coordinates(shapely.affinity.rotate(area, angle_deg, origin=(0, 0)))[:, 0]))


def legs_s(places: Floats) -> Floats:
    return fly_s(places, DRONE)


def test_the_arms_of_an_elbow_are_flown_along_their_length() -> None:
    limbs = limbs_of(ELBOW, 25.0, lines_s)
    assert sorted(round(angle) % 180 for _, angle in limbs) == [0, 90]
    assert shapely.union_all([limb for limb, _ in limbs]).area == pytest.approx(ELBOW.area)


def test_an_elbow_in_limbs_is_no_longer_than_its_bound_and_a_few_turns() -> None:
    found = survey(ELBOW, shapely.GeometryCollection(), swath_m=25.0, legs_s=legs_s)
    assert length_m(found.places) <= 1.06 * ELBOW.area / 25.0


def test_a_compact_area_stays_whole() -> None:
    assert limbs_of(shapely.box(0.0, 0.0, 300.0, 300.0), 25.0, lines_s) == []
    assert limbs_of(shapely.MultiPolygon([shapely.box(0.0, 0.0, 1.0, 1.0)]), 25.0, lines_s) == []


def test_the_longest_borders_come_first_and_parallel_ones_once() -> None:
    assert [round(bearing) for bearing in longest_bearings(shapely.box(0.0, 0.0, 300.0, 200.0), 5)] == [90, 0]


@pytest.mark.parametrize("seed", range(6))
def test_an_order_of_few_swaths_is_the_best_of_all(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ends = rng.uniform(0.0, 100.0, (10, 2))
    apart = np.hypot(*(ends[:, None] - ends[None]).transpose(2, 0, 1))
    best = min(
        sum(apart[2 * one + 1 - flip, 2 * other + turn] for (one, flip), (other, turn) in pairwise(way))
        for order in permutations(range(5))
        for flips in product((0, 1), repeat=5)
        for way in [list(zip(order, flips, strict=True))]
    )
    tour = tour_of(apart, kicks=20)
    assert tour.length_m == pytest.approx(best)
    assert sorted(tour.ends.tolist()) == list(range(10))


def test_ends_that_no_way_joins_are_passed_last() -> None:
    apart = np.full((4, 4), np.inf)
    apart[:2, :2] = apart[2:, 2:] = 1.0
    assert sorted(tour_of(apart).ends.tolist()) == [0, 1, 2, 3]
