"""Order and jumps of a device's fixes: segments of a sorted batch, how far a kind can move, who jumped."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from telemetry.flat_earth import distance_m, distances_m
from telemetry.model.batch import UNKNOWN_I2

JUMP_SLACK_M: Final = 60.0
"""How far apart two honest fixes may be beside their movement."""
AGREEING_SUSPECTS: Final = 3
"""So many suspects in a row that agree with each other prove that the old place was wrong."""


class Fixes:
    """Columns of fixes in order of their devices and times."""

    __slots__ = ("accuracy_m", "lat_e7", "lon_e7", "us")

    def __init__(
        self, us: NDArray[Any], lat_e7: NDArray[Any], lon_e7: NDArray[Any], accuracy_m: NDArray[np.float64]
    ) -> None:
        self.us = us
        self.lat_e7 = lat_e7
        self.lon_e7 = lon_e7
        self.accuracy_m = accuracy_m

    def before(self, starts: NDArray[np.intp], state: NDArray[Any]) -> "Fixes":
        """Return for each fix the one before it; for a device's first one its anchor."""
        if len(starts) == len(self.us):
            anchors = (state[f"anchor_{name}"] for name in ("us", "lat_e7", "lon_e7", "accuracy_m"))
            return Fixes(*anchors)
        return Fixes(
            _shifted(self.us, starts, state["anchor_us"]),
            _shifted(self.lat_e7, starts, state["anchor_lat_e7"]),
            _shifted(self.lon_e7, starts, state["anchor_lon_e7"]),
            _shifted(self.accuracy_m, starts, state["anchor_accuracy_m"]),
        )

    def distances_m(self, other: "Fixes") -> NDArray[np.float64]:
        """Return the distance of each fix from its fellow, on a flat earth between them."""
        return distances_m(self.lat_e7, self.lon_e7, other.lat_e7, other.lon_e7)


class Walk:
    """One device's fixes, one by one: which are farther from the anchor than its kind can move."""

    __slots__ = ("_state",)

    def __init__(self, state: Any) -> None:  # noqa: ANN401 - one row of a structured array, written in place
        self._state = state

    def step(self, us: int, lat_e7: int, lon_e7: int, accuracy_m: float) -> bool:
        """Take one fix; tell whether it jumped."""
        state = self._state
        fix = (us, lat_e7, lon_e7)
        if not state["anchor_us"] or self._is_near("anchor", fix, accuracy_m + float(state["anchor_accuracy_m"])):
            return self._settle(fix, accuracy_m)
        agrees = state["suspect_count"] > 0 and self._is_near("suspect", fix, accuracy_m)
        state["suspect_count"] = int(state["suspect_count"]) + 1 if agrees else 1
        state["suspect_us"], state["suspect_lat_e7"], state["suspect_lon_e7"] = fix
        if state["suspect_count"] >= AGREEING_SUSPECTS:
            return self._settle(fix, accuracy_m)
        return True

    def _settle(self, fix: tuple[int, int, int], accuracy_m: float) -> bool:
        state = self._state
        state["anchor_us"], state["anchor_lat_e7"], state["anchor_lon_e7"] = fix
        state["anchor_accuracy_m"] = accuracy_m
        state["suspect_count"] = 0
        return False

    def _is_near(self, place: str, fix: tuple[int, int, int], accuracy_m: float) -> bool:
        us, lat_e7, lon_e7 = fix
        from_lat_e7, from_lon_e7 = int(self._state[place + "_lat_e7"]), int(self._state[place + "_lon_e7"])
        moved_m = distance_m(lat_e7, lon_e7, from_lat_e7, from_lon_e7)
        passed_us = max(us - int(self._state[place + "_us"]), 0)
        return moved_m <= int(self._state["limit_cmps"]) * passed_us / 1e8 + JUMP_SLACK_M + 2 * accuracy_m


def reaches_m(
    limit_cmps: NDArray[Any], passed_us: NDArray[Any], accuracies_m: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how far apart fixes may honestly be: what the kind moves in the time, some slack, twice their accuracies."""
    found_m: NDArray[np.float64] = limit_cmps * np.maximum(passed_us, 0) / 1e8 + JUMP_SLACK_M + 2 * accuracies_m
    return found_m


def accuracies_of(accuracy_dm: NDArray[Any]) -> NDArray[np.float64]:
    """Return accuracies in metres, 0 where unknown."""
    return np.where(accuracy_dm == UNKNOWN_I2, 0.0, accuracy_dm / 10.0)


def segment_starts(rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return where in sorted `rows` each new one begins."""
    if len(rows) == 1:
        return np.zeros(1, np.intp)
    return np.flatnonzero(np.concatenate(([True], rows[1:] != rows[:-1])))


def segment_ends(starts: NDArray[np.intp], row_count: int) -> NDArray[np.intp]:
    """Return where in `row_count` sorted rows each segment ends: the index of its last row."""
    if len(starts) == row_count:
        return starts
    return np.concatenate((starts[1:], [row_count])) - 1


def running_newest(
    times: NDArray[np.int64], before: NDArray[np.int64], starts: NDArray[np.intp]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for each row the newest time before it in its segment (beginning with `before`), and the segments' newest.

    Times are turned into ranks, so that a segment's number can be put in front of them without overflow.
    """
    if len(starts) == len(times):
        return before, np.maximum(before, times)
    ranked, ranks = np.unique(np.concatenate((times, before[starts])), return_inverse=True)
    running = ranks[: len(times)]
    first = ranks[len(times) :]
    running[starts] = np.maximum(running[starts], first)
    lift = np.cumsum(_marks(starts, len(times))) * len(ranked)
    running = np.maximum.accumulate(running + lift) - lift
    previous = np.empty(len(times), np.int64)
    previous[1:] = ranked[running[:-1]]
    previous[starts] = before[starts]
    return previous, ranked[running[segment_ends(starts, len(times))]]


def _shifted(values: NDArray[Any], starts: NDArray[np.intp], first: NDArray[Any]) -> NDArray[Any]:
    """Return each value's forerunner in its segment; `first` (one a row) at the segments' starts."""
    moved = np.empty(len(values), values.dtype)
    moved[1:] = values[:-1]
    moved[starts] = first[starts]
    return moved


def _marks(starts: NDArray[np.intp], row_count: int) -> NDArray[np.intp]:
    marks = np.zeros(row_count, np.intp)
    marks[starts] = 1
    return marks
