"""What the demo measures of calls and coverage, from what the stream tells every browser."""

from typing import Final

import msgspec
import numpy as np

from console.demo.desk import DeskBook, IncidentMessage, SeenIncident
from mission.calls.incident import DispatchState

COVERAGE: Final = '{"type":"coverage"'
INCIDENT: Final = '{"type":"incident"'


class _Ring(msgspec.Struct, frozen=True):
    closed: bool


class _Coverage(msgspec.Struct, frozen=True, tag_field="type", tag="coverage"):
    shares: list[float]
    ring: _Ring | None = None
    computed_ms: float = 0.0


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Calls and coverage of one demo. Shares and ratios are 0..1, null where nothing is known.

    `response_*_s`: from the call to the first arrival; `on_target_ratio`: of those that somebody reached, or whose time is
    over, how many within 60, 180 or 300 s by urgency. `coverage_shares`: means for 1, 3 and 5 minutes.
    """

    incidents: int
    dispatched: int
    arrived: int
    response_p50_s: float | None
    response_p90_s: float | None
    on_target_ratio: float | None
    ring_closed_ratio: float | None
    coverage_shares: list[float] | None
    coverage_tick_p50_ms: float | None


class Measures:
    """Folds the stream's texts; calls from before `began_ms` (UTC milliseconds) do not count."""

    def __init__(self, began_ms: float) -> None:
        self._began_ms = began_ms
        self._book = DeskBook(began_ms)
        self._closed: list[bool] = []
        self._shares: list[list[float]] = []
        self._computed_ms: list[float] = []

    def take(self, text: str) -> None:
        """Take a text of the stream; others than of coverage and incidents say nothing here."""
        if text.startswith(INCIDENT):
            self._book.take(msgspec.json.decode(text, type=IncidentMessage).incident)
        elif text.startswith(COVERAGE):
            told = msgspec.json.decode(text, type=_Coverage)
            self._shares.append(told.shares)
            self._computed_ms.append(told.computed_ms)
            if told.ring is not None:
                self._closed.append(told.ring.closed)

    def figures(self) -> Figures:
        """Return the figures so far."""
        calls = [call for call in self._book.all() if call.reported_ms >= self._began_ms]
        responses = [call.response_s for call in calls if call.response_s is not None]
        judged = [call.on_target for call in calls if call.on_target is not None]
        return Figures(
            incidents=len(calls),
            dispatched=sum(bool(call.dispatches) for call in calls),
            arrived=sum(map(_is_reached, calls)),
            response_p50_s=_percentile(responses, 50),
            response_p90_s=_percentile(responses, 90),
            on_target_ratio=_mean([float(one) for one in judged]),
            ring_closed_ratio=_mean([float(one) for one in self._closed]),
            coverage_shares=np.mean(self._shares, axis=0).round(4).tolist() if self._shares else None,
            coverage_tick_p50_ms=_percentile(self._computed_ms, 50),
        )


def _is_reached(call: SeenIncident) -> bool:
    there = {DispatchState.ARRIVED, DispatchState.CLEARED}
    return call.response_s is not None or any(sent.state in there for sent in call.dispatches)


def _percentile(values: list[float], rank: int) -> float | None:
    return round(float(np.percentile(values, rank)), 1) if values else None


def _mean(values: list[float]) -> float | None:
    return round(float(np.mean(values)), 4) if values else None
