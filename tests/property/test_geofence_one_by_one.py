"""Reports taken one by one, by the borders about them, tell what the same reports tell when they are taken together."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.geofences.fence import Geofence
from telemetry.geofences.index import GeofenceIndex
from telemetry.geofences.presence import Presence
from telemetry.model.batch import Batch, new_batch
from telemetry.model.unit import Service, Unit, UnitKind

NOW_US = 1_790_000_000_000_000
ORIGIN = np.array([1_038_000_000, 360_000_000], np.int64)
CAR = Unit(unit_id=1, call_sign="Car 1", kind=UnitKind.CAR, service=Service.PATROL)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Geofence], Batch]:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    conditions: list[dict[str, Any]] = [{}, {"minimum_stay_s": 5.0}, {"dwell_s": 20.0}]
    if draw(st.booleans()):
        conditions += [{"limit_mps": 8.0}, {"highest_m": 1_500.0}, {"valid_from_us": NOW_US + 60_000_000}]
    fences = [
        _fence(rng, number, conditions[number % len(conditions)]) for number in range(1, draw(st.integers(1, 12)) + 1)
    ]
    return fences, _walk(rng, draw(st.sampled_from([20, 400, 4_000])))


def _fence(rng: np.random.Generator, geofence_id: int, conditions: dict[str, Any]) -> Geofence:
    centre = rng.integers(-8_000, 8_000, 2) + ORIGIN
    corner_count = int(rng.integers(5, 12))
    angles = (np.arange(corner_count) + rng.uniform(0, 0.9, corner_count)) * 2 * np.pi / corner_count
    radii = rng.choice([1_000, 4_000, 20_000]) * rng.uniform(0.4, 1.0, len(angles))
    corners = np.rint(centre + np.column_stack((radii * np.cos(angles), radii * np.sin(angles))))
    ring = (corners / 1e7).tolist()
    geometry = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    return Geofence(geofence_id=geofence_id, name_zh="区", name_en="area", geometry=geometry, **conditions)


def _walk(rng: np.random.Generator, step_e7: int) -> Batch:
    steps = rng.integers(-step_e7, step_e7 + 1, (120, 2)) * rng.integers(0, 2, (120, 1))
    places = np.cumsum(steps, axis=0) + ORIGIN
    batch = new_batch(len(places))
    batch["device_id"] = 1
    batch["observed_us"] = batch["received_us"] = NOW_US + 1_000_000 * np.arange(len(places))
    batch["lon_e7"], batch["lat_e7"] = places.T
    batch["speed_cmps"], batch["alt_msl_dm"] = rng.choice([500, 1_200], 120), rng.choice([100, 20_000], 120)
    return batch


@settings(deadline=None, max_examples=150)
@given(world=worlds())
def test_reports_one_by_one_tell_what_they_tell_together(world: tuple[list[Geofence], Batch]) -> None:
    fences, batch = world
    index = GeofenceIndex(fences)
    sort = np.full(len(batch), index.rules.sort_of(CAR), np.int64)
    together, alone = Presence(index), Presence(index)
    expected = together.apply(batch, sort)
    found = [event for row in range(len(batch)) for event in alone.apply(batch[row : row + 1], sort[row : row + 1])]
    assert found == expected
    assert alone.all_stays() == together.all_stays()
