"""Sorties laid over the terrain: true heights kept as planned, with further waypoints where the ground rises or falls."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import msgspec
import numpy as np

from mission.air.climbing import LIFT_S_A_M, MOST_SAMPLES, SAMPLE_M, ascent_m, least_s
from mission.air.terrain import Ground
from mission.model import US, Airframe, Dock
from mission.plan import CameraAction, Sortie, Waypoint
from telemetry.model.geodesy import Floats, LocalPlane

TOLERANCE_M: Final = 8.0
"""So much the true height may differ from the planned one between waypoints."""
_COARSER_FACTOR: Final = 1.5
_SHORTEST_S: Final = 1e-3
_SLOWEST_MPS: Final = 1.0
_ENDS: Final = 2
"""The places over the dock that a sortie in hills begins and ends with."""


@dataclass(frozen=True)
class Terrain:
    """The ground about a dock, as seen from its take-off place."""

    ground: Ground
    plane: LocalPlane
    home_m: float

    def above_home_m(self, places: Floats) -> Floats:
        """Return how much higher than the take-off place the ground is at places (n, 2); 0 where it is unknown."""
        found = self.ground.heights_m(*self.plane.from_plane(places[:, 0], places[:, 1])) - self.home_m
        return np.where(np.isnan(found), 0.0, found)


def dock_level_m(dock: Dock, ground: Ground) -> float:
    """Return how high above the sea a dock lies: as it says, else as the terrain says; NaN where neither does."""
    if dock.ground_msl_m is not None:
        return dock.ground_msl_m
    return float(ground.heights_m(np.array([dock.lat_deg]), np.array([dock.lon_deg]))[0])


def draped(
    sortie: Sortie,
    *,
    plane: LocalPlane,
    ground: Ground,
    dock: Dock,
    airframe: Airframe,
    here: Floats | None = None,
    tolerance_m: float = TOLERANCE_M,
) -> Sortie:
    """Return a sortie planned over flat ground with its heights taken as heights above the ground beneath.

    Where the ground between waypoints bends by more than the tolerance, waypoints are put in, fewer and coarser ones where the
    controller takes no more; in hills the ways from and to the dock are laid so too, with a place over the dock at either end
    (where it sets out in the air: `here`, (2,) in the plane, instead). The transit height, at which it comes home after a lost link, clears the straight ways to the dock.

    The times of its legs are taken to hold what the slopes take (`Slopes.more_s`); a leg that is too short for its climb or
    descent is made longer, and all that follows later. The battery on landing is less by that and by the lifting. The sortie
    stays as it is over flat ground, and where the dock lies outside of the raster and names no height.
    """
    home_m = dock_level_m(dock, ground)
    if ground.is_flat or np.isnan(home_m) or not sortie.waypoints:
        return sortie
    return _Draping(sortie, Terrain(ground, plane, home_m), dock, airframe, here).laid(tolerance_m)


class _Draping:
    """One sortie being laid: its waypoints, and one over the dock before and after them where the ways there are uneven."""

    def __init__(
        self, sortie: Sortie, terrain: Terrain, dock: Dock, airframe: Airframe, here: Floats | None = None
    ) -> None:
        self.sortie, self.terrain, self.airframe = sortie, terrain, airframe
        plane, ways = terrain.plane, sortie.waypoints
        home = np.array(plane.to_plane(dock.lat_deg, dock.lon_deg), np.float64)
        places = np.column_stack(plane.to_plane([one.lat_deg for one in ways], [one.lon_deg for one in ways]))
        begin = home if here is None else here
        to_dock = np.concatenate([_samples(begin, places[0]), _samples(places[-1], home)])
        rise_m = terrain.above_home_m(to_dock)
        self.up_m = max(float(rise_m.max()), 0.0)
        is_uneven = float(np.abs(rise_m).max()) > TOLERANCE_M
        self.has_ends = is_uneven and len(ways) + _ENDS <= airframe.most_waypoints
        if self.has_ends:
            climb_s, sink_s = least_s(np.array([1.0, -1.0]) * sortie.transit_alt_home_m, airframe).tolist()
            began_us = sortie.takeoff_us + (round(climb_s * US) if here is None else 0)
            first = self._aloft(begin, ways[0].speed_mps, began_us)
            last = self._aloft(home, ways[-1].speed_mps, sortie.landing_us - round(sink_s * US))
            ways, places = (first, *ways, last), np.concatenate((begin[None], places, home[None]))
        self.ways, self.places = ways, places
        self.samples, self.profiles = self._sampled()

    def _aloft(self, place: Floats, speed_mps: float, at_us: int) -> Waypoint:
        """Return a place at the transit height, where it sets out or comes down."""
        lat_deg, lon_deg = self.terrain.plane.from_plane(place[:1], place[1:])
        return Waypoint(
            lat_deg=round(float(lat_deg[0]), 7),
            lon_deg=round(float(lon_deg[0]), 7),
            alt_home_m=self.sortie.transit_alt_home_m,
            speed_mps=speed_mps,
            arrive_us=at_us,
        )

    def laid(self, tolerance_m: float) -> Sortie:
        ways, sortie = self.ways, self.sortie
        legs = self._legs(tolerance_m)
        while len(ways) + sum(map(len, legs)) > self.airframe.most_waypoints and any(legs):
            tolerance_m *= _COARSER_FACTOR
            legs = self._legs(tolerance_m)
        rises_m = self.terrain.above_home_m(self.places).tolist()
        lifted = [_raised(one, one.alt_home_m, rise_m) for one, rise_m in zip(ways, rises_m, strict=True)]
        laid = [two for one, inner in zip(lifted, [*legs, []], strict=True) for two in (one, *inner)]
        first = np.concatenate(([0], np.cumsum([1 + len(inner) for inner in legs]))).astype(np.int64).tolist()
        timed, later_us = self._timed(laid, first)
        number = first[1:-1] if self.has_ends else first
        parts = tuple(
            msgspec.structs.replace(
                one, first_waypoint=number[one.first_waypoint], last_waypoint=number[one.last_waypoint]
            )
            for one in sortie.visit_parts
        )
        straight_s = 0.0 if self.has_ends else float(least_s(np.array([self.up_m, -self.up_m]), self.airframe).sum())
        more_s = later_us / US + straight_s
        lift_s = max(ascent_m(self._heights_m(laid)) - ascent_m(self._heights_m(ways)), 0.0) * LIFT_S_A_M
        spent_ratio = (more_s + lift_s) / self.airframe.endurance_s
        return msgspec.structs.replace(
            sortie,
            waypoints=tuple(self._slowed(timed)),
            visit_parts=parts,
            transit_alt_home_m=sortie.transit_alt_home_m + self.up_m,
            landing_us=sortie.landing_us + round(more_s * US),
            free_us=max(sortie.free_us, sortie.landing_us + round(more_s * US)),
            landing_battery_ratio=round(sortie.landing_battery_ratio - spent_ratio, 4),
        )

    def _heights_m(self, ways: Sequence[Waypoint]) -> Floats:
        return np.array([0.0, *(one.alt_home_m for one in ways), 0.0])

    def _sampled(self) -> tuple[list[Floats], list[Floats]]:
        """Return each leg's sampled places and how much higher than the take-off place the ground is there."""
        samples = [_samples(start, end) for start, end in pairwise(self.places)]
        if not samples:
            return [], []
        rises_m = self.terrain.above_home_m(np.concatenate(samples))
        return samples, np.split(rises_m, np.cumsum([len(one) for one in samples])[:-1])

    def _legs(self, tolerance_m: float) -> list[list[Waypoint]]:
        """Return for each leg the waypoints to put in."""
        found = []
        for number, (places, rise_m) in enumerate(zip(self.samples, self.profiles, strict=True)):
            bends = _bends(rise_m, 0, len(rise_m) - 1, tolerance_m)
            at = places[np.array(bends, np.intp)]
            lat, lon = self.terrain.plane.from_plane(at[:, 0], at[:, 1])
            start, end = self.ways[number], self.ways[number + 1]
            found.append(
                [
                    _put_in(start, end, place=place, share=row / (len(rise_m) - 1), rise_m=float(rise_m[row]))
                    for place, row in zip(zip(lat.tolist(), lon.tolist(), strict=True), bends, strict=True)
                ]
            )
        return found

    def _timed(self, laid: Sequence[Waypoint], first: Sequence[int]) -> tuple[list[Waypoint], int]:
        """Return the waypoints with the times at which slopes let it be there, and how much later it is at the end.

        `first` are the numbers of the planned ones in what is laid. Between two of them whose times are told the time is shared
        out by length, a steep stretch getting what its climb takes.
        """
        found, later_us, lengths_m = list(laid), 0, self._lengths_m(laid)
        told = [row for row in range(len(self.ways)) if self.ways[row].arrive_us is not None]
        for before, after in pairwise(told):
            begin, end = first[before], first[after]
            planned = self.ways[before : after + 1]
            left_us = _left_us(planned[0])
            given_s = ((planned[-1].arrive_us or 0) - left_us) / US
            heights_m = np.array([one.alt_home_m for one in laid[begin : end + 1]])
            need_s = least_s(np.diff(heights_m), self.airframe)
            flat_s = least_s(np.diff([one.alt_home_m for one in planned]), self.airframe)
            more_s = max(float(need_s.sum()) - max(given_s, float(flat_s.sum())), 0.0)
            shares_s = _shared(given_s + more_s, lengths_m[begin:end], need_s)
            reached_us = left_us + later_us + np.round(np.cumsum(shares_s) * US).astype(np.int64)
            later_us += round(more_s * US)
            for row in range(begin + 1, end):
                found[row] = msgspec.structs.replace(laid[row], arrive_us=int(reached_us[row - begin - 1]))
            found[end] = msgspec.structs.replace(laid[end], arrive_us=(planned[-1].arrive_us or 0) + later_us)
        return found, later_us

    def _slowed(self, ways: Sequence[Waypoint]) -> list[Waypoint]:
        """Return the waypoints with speeds at which a steep stretch is not climbed or come down faster than it can be."""
        need_s = least_s(np.diff([one.alt_home_m for one in ways]), self.airframe)
        most_mps = self._lengths_m(ways) / np.maximum(need_s, _SHORTEST_S)
        slow_mps = [np.inf, *np.where(most_mps > 0.0, np.maximum(most_mps, _SLOWEST_MPS), np.inf).tolist()]
        return [
            msgspec.structs.replace(one, speed_mps=round(most, 2)) if most < one.speed_mps else one
            for one, most in zip(ways, slow_mps, strict=True)
        ]

    def _lengths_m(self, ways: Sequence[Waypoint]) -> Floats:
        east_m, north_m = self.terrain.plane.to_plane([one.lat_deg for one in ways], [one.lon_deg for one in ways])
        found: Floats = np.hypot(np.diff(east_m), np.diff(north_m))
        return found


def _left_us(way: Waypoint) -> int:
    return (way.arrive_us or 0) + round(way.hold_s * US)


def _shared(whole_s: float, length_m: Floats, need_s: Floats) -> Floats:
    """Return a time shared out by length so that none gets less than it needs; by need where there is no more than that."""
    if need_s.sum() >= whole_s or length_m.sum() <= 0.0:
        total_s = float(need_s.sum())
        return need_s * (whole_s / total_s) if total_s > 0.0 else np.full(len(need_s), whole_s / len(need_s))
    steep = np.zeros(len(need_s), np.bool_)
    while True:
        free_m = float(length_m[~steep].sum())
        rest_s = whole_s - float(need_s[steep].sum())
        shares_s = np.where(steep, need_s, length_m * (rest_s / free_m if free_m > 0.0 else 0.0))
        short = ~steep & (shares_s < need_s)
        if not short.any():
            return shares_s
        steep |= short


def _samples(start: Floats, end: Floats) -> Floats:
    count = min(max(int(np.ceil(np.hypot(*(end - start)) / SAMPLE_M)), 1), MOST_SAMPLES)
    found: Floats = start + np.linspace(0.0, 1.0, count + 1)[:, None] * (end - start)
    return found


def _raised(way: Waypoint, planned_m: float, rise_m: float) -> Waypoint:
    return msgspec.structs.replace(way, alt_home_m=planned_m + rise_m, ground_above_home_m=round(rise_m, 1))


def _put_in(start: Waypoint, end: Waypoint, *, place: tuple[float, float], share: float, rise_m: float) -> Waypoint:
    """Return a waypoint of a leg at which the ground bends, so far along it; photos go on there, its time is still to come."""
    is_photographing = start.action is CameraAction.PHOTOS_BY_DISTANCE
    way = msgspec.structs.replace(
        end,
        lat_deg=round(place[0], 7),
        lon_deg=round(place[1], 7),
        hold_s=0.0,
        task_id=end.task_id if start.task_id == end.task_id else None,
        action=CameraAction.PHOTOS_BY_DISTANCE if is_photographing else CameraAction.NONE,
        gaze_lat_deg=start.gaze_lat_deg,
        gaze_lon_deg=start.gaze_lon_deg,
        heading_deg=start.heading_deg,
        trigger_m=start.trigger_m,
        arrive_us=None,
    )
    return _raised(way, start.alt_home_m + (end.alt_home_m - start.alt_home_m) * share, rise_m)


def _bends(rise_m: Floats, first: int, last: int, tolerance_m: float) -> list[int]:
    """Return the rows at which a profile leaves the straight line by more than the tolerance (Douglas and Peucker)."""
    if last - first < 2:
        return []
    line = np.linspace(rise_m[first], rise_m[last], last - first + 1)
    off_m = np.abs(rise_m[first : last + 1] - line)
    worst = first + int(off_m.argmax())
    if off_m.max() <= tolerance_m:
        return []
    before, after = _bends(rise_m, first, worst, tolerance_m), _bends(rise_m, worst, last, tolerance_m)
    return [*before, worst, *after]
