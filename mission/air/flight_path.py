"""The way of a sortie in place, height and time: from its dock and back, along straight legs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from mission.air.terrain import FLAT, Ground
from mission.model import US, Airframe, Dock, Window
from mission.plan import Sortie
from telemetry.model.errors import InputError
from telemetry.model.geodesy import Floats, LocalPlane

_SAME_PLACE_M: Final = 1.0
_LEAST_SPEED_MPS: Final = 0.1
_USUAL_SPEED_MPS: Final = 10.0


@dataclass(frozen=True)
class FlightPath:
    """Places (n, 2) in a plane, heights (n,) and times (n,) with straight, steady legs between them; n is at least 2.

    `alt_agl_m` is the true height above the ground beneath, `level_m` a height above one level for all paths of a plan (mean
    sea level with a terrain, else the flat ground); `waypoint` (n,) the sortie's waypoint that a place is, -1 for none.
    """

    places: Floats
    alt_agl_m: Floats
    level_m: Floats
    at_us: NDArray[np.int64]
    waypoint: NDArray[np.int64]

    @cached_property
    def lines(self) -> Any:  # noqa: ANN401 - shapely has no types
        """The legs as shapely lines (n - 1,)."""
        return shapely.linestrings(np.stack((self.places[:-1], self.places[1:]), axis=1))

    @property
    def window(self) -> Window:
        """From when to when it is flown."""
        return Window(start_us=int(self.at_us[0]), end_us=int(self.at_us[-1]))

    def later(self, later_us: int) -> "FlightPath":
        """Return the same way, flown so much later."""
        return replace(self, at_us=self.at_us + later_us)

    @property
    def lowest_agl_m(self) -> float:
        """The lowest true height."""
        return float(self.alt_agl_m.min())

    @property
    def highest_agl_m(self) -> float:
        """The highest true height."""
        return float(self.alt_agl_m.max())

    @property
    def length_m(self) -> float:
        """Metres over ground."""
        return float(np.hypot(*np.diff(self.places, axis=0).T).sum())


def path_of(
    sortie: Sortie,
    *,
    plane: LocalPlane,
    dock: Dock | None = None,
    ground: Ground = FLAT,
    airframe: Airframe | None = None,
) -> FlightPath:
    """Return the way of a sortie: straight up from its dock, its waypoints with their holds, and home; between them straight.

    Without a dock it begins over the first waypoint and ends over the last. Out and home it flies at the transit height. Times
    are the waypoints' own where they say `arrive_us`; the others follow from lengths and speeds, fitted between those that are
    known and take-off and landing. Raises InputError for a sortie without waypoints.
    """
    if not sortie.waypoints:
        message = f"sortie {sortie.sortie_id} has no waypoints: give it at least one"
        raise InputError(message, f"架次 {sortie.sortie_id} 没有航点：至少要一个")
    stops = _Stops(sortie, plane, dock, airframe)
    places, alt_home_m, waypoint = stops.places, stops.alt_home_m, stops.waypoint
    at_us = _times(stops)
    home_m = _home_level_m(ground, plane, stops.home, dock)
    if np.isnan(home_m):
        ground, home_m = FLAT, 0.0
    share = _cut_legs(places, ground.sample_m)
    places, alt_home_m = _at_shares(share, places), _at_shares(share, alt_home_m)
    at_us = np.round(_at_shares(share, (at_us - at_us[0]).astype(np.float64))).astype(np.int64) + at_us[0]
    waypoint = np.where(share % 1.0 == 0.0, waypoint[share.astype(np.int64)], -1)
    beneath_m = ground.heights_m(*plane.from_plane(places[:, 0], places[:, 1]))
    level_m = alt_home_m + home_m
    return FlightPath(places, level_m - np.where(np.isnan(beneath_m), home_m, beneath_m), level_m, at_us, waypoint)


def _home_level_m(ground: Ground, plane: LocalPlane, home: Floats, dock: Dock | None) -> float:
    """Return the level of the take-off place: the dock's, else the terrain's; 0 on flat ground, NaN where it is unknown."""
    if ground.is_flat:
        return 0.0
    if dock is not None and dock.ground_msl_m is not None:
        return dock.ground_msl_m
    return float(ground.heights_m(*plane.from_plane(home[:1], home[1:]))[0])


class _Stops:
    """The places of a sortie in turn: dock, over the dock, waypoints (twice where it holds), over the dock, dock."""

    def __init__(self, sortie: Sortie, plane: LocalPlane, dock: Dock | None, airframe: Airframe | None) -> None:
        self.sortie = sortie
        ways = sortie.waypoints
        over = np.column_stack(plane.to_plane([one.lat_deg for one in ways], [one.lon_deg for one in ways]))
        self.home = over[0] if dock is None else np.array(plane.to_plane(dock.lat_deg, dock.lon_deg), np.float64)
        self.climb_mps = airframe.climb_mps if airframe else 3.0
        self.sink_mps = airframe.sink_mps if airframe else 2.0
        places, heights, numbers, known_us = [], [], [], []

        def stop(place: Floats, alt_home_m: float, number: int = -1, at_us: int | None = None) -> None:
            places.append(place)
            heights.append(alt_home_m)
            numbers.append(number)
            known_us.append(at_us)

        last = over[-1] if dock is None else self.home
        stop(self.home, 0.0, at_us=sortie.takeoff_us)
        stop(self.home, self._over_home_m(over[0], ways[0].alt_home_m))
        for number, (place, way) in enumerate(zip(over, ways, strict=True)):
            stop(place, way.alt_home_m, number, way.arrive_us)
            if way.hold_s > 0.0:
                left_us = None if way.arrive_us is None else way.arrive_us + round(way.hold_s * US)
                stop(place, way.alt_home_m, number, left_us)
        if np.hypot(*(last - over[-1])) > _SAME_PLACE_M:
            stop(over[-1], sortie.transit_alt_home_m)
            stop(last, sortie.transit_alt_home_m)
        stop(last, 0.0, at_us=sortie.landing_us)
        self.places, self.alt_home_m = np.array(places), np.array(heights)
        self.waypoint, self.known_us = np.array(numbers), known_us

    def _over_home_m(self, first: Floats, first_alt_home_m: float) -> float:
        """Return how high it climbs before it sets out."""
        away_m = np.hypot(*(first - self.home))
        return first_alt_home_m if away_m <= _SAME_PLACE_M else self.sortie.transit_alt_home_m

    def usual_s(self) -> Floats:
        """Return the seconds that each leg usually takes: its length at the speed of where it leads, its climb, its hold."""
        ways = self.sortie.waypoints
        length_m = np.hypot(*np.diff(self.places, axis=0).T)
        up_m = np.diff(self.alt_home_m)
        speeds = [ways[number].speed_mps if number >= 0 else _USUAL_SPEED_MPS for number in self.waypoint[1:].tolist()]
        climb_s = np.where(up_m > 0.0, up_m / self.climb_mps, -up_m / self.sink_mps)
        usual_s = np.maximum(length_m / np.maximum(speeds, _LEAST_SPEED_MPS), climb_s)
        holds = (self.waypoint[1:] >= 0) & (self.waypoint[1:] == self.waypoint[:-1])
        held = [ways[number].hold_s if number >= 0 else 0.0 for number in self.waypoint[1:].tolist()]
        return np.where(holds, held, usual_s)


def _times(stops: _Stops) -> NDArray[np.int64]:
    """Return when it is at each place: told times kept, the others between them in the ratio of what legs usually take."""
    usual_us = np.concatenate(([0.0], np.cumsum(stops.usual_s()) * US))
    known = [index for index, at_us in enumerate(stops.known_us) if at_us is not None]
    told_us = np.maximum.accumulate([stops.known_us[index] or 0 for index in known])
    first_us = int(told_us[0])
    found = np.interp(usual_us, usual_us[known], (told_us - first_us).astype(np.float64))
    found[known] = told_us - first_us
    times: NDArray[np.int64] = np.maximum.accumulate(np.round(found)).astype(np.int64) + first_us
    return times


def _cut_legs(places: Floats, sample_m: float) -> Floats:
    """Return the places' numbers and shares between them so that no leg is longer than `sample_m`."""
    if not np.isfinite(sample_m):
        return np.arange(len(places), dtype=np.float64)
    length_m = np.hypot(*np.diff(places, axis=0).T)
    counts = np.maximum(np.ceil(length_m / sample_m).astype(np.int64), 1)
    inner: Sequence[Floats] = [number + np.arange(count) / count for number, count in enumerate(counts.tolist())]
    return np.concatenate((*inner, [float(len(places) - 1)]))


def _at_shares(share: Floats, values: Floats) -> Floats:
    number = np.minimum(share.astype(np.int64), len(values) - 1)
    rest = share - number
    after = values[np.minimum(number + 1, len(values) - 1)]
    if values.ndim > 1:
        rest = rest[:, None]
    found: Floats = values[number] * (1.0 - rest) + after * rest
    return found
