"""When an event was watched, and by too few: the gaps, the share of its time, the handovers."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from mission.model import US, Window


def unwatched(wanted: Sequence[Window], watched: Sequence[Window], *, count: int = 1) -> tuple[Window, ...]:
    """Return the times of `wanted` in which fewer than `count` of `watched` were there, in order."""
    gaps: list[Window] = []
    for window in wanted:
        since_us: int | None = None
        for start_us, end_us, there in _spans(window, watched):
            if there < count:
                since_us = start_us if since_us is None else since_us
                if end_us == window.end_us:
                    gaps.append(Window(since_us, end_us))
            elif since_us is not None:
                gaps.append(Window(since_us, start_us))
                since_us = None
    return tuple(gaps)


def watched_ratio(wanted: Sequence[Window], watched: Sequence[Window], *, count: int = 1) -> float | None:
    """Return how much of the watch of `count` drones was kept, 0..1; None where nothing is wanted yet."""
    spans = [span for window in wanted for span in _spans(window, watched)]
    wanted_us = sum(end_us - start_us for start_us, end_us, _ in spans) * count
    watched_us = sum((end_us - start_us) * min(there, count) for start_us, end_us, there in spans)
    return watched_us / wanted_us if wanted_us else None


def least_overlap_s(stands: Sequence[Window], *, count: int = 1) -> float | None:
    """Return the shortest time that two who relieved each other were there together, negative for a gap between them.

    `stands` has one window a drone, from when it came until it left. None where nobody was relieved.
    """
    ordered = sorted(stands)
    overlaps = [(one.end_us - other.start_us) / US for one, other in zip(ordered, ordered[count:], strict=False)]
    return min(overlaps) if overlaps else None


def _spans(window: Window, watched: Sequence[Window]) -> Iterator[tuple[int, int, int]]:
    """Yield the pieces of a window with how many were there: start, end, number."""
    cuts = {cut for one in watched for cut in (one.start_us, one.end_us) if window.start_us < cut < window.end_us}
    for start_us, end_us in pairwise(sorted({*cuts, window.start_us, window.end_us})):
        yield start_us, end_us, sum(one.start_us <= start_us and end_us <= one.end_us for one in watched)
