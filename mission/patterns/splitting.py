"""A pattern in parts, each of which one battery flies, there and home included; cut where it costs least, evenly long."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from math import ceil
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mission.airspace import CALM, Wind
from mission.model import Airframe
from mission.patterns.asked import seen_from
from mission.patterns.flown import Pattern, length_m
from mission.patterns.legs import LEAST_GROUND_MPS, fly_s, told_mps
from mission.patterns.transit import Ways
from telemetry.model.errors import InputError
from telemetry.model.geodesy import Floats

_STEP_M: Final = 25.0
"""Long legs are cut at such steps where a battery ends within them."""
_HALVINGS: Final = 12
_MOST_PARTS: Final = 200
_SLACK_S: Final = 1e-6
_AT_ONCE: Final = 32


def split(
    pattern: Pattern,
    airframe: Airframe,
    limit_s: float,
    *,
    wind: Wind = CALM,
    home: Floats | None = None,
    ways: Ways | None = None,
    most_places: int | None = None,
    legs_s: Callable[[Floats], Floats] | None = None,
) -> list[Pattern]:
    """Return the pattern in the fewest parts of at most `limit_s` each, holds included, made about equally long.

    With a `home` (2,) each part's time includes the way there and back (round closed air with `ways`). Parts begin where the
    part before ends, also within a leg, so that nothing is left unseen; holds are not divided. `most_places` bounds the places
    of a part; `legs_s` tells what the legs (n - 1,) between places (n, 2) take where that is not `fly_s`. Raises InputError
    where not even one stretch can be flown within the limit, with the seconds that it takes. About 1 ms for 100 places.
    """
    line = _Line(
        pattern, airframe, wind=wind, home=home, ways=ways, legs_s=legs_s or (lambda some: fly_s(some, airframe, wind))
    )
    most = max(most_places or len(line.places) + 1, 2)
    cuts = line.cuts(limit_s, most)
    if cuts is None:
        raise _too_far(line, limit_s)
    if len(cuts) == 2:
        return [pattern]
    low_s, high_s = 0.0, limit_s
    for _ in range(_HALVINGS):
        middle_s = (low_s + high_s) / 2.0
        tried = line.cuts(middle_s, most)
        if tried is not None and len(tried) == len(cuts):
            cuts, high_s = tried, middle_s
        else:
            low_s = middle_s
    return [line.part(first, last) for first, last in pairwise(cuts)]


class _Line:
    """A pattern's line with places put in along its legs at which it may be cut.

    `origin` (n,) is the row of the pattern's place, -1 for places put in. A part holds at its last place, not at its first,
    so that a hold at which two parts meet is held once.
    """

    def __init__(
        self,
        pattern: Pattern,
        airframe: Airframe,
        *,
        wind: Wind,
        home: Floats | None,
        ways: Ways | None,
        legs_s: Callable[[Floats], Floats],
    ) -> None:
        self.pattern = pattern
        self.places, self.origin = _dense(pattern.places)
        hold_s = np.zeros(len(self.places))
        hold_s[self.origin >= 0] = pattern.hold_s
        self.spent_s = np.cumsum(hold_s + np.concatenate(([0.0], legs_s(self.places))))
        self.first_hold_s = float(hold_s[0])
        self.cut_s = airframe.cruise_mps / (2.0 * airframe.acceleration_mps2)
        self.there_s, self.home_s = _beyond_s(self.places, airframe, wind, home, ways)

    def part_s(self, first: int, last: NDArray[np.intp]) -> Floats:
        """Return the seconds of the parts from one place to others, the ways there and home included.

        Where the line is cut the drone slows down to a stand: half of what speeding up and slowing down once take more.
        """
        begins_s = self.spent_s[first] - (self.first_hold_s if first == 0 else self.cut_s)
        ends_s = np.where(last < len(self.places) - 1, self.cut_s, 0.0)
        seconds: Floats = self.spent_s[last] + ends_s - begins_s + self.there_s[first] + self.home_s[last]
        return seconds

    def cuts(self, limit_s: float, most_places: int) -> list[int] | None:
        """Return the numbers of the places at which parts meet, ends included; None where one step exceeds the limit."""
        found, end = [0], len(self.places) - 1
        while found[-1] < end or len(found) == 1:
            lasts = self._lasts(found[-1], most_places)
            fits = lasts[self.part_s(found[-1], lasts) <= limit_s + _SLACK_S]
            if not len(fits) or len(found) > _MOST_PARTS:
                return None
            found.append(int(fits[-1]))
        return found

    def _lasts(self, first: int, most_places: int) -> NDArray[np.intp]:
        """Return where a part that begins at `first` may end so that it has no more places than allowed."""
        real = np.flatnonzero(self.origin[first + 1 :] >= 0) + first + 1
        farthest = real[most_places - 2] if len(real) >= most_places else len(self.places) - 1
        return np.arange(min(first + 1, len(self.places) - 1), farthest + 1)

    def part(self, first: int, last: int) -> Pattern:
        """Return the part as a pattern of its own; of what is seen straight down it has what lies along it."""
        rows = np.array([row for row in range(first, last + 1) if row in {first, last} or self.origin[row] >= 0])
        places, whole = self.places[rows], self.pattern
        of_row = np.maximum.accumulate(self.origin)[rows]
        hold_s = np.where((self.origin[rows] >= 0) & ((rows > first) | (rows == 0)), whole.hold_s[of_row], 0.0)
        footprint = whole.footprint
        if not np.isfinite(whole.gaze).any():
            footprint = footprint.intersection(seen_from(places, whole.seen_m / 2.0))
        return replace(
            whole, places=places, gaze=whole.gaze[of_row], hold_s=hold_s, footprint=footprint, length_m=length_m(places)
        )


def _dense(places: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """Return the places with others put in along long legs, and the row of each (-1 for those put in)."""
    dense, origin = [places[:1]], [np.zeros(1, np.intp)]
    for row, (start, end) in enumerate(pairwise(places), 1):
        steps = max(1, ceil(float(np.hypot(*(end - start))) / _STEP_M))
        share = np.arange(1, steps + 1)[:, None] / steps
        dense.append(start + share * (end - start))
        origin.append(np.where(share[:, 0] < 1.0, -1, row))
    return np.concatenate(dense), np.concatenate(origin)


def _beyond_s(
    places: Floats, airframe: Airframe, wind: Wind, home: Floats | None, ways: Ways | None
) -> tuple[Floats, Floats]:
    """Return the seconds from home to each place and back from there (0 without a home; inf where there is no way)."""
    if home is None:
        return np.zeros(len(places)), np.zeros(len(places))
    slow_s = airframe.cruise_mps / airframe.acceleration_mps2
    away_m = np.hypot(*(places - home).T)
    round_m = away_m if ways is None else _round_m(places, home, ways)
    longer = round_m / np.maximum(away_m, 1e-9)
    there, back = (told_mps(way, airframe, wind) for way in (places - home, home - places))
    if not (np.minimum(there, back)[away_m > 0.0] > 0.0).all():
        message = f"{airframe.name} does not come home against {wind.speed_mps:g} m/s of wind: wait for less"
        raise InputError(message, f"{airframe.name} 逆 {wind.speed_mps:g} m/s 的风回不来：等风小")
    there_s, back_s = (
        np.where(away_m > 0.0, away_m * longer / np.maximum(speed, LEAST_GROUND_MPS) + slow_s, 0.0)
        for speed in (there, back)
    )
    return there_s, back_s


def _round_m(places: Floats, home: Floats, ways: Ways) -> Floats:
    """Return the metres of the shortest ways from home, a few at a time: those among the places are not asked for."""
    found = [
        ways.between(np.concatenate((home[None], some)))[0, 1:]
        for some in np.split(places, range(_AT_ONCE, len(places), _AT_ONCE))
    ]
    return np.concatenate(found)


def _too_far(line: _Line, limit_s: float) -> InputError:
    if limit_s <= 0.0:
        return InputError(
            "the battery does not suffice to climb, to come down and to keep the reserve: fly a drone that flies longer",
            "电池不够爬升、降落并留足保留电量：换续航更长的无人机",
        )
    farthest_s = float((line.there_s + line.home_s).max())
    if not np.isfinite(farthest_s):
        return InputError(
            "no way that keeps out of closed air leads from the dock to all of it: move the task, the dock or the zone, "
            "or get an approval",
            "从机库没有避开管制空域、通到全部位置的航路：移动任务、机库或区域，或取得批准",
        )
    return InputError(
        f"this flight cannot be flown in parts of {limit_s:.0f} s, which the battery allows: to its farthest place and home "
        f"alone takes {farthest_s:.0f} s, and a stretch or a hold there besides; start from a nearer dock or with a drone "
        "that flies longer",
        f"电池每段最多飞 {limit_s:.0f} 秒：仅往返最远处就要 {farthest_s:.0f} 秒，还不算中间一段航线或停留；"
        "改从更近的机库起飞，或换续航更长的无人机",
    )
