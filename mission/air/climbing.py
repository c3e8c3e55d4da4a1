"""What hills cost: the seconds that rising and falling with the ground add to legs, and the battery that lifting takes."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mission.air.terrain import Ground
from mission.model import Airframe
from telemetry.model.geodesy import Floats, LocalPlane

LIFT_S_A_M: Final = 0.15
"""A metre of ascent takes as much battery as so many seconds of hovering, beside the time that it lasts.

Momentum theory: m g over the power of hovering, m g v_h / FM, with v_h = 5 m/s (the slowest wash of small multirotors) and a
figure of merit of 0.7. Descent gives nothing back.
"""
SAMPLE_M: Final = 30.0
"""So far apart the ground is looked at along a leg."""
MOST_SAMPLES: Final = 500
_STEPS_AT_ONCE: Final = 300_000
_MOST_STEPS: Final = 64
_BETWEEN_STEPS: Final = 1.1
"""So much more is reckoned for ways that are looked at in few steps: slopes between these are not seen."""


def least_s(rise_m: Floats, airframe: Airframe) -> Floats:
    """Return the seconds that rising (falling: negative) by so much takes at least."""
    return np.where(rise_m > 0.0, rise_m / airframe.climb_mps, -rise_m / airframe.sink_mps)


def ascent_m(heights_m: Floats) -> float:
    """Return the sum of all that is climbed from one height to the next."""
    return float(np.maximum(np.diff(heights_m), 0.0).sum())


@dataclass(frozen=True)
class Slopes:
    """The ground under ways in a plane. Where it is unknown it is taken as level."""

    ground: Ground
    plane: LocalPlane

    def more_s(self, places: Floats, legs_s: Floats, airframe: Airframe) -> Floats:
        """Return by how much (n - 1,) legs between places (n, 2) last longer at a steady height above the ground.

        `legs_s` (n - 1,) is what they take over level ground: where the ground is steeper than the airframe climbs or sinks at
        that speed, it slows down.
        """
        if self.ground.is_flat or len(places) < 2:
            return np.zeros(max(len(places) - 1, 0))
        leg, step_m, count = self._steps(places)
        more_s = np.maximum(least_s(step_m, airframe) - (legs_s / count)[leg], 0.0)
        return np.bincount(leg, more_s, minlength=len(places) - 1).astype(np.float64)

    def lift_s(self, places: Floats) -> Floats:
        """Return the seconds of hovering (n - 1,) that lifting takes of the battery on legs, beside their own time."""
        if self.ground.is_flat or len(places) < 2:
            return np.zeros(max(len(places) - 1, 0))
        leg, step_m, _ = self._steps(places)
        climbed_m = np.bincount(leg, np.maximum(step_m, 0.0), minlength=len(places) - 1).astype(np.float64)
        return climbed_m * LIFT_S_A_M

    def rises_m(self, starts: Floats, ends: Floats) -> Floats:
        """Return how the ground rises along straight ways from places (n, 2) to others (m, 2), step by step (n, m, k).

        The more ways there are, the fewer are the steps: about 0.1 s, 0.3 s for a thousand places and all others.
        """
        steps = min(max(_STEPS_AT_ONCE // max(len(starts) * len(ends), 1), 1), _MOST_STEPS)
        begins, finishes = (self.plane.from_plane(places[:, 0], places[:, 1]) for places in (starts, ends))
        heights_m = np.empty((len(starts), len(ends), steps + 1))
        heights_m[:, :, 0] = self.ground.heights_m(*begins)[:, None]
        heights_m[:, :, -1] = self.ground.heights_m(*finishes)[None, :]
        share = np.arange(1, steps) / steps
        lat_deg, lon_deg = (
            begin[:, None, None] * (1.0 - share) + finish[None, :, None] * share
            for begin, finish in zip(begins, finishes, strict=True)
        )
        heights_m[:, :, 1:-1] = self.ground.heights_m(lat_deg, lon_deg)
        found: Floats = np.nan_to_num(np.diff(heights_m, axis=2))
        return found

    def steepest_m(self, starts: Floats, ends: Floats, within_m: float) -> float:
        """Return what the ground rises or falls at most within so many metres, on straight ways from places to others."""
        found = 0.0
        for start in starts:
            for end in ends:
                steps = min(max(int(np.hypot(*(end - start)) / max(within_m, 1.0)), 1), MOST_SAMPLES)
                at = start + np.linspace(0.0, 1.0, steps + 1)[:, None] * (end - start)
                heights_m = self.ground.heights_m(*self.plane.from_plane(at[:, 0], at[:, 1]))
                found = max(found, float(np.abs(np.nan_to_num(np.diff(heights_m))).max()))
        return found

    def there_and_back_s(self, home: Floats, places: Floats, airframe: Airframe) -> float:
        """Return what is reckoned more for the hilliest of the straight ways from home (2,) to places (n, 2) and back."""
        if self.ground.is_flat:
            return 0.0
        rises_m, level_s = self.rises_m(home[None], places), np.hypot(*(places - home).T)[None] / airframe.cruise_mps
        there_s, back_s = (reckoned_more_s(one, level_s, airframe) for one in (rises_m, -rises_m))
        return float((there_s + back_s).max())

    def _steps(self, places: Floats) -> tuple[NDArray[np.intp], Floats, NDArray[np.int64]]:
        """Return each step's leg (m,) and rise (m,), and how many steps each leg (n - 1,) has."""
        length_m = np.hypot(*np.diff(places, axis=0).T)
        count = np.clip(np.ceil(length_m / SAMPLE_M).astype(np.int64), 1, MOST_SAMPLES)
        leg = np.repeat(np.arange(len(count)), count)
        number = np.arange(len(leg)) - np.repeat(np.cumsum(count) - count, count)
        share = (number / count[leg])[:, None]
        at = np.concatenate((places[leg] * (1.0 - share) + places[leg + 1] * share, places[-1:]))
        return leg, np.nan_to_num(np.diff(self.ground.heights_m(*self.plane.from_plane(at[:, 0], at[:, 1])))), count


def reckoned_more_s(rises_m: Floats, seconds: Floats, airframe: Airframe) -> Floats:
    """Return what is reckoned more for ways (n, m) with such rises (n, m, k), the battery for lifting as time.

    `seconds` (n, m) is what they take over level ground, inf where there is no way.
    """
    each_s = np.nan_to_num(seconds, posinf=0.0)[:, :, None] / rises_m.shape[2]
    more_s = np.maximum(least_s(rises_m, airframe) - each_s, 0.0).sum(axis=2)
    found: Floats = (more_s + np.maximum(rises_m, 0.0).sum(axis=2) * LIFT_S_A_M) * _BETWEEN_STEPS
    return found
