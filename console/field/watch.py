"""Which dispatches are watched on the map, and what their units' positions tell of them; each thing is told once."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
import numpy as np

from mission.calls.arrival import Approach, Fix, step
from mission.calls.errand import Answer
from mission.calls.incident import Dispatch, DispatchState, Incident
from mission.calls.unreached import NO_CHANNEL
from telemetry.model.unit import LinkState
from telemetry.model.unit_state import LINK_STATES, UnitStates

_LIVE: Final = LINK_STATES.index(LinkState.LIVE)
_GOING: Final = frozenset({DispatchState.ACCEPTED, DispatchState.UNDER_WAY})


class Seen(msgspec.Struct, frozen=True):
    """What a track tells of a dispatch: under way or arrived, since when (UTC microseconds)."""

    dispatch_id: int
    answer: Answer
    at_us: int


class TrackWatch:
    """The approaches of all dispatches that are on their way: those accepted, and those called by radio."""

    def __init__(self) -> None:
        self._approaches: dict[int, Approach] = {}
        self._told: set[tuple[int, Answer]] = set()

    def look(self, live: Sequence[tuple[Incident, Dispatch]], units: UnitStates, now_us: int) -> list[Seen]:
        """Return what is seen for the first time at this look (one a second is enough)."""
        watched = [(incident, sent) for incident, sent in live if _is_watched(incident, sent)]
        self._forget({sent.dispatch_id for _, sent in watched})
        rows = _rows_of(units, [sent.unit_id for _, sent in watched])
        seen: list[Seen] = []
        for incident, sent in watched:
            approach = self._approach_of(incident, sent)
            row = rows.get(sent.unit_id)
            if row is not None:
                approach = step(approach, _fix_of(row), now_us)
            self._approaches[sent.dispatch_id] = approach
            seen += self._news(sent, approach)
        return seen

    def untold(self, dispatch_id: int) -> None:
        """Say that what was seen of a dispatch could not be written down: it is told again at the next look."""
        self._told = {key for key in self._told if key[0] != dispatch_id}

    def _forget(self, watched_ids: set[int]) -> None:
        self._approaches = {key: value for key, value in self._approaches.items() if key in watched_ids}
        self._told = {key for key in self._told if key[0] in watched_ids}

    def _approach_of(self, incident: Incident, sent: Dispatch) -> Approach:
        """Return the approach so far; another place (the call was corrected) begins another one."""
        assert incident.lat_e7 is not None
        assert incident.lon_e7 is not None
        known = self._approaches.get(sent.dispatch_id)
        if known is not None and (known.lat_e7, known.lon_e7) == (incident.lat_e7, incident.lon_e7):
            return known
        began_us = sent.queued_us if sent.accepted_us is None else sent.accepted_us
        return Approach(lat_e7=incident.lat_e7, lon_e7=incident.lon_e7, began_us=began_us)

    def _news(self, sent: Dispatch, approach: Approach) -> Iterable[Seen]:
        for answer, at_us in ((Answer.UNDER_WAY, approach.left_us), (Answer.ARRIVED, approach.arrived_us)):
            if at_us is None or (sent.dispatch_id, answer) in self._told:
                continue
            if answer is Answer.UNDER_WAY and sent.state is not DispatchState.ACCEPTED:
                continue
            self._told.add((sent.dispatch_id, answer))
            yield Seen(sent.dispatch_id, answer, at_us)


def _is_watched(incident: Incident, sent: Dispatch) -> bool:
    if incident.lat_e7 is None:
        return False
    is_called_by_radio = sent.state is DispatchState.QUEUED and sent.channel == NO_CHANNEL
    return sent.state in _GOING or is_called_by_radio


def _rows_of(units: UnitStates, unit_ids: Sequence[int]) -> dict[int, Any]:
    if not unit_ids:
        return {}
    found = np.flatnonzero(np.isin(units["unit_id"], unit_ids))
    return {int(units["unit_id"][place]): units[place] for place in found.tolist()}


def _fix_of(row: Any) -> Fix:  # noqa: ANN401 - one row of a structured array
    return Fix(
        observed_us=int(row["observed_us"]),
        received_us=int(row["received_us"]),
        lat_e7=int(row["lat_e7"]),
        lon_e7=int(row["lon_e7"]),
        accuracy_dm=int(row["accuracy_dm"]),
        speed_cmps=int(row["speed_cmps"]),
        quality=int(row["quality"]),
        is_live=int(row["link"]) == _LIVE,
    )
