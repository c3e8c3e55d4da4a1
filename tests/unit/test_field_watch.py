"""Which tasks are watched on the map: accepted ones and those called by radio, at the place as it stands, told once."""

from typing import Any, Final

import numpy as np
import pytest

from console.field.watch import Seen, TrackWatch
from mission.calls.errand import Answer
from mission.calls.incident import Caller, Category, Dispatch, DispatchState, Incident, IncidentState, Urgency
from telemetry.model.batch import UNKNOWN_I2, Quality
from telemetry.model.unit import LinkState
from telemetry.model.unit_state import LINK_STATES, UNIT_STATE, UnitStates

BEGAN_US: Final = 1_790_000_000_000_000
SECOND_US: Final = 1_000_000
LAT_E7, LON_E7 = 360_600_000, 1_038_300_000
UNIT: Final = 7


def incident(**changes: Any) -> Incident:  # noqa: ANN401 - fields of Incident
    fields: dict[str, Any] = {
        "incident_id": 1,
        "number": "JQ-1",
        "version": 1,
        "change_seq": 1,
        "state": IncidentState.ACCEPTED,
        "urgency": Urgency.ONE,
        "category": Category.HELP,
        "title": "",
        "text": "",
        "place_text": "",
        "lat_e7": LAT_E7,
        "lon_e7": LON_E7,
        "caller": Caller(),
        "audio_url": "",
        "recording_url": "",
        "station_id": None,
        "source": "console",
        "source_ref": "1",
        "reported_us": BEGAN_US,
        "created_us": BEGAN_US,
        "changed_us": BEGAN_US,
    }
    return Incident(**(fields | changes))


def sent(state: DispatchState = DispatchState.ACCEPTED, **changes: Any) -> Dispatch:  # noqa: ANN401 - fields of Dispatch
    accepted_us = BEGAN_US if state in {DispatchState.ACCEPTED, DispatchState.UNDER_WAY} else None
    fields: dict[str, Any] = {"dispatch_id": 5, "incident_id": 1, "unit_id": UNIT, "state": state, "travel_s": None}
    fields |= {"distance_m": None, "sent_by": "wang", "queued_us": BEGAN_US, "accepted_us": accepted_us}
    return Dispatch(**(fields | changes))


def units(
    at_s: float, *, away_m: float = 0.0, unit_id: int = UNIT, link: LinkState = LinkState.LIVE, quality: int = 0
) -> UnitStates:
    rows = np.zeros(2, UNIT_STATE)
    rows["unit_id"] = [unit_id, 99]
    rows["observed_us"] = rows["received_us"] = BEGAN_US + round(at_s * SECOND_US)
    rows["lat_e7"] = LAT_E7 + round(away_m / 0.011131949)
    rows["lon_e7"] = LON_E7
    rows["accuracy_dm"] = 50
    rows["speed_cmps"] = UNKNOWN_I2
    rows["link"] = LINK_STATES.index(link)
    rows["quality"] = quality
    return rows


def watched(
    watch: TrackWatch,
    pairs: list[tuple[Incident, Dispatch]],
    *,
    seconds: int = 10,
    **place: Any,  # noqa: ANN401 - of units
) -> list[Seen]:
    found: list[Seen] = []
    for second in range(1, seconds + 1):
        found += watch.look(pairs, units(second, **place), BEGAN_US + second * SECOND_US)
    return found


def test_an_accepted_task_is_seen_to_arrive_once() -> None:
    watch = TrackWatch()
    assert watched(watch, [(incident(), sent())]) == [Seen(5, Answer.ARRIVED, BEGAN_US + SECOND_US)]
    later = BEGAN_US + 11 * SECOND_US
    assert watch.look([(incident(), sent())], units(11), later) == []
    watch.untold(5)  # the database was away
    assert [seen.answer for seen in watch.look([(incident(), sent())], units(12), later + SECOND_US)] == [
        Answer.ARRIVED
    ]


def test_under_way_is_told_of_a_task_that_is_accepted_and_of_no_other() -> None:
    for state, expected in ((DispatchState.ACCEPTED, [Answer.UNDER_WAY]), (DispatchState.UNDER_WAY, [])):
        watch, found = TrackWatch(), []
        for second in range(1, 12):
            rows = units(second, away_m=500 - 20 * second)
            found += watch.look([(incident(), sent(state))], rows, BEGAN_US + second * SECOND_US)
        assert [seen.answer for seen in found] == expected


@pytest.mark.parametrize(
    ("call", "task"),
    [
        (incident(), sent(DispatchState.QUEUED)),
        (incident(), sent(DispatchState.SENT)),
        (incident(), sent(DispatchState.RECEIVED)),
        (incident(), sent(DispatchState.ARRIVED)),
        (incident(lat_e7=None, lon_e7=None), sent()),
        (incident(), sent(unit_id=8)),
    ],
)
def test_what_is_not_on_its_way_or_has_no_place_is_not_watched(call: Incident, task: Dispatch) -> None:
    assert watched(TrackWatch(), [(call, task)]) == []


def test_a_unit_called_by_radio_is_seen_to_arrive_though_it_answered_nothing() -> None:
    by_radio = sent(DispatchState.QUEUED, channel="none")
    assert [seen.answer for seen in watched(TrackWatch(), [(incident(), by_radio)])] == [Answer.ARRIVED]


def test_a_corrected_place_begins_anew() -> None:
    watch = TrackWatch()
    assert watched(watch, [(incident(), sent())], seconds=4) == []
    moved = incident(lat_e7=LAT_E7 + 200_000)  # two kilometres off
    found: list[Seen] = []
    for second in range(5, 20):
        found += watch.look([(moved, sent())], units(second), BEGAN_US + second * SECOND_US)
    assert found == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"link": LinkState.STALE},
        {"link": LinkState.LOST},
        {"quality": int(Quality.REPLAYED)},
        {"quality": int(Quality.MOCK)},
    ],
)
def test_a_stale_or_doubtful_marker_never_arrives(wrong: dict[str, Any]) -> None:
    assert watched(TrackWatch(), [(incident(), sent())], seconds=40, **wrong) == []


def test_what_is_over_is_forgotten() -> None:
    watch = TrackWatch()
    watched(watch, [(incident(), sent())])
    assert watch.look([], units(20), BEGAN_US + 20 * SECOND_US) == []
    assert (watch._approaches, watch._told) == ({}, set())
