"""In which order and in which directions swaths are flown so that the ways between them are short: a tour of directed pieces."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from telemetry.model.geodesy import Floats

Order = NDArray[np.intp]
_LEAST_GAIN_M: Final = 1e-6
_LONGEST_BLOCK: Final = 3
_STARTS: Final = 64
_FIRST_STARTS: Final = 12
_IMPROVED: Final = 3
_NO_WAY_M: Final = 1e9
_MOST_PASSES: Final = 400


@dataclass(frozen=True)
class Tour:
    """Ends of swaths in the order in which they are passed: swath i has the ends 2 i and 2 i + 1; (2 n,), `length_m` between."""

    ends: Order
    length_m: float


def tour_of(apart_m: Floats, *, kicks: int = 0, seed: int = 0) -> Tour:
    """Return a short order of n swaths of which `apart_m` (2 n, 2 n) tells the ways between all ends; start and end are free.

    The best orders by nearest neighbours, then 2-opt (which turns single swaths too) and moved blocks of up to three until
    nothing gains; `kicks` times the best is disturbed (seeded) and mended again. Ways of inf are avoided where it can be.
    About 20 ms for 40 swaths and no kicks; memory and time grow with the square of n.
    """
    far_m = _finite(apart_m)
    best = min((_improved(tour.ends, far_m) for tour in _nearest_tours(far_m, _STARTS)[:_IMPROVED]), key=_by_length)
    rng = np.random.default_rng(seed)
    for _ in range(kicks if len(best.ends) > 2 * _LONGEST_BLOCK else 0):
        tried = _improved(_kicked(best.ends, rng), far_m)
        best = tried if tried.length_m < best.length_m - _LEAST_GAIN_M else best
    return best


def first_tour_of(apart_m: Floats) -> Tour:
    """Return the best order by nearest neighbours alone: a tenth more ways than `tour_of`, in a tenth of its time."""
    return _nearest_tours(_finite(apart_m), _FIRST_STARTS)[0]


def _finite(apart_m: Floats) -> Floats:
    return np.where(np.isfinite(apart_m), apart_m, _NO_WAY_M)


def _by_length(tour: Tour) -> float:
    return tour.length_m


def _nearest_tours(apart_m: Floats, start_count: int) -> list[Tour]:
    """Return orders by nearest neighbours from ends all over, the shortest first."""
    starts = np.unique(np.linspace(0, len(apart_m) - 1, start_count).astype(int))
    found = (_nearest(apart_m, int(start)) for start in starts)
    return sorted((Tour(ends, _length(ends, apart_m)) for ends in found), key=_by_length)


def _length(ends: Order, apart_m: Floats) -> float:
    return float(apart_m[ends[1:-1:2], ends[2::2]].sum())


def _nearest(apart_m: Floats, start: int) -> Order:
    """Go from one end on always to the nearest end that is left."""
    ends = np.zeros(len(apart_m), np.intp)
    left = np.zeros(len(apart_m))
    place = start
    for at in range(0, len(ends), 2):
        ends[at : at + 2] = place, place ^ 1
        left[[place, place ^ 1]] = np.inf
        place = int((apart_m[ends[at + 1]] + left).argmin())
    return ends


def _improved(ends: Order, apart_m: Floats) -> Tour:
    for _ in range(_MOST_PASSES):
        turned = _turned_back(ends, apart_m)
        moved = _moved(ends if turned is None else turned, apart_m)
        if moved is None and turned is None:
            break
        ends = moved if moved is not None else turned if turned is not None else ends
    return Tour(ends, _length(ends, apart_m))


def _framed(ends: Order, apart_m: Floats) -> Floats:
    """Return the ways between ends in flown order, framed by a place before and one after that cost nothing."""
    size = len(ends) + 2
    framed = np.zeros((size, size))
    framed[1:-1, 1:-1] = apart_m[np.ix_(ends, ends)]
    return framed


def _turned_back(ends: Order, apart_m: Floats) -> Order | None:
    """Fly the stretch from swath i to swath j the other way round, where that gains most; None where nothing does."""
    ways = _framed(ends, apart_m)
    into, out_of = np.arange(1, len(ends) + 1, 2), np.arange(2, len(ends) + 1, 2)
    now = ways[into - 1, into][:, None] + ways[out_of, out_of + 1][None, :]
    then = ways[np.ix_(into - 1, out_of)] + ways[np.ix_(into, out_of + 1)]
    gain = np.triu(now - then)
    first, last = np.unravel_index(int(gain.argmax()), gain.shape)
    if gain[first, last] <= _LEAST_GAIN_M:
        return None
    turned = ends.copy()
    turned[2 * first : 2 * last + 2] = ends[2 * first : 2 * last + 2][::-1]
    return turned


def _moved(ends: Order, apart_m: Floats) -> Order | None:
    """Move a block of swaths elsewhere, either way round, where that gains most; None where nothing does."""
    count = len(ends) // 2
    ways = _framed(ends, apart_m)
    before, after = np.arange(0, 2 * count + 1, 2), np.arange(1, 2 * count + 2, 2)
    straight = ways[before, after]
    best: tuple[float, tuple[int, int, int, bool] | None] = (_LEAST_GAIN_M, None)
    for size in range(1, min(_LONGEST_BLOCK, count - 1) + 1):
        first = np.arange(count - size + 1)
        into, out_of = 2 * first + 1, 2 * (first + size)
        freed = ways[into - 1, into] + ways[out_of, out_of + 1] - ways[into - 1, out_of + 1]
        as_is = ways[np.ix_(into, before)] + ways[np.ix_(out_of, after)]
        back = ways[np.ix_(out_of, before)] + ways[np.ix_(into, after)]
        gain = freed[:, None] + straight[None, :] - np.minimum(as_is, back)
        gap = np.arange(count + 1)[None, :]
        gain[(gap >= first[:, None]) & (gap <= first[:, None] + size)] = -np.inf
        block, to = np.unravel_index(int(gain.argmax()), gain.shape)
        if gain[block, to] > best[0]:
            best = (float(gain[block, to]), (int(block), size, int(to), bool(back[block, to] < as_is[block, to])))
    return None if best[1] is None else _put(ends, *best[1])


def _put(ends: Order, first: int, size: int, gap: int, is_back: bool) -> Order:  # noqa: FBT001 - a record unpacked
    block = ends[2 * first : 2 * (first + size)]
    rest = np.concatenate((ends[: 2 * first], ends[2 * (first + size) :]))
    at = 2 * (gap if gap <= first else gap - size)
    return np.concatenate((rest[:at], block[::-1] if is_back else block, rest[at:]))


def _kicked(ends: Order, rng: np.random.Generator) -> Order:
    """Exchange two neighbouring stretches: what single turns and moves do not undo."""
    cuts = 2 * np.sort(rng.choice(np.arange(1, len(ends) // 2), 3, replace=False))
    return np.concatenate((ends[: cuts[0]], ends[cuts[1] : cuts[2]], ends[cuts[0] : cuts[1]], ends[cuts[2] :]))
