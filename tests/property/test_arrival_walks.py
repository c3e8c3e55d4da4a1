"""Whatever a unit does and however noisy its fixes: it never arrives from far away, and who comes and stays does arrive."""

import math
import random
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from mission.calls.arrival import Approach, Fix, distance_m, step
from telemetry.model.batch import UNKNOWN_I2

LAT_E7, LON_E7 = 360_600_000, 1_038_300_000
METRE_E7: Final = 1 / 0.011131949
BEGAN_US: Final = 1_790_000_000_000_000
FARTHEST_M: Final = 1.5 * 100 + 15
"""1.5 times the roughest accuracy that counts, and the slack."""


def fix_at(at_s: float, north_m: float, east_m: float, *, accuracy_dm: int, speed_cmps: int) -> Fix:
    at_us = BEGAN_US + round(at_s * 1e6)
    shrink = math.cos(math.radians(LAT_E7 / 1e7))
    return Fix(
        observed_us=at_us,
        received_us=at_us + 200_000,
        lat_e7=LAT_E7 + round(north_m * METRE_E7),
        lon_e7=LON_E7 + round(east_m * METRE_E7 / shrink),
        accuracy_dm=accuracy_dm,
        speed_cmps=speed_cmps,
    )


LOOKS: Final = st.lists(
    st.tuples(
        st.floats(0.2, 40),
        st.floats(-3_000, 3_000),
        st.floats(-3_000, 3_000),
        st.one_of(st.just(UNKNOWN_I2), st.integers(0, 32_767)),
        st.one_of(st.just(UNKNOWN_I2), st.integers(0, 4_000)),
    ),
    max_size=60,
)


@given(LOOKS)
def test_nobody_arrives_from_far_away_nor_before_accepting(looks: list[tuple[float, float, float, int, int]]) -> None:
    approach, at_s, near = Approach(lat_e7=LAT_E7, lon_e7=LON_E7, began_us=BEGAN_US), 0.0, set[int]()
    for after_s, north_m, east_m, accuracy_dm, speed_cmps in looks:
        at_s += after_s
        fix = fix_at(at_s, north_m, east_m, accuracy_dm=accuracy_dm, speed_cmps=speed_cmps)
        if distance_m(fix.lat_e7, fix.lon_e7, LAT_E7, LON_E7) <= FARTHEST_M:
            near.add(fix.observed_us)
        before = approach
        approach = step(approach, fix, fix.received_us)
        assert before.arrived_us is None or approach.arrived_us == before.arrived_us
        assert before.left_us is None or approach.left_us == before.left_us
    assert approach.arrived_us is None or approach.arrived_us in near
    assert approach.left_us is None or approach.left_us >= BEGAN_US


@given(
    st.integers(0, 2**32),
    st.floats(400, 2_000),
    st.floats(1.0, 18.0),
    st.floats(2, 12),
    st.sampled_from([1.0, 2.0, 5.0]),
)
def test_who_comes_through_noise_and_stays_arrives_within_half_a_minute_and_not_far_too_soon(
    seed: int, from_m: float, speed_mps: float, noise_m: float, every_s: float
) -> None:
    dice = random.Random(seed)
    approach, at_s, comes_s = Approach(lat_e7=LAT_E7, lon_e7=LON_E7, began_us=BEGAN_US), 0.0, from_m / speed_mps
    while at_s < comes_s + 40:
        at_s += every_s
        away_m = max(from_m - speed_mps * at_s, 0.0)
        north_m, east_m = away_m + dice.gauss(0, noise_m / 2), dice.gauss(0, noise_m / 2)
        moving_cmps = round(100 * speed_mps) if away_m > 0 else 0
        fix = fix_at(at_s, north_m, east_m, accuracy_dm=round(10 * noise_m), speed_cmps=moving_cmps)
        approach = step(approach, fix, fix.received_us)
    assert approach.arrived_us is not None
    arrived_s = (approach.arrived_us - BEGAN_US) / 1e6
    assert comes_s - 110 / speed_mps - every_s <= arrived_s <= comes_s + 30
    assert approach.left_us is not None


@given(st.integers(0, 2**32), st.floats(200, 5_000), st.floats(3, 60))
def test_who_stays_where_it_was_is_neither_under_way_nor_there(seed: int, away_m: float, noise_m: float) -> None:
    dice = random.Random(seed)
    approach = Approach(lat_e7=LAT_E7, lon_e7=LON_E7, began_us=BEGAN_US)
    for second in range(1, 200):
        shift_m = [max(-1.5 * noise_m, min(1.5 * noise_m, dice.gauss(0, noise_m / 2))) for _ in range(2)]
        fix = fix_at(
            float(second),
            away_m + shift_m[0],
            shift_m[1],
            accuracy_dm=round(10 * noise_m),
            speed_cmps=dice.randrange(0, 60),
        )
        approach = step(approach, fix, fix.received_us)
    assert approach.arrived_us is None
    assert approach.left_us is None or noise_m > 25
