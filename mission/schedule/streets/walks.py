"""Closed walks of a patrol, drone by drone, and how long any place waits for the next of them."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mission.schedule.streets.graph import StreetGraph


@dataclass(frozen=True)
class ClosedWalk:
    """One drone's round: along `places` (numbers of the net, the first is the last) without end, at `speed_mps`.

    Those that share a round follow each other: the drone begins `head_start_m` after its first place. A round of one place
    is standing there.
    """

    places: tuple[int, ...]
    length_m: float
    head_start_m: float
    speed_mps: float


@dataclass(frozen=True)
class Patrol:
    """Walks, one for each drone in the order of the speeds given, and the longest time that any place waits.

    `tour_s` is what it would be if the drones followed each other on one tour of all places, evenly spaced.
    """

    walks: tuple[ClosedWalk, ...]
    worst_idleness_s: float
    tour_s: float


def longest_idleness_s(graph: StreetGraph, walks: Sequence[ClosedWalk]) -> float:
    """Return the longest time between two visits of any place, by following every walk; inf where one is never visited.

    A place on different rounds counts by the better of them alone, as their visits drift against each other.
    """
    waits_s = np.full(len(graph.places), np.inf)
    for places, speed_mps in sorted({(walk.places, walk.speed_mps) for walk in walks}):
        together = [walk for walk in walks if (walk.places, walk.speed_mps) == (places, speed_mps)]
        steps_m = [float(graph.away_m[one, other]) for one, other in itertools.pairwise(places)]
        period_m = sum(steps_m)
        if period_m == 0.0:
            waits_s[places[0]] = 0.0
            continue
        reached_m = np.cumsum([0.0, *steps_m[:-1]])
        for place in set(places):
            at_m = reached_m[[number for number, one in enumerate(places[:-1]) if one == place]]
            visits_m = np.sort(np.concatenate([(at_m - walk.head_start_m) % period_m for walk in together]))
            gaps_m = np.diff(np.append(visits_m, visits_m[0] + period_m))
            waits_s[place] = min(waits_s[place], float(gaps_m.max()) / speed_mps)
    return float(waits_s.max())
