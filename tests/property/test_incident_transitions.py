"""Whatever people, units and clocks do in whatever order, an incident keeps its invariants; the board is a fold of its rows."""

import random
from typing import Any, Final

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from mission.calls import dispatch
from mission.calls.dispatch import Change, Order
from mission.calls.errand import RANK, STEPS, Answer, By, time_of
from mission.calls.incident import (
    CLOSED,
    Caller,
    Draft,
    Incident,
    IncidentState,
    Urgency,
)
from mission.calls.incident_board import IncidentBoard, figures_of, on_target, response_s
from telemetry.model.errors import ConflictError, InputError, NotFoundError

BY: Final = By(name="wang", account_id=1)
START_US: Final = 1_790_000_000_000_000
UNITS: Final = range(1, 5)

STATES = st.sampled_from(list(IncidentState))
STEP = st.one_of(
    st.tuples(st.just("send"), st.lists(st.sampled_from(list(UNITS)), min_size=1, max_size=3)),
    st.tuples(st.just("state"), STATES, st.sampled_from([None, 1])),
    st.tuples(st.just("answer"), st.integers(1, 6), st.sampled_from(list(Answer)), st.integers(-900, 900)),
    st.tuples(st.just("recall"), st.integers(1, 6)),
    st.tuples(st.just("edit"), st.dictionaries(st.sampled_from(["title", "text"]), st.text(max_size=3), max_size=2)),
)
STEPS_TAKEN = st.lists(st.tuples(STEP, st.integers(-300, 600)), max_size=25)


def fresh() -> Incident:
    draft = Draft(
        source="console",
        source_ref="1",
        sha256=bytes(32),
        title="",
        urgency=Urgency.ONE,
        caller=Caller(),
        reported_us=START_US,
    )
    made = dispatch.opened(draft, by=BY, number="JQ-1", now_us=START_US).incident
    return msgspec.structs.replace(made, incident_id=7, change_seq=1)


def decide(incident: Incident, step: tuple[Any, ...], now_us: int) -> Change:
    match step:
        case ("send", units):
            return dispatch.sent_units(incident, [Order(unit_id=unit) for unit in units], by=BY, now_us=now_us)
        case ("state", state, agency_id):
            return dispatch.stated(incident, state, by=BY, now_us=now_us, agency_id=agency_id)
        case ("answer", number, answer, late_s):
            at_us = now_us + late_s * 1_000_000
            return dispatch.answered(incident, number, answer, by=BY, at_us=at_us, now_us=now_us)
        case ("recall", number):
            return dispatch.recalled(incident, number, by=BY, now_us=now_us)
        case ("edit", changes):
            return dispatch.edited(incident, changes, by=BY, now_us=now_us)
    raise AssertionError(step)


def saved(before: Incident, change: Change, seq: int) -> Incident:
    """Give new dispatches their ids as the database does."""
    next_id = max((sent.dispatch_id for sent in before.dispatches), default=0)
    dispatches = []
    for sent in change.incident.dispatches:
        if sent.dispatch_id == 0:
            next_id += 1
            sent = msgspec.structs.replace(sent, dispatch_id=next_id)
        dispatches.append(sent)
    return msgspec.structs.replace(change.incident, dispatches=tuple(dispatches), change_seq=seq)


def check(incident: Incident) -> None:
    live = [sent.unit_id for sent in incident.dispatches if sent.is_live]
    assert len(live) == len(set(live)), "a unit is wanted once"
    assert (incident.closed_us is not None) == (incident.state in CLOSED)
    assert not (live and not incident.is_open), "nobody is on the way to what is over"
    if incident.is_open:
        assert incident.state is dispatch.derived_state(incident)
    for sent in incident.dispatches:
        times = [at_us for state in STEPS if (at_us := time_of(sent, state)) is not None]
        assert times == sorted(times), "steps are in order"
        assert sent.queued_us == times[0]
        assert time_of(sent, sent.state) is not None
        if sent.state in RANK:
            assert all(time_of(sent, state) is None for state in STEPS[RANK[sent.state] + 1 :])
    seconds = response_s(incident)
    assert seconds is None or seconds >= 0.0


def walk(steps: list[tuple[tuple[Any, ...], int]]) -> list[Incident]:
    """Take the steps, each at a clock that may jump back; return every standing."""
    incident, now_us, rows = fresh(), START_US, [fresh()]
    for step, later_s in steps:
        now_us += later_s * 1_000_000
        try:
            change = decide(incident, step, now_us)
        except (ConflictError, InputError, NotFoundError):
            continue
        if change.is_nothing:
            assert change.incident == incident
            continue
        assert change.incident.version - incident.version == (0 if step[0] == "answer" else 1)
        assert all(entry.version == change.incident.version for entry in change.entries)
        incident = saved(incident, change, len(rows) + 1)
        check(incident)
        rows.append(incident)
    return rows


@settings(max_examples=150, deadline=None)
@given(STEPS_TAKEN)
def test_any_order_of_decisions_and_answers_keeps_an_incident_sound(steps: list[tuple[tuple[Any, ...], int]]) -> None:
    rows = walk(steps)
    assert [row.change_seq for row in rows] == list(range(1, len(rows) + 1))


@settings(max_examples=100, deadline=None)
@given(STEPS_TAKEN, st.integers(1, 6), st.sampled_from(list(Answer)))
def test_the_same_answer_again_changes_nothing(
    steps: list[tuple[tuple[Any, ...], int]], number: int, answer: Answer
) -> None:
    incident = walk(steps)[-1]
    now_us = incident.changed_us + 1_000_000_000
    try:
        change = dispatch.answered(incident, number, answer, by=BY, at_us=now_us, now_us=now_us)
    except (ConflictError, NotFoundError):
        return
    again = dispatch.answered(change.incident, number, answer, by=BY, at_us=now_us, now_us=now_us + 1)
    assert again.is_nothing


@settings(max_examples=100, deadline=None)
@given(STEPS_TAKEN, st.randoms(use_true_random=False), st.data())
def test_the_board_is_the_newest_row_of_each_whatever_order_they_come_in(
    steps: list[tuple[tuple[Any, ...], int]], order: random.Random, data: st.DataObject
) -> None:
    rows = walk(steps)
    shuffled = rows + data.draw(st.lists(st.sampled_from(rows), max_size=5))
    order.shuffle(shuffled)
    board = IncidentBoard()
    for start in range(0, len(shuffled), 3):
        board.apply(shuffled[start : start + 3])
    assert board.get(7) == rows[-1]
    assert board.seq == rows[-1].change_seq
    seen = data.draw(st.integers(0, len(rows)))
    assert board.changes_since(seen) == ([rows[-1]] if seen < len(rows) else [])
    assert [pair[1] for pair in board.live_dispatches()] == sorted(
        (sent for sent in rows[-1].dispatches if sent.is_live and rows[-1].is_open),
        key=lambda sent: (sent.queued_us, sent.dispatch_id),
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS_TAKEN, min_size=1, max_size=6))
def test_figures_count_every_incident_once(many: list[list[tuple[tuple[Any, ...], int]]]) -> None:
    incidents = [walk(steps)[-1] for steps in many]
    now_us = START_US + 86_400_000_000
    figures = figures_of(incidents, Urgency.ONE, now_us=now_us)
    assert figures.count == len(incidents)
    assert figures.answered == sum(response_s(incident) is not None for incident in incidents)
    judged = [on_target(incident, now_us) for incident in incidents]
    kept = [found for found in judged if found is not None]
    assert figures.on_target_ratio == (sum(kept) / len(kept) if kept else None)
