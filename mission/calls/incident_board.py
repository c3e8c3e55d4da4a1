"""The board of incidents in memory: a pure fold of the database's rows, and the response measured against 1-3-5."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from mission.calls.incident import Dispatch, Incident, IncidentState, Urgency

REMEMBERED_US: Final = 36 * 3600 * 1_000_000
"""How long a closed incident stays on the board: a day and its night shift."""
DAY_US: Final = 86_400_000_000
DAY_BEGINS_US: Final = 16 * 3_600_000_000
"""Days begin at midnight of China Standard Time (16:00 UTC), as those of alarms."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Responses of incidents of one urgency: how many, how many somebody came to, how soon (s), how many in time (0..1)."""

    urgency: Urgency
    count: int
    answered: int
    p50_s: float | None
    p90_s: float | None
    on_target_ratio: float | None


class IncidentBoard:
    """Incidents that are open or lately closed, as of change number `seq`.

    The same rows in whatever order and however often make the same board: of each incident the highest change counts.
    """

    def __init__(self) -> None:
        self.seq = 0
        self._incidents: dict[int, Incident] = {}
        self._dispatches: dict[int, int] = {}
        self._forgotten_seq = 0

    def apply(self, incidents: Iterable[Incident]) -> list[Incident]:
        """Take rows; return those that were news, in the order of their changes."""
        news = []
        for incident in sorted(incidents, key=lambda one: one.change_seq):
            known = self._incidents.get(incident.incident_id)
            if known is not None and known.change_seq >= incident.change_seq:
                continue
            self._incidents[incident.incident_id] = incident
            for sent in incident.dispatches:
                self._dispatches[sent.dispatch_id] = incident.incident_id
            news.append(incident)
        self.seq = max(self.seq, news[-1].change_seq if news else 0)
        return news

    def forget(self, now_us: int) -> None:
        """Let go of what was closed more than 36 hours ago."""
        for incident in list(self._incidents.values()):
            if incident.closed_us is not None and incident.closed_us < now_us - REMEMBERED_US:
                del self._incidents[incident.incident_id]
                for sent in incident.dispatches:
                    self._dispatches.pop(sent.dispatch_id, None)
                self._forgotten_seq = max(self._forgotten_seq, incident.change_seq)

    def begin(self, forgotten_seq: int) -> None:
        """Say up to which change number nothing closed is known: what the first reading left out."""
        self._forgotten_seq = max(self._forgotten_seq, forgotten_seq)
        self.seq = max(self.seq, forgotten_seq)

    def get(self, incident_id: int) -> Incident | None:
        """Return one incident, None when it is not on the board."""
        return self._incidents.get(incident_id)

    def of_dispatch(self, dispatch_id: int) -> Incident | None:
        """Return the incident to which a dispatch belongs, None when it is not on the board."""
        incident_id = self._dispatches.get(dispatch_id)
        return None if incident_id is None else self._incidents.get(incident_id)

    def all(self) -> list[Incident]:
        """Return all incidents of the board, the most urgent and oldest first."""
        return sorted(self._incidents.values(), key=lambda one: (one.urgency, one.reported_us, one.incident_id))

    def open(self) -> list[Incident]:
        """Return the open ones, the most urgent and oldest first."""
        return [incident for incident in self.all() if incident.is_open]

    def live_dispatches(self) -> list[tuple[Incident, Dispatch]]:
        """Return every unit that is wanted somewhere, with its incident; the earliest push first."""
        found = [(incident, sent) for incident in self.open() for sent in incident.dispatches if sent.is_live]
        return sorted(found, key=lambda pair: (pair[1].queued_us, pair[1].dispatch_id))

    def live_dispatch_of(self, unit_id: int) -> tuple[Incident, Dispatch] | None:
        """Return where a unit is wanted now, None when nowhere."""
        return next((pair for pair in self.live_dispatches() if pair[1].unit_id == unit_id), None)

    def holds_since(self, seq: int) -> bool:
        """Tell whether `changes_since(seq)` misses nothing."""
        return self._forgotten_seq <= seq <= self.seq

    def changes_since(self, seq: int) -> list[Incident]:
        """Return the incidents changed after number `seq`, each as it stands now, in the order of their changes."""
        if seq >= self.seq:
            return []
        changed = [incident for incident in self._incidents.values() if incident.change_seq > seq]
        return sorted(changed, key=lambda one: one.change_seq)


def response_s(incident: Incident) -> float | None:
    """Return seconds from the call to the first arrival, None before it; never negative, whatever clocks did."""
    arrived_us = incident.arrived_us
    return None if arrived_us is None else max(0.0, (arrived_us - incident.reported_us) / 1e6)


def on_target(incident: Incident, now_us: int) -> bool | None:
    """Tell whether somebody was there in time; None while that is still open, and for what needed nobody."""
    seconds = response_s(incident)
    if seconds is not None:
        return seconds <= incident.target_s
    if incident.state in {IncidentState.HANDED_OVER, IncidentState.NON_POLICE} or not incident.is_open:
        return None
    return False if now_us - incident.reported_us > incident.target_s * 1e6 else None


def day_begins_us(now_us: int) -> int:
    """Return the last midnight of China Standard Time."""
    return (now_us - DAY_BEGINS_US) // DAY_US * DAY_US + DAY_BEGINS_US


def figures_of(incidents: Sequence[Incident], urgency: Urgency, *, now_us: int) -> Figures:
    """Return the figures of the incidents of one urgency; what is overdue and unanswered counts as late."""
    of_urgency = [incident for incident in incidents if incident.urgency is urgency]
    seconds = sorted(found for incident in of_urgency if (found := response_s(incident)) is not None)
    judged = [found for incident in of_urgency if (found := on_target(incident, now_us)) is not None]
    return Figures(
        urgency=urgency,
        count=len(of_urgency),
        answered=len(seconds),
        p50_s=quantile_s(seconds, 0.5),
        p90_s=quantile_s(seconds, 0.9),
        on_target_ratio=sum(judged) / len(judged) if judged else None,
    )


def quantile_s(ordered_s: Sequence[float], share: float) -> float | None:
    """Return the least of ascending seconds that at least this share (0..1) does not exceed; None of none."""
    if not ordered_s:
        return None
    return ordered_s[max(0, -(-round(share * len(ordered_s) * 1000) // 1000) - 1)]
