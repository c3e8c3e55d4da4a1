"""The skeleton of a road graph: junctions joined by chains of streets, so that searches skip the nodes that only give shape."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from mission.roads.graph import Ints, RoadGraph, SecondsMatrix, fastest_matrix
from mission.roads.labels import NOBODY, Labels, Starts, nearest_labels, pick, second_of, soonest
from mission.roads.streets import Streets
from mission.roads.travel import ModeNetwork
from telemetry.model.geodesy import Floats

AT_JUNCTION_M: Final = 10.0
"""Who stands so near to the beginning of a one-way street may still choose another street; a place so near to its end is
reached from the junction."""


@dataclass(frozen=True, eq=False)
class Skeleton:
    """Every street stands at one place of one chain; a chain runs from a junction to a junction.

    Steps are streets in the order of their chains: `street` and `is_along` (whether the chain runs from the street's tail)
    have shape (steps,), `first_step` (chains + 1,) says where chains begin. `junction` lists the nodes that are kept; the
    number of each node among them is `junction_of_node`, -1 for nodes within chains. `node_behind` (steps,) is the node at
    which a step ends. Building it takes about 0.15 s for 50,000 nodes.
    """

    streets: Streets
    street: Ints
    is_along: NDArray[np.bool_]
    first_step: Ints
    junction: Ints
    junction_of_node: Ints
    node_before: Ints
    node_behind: Ints

    @cached_property
    def step_of_street(self) -> Ints:
        """The step of each street."""
        steps = np.empty(len(self.street), np.int32)
        steps[self.street] = np.arange(len(self.street), dtype=np.int32)
        return steps

    @cached_property
    def chain_of_step(self) -> Ints:
        """The chain of each step."""
        return np.repeat(np.arange(len(self.first_step) - 1, dtype=np.int32), np.diff(self.first_step))

    @cached_property
    def inner_step(self) -> Ints:
        """The steps that end at a node within their chain, one for each such node."""
        return np.flatnonzero(self.junction_of_node[self.node_behind] < 0).astype(np.int32)

    @cached_property
    def inner_ends(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The junctions at both ends of the chain of each node within a chain, in the chains' order."""
        chain = self.chain_of_step[self.inner_step]
        a, b = self.ends
        return a[chain].astype(np.intp), b[chain].astype(np.intp)

    @cached_property
    def place_ends(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The two junctions between which each place lies; a junction lies at itself."""
        own, (a, b) = np.arange(len(self.junction)), self.inner_ends
        return np.concatenate((own, a)), np.concatenate((own, b))

    @cached_property
    def place_of_node(self) -> NDArray[np.intp]:
        """The place of each node in labels: junctions first, then the nodes within chains in the chains' order."""
        places = self.junction_of_node.astype(np.intp)
        inner = self.node_behind[self.inner_step]
        places[inner] = np.arange(len(self.junction), len(places))
        return places

    @cached_property
    def street_places(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The places of each street's tail and head."""
        return self.place_of_node[self.streets.tail], self.place_of_node[self.streets.head]

    @cached_property
    def ends(self) -> tuple[Ints, Ints]:
        """The junction numbers at which each chain begins and ends."""
        first, last = self.first_step[:-1], self.first_step[1:] - 1
        return self.junction_of_node[self.node_before[first]], self.junction_of_node[self.node_behind[last]]


def skeleton_of(graph: RoadGraph) -> Skeleton:
    """Return the skeleton of a graph: its junctions are the nodes where not exactly two streets meet."""
    streets = graph.streets
    tails, heads = streets.tail.tolist(), streets.head.tolist()
    at_node: list[list[int]] = [[] for _ in range(graph.node_count)]
    for street, (tail, head) in enumerate(zip(tails, heads, strict=True)):
        at_node[tail].append(street)
        at_node[head].append(street)
    is_kept = [len(found) != 2 or found[0] == found[1] for found in at_node]
    order, along, first_step = _walk(tails, heads, at_node, is_kept)
    steps, is_along = np.array(order, np.int32), np.array(along, np.bool_)
    tail, head = streets.tail[steps], streets.head[steps]
    junction = np.flatnonzero(is_kept).astype(np.int32)
    junction_of_node = np.full(graph.node_count, -1, np.int32)
    junction_of_node[junction] = np.arange(len(junction), dtype=np.int32)
    before, behind = np.where(is_along, tail, head), np.where(is_along, head, tail)
    return Skeleton(
        streets, steps, is_along, np.array(first_step, np.int32), junction, junction_of_node, before, behind
    )


def _walk(
    tails: list[int], heads: list[int], at_node: list[list[int]], is_kept: list[bool]
) -> tuple[list[int], list[bool], list[int]]:
    """Follow every chain once; a loop without a junction is cut open at one of its nodes."""
    order: list[int] = []
    along: list[bool] = []
    first_step = [0]
    seen = [False] * len(tails)
    starts = [node for node, kept in enumerate(is_kept) if kept]
    for phase in (starts, list(range(len(at_node)))):
        for start in phase:
            for leaving in at_node[start]:
                if seen[leaving]:
                    continue
                is_kept[start] = True
                node, street = start, leaving
                while True:
                    seen[street] = True
                    order.append(street)
                    along.append(tails[street] == node)
                    node = heads[street] if tails[street] == node else tails[street]
                    if is_kept[node]:
                        break
                    pair = at_node[node]
                    street = pair[1] if pair[0] == street else pair[0]
                first_step.append(len(order))
    return order, along, first_step


@dataclass(frozen=True)
class Stands:
    """Where units stand on the streets: the `street`, how far along it (0..1 from its tail) and whose stand it is, all (n,)."""

    street: Ints
    along_ratio: Floats
    owner: Ints

    def of(self, mask: NDArray[np.bool_] | slice | NDArray[np.intp]) -> "Stands":
        """Return a part of them."""
        return Stands(self.street[mask], self.along_ratio[mask], self.owner[mask])


class Ways:
    """The skeleton in the seconds of one mode; searches from stands give labels of all nodes. Built in about 8 ms."""

    def __init__(self, skeleton: Skeleton, network: ModeNetwork) -> None:
        self.skeleton = skeleton
        self.network = network
        along = skeleton.is_along
        forward, backward = network.forward_s[skeleton.street], network.backward_s[skeleton.street]
        self.ahead_s: Final = np.where(along, forward, backward)
        self.back_s: Final = np.where(along, backward, forward)
        self._ahead, self._back = _Sums(self.ahead_s), _Sums(self.back_s)
        first, end = skeleton.first_step[:-1], skeleton.first_step[1:]
        a, b = skeleton.ends
        ahead, back = self._ahead.between(first, end), self._back.between(first, end)
        count, seconds = len(skeleton.junction), np.concatenate((ahead, back))
        tails, heads = np.concatenate((a, b)), np.concatenate((b, a))
        is_open = np.isfinite(seconds) & (tails != heads)
        self.matrix: Final = fastest_matrix(tails[is_open], heads[is_open], seconds[is_open], count)
        inner = skeleton.inner_step
        chain = skeleton.chain_of_step[inner]
        self._inner_from_a = self._ahead.between(skeleton.first_step[chain], inner + 1)
        self._inner_from_b = self._back.between(inner + 1, skeleton.first_step[chain + 1])

    @cached_property
    def reverse_matrix(self) -> SecondsMatrix:
        """The matrix of the junctions transposed."""
        return csr_array(self.matrix.T)

    def seconds(self, end: int) -> Floats:
        """Return the seconds of each street from its tail (`end` 0) or from its head (1)."""
        return self.network.backward_s if end else self.network.forward_s

    def offsets(self, stands: Stands) -> tuple[Ints, Floats, Floats]:
        """Return the step of each stand and the seconds to where it begins and to where it ends; inf: not allowed."""
        step = self.skeleton.step_of_street[stands.street]
        ratio, ahead, back = self._ratio(stands, step), self.ahead_s[step], self.back_s[step]
        length_m, either = self.skeleton.streets.length_m[stands.street], np.minimum(ahead, back)
        to_begin = np.where(ratio * length_m <= AT_JUNCTION_M, either, back)
        to_end = np.where((1.0 - ratio) * length_m <= AT_JUNCTION_M, either, ahead)
        return step, _spent(ratio, to_begin), _spent(1.0 - ratio, to_end)

    def starts(self, stands: Stands) -> Starts:
        """Return where stands enter the skeleton: the junctions at both ends of their chains."""
        chain, (a, b) = self.chain_of(stands), self.skeleton.ends
        node, seconds = np.concatenate((a[chain], b[chain])), np.concatenate(self._to_ends(stands))
        is_open = np.isfinite(seconds)
        return Starts(node[is_open], np.tile(stands.owner, 2)[is_open], seconds[is_open])

    def labels(self, stands: Stands, *, limits_s: tuple[float, ...]) -> Labels:
        """Return what `nearest_labels` would for the whole graph, one or two ranks, but by place (see `place_of_node`).

        About 6 ms for 170 stands on 50,000 nodes.
        """
        at_junctions = nearest_labels(self.matrix, self.starts(stands), limits_s=limits_s)
        return _with_direct(self._spread(at_junctions, limits_s), self.direct(stands), limits_s)

    @property
    def place_offsets(self) -> tuple[Floats, Floats]:
        """The seconds to each place from each of its two junctions."""
        count = len(self.skeleton.junction)
        return np.pad(self._inner_from_a, (count, 0)), np.pad(self._inner_from_b, (count, 0))

    def carried(self, junction_s: Floats) -> Floats:
        """Return the seconds (..., places) of who is at the junctions in `junction_s` (..., junctions)."""
        a, b = self.skeleton.inner_ends
        inner = junction_s.take(a, axis=-1)
        inner += self._inner_from_a
        other = junction_s.take(b, axis=-1)
        other += self._inner_from_b
        np.minimum(inner, other, out=inner)
        return np.concatenate((junction_s, inner), axis=-1)

    def _spread(self, junctions: Labels, limits_s: tuple[float, ...]) -> Labels:
        """Carry labels from the junctions to the nodes within chains."""
        ends = []
        for end, passed_s in zip(self.skeleton.inner_ends, (self._inner_from_a, self._inner_from_b), strict=True):
            seconds = junctions.seconds.take(end, axis=1)
            seconds += passed_s
            ends.append(Labels(seconds, junctions.owner.take(end, axis=1)))
        joined = _join_two(ends[0], ends[1])
        for rank, limit_s in enumerate(limits_s):
            late = ~(joined.seconds[rank] <= limit_s)
            joined.seconds[rank][late], joined.owner[rank][late] = np.inf, NOBODY
        seconds = np.concatenate((junctions.seconds, joined.seconds), axis=1)
        return Labels(seconds, np.concatenate((junctions.owner, joined.owner), axis=1))

    def at_from_ends(self, junctions: Labels, targets: Stands) -> list[tuple[Floats, Ints]]:
        """Return seconds and owners (targets,) at places on streets, once for each rank of labels and end of their chains.

        Who stands on a target's own chain may be there sooner: see `direct_s`.
        """
        ends = zip(self.skeleton.ends, self._from_ends(targets), strict=True)
        chain = self.chain_of(targets)
        return [
            (seconds[end[chain]] + passed_s, owner[end[chain]])
            for end, passed_s in ends
            for seconds, owner in zip(junctions.seconds, junctions.owner, strict=True)
        ]

    def direct_s(self, stands: Stands, targets: Stands) -> Floats:
        """Return the seconds from each stand to its target (n,) without leaving their chain; inf where it is another chain."""
        step, begin_s, end_s = self.offsets(stands)
        goal = self.skeleton.step_of_street[targets.street]
        ratio, goal_ratio = self._ratio(stands, step), self._ratio(targets, goal)
        apart, (into_ahead_s, into_back_s) = goal_ratio - ratio, self._into(targets, goal)
        same = np.where(apart >= 0.0, _spent(apart, self.ahead_s[goal]), _spent(-apart, self.back_s[goal]))
        ahead = end_s + self._ahead.between(np.minimum(step + 1, goal), goal) + into_ahead_s
        behind = np.maximum(step, goal + 1)
        back = begin_s + self._back.between(np.minimum(goal + 1, behind), behind) + into_back_s
        same[apart == 0.0] = 0.0  # whoever is there needs no way
        seconds = np.where(step == goal, same, np.where(step < goal, ahead, back))
        chain = self.skeleton.chain_of_step
        return np.where(chain[step] == chain[goal], seconds, np.inf)

    def away_s(self, targets: Stands, *, limit_s: float) -> Floats:
        """Return the seconds from each junction to the nearest of some places on streets; inf beyond the limit."""
        ends = np.concatenate([end[self.chain_of(targets)] for end in self.skeleton.ends])
        offsets = np.concatenate(self._from_ends(targets))
        is_open = np.isfinite(offsets)
        starts = soonest(ends[is_open], np.zeros(int(is_open.sum()), np.int32), offsets[is_open])
        return np.asarray(nearest_labels(self.reverse_matrix, starts, limits_s=(limit_s,)).seconds[0], np.float64)

    def times_to(self, stands: Stands, target: Stands, *, limit_s: float) -> Floats:
        """Return how soon each stand (n,) is at one place on a street; inf beyond the limit. About 1 ms for 50,000 nodes."""
        away_s = self.away_s(target, limit_s=limit_s)
        to_a, to_b = self._to_ends(stands)
        a, b = (end[self.chain_of(stands)] for end in self.skeleton.ends)
        same = target.of(np.zeros(len(stands.street), np.intp))
        seconds = np.minimum(np.minimum(to_a + away_s[a], to_b + away_s[b]), self.direct_s(stands, same))
        return np.where(seconds <= limit_s, seconds, np.inf)

    def chain_of(self, stands: Stands) -> Ints:
        """Return the chain on which each stands."""
        return self.skeleton.chain_of_step[self.skeleton.step_of_street[stands.street]]

    def _ratio(self, stands: Stands, step: Ints) -> Floats:
        return np.where(self.skeleton.is_along[step], stands.along_ratio, 1.0 - stands.along_ratio)

    def _from_ends(self, targets: Stands) -> tuple[Floats, Floats]:
        """Return the seconds to places from the beginning and from the end of their chains."""
        step, first_step = self.skeleton.step_of_street[targets.street], self.skeleton.first_step
        chain, (ahead_s, back_s) = self.chain_of(targets), self._into(targets, step)
        from_a = self._ahead.between(first_step[chain], step) + ahead_s
        from_b = self._back.between(step + 1, first_step[chain + 1]) + back_s
        return from_a, from_b

    def _into(self, targets: Stands, step: Ints) -> tuple[Floats, Floats]:
        """Return the seconds to places from where their steps begin and from where they end."""
        ratio, ahead, back = self._ratio(targets, step), self.ahead_s[step], self.back_s[step]
        length_m, either = self.skeleton.streets.length_m[targets.street], np.minimum(ahead, back)
        in_ahead = np.where(ratio * length_m <= AT_JUNCTION_M, either, ahead)
        in_back = np.where((1.0 - ratio) * length_m <= AT_JUNCTION_M, either, back)
        return _spent(ratio, in_ahead), _spent(1.0 - ratio, in_back)

    def _to_ends(self, stands: Stands) -> tuple[Floats, Floats]:
        """Return the seconds from stands to the beginning and to the end of their chains."""
        step, begin_s, end_s = self.offsets(stands)
        chain, first_step = self.chain_of(stands), self.skeleton.first_step
        to_a = begin_s + self._back.between(first_step[chain], step)
        return to_a, end_s + self._ahead.between(step + 1, first_step[chain + 1])

    def direct(self, stands: Stands) -> Starts:
        """Return whom stands reach without leaving their chain: one row for each stand and place within the chain."""
        skeleton = self.skeleton
        step, begin_s, end_s = self.offsets(stands)
        chain = skeleton.chain_of_step[step]
        first = skeleton.first_step[chain]
        inner_counts = np.maximum(skeleton.first_step[chain + 1] - first - 1, 0)
        row = np.repeat(np.arange(len(step)), inner_counts)
        place = np.arange(len(row)) - np.repeat(np.cumsum(inner_counts) - inner_counts, inner_counts)
        at = first[row] + place + 1  # the step that begins at the node
        own = step[row]
        is_before = at <= own
        low, high = np.minimum(at, own), np.maximum(at, own + 1)
        back = begin_s[row] + self._back.between(low, own)
        ahead = end_s[row] + self._ahead.between(own + 1, high)
        seconds = np.where(is_before, back, ahead)
        is_open = np.isfinite(seconds)
        places = skeleton.place_of_node[skeleton.node_before[at]]
        return Starts(places[is_open], stands.owner[row][is_open], seconds[is_open])


def _join_two(one: Labels, other: Labels) -> Labels:
    """Return the nearest of two labels a node (one or two ranks) whose owners may be the same."""
    is_one = one.seconds[0] <= other.seconds[0]
    first_owner = pick(is_one, one.owner[0], other.owner[0])
    if len(one.seconds) == 1:
        return Labels(np.minimum(one.seconds, other.seconds), first_owner[None])
    rest_owner = pick(is_one, other.owner[0], one.owner[0])
    rest_s = np.maximum(one.seconds[0], other.seconds[0])
    rest_s[rest_owner == first_owner] = np.inf
    seconds, owner = np.empty_like(one.seconds), np.empty_like(one.owner)
    np.minimum(one.seconds[0], other.seconds[0], out=seconds[0])
    owner[0] = first_owner
    second_of(one, other, rest_s, rest_owner, (seconds[1], owner[1]))
    return Labels(seconds, owner)


def _with_direct(labels: Labels, direct: Starts, limits_s: tuple[float, ...]) -> Labels:
    """Take rows (place, owner, seconds) into labels, in place. Of each place only as many rows as there are ranks can matter."""
    last_s = np.minimum(labels.seconds[-1], limits_s[-1])[direct.node]
    may_enter = np.flatnonzero((direct.offset_s <= last_s) | (direct.offset_s < labels.seconds[0][direct.node]))
    order = may_enter[np.lexsort((direct.offset_s[may_enter], direct.node[may_enter]))]
    rank = np.arange(len(order)) - np.searchsorted(direct.node[order], direct.node[order])
    for wanted in range(len(limits_s)):
        rows = order[rank == wanted]
        _insert(labels, Starts(direct.node[rows], direct.owner[rows], direct.offset_s[rows]), limits_s)
    return labels


def _insert(labels: Labels, rows: Starts, limits_s: tuple[float, ...]) -> None:
    """Take one row a place into labels, in place: it may win, push the first back, or become the second."""
    place, seconds, owner = rows.node, np.where(rows.offset_s <= limits_s[0], rows.offset_s, np.inf), rows.owner
    first_s, first = labels.seconds[0][place], labels.owner[0][place]
    wins = seconds < first_s
    labels.seconds[0][place] = np.where(wins, seconds, first_s)
    labels.owner[0][place] = np.where(wins, owner, first)
    if len(limits_s) == 1:
        return
    second_s, second = labels.seconds[1][place], labels.owner[1][place]
    pushes = wins & (owner != first)
    comes = ~wins & (owner != first) & (seconds < second_s)
    next_s = np.where(pushes, first_s, np.where(comes, seconds, second_s))
    next_owner = np.where(pushes, first, np.where(comes, owner, second))
    is_late = ~(next_s <= limits_s[1])
    labels.seconds[1][place] = np.where(is_late, np.inf, next_s)
    labels.owner[1][place] = np.where(is_late, NOBODY, next_owner)


class _Sums:
    """Sums of seconds over runs of steps; inf where one of them is closed."""

    def __init__(self, seconds: Floats) -> None:
        is_closed = np.isinf(seconds)
        self._open_s = np.concatenate(([0.0], np.cumsum(np.where(is_closed, 0.0, seconds))))
        self._closed = np.concatenate(([0], np.cumsum(is_closed)))

    def between(self, first: Ints, end: Ints) -> Floats:
        """Return the seconds of the steps from `first` up to but without `end`."""
        passed = self._open_s[end] - self._open_s[first]
        return np.where(self._closed[end] > self._closed[first], np.inf, np.maximum(passed, 0.0))


def _spent(ratio: Floats, seconds: Floats) -> Floats:
    """Return the seconds for a part of a step; inf stays inf for an empty part too."""
    is_open = np.isfinite(seconds)
    return np.where(is_open, ratio * np.where(is_open, seconds, 0.0), np.inf)
