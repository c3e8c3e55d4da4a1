"""Fewer places for a controller that takes only so many: as near to the line as can be, and never through closed air."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mission.patterns.flown import Pattern, length_m
from mission.patterns.transit import Ways
from telemetry.model.errors import InputError
from telemetry.model.geodesy import Floats

_NEVER: Final = np.inf


@dataclass(frozen=True)
class Thinned:
    """Which places are kept (k,), in order, and how far at most the line that they make lies from those left out."""

    kept: NDArray[np.intp]
    deviation_m: float


def thin(
    places: Floats, most: int, tolerance_m: float, *, ways: Ways | None = None, must: NDArray[np.bool_] | None = None
) -> Thinned:
    """Return at most `most` of the places (n, 2), leaving out again and again the one that the line misses least.

    No place left out lies farther than `tolerance_m` from the line between its kept neighbours, no new leg crosses the closed
    air of `ways`, and places that `must` be kept (n,), the first and the last stay. All that fit are kept. Raises InputError
    where more remain than the controller takes, with the tolerance at which they would not. About n^2 us.
    """
    if most < 2:
        message = f"the controller takes {most} waypoints: allowed is 2 or more"
        raise InputError(message, f"飞控可收 {most} 个航点：至少 2 个")
    kept, deviation_m = list(range(len(places))), 0.0
    fixed = np.zeros(len(places), np.bool_) if must is None else must
    costs = [_NEVER, *(_cost_m(places, kept, at, fixed, ways) for at in range(1, len(kept) - 1)), _NEVER]
    while len(kept) > most:
        at = int(np.argmin(costs))
        if costs[at] > tolerance_m:
            raise _too_many(len(kept), most, tolerance_m, costs[at])
        deviation_m = max(deviation_m, costs[at])
        del kept[at], costs[at]
        for beside in (at - 1, at):
            if 0 < beside < len(kept) - 1:
                costs[beside] = _cost_m(places, kept, beside, fixed, ways)
    return Thinned(np.array(kept, np.intp), deviation_m)


def thinned(pattern: Pattern, most: int, tolerance_m: float, *, ways: Ways | None = None) -> tuple[Pattern, float]:
    """Return a pattern of at most `most` places and by how many metres at most its line left the old one.

    Places where it stops, and where the camera begins to look elsewhere, stay. Raises InputError as `thin` does.
    """
    looks_elsewhere = np.concatenate(([True], (np.nan_to_num(np.diff(pattern.gaze, axis=0)) != 0.0).any(axis=1)))
    found = thin(pattern.places, most, tolerance_m, ways=ways, must=looks_elsewhere | (pattern.hold_s > 0.0))
    places = pattern.places[found.kept]
    return (
        replace(
            pattern,
            places=places,
            gaze=pattern.gaze[found.kept],
            hold_s=pattern.hold_s[found.kept],
            length_m=length_m(places),
        ),
        found.deviation_m,
    )


def _cost_m(places: Floats, kept: list[int], at: int, fixed: NDArray[np.bool_], ways: Ways | None) -> float:
    """Return how far the line would lie from the places left out if this one were too; inf where it may not be."""
    first, last = kept[at - 1], kept[at + 1]
    if fixed[kept[at]]:
        return _NEVER
    if ways is not None and not ways.sees(places[first][None], places[last][None])[0]:
        return _NEVER
    return _farthest_m(places[first], places[last], places[first + 1 : last])


def _farthest_m(start: Floats, end: Floats, between: Floats) -> float:
    along = end - start
    square = max(float(along @ along), 1e-12)
    share = np.clip((between - start) @ along / square, 0.0, 1.0)
    return float(np.hypot(*(between - start - share[:, None] * along).T).max())


def _too_many(left: int, most: int, tolerance_m: float, needed_m: float) -> InputError:
    widen = f"allow {needed_m:.1f} m or more, or " if np.isfinite(needed_m) else ""
    return InputError(
        f"{left} waypoints remain with a tolerance of {tolerance_m:g} m and the controller takes {most}: {widen}split the flight",
        f"容差 {tolerance_m:g} m 时仍有 {left} 个航点，飞控只收 {most} 个："
        + (f"容差放宽到 {needed_m:.1f} m 以上，或拆成几次飞行" if np.isfinite(needed_m) else "拆成几次飞行"),
    )
