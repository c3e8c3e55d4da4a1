"""What follows from what: closing, handing over, late answers, versions that conflict, files of calls, masks."""

import msgspec
import pytest

from console.incidents.views import masked_name, masked_phone
from mission.calls import dispatch
from mission.calls.dispatch import Order, VersionConflictError
from mission.calls.errand import TRACK, Answer, By
from mission.calls.incident import Caller, DispatchState, Draft, Incident, IncidentState, Urgency
from mission.calls.incident_board import on_target, response_s
from mission.calls.incident_file import parse_incident_file
from telemetry.model.datum import Crs
from telemetry.model.errors import ConflictError, FileFormatError, InputError, NotFoundError

BY = By(name="wang", account_id=1)
NOW_US = 1_790_000_000_000_000
SECOND_US = 1_000_000


def call(urgency: Urgency = Urgency.ONE) -> Incident:
    draft = Draft(source="console", source_ref="1", sha256=bytes(32), title="t", urgency=urgency, reported_us=NOW_US)
    return msgspec.structs.replace(
        dispatch.opened(draft, by=BY, number="JQ-1122-0001", now_us=NOW_US).incident, incident_id=1
    )


def with_units(incident: Incident, *unit_ids: int, at_s: int = 0) -> Incident:
    orders = [Order(unit_id=unit_id) for unit_id in unit_ids]
    change = dispatch.sent_units(incident, orders, by=BY, now_us=NOW_US + at_s * SECOND_US)
    sent = tuple(
        msgspec.structs.replace(one, dispatch_id=number) for number, one in enumerate(change.incident.dispatches, 1)
    )
    return msgspec.structs.replace(change.incident, dispatches=sent)


def answer(
    incident: Incident, number: int, said: Answer, *, at_s: int, now_s: int | None = None, by: By = BY
) -> Incident:
    now_us = NOW_US + (at_s if now_s is None else now_s) * SECOND_US
    return dispatch.answered(incident, number, said, by=by, at_us=NOW_US + at_s * SECOND_US, now_us=now_us).incident


def test_the_state_is_that_of_whoever_is_furthest_and_new_when_all_declined() -> None:
    incident = with_units(call(), 11, 12)
    assert incident.state is IncidentState.OFFERED
    incident = answer(incident, 1, Answer.ACCEPTED, at_s=5)
    assert incident.state is IncidentState.ACCEPTED
    incident = answer(incident, 1, Answer.DECLINED, at_s=8)
    assert incident.state is IncidentState.OFFERED
    incident = answer(incident, 2, Answer.DECLINED, at_s=9)
    assert (incident.state, incident.closed_us) == (IncidentState.NEW, None)


def test_the_last_clearing_closes_and_the_response_is_measured_from_the_call_to_the_first_arrival() -> None:
    incident = answer(with_units(call(), 11, 12), 2, Answer.ARRIVED, at_s=50, by=TRACK)
    assert (incident.dispatches[1].arrived_by, response_s(incident)) == ("track", 50.0)
    assert on_target(incident, NOW_US) is True
    incident = answer(incident, 2, Answer.CLEARED, at_s=200)
    assert incident.state is IncidentState.OFFERED, "the other is still wanted"
    incident = answer(incident, 1, Answer.CLEARED, at_s=300)
    assert (incident.state, incident.closed_us) == (IncidentState.CLEARED, NOW_US + 300 * SECOND_US)
    assert response_s(incident) == 50.0


def test_closing_clears_who_is_there_and_recalls_who_is_not() -> None:
    incident = answer(with_units(call(), 11, 12), 1, Answer.ARRIVED, at_s=50)
    change = dispatch.stated(incident, IncidentState.CLEARED, by=BY, now_us=NOW_US + 99 * SECOND_US)
    assert [sent.state for sent in change.incident.dispatches] == [DispatchState.CLEARED, DispatchState.RECALLED]
    assert [entry.action for entry in change.entries] == ["state", "cleared", "recalled"]


def test_what_is_not_police_work_is_handed_to_an_agency_and_handing_over_needs_one() -> None:
    with pytest.raises(InputError, match="agency_id"):
        dispatch.stated(call(), IncidentState.HANDED_OVER, by=BY, now_us=NOW_US)
    handed = dispatch.stated(call(), IncidentState.HANDED_OVER, by=BY, now_us=NOW_US, agency_id=3, note="119").incident
    assert (handed.state, handed.agency_id) == (IncidentState.HANDED_OVER, 3)
    assert dispatch.stated(call(), IncidentState.NON_POLICE, by=BY, now_us=NOW_US).incident.agency_id is None
    with pytest.raises(ConflictError, match="final"):
        dispatch.sent_units(handed, [Order(unit_id=1)], by=BY, now_us=NOW_US)
    with pytest.raises(ConflictError, match="not set by hand"):
        dispatch.stated(call(), IncidentState.OFFERED, by=BY, now_us=NOW_US)
    with pytest.raises(ConflictError, match="nobody is sent"):
        dispatch.stated(call(), IncidentState.ON_SCENE, by=BY, now_us=NOW_US)


def test_an_answer_that_comes_late_keeps_its_own_time_between_the_push_and_now() -> None:
    incident = with_units(call(), 11, at_s=10)
    incident = answer(incident, 1, Answer.ARRIVED, at_s=90, by=TRACK)
    incident = answer(incident, 1, Answer.ACCEPTED, at_s=20, now_s=100)
    assert incident.dispatches[0].accepted_us == NOW_US + 20 * SECOND_US
    assert incident.state is IncidentState.ON_SCENE
    ahead = answer(with_units(call(), 11), 1, Answer.ACCEPTED, at_s=500, now_s=30)
    assert ahead.dispatches[0].accepted_us == NOW_US + 30 * SECOND_US, "a phone's clock that is ahead"
    behind = answer(with_units(call(), 11, at_s=10), 1, Answer.ACCEPTED, at_s=-500, now_s=30)
    assert behind.dispatches[0].accepted_us == NOW_US + 10 * SECOND_US, "a phone's clock that is behind"


def test_of_a_recalled_dispatch_what_happened_before_is_noted_and_what_came_after_is_refused() -> None:
    incident = with_units(call(), 11)
    recalled = dispatch.recalled(incident, 1, by=BY, now_us=NOW_US + 60 * SECOND_US, reason="enough").incident
    before = answer(recalled, 1, Answer.ARRIVED, at_s=50, now_s=70)
    assert (before.dispatches[0].arrived_us, before.dispatches[0].state) == (
        NOW_US + 50 * SECOND_US,
        DispatchState.RECALLED,
    )
    with pytest.raises(ConflictError, match="enough"):
        answer(recalled, 1, Answer.ACCEPTED, at_s=65, now_s=70)
    assert answer(recalled, 1, Answer.RECEIVED, at_s=65, now_s=70) == recalled, "an acknowledgement alone is no news"
    with pytest.raises(ConflictError, match="nothing to recall"):
        dispatch.recalled(recalled, 1, by=BY, now_us=NOW_US)
    with pytest.raises(NotFoundError):
        dispatch.recalled(recalled, 9, by=BY, now_us=NOW_US)


def test_who_is_there_can_no_longer_decline() -> None:
    incident = answer(with_units(call(), 11), 1, Answer.ARRIVED, at_s=50)
    with pytest.raises(ConflictError, match="only cleared"):
        answer(incident, 1, Answer.DECLINED, at_s=60)


def test_a_decision_on_another_version_names_who_changed_what() -> None:
    change = dispatch.edited(call(), {"title": "x", "caller": Caller(name="L", phone="1")}, by=BY, now_us=NOW_US)
    assert change.entries[0].changes == {"title": "t -> x", "caller_name": " -> L", "caller_phone": " -> 1"}
    with pytest.raises(VersionConflictError, match=r"version 2.*wang edited caller_name, caller_phone, title"):
        dispatch.demand_version(change.incident, 1, change.entries)
    with pytest.raises(VersionConflictError, match="never was"):
        dispatch.demand_version(change.incident, 7)
    with pytest.raises(InputError, match="number"):
        dispatch.edited(call(), {"number": "x"}, by=BY, now_us=NOW_US)
    assert dispatch.edited(call(), {"title": "t"}, by=BY, now_us=NOW_US).is_nothing


def test_a_place_that_moves_to_another_station_leaves_the_first_one_looking_on() -> None:
    incident = msgspec.structs.replace(call(), station_id=1)
    moved = dispatch.edited(incident, {"station_id": 2}, by=BY, now_us=NOW_US).incident
    assert (moved.station_id, moved.past_station_ids) == (2, (1,))


GOOD = "source_ref,title,urgency,category,lat_deg,lon_deg,crs,needs,reported_at,closed_at,caller_phone\n"
OPEN_LINE = "a-1,Fight,1,violence,36.05,103.8,,aed life_ring,2026-09-01T08:00:00+08:00,,138 0000\n"


def test_a_file_gives_each_call_once_and_says_what_is_wrong_in_which_line() -> None:
    text = (
        GOOD
        + OPEN_LINE
        + (
            "a-2,Lost keys,,service,,,,,,,\n"
            "a-1,Twin,1,violence,36,103,,,,,\n"
            ",No reference,1,,,,,,,,\n"
            "a-3,Half,1,,36.0,,,,,,\n"
            "a-4,Swapped,1,,103.8,36.0,,,,,\n"
            "a-5,Crs,1,,36.0,103.8,gcj,,,,\n"
            "a-6,Word,9,,36.0,103.8,,,,,\n"
            "a-7,Need,1,,36.0,103.8,,rope,,,\n"
            "a-8,Zone,1,,36.0,103.8,,,2026-09-01T08:00:00,,\n"
            "a-9,Over,1,,36.0,103.8,,,2026-09-01T08:00:00Z,2026-09-01T07:00:00Z,\n"
            "a-10,Phone,1,,36.0,103.8,,,,,call me\n"
            "a-11,Columns,1,,36.0,103.8,,,,,,x\n"
        )
    )
    parsed = parse_incident_file(text.encode(), now_us=NOW_US)
    assert [problem.line for problem in parsed.problems] == [4, *range(5, 15)]
    drafts = {line.draft.source_ref: line.draft for line in parsed.lines}
    assert drafts["a-1"].needs == ("aed", "life_ring")
    assert (drafts["a-2"].lat_e7, drafts["a-2"].place_note) == (None, "missing")


def test_a_files_coordinates_are_converted_and_gb18030_is_read() -> None:
    line = GOOD + "a-1,打架,1,violence,36.05,103.8,,,2026-09-01T08:00:00Z,2026-09-01T08:10:00Z,\n"
    plain = parse_incident_file(line.encode(), now_us=NOW_US).lines[0]
    shifted = parse_incident_file(line.encode("gb18030"), now_us=NOW_US, crs=Crs.GCJ02).lines[0]
    assert shifted.draft.title == "打架"
    assert shifted.draft.lat_e7 != plain.draft.lat_e7
    assert shifted.draft.sha256 != plain.draft.sha256, "the same figures in another system are another place"
    assert plain.closed_us is not None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        b"title\nx\n",
        b"source_ref,title,colour\n",
        b"source_ref,title,title\n",
        b"\xff\xfe\xff",
        b'source_ref,title\n"a',
    ],
)
def test_what_is_no_file_of_calls_is_refused_as_a_whole(data: bytes) -> None:
    with pytest.raises(FileFormatError):
        parse_incident_file(data, now_us=NOW_US)


def test_masks_show_enough_to_recognise_and_not_enough_to_call() -> None:
    assert masked_phone("13812345678") == "138******78"
    assert masked_phone("110") == "***"
    assert masked_phone("") == ""
    assert (masked_name("欧阳娜"), masked_name("")) == ("欧**", "")
