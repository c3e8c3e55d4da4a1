"""How much of each street units reach within a limit: partly reached streets count in part, by one unit, by two, by whom alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mission.roads.graph import Ints
from mission.roads.labels import NOBODY, Labels, merge_labels
from mission.roads.skeleton import Skeleton, Stands, Ways
from telemetry.model.geodesy import Floats


@dataclass(frozen=True)
class Party:
    """Units of one mode: their ways, where they stand, and the two nearest of them at each place of the skeleton."""

    ways: Ways
    stands: Stands
    labels: Labels


@dataclass(frozen=True)
class Reach:
    """Ratios (0..1) of each street (streets,): reached by anybody, and by at least two.

    `alone_m` (owners,) is how much street length each owner alone reaches: what is lost when it leaves.
    """

    any_ratio: Floats
    double_ratio: Floats
    alone_m: Floats


@dataclass(frozen=True, eq=False)
class Counted:
    """The streets that count, in the order of the skeleton's chains, so that what lies together is read together.

    `street` (counted,) are their indexes, `length_m` their lengths, `places` the places of their tails and heads, and
    `row_of_street` (streets,) is where each street stands among them; -1: it does not count.
    """

    street: NDArray[np.intp]
    length_m: Floats
    places: tuple[NDArray[np.intp], NDArray[np.intp]]
    row_of_street: NDArray[np.intp]


def counted_streets(skeleton: Skeleton, length_m: Floats) -> Counted:
    """Return the streets that have any length to count; `length_m` (streets,)."""
    street = skeleton.street[length_m[skeleton.street] > 0.0].astype(np.intp)
    row_of_street = np.full(len(length_m), -1, np.intp)
    row_of_street[street] = np.arange(len(street))
    tail, head = skeleton.street_places
    return Counted(street, length_m[street], (tail[street], head[street]), row_of_street)


@lru_cache(maxsize=32)
def _seconds(ways: Ways, counted: Counted) -> tuple[Floats, Floats]:
    """Return the seconds along each counted street from its tail and from its head."""
    return ways.seconds(0)[counted.street], ways.seconds(1)[counted.street]


@lru_cache(maxsize=8)
def _slowest_s(ways: tuple[Ways, ...], counted: Counted) -> tuple[Floats, Floats]:
    """Return the most seconds that any of some modes takes along each counted street, from its tail and from its head."""
    tail, head = (np.max([_seconds(mode, counted)[end] for mode in ways], axis=0) for end in (0, 1))
    return tail, head


class Reckoning:
    """The parties on one map: what they reach of the streets that count within one limit after another.

    `nearest` are the parties' labels merged, by place.
    """

    def __init__(self, parties: Sequence[Party], nearest: Labels, counted: Counted, *, owner_count: int) -> None:
        self._parties, self._counted, self._owner_count = parties, counted, owner_count
        if not parties:
            return
        tail, head = counted.places
        first, second = nearest.seconds
        self._soonest_s = np.minimum(first.take(tail), first.take(head))
        slowest = _slowest_s(tuple(party.ways for party in parties), counted)
        self._doubled_s = np.minimum(second.take(tail) + slowest[0], second.take(head) + slowest[1])
        rows = np.unique(counted.row_of_street[np.concatenate([party.stands.street for party in parties])])
        self._crowded = rows[rows >= 0]

    def within(self, limit_s: float) -> Reach:
        """Return what is reached within `limit_s`.

        Exact: along a street every unit moves at its own mode's speed, from both ends and from where it stands, and
        overlaps count once. Streets that nobody reaches, or that two units reach whole from one end, need no reckoning.
        About 3 ms for 500 units in three modes on 50,000 nodes.
        """
        counted, owners = self._counted, self._owner_count
        if not self._parties:
            return Reach(np.zeros(len(counted.row_of_street)), np.zeros(len(counted.row_of_street)), np.zeros(owners))
        is_doubled = self._doubled_s <= limit_s
        is_open = (self._soonest_s < limit_s) & ~is_doubled
        is_open[self._crowded] = False
        rows = np.flatnonzero(is_open)
        any_ratio = is_doubled.astype(np.float64)
        double_ratio = any_ratio.copy()
        tail, head = self._end_reach(rows, limit_s, 0), self._end_reach(rows, limit_s, 1)
        reached = np.minimum(tail.seconds[0] + head.seconds[0], 1.0)
        any_ratio[rows], double_ratio[rows] = reached, _double(tail, head)
        alone_m = np.zeros(owners + 1)  # the last place is nobody's
        for owner, ratio in _alone(tail, head, reached):
            alone_m += np.bincount(owner % (owners + 1), ratio * counted.length_m[rows], minlength=owners + 1)
        depths = self._crowded_reach(limit_s)
        any_ratio[self._crowded], double_ratio[self._crowded] = depths.any_ratio, depths.double_ratio
        alone_m = alone_m[:owners] + depths.alone_m
        return Reach(self._by_street(any_ratio), self._by_street(double_ratio), alone_m)

    def _by_street(self, ratio: Floats) -> Floats:
        whole = np.zeros(len(self._counted.row_of_street))
        whole[self._counted.street] = ratio
        return whole

    def _end_reach(self, rows: NDArray[np.intp], limit_s: float, end: int) -> Labels:
        """Return the two owners that get farthest along counted streets (rows) from one end (0 tail, 1 head).

        The ratios (2, rows) stand in `seconds`; beside them whose they are.
        """
        place = self._counted.places[end].take(rows)
        parts = []
        for party in self._parties:
            left_s = np.maximum(limit_s - party.labels.seconds.take(place, axis=1), 0.0)
            ratio = -left_s / _seconds(party.ways, self._counted)[end].take(rows)
            parts.append(Labels(ratio, party.labels.owner.take(place, axis=1)))
        merged = merge_labels(parts)
        return Labels(np.minimum(-merged.seconds, 1.0), merged.owner)

    def _crowded_reach(self, limit_s: float) -> Reach:
        tail, head = self._end_reach(self._crowded, limit_s, 0), self._end_reach(self._crowded, limit_s, 1)
        rows = _rows_of(self._crowded, tail, head, self._parties, counted=self._counted, limit_s=limit_s)
        return _sweep(rows, self._counted.length_m[self._crowded], self._owner_count)


def _double(tail: Labels, head: Labels) -> Floats:
    """Return the ratio that two owners reach: two from the tail, two from the head, or one from each where they overlap."""
    first, second = tail.seconds
    head_first, head_second = head.seconds
    low, high = 1.0 - head_first, first
    from_tail, from_head = second, 1.0 - head_second
    plain = np.minimum(second + head_second, 1.0)
    left = np.where(from_tail >= low, high, from_tail + high - low)
    right = np.where(from_head <= high, 1.0 - high, head_second)
    is_joined = (high > low) & (tail.owner[0] != head.owner[0])
    return np.asarray(np.where(is_joined, left + right, plain), np.float64)


def _alone(tail: Labels, head: Labels, any_ratio: Floats) -> list[tuple[Ints, Floats]]:
    """Return for the first owner at each end what it alone reaches; counted once where it is the same at both."""
    is_same = tail.owner[0] == head.owner[0]
    without_tail = tail.seconds[1] + np.where(is_same, head.seconds[1], head.seconds[0])
    without_head = tail.seconds[0] + head.seconds[1]
    lost_tail = any_ratio - np.minimum(without_tail, 1.0)
    lost_head = np.where(is_same, 0.0, any_ratio - np.minimum(without_head, 1.0))
    return [(tail.owner[0], lost_tail), (head.owner[0], lost_head)]


@dataclass(frozen=True)
class _Rows:
    """Stretches of streets: which of the crowded streets, whose, from where to where (0..1)."""

    street: NDArray[np.intp]
    owner: Ints
    low: Floats
    high: Floats


def _rows_of(
    crowded: NDArray[np.intp],
    tail: Labels,
    head: Labels,
    parties: Sequence[Party],
    *,
    counted: Counted,
    limit_s: float,
) -> _Rows:
    """Return every stretch on the counted streets where units stand: from both ends and about each stand."""
    count = len(crowded)
    streets, owners = [np.tile(np.arange(count), 4)], [tail.owner.ravel(), head.owner.ravel()]
    ends = head.seconds.ravel()
    lows: list[Floats] = [np.zeros(2 * count), 1.0 - ends]
    highs: list[Floats] = [tail.seconds.ravel(), np.ones(2 * count)]
    for party in parties:
        row, network = counted.row_of_street[party.stands.street], party.ways.network
        stands = party.stands.of(row >= 0)
        streets.append(np.searchsorted(crowded, row[row >= 0]))
        owners.append(stands.owner)
        behind = limit_s / network.backward_s[stands.street]
        ahead = limit_s / network.forward_s[stands.street]
        lows.append(np.maximum(stands.along_ratio - behind, 0.0))
        highs.append(np.minimum(stands.along_ratio + ahead, 1.0))
    street, owner = np.concatenate(streets), np.concatenate(owners)
    low, high = np.concatenate(lows), np.concatenate(highs)
    kept = (owner != NOBODY) & (high > low)
    return _Rows(street[kept], owner[kept], low[kept], high[kept])


def _sweep(rows: _Rows, length_m: Floats, owner_count: int) -> Reach:
    """Sweep along each street: how much of it lies under one owner's stretches at least, under two, under one alone."""
    count = len(length_m)
    segments = _united(rows, owner_count)
    street = np.concatenate((segments.street, segments.street))
    place = np.concatenate((segments.low, segments.high))
    change = np.repeat(np.array([1, -1]), len(segments.low))
    whose = np.concatenate((segments.owner, segments.owner)).astype(np.int64) * change
    order = np.lexsort((place, street))
    street, place = street[order], place[order]
    depth, who = np.cumsum(change[order]), np.cumsum(whose[order])
    passed = np.zeros(len(place))
    passed[:-1] = np.where(depth[:-1] > 0, np.diff(place), 0.0)
    any_ratio = np.bincount(street, passed, minlength=count)
    double_ratio = np.bincount(street, passed * (depth >= 2), minlength=count)
    is_alone = depth == 1
    alone_m = np.bincount(who[is_alone], (passed * length_m[street])[is_alone], minlength=owner_count)
    return Reach(np.minimum(any_ratio, 1.0), np.minimum(double_ratio, 1.0), alone_m.astype(np.float64))


def _united(rows: _Rows, owner_count: int) -> _Rows:
    """Unite what one owner reaches of one street where it overlaps."""
    if not len(rows.street):
        return rows
    group = rows.street * (owner_count + 1) + rows.owner
    order = np.lexsort((rows.low, group))
    group, low, high = group[order], rows.low[order], rows.high[order]
    shift = 2.0 * np.cumsum(np.concatenate(([0], group[1:] != group[:-1])))
    farthest = np.maximum.accumulate(high + shift)
    begins = np.concatenate(([True], low[1:] + shift[1:] > farthest[:-1]))
    first = np.flatnonzero(begins)
    ends = np.maximum.reduceat(high, first)
    return _Rows(rows.street[order][first], rows.owner[order][first], low[first], ends)


def seconds_to(parties: Sequence[Party], targets: Stands) -> Floats:
    """Return how soon any party is at places on streets (targets,); inf where nobody comes within the labels' limit."""
    found = np.full(len(targets.street), np.inf)
    for party in parties:
        tail, head = (places[targets.street] for places in party.ways.skeleton.street_places)
        seconds = party.labels.seconds[0]
        forward_s, backward_s = (party.ways.seconds(end)[targets.street] for end in (0, 1))
        np.minimum(found, seconds[tail] + _part(targets.along_ratio, forward_s), out=found)
        np.minimum(found, seconds[head] + _part(1.0 - targets.along_ratio, backward_s), out=found)
        row, stand = _meetings(targets.street, party.stands.street)
        apart = targets.along_ratio[row] - party.stands.along_ratio[stand]
        direct = np.where(apart >= 0.0, _part(apart, forward_s[row]), _part(-apart, backward_s[row]))
        np.minimum.at(found, row, direct)
    return found


def _meetings(streets: Ints, others: Ints) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return all pairs (index into `streets`, index into `others`) that name the same street."""
    order = np.argsort(others, kind="stable")
    first, end = (np.searchsorted(others[order], streets, side=side) for side in ("left", "right"))
    counts = end - first
    row = np.repeat(np.arange(len(streets)), counts)
    place = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    return row, order[first[row] + place]


def _part(ratio: Floats, seconds: Floats) -> Floats:
    return np.where(ratio > 0.0, np.where(ratio > 0.0, ratio, 1.0) * seconds, 0.0)
