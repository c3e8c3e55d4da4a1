"""The demo's officers and dispatcher do what people do: answer after a moment, go, stay, come back; wait, send, recall, hand over."""

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from console.demo.calls import CallMaker, CallPlace, places_of
from console.demo.desk import (
    DISPATCHER,
    CloseOld,
    DeskBook,
    HandOver,
    Recall,
    SeenCandidate,
    SeenDispatch,
    SeenIncident,
    SendAdvised,
    TellPlace,
)
from console.demo.measures import Measures
from console.demo.officer import Officer, Saying, Task, TaskDispatch, TaskPlace
from mission.calls.incident import Category, DispatchState, IncidentState
from telemetry.model.datum import Crs, to_wgs84
from telemetry.model.geodesy import distance_m


class Legs:
    """A body that is told where to go."""

    def __init__(self) -> None:
        self.gone_to: list[tuple[float, float]] = []
        self.releases = 0
        self.is_there = False
        self.must_leave = False
        self.reaches = True

    def go(self, lat_deg: float, lon_deg: float, *, after_s: float) -> bool:
        assert after_s > 0.0
        if not self.reaches:
            return False
        self.gone_to.append((lat_deg, lon_deg))
        self.is_there = False
        return True

    def release(self) -> None:
        self.releases += 1
        self.is_there = False


def task(dispatch_id: int = 1, state: DispatchState = DispatchState.SENT, *, lat_deg: float | None = 36.05) -> Task:
    place = TaskPlace(7, lat_deg, None if lat_deg is None else 103.8)
    return Task(TaskDispatch(dispatch_id, state), place)


def officer() -> tuple[Officer, Legs]:
    legs = Legs()
    return Officer(legs, np.random.default_rng(1)), legs


def answers(mind: Officer, *seconds: float) -> list[str]:
    """Let time pass; everything that is said is taken."""
    said = []
    for now_s in seconds:
        for saying in mind.due(now_s):
            said.append(saying.answer)
            mind.taken(saying)
    return said


def test_an_officer_receives_accepts_goes_stays_and_clears() -> None:
    mind, legs = officer()
    mind.hear(task(), 0.0)
    assert answers(mind, 0.0, 1.0) == ["received"]
    assert answers(mind, *range(2, 12)) == ["accepted"]
    assert legs.gone_to == [(36.05, 103.8)]
    legs.is_there = True
    mind.hear(task(state=DispatchState.ARRIVED), 100.0)
    assert answers(mind, *range(100, 155)) == []
    assert answers(mind, *range(155, 300)) == ["cleared"]
    assert legs.releases == 1
    assert mind.dispatch_id is None


def test_an_officer_whom_no_position_shows_there_says_so() -> None:
    mind, legs = officer()
    mind.hear(task(), 0.0)
    answers(mind, *range(12))
    legs.is_there = True
    assert answers(mind, *range(12, 58)) == ["arrived"]


def test_an_officer_who_is_recalled_comes_back_and_a_place_told_later_is_driven_to() -> None:
    mind, legs = officer()
    mind.hear(task(lat_deg=None), 0.0)
    answers(mind, *range(12))
    assert legs.gone_to == []
    mind.hear(task(state=DispatchState.ACCEPTED), 12.0)
    answers(mind, 13.0)
    assert legs.gone_to == [(36.05, 103.8)]
    mind.hear(task(state=DispatchState.RECALLED), 20.0)
    assert (legs.releases, mind.dispatch_id) == (1, None)
    assert answers(mind, 30.0) == []


def test_a_pilot_whose_drone_cannot_get_there_declines_and_one_whose_battery_ends_clears() -> None:
    mind, legs = officer()
    legs.reaches = False
    mind.hear(task(), 0.0)
    assert answers(mind, *range(12)) == ["received", "accepted", "declined"]
    assert (legs.gone_to, mind.dispatch_id) == ([], None)
    legs.reaches = True
    mind.hear(task(2), 20.0)
    assert answers(mind, *range(20, 32)) == ["received", "accepted"]
    legs.must_leave = True
    assert answers(mind, 40.0) == ["declined"]
    legs.must_leave = False
    mind.hear(task(3), 50.0)
    assert answers(mind, *range(50, 62)) == ["received", "accepted"]
    legs.is_there = True
    mind.hear(task(3, DispatchState.ARRIVED), 70.0)
    assert answers(mind, 70.0) == []
    legs.must_leave = True
    assert answers(mind, 75.0) == ["cleared"]
    assert legs.releases == 2


def test_an_answer_that_was_not_taken_is_said_again() -> None:
    mind, _ = officer()
    mind.hear(task(), 0.0)
    assert [saying.answer for saying in mind.due(0.0)] == ["received"]
    assert list(mind.due(1.0)) == []
    assert Saying(1, "received") in mind.due(5.0)
    mind.drop(2)
    assert mind.dispatch_id == 1
    mind.drop(1)
    assert mind.dispatch_id is None


def incident(
    state: IncidentState = IncidentState.NEW,
    *,
    urgency: int = 2,
    category: Category = Category.THEFT,
    lat_deg: float | None = 36.05,
    reported_ms: float = 1_000_000.0,
    dispatches: tuple[SeenDispatch, ...] = (),
    source: str = "rest",
    seq: int = 1,
) -> SeenIncident:
    return SeenIncident(
        incident_id=5,
        version=3,
        seq=seq,
        state=state,
        urgency=urgency,
        category=category,
        lat_deg=lat_deg,
        source=source,
        reported_ms=reported_ms,
        response_s=None,
        target_s=180.0,
        on_target=None,
        dispatches=list(dispatches),
    )


def wanted(seen: SeenIncident, after_s: float) -> list[type]:
    book = DeskBook(500_000.0)
    book.take(seen)
    return [type(work) for work in book.due(seen.reported_ms + after_s * 1000.0)]


@pytest.mark.parametrize(("urgency", "patience_s"), [(1, 8.0), (2, 20.0), (3, 20.0)])
def test_a_call_is_left_to_people_for_a_while(urgency: int, patience_s: float) -> None:
    assert wanted(incident(urgency=urgency), patience_s - 0.1) == []
    assert wanted(incident(urgency=urgency), patience_s) == [SendAdvised]


def test_the_desk_asks_for_a_place_hands_over_recalls_who_is_silent_and_closes_what_is_old() -> None:
    assert wanted(incident(lat_deg=None), 15.0) == [TellPlace]
    assert wanted(incident(category=Category.SERVICE), 20.0) == [HandOver]
    silent = SeenDispatch(9, 4, DispatchState.SENT, DISPATCHER, 1_000_000.0)
    assert wanted(incident(IncidentState.OFFERED, dispatches=(silent,)), 45.0) == []
    assert wanted(incident(IncidentState.OFFERED, dispatches=(silent,)), 46.0) == [Recall]
    by_hand = SeenDispatch(9, 4, DispatchState.SENT, "anna", 1_000_000.0)
    assert wanted(incident(IncidentState.OFFERED, dispatches=(by_hand,)), 90.0) == []
    assert wanted(incident(reported_ms=400_000.0), 1.0) == [CloseOld]


def test_what_people_took_and_what_is_closed_is_left_alone() -> None:
    assert wanted(incident(source="console"), 60.0) == []
    assert wanted(incident(IncidentState.CLEARED), 60.0) == []
    assert wanted(incident(IncidentState.ON_SCENE), 60.0) == []


def test_an_older_view_changes_nothing_and_something_tried_rests() -> None:
    book = DeskBook(0.0)
    book.take(incident(IncidentState.ON_SCENE, seq=4))
    book.take(incident(seq=3))
    assert book.due(2_000_000.0) == []
    book.take(incident(seq=5))
    assert len(book.due(2_000_000.0)) == 1
    assert book.due(2_005_000.0) == []
    assert len(book.due(2_006_000.0)) == 1


def test_the_advised_unit_is_sent_first_then_the_next_that_suits() -> None:
    book = DeskBook(0.0)
    ground = [
        SeenCandidate(1, False, False, 10.0),
        SeenCandidate(2, True, False, 20.0),
        SeenCandidate(3, True, True, 30.0),
    ]
    assert [book.choose(5, ground) for _ in range(4)] == [3, 2, 1, None]
    assert book.choose(5, []) is None


def test_a_drone_goes_along_to_the_most_urgent_calls_once_and_somebody_follows_when_it_is_left_alone() -> None:
    book, air = DeskBook(0.0), [SeenCandidate(8, True, False, 10.0), SeenCandidate(9, True, True, 12.0)]
    book.take(incident(urgency=2))
    assert book.choose_drone(5, air) is None
    book.take(incident(urgency=1, seq=2))
    assert book.choose_drone(5, [SeenCandidate(8, False, True, 10.0)]) is None
    assert book.choose_drone(5, air) == 9
    assert book.choose_drone(5, air) is None
    flies = SeenDispatch(1, 9, DispatchState.ACCEPTED, DISPATCHER, 1_000_000.0)
    drives = SeenDispatch(2, 4, DispatchState.ACCEPTED, DISPATCHER, 1_000_000.0)
    book.take(incident(IncidentState.ACCEPTED, urgency=1, seq=3, dispatches=(flies, drives)))
    assert book.due(1_010_000.0) == []
    declined = msgspec.structs.replace(drives, state=DispatchState.DECLINED)
    book.take(incident(IncidentState.ACCEPTED, urgency=1, seq=4, dispatches=(flies, declined)))
    assert [type(work) for work in book.due(1_010_000.0)] == [SendAdvised]
    cleared = msgspec.structs.replace(drives, state=DispatchState.CLEARED)
    book.take(incident(IncidentState.ACCEPTED, urgency=1, seq=5, dispatches=(flies, cleared)))
    assert book.due(1_030_000.0) == []


PLACES = [
    CallPlace("人民医院", "People’s Hospital", 36.05, 103.81),
    CallPlace("水车夜市", "Night market", 36.06, 103.82),
]


def test_calls_vary_are_the_same_for_the_same_seed_and_lie_where_they_are() -> None:
    first, again = ([CallMaker(PLACES, 1, run="a").next() for _ in range(1)] for _ in range(2))
    assert first == again
    maker = CallMaker(PLACES, 1, run="a")
    calls = [maker.next() for _ in range(300)]
    bodies: list[dict[str, Any]] = [call.body for call in calls]
    assert len({body["source_ref"] for body in bodies}) == 300
    assert len({body["category"] for body in bodies}) >= 9
    assert {body["urgency"] for body in bodies} == {1, 2, 3}
    assert any(body["title"].isascii() or "’" in body["title"] for body in bodies)
    assert any("水车夜市" in body["title"] for body in bodies)
    placed = [call for call in calls if "lat_deg" in call.body]
    assert 10 < 300 - len(placed) < 60
    assert {call.body["crs"] for call in placed} == {"wgs84", "gcj02"}
    for call in placed:
        lat, lon = to_wgs84(call.body["lat_deg"], call.body["lon_deg"], crs=Crs(call.body["crs"]))
        assert distance_m(float(lat), float(lon), call.place.lat_deg, call.place.lon_deg) < 1.0


def test_places_come_from_the_citys_tiers(tmp_path: Path) -> None:
    point = {"type": "Point", "coordinates": [103.8, 36.0]}
    feature = {"properties": {"name_zh": "校", "name_en": "School", "minutes": 3}, "geometry": point}
    (tmp_path / "t.geojson").write_text(json.dumps({"features": [feature]}))
    assert places_of(tmp_path / "t.geojson") == [CallPlace("校", "School", 36.0, 103.8)]


def test_figures_are_those_of_the_streams_texts() -> None:
    measures = Measures(500_000.0)
    nothing = measures.figures()
    assert (nothing.incidents, nothing.response_p50_s, nothing.ring_closed_ratio) == (0, None, None)
    for number, response_s in enumerate((100.0, 200.0, None), 1):
        told: dict[str, Any] = {
            "type": "incident",
            "seq": number,
            "incident": {
                "incident_id": number,
                "version": 1,
                "seq": number,
                "state": "on_scene",
                "urgency": 2,
                "category": "theft",
                "lat_deg": None,
                "source": "rest",
                "reported_ms": 600_000.0,
                "response_s": response_s,
                "target_s": 180.0,
                "on_target": None if response_s is None else response_s < 180.0,
                "dispatches": [],
            },
        }
        measures.take(json.dumps(told, separators=(",", ":")))
    for closed in (True, True, False, True):
        shares = {"type": "coverage", "shares": [0.2, 0.6, 0.8], "ring": {"closed": closed}, "computed_ms": 50.0}
        measures.take(json.dumps(shares, separators=(",", ":")))
    measures.take('{"type":"units","units":[]}')
    figures = measures.figures()
    assert (figures.incidents, figures.arrived, figures.response_p50_s, figures.on_target_ratio) == (3, 2, 150.0, 0.5)
    assert figures.ring_closed_ratio == 0.75
    assert figures.coverage_shares == [0.2, 0.6, 0.8]
