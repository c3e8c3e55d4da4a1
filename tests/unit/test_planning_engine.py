"""The planning process's answers on a made town: sites, beats, moves and what-ifs, and what it refuses."""

import io
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
import pytest
import shapely

from console.api.models_siting import (
    BeatsReply,
    BeatsRequest,
    MoveUpReply,
    Picture,
    SiteKindWanted,
    SitePlace,
    SitingReply,
    SitingRequest,
    StationMoved,
    StreetClosed,
    WhatIfReply,
    WhatIfRequest,
)
from console.coverage.protocol import IncidentsTold, StationPlace, UnitColumns
from console.planning.engine import PlanningEngine
from console.planning.process import serve
from console.planning.protocol import (
    PIPE,
    BeatsAsked,
    Ground,
    MoveUpAsked,
    PostPlace,
    Question,
    SitesAsked,
    WhatIfAsked,
)
from console.process_answers import answered
from console.process_pipe import LENGTH, Answered, Refused
from mission.siting.moveup import Hold
from mission.siting.planning_map import DemandKind
from mission.siting.sites import Proof
from tests.grid_town import BRIDGE_COLUMN, BRIDGE_NAME_EN, BRIDGE_NAME_ZH, SIDE, grid_town, place_of

TOWN = grid_town()
SOUTH, NORTH = 22, 77
"""Junctions of the two stations, one on each bank."""


@pytest.fixture(name="ground")
def made_ground(tmp_path: Path) -> Ground:
    TOWN.save(tmp_path / "roads.npz")
    stations = [StationPlace(n + 1, *place_of(TOWN, node), n + 1) for n, node in enumerate((SOUTH, NORTH))]
    posts = [PostPlace(5, "standing_post", "西门", "West gate", *place_of(TOWN, 90))]
    return Ground(str(tmp_path), stations, posts)


@pytest.fixture(name="engine", scope="module")
def made_engine() -> PlanningEngine:
    return PlanningEngine()


def units(*rows: tuple[int, int, int]) -> UnitColumns:
    """Cars: unit id, station id, junction."""
    places = [place_of(TOWN, node) for _, _, node in rows]
    return UnitColumns(
        [row[0] for row in rows], [row[1] for row in rows], [lat for lat, _ in places], [lon for _, lon in places], [0] * len(rows)
    )  # fmt: skip


def ask(engine: PlanningEngine, question: Question, kind: type[msgspec.Struct]) -> msgspec.Struct:
    answer = answered(partial(engine.answer, question))
    assert isinstance(answer, Answered), answer
    return msgspec.json.decode(answer.body, type=kind)


def refusal(engine: PlanningEngine, question: Question) -> Refused:
    answer = answered(partial(engine.answer, question))
    assert isinstance(answer, Refused)
    return answer


# --- sites and beats -------------------------------------------------------------------------------------------------


def test_new_stations_and_rooms_are_sited_together(engine: PlanningEngine, ground: Ground) -> None:
    request = SitingRequest(
        kinds=[SiteKindWanted(kind="station", limit_s=120), SiteKindWanted(kind="mobile_room", limit_s=90)],
        backup_share=0.2,
    )
    reply = ask(engine, SitesAsked(ground, request), SitingReply)
    assert isinstance(reply, SitingReply)
    assert [site.kind for site in reply.sites] == ["station", "mobile_room"]
    assert reply.proof is Proof.OPTIMAL
    assert reply.before_share < reply.covered_share <= 1.0
    assert (reply.sites[1].lat_deg, reply.sites[1].lon_deg) == pytest.approx(place_of(TOWN, 90), abs=1e-6)


def test_candidates_that_are_named_are_the_only_ones(engine: PlanningEngine, ground: Ground) -> None:
    places = [SitePlace(lat_deg=lat, lon_deg=lon) for lat, lon in (place_of(TOWN, 0), place_of(TOWN, 9))]
    wanted = SiteKindWanted(kind="post", new_count=2, candidates=places)
    reply = ask(engine, SitesAsked(ground, SitingRequest(kinds=[wanted])), SitingReply)
    assert isinstance(reply, SitingReply)
    found = np.array(sorted((site.lat_deg, site.lon_deg) for site in reply.sites))
    assert np.abs(found - sorted((place.lat_deg, place.lon_deg) for place in places)).max() < 1e-6
    too_many = SiteKindWanted(kind="post", new_count=3, candidates=places)
    assert (
        "3 new sites are wanted and 2 are possible"
        in refusal(engine, SitesAsked(ground, SitingRequest(kinds=[too_many]))).message
    )
    off = SiteKindWanted(kind="post", candidates=[SitePlace(lat_deg=0.0, lon_deg=0.0)])
    refused = refusal(engine, SitesAsked(ground, SitingRequest(kinds=[off])))
    assert (refused.word, "candidate 1 lies off this map" in refused.message) == ("input", True)


def test_the_fewest_posts_are_asked_for_with_no_number(engine: PlanningEngine, ground: Ground) -> None:
    wanted = SiteKindWanted(kind="post", new_count=None, limit_s=150, keep_existing=False)
    reply = ask(engine, SitesAsked(ground, SitingRequest(kinds=[wanted])), SitingReply)
    assert isinstance(reply, SitingReply)
    assert reply.covered_share == pytest.approx(1.0 - reply.beyond_share)
    assert reply.before_share == 0.0
    assert len(reply.sites) >= 4


def test_what_the_city_does_not_know_is_refused(engine: PlanningEngine, ground: Ground) -> None:
    people = SitingRequest(kinds=[SiteKindWanted(kind="post")], demand=DemandKind.PEOPLE)
    assert "knows no people" in refusal(engine, SitesAsked(ground, people)).message
    tiers = SitingRequest(kinds=[SiteKindWanted(kind="post")], must_reach_first_tier=True)
    assert "no places of the first tier" in refusal(engine, SitesAsked(ground, tiers)).message
    nowhere = Ground("/nowhere", ground.stations)
    assert refusal(engine, BeatsAsked(nowhere, BeatsRequest())).word == "not_found"


def test_past_incidents_weigh_where_they_are_told(engine: PlanningEngine, ground: Ground) -> None:
    lat, lon = place_of(TOWN, 99)
    told = msgspec.structs.replace(ground, incidents=IncidentsTold([lat] * 5, [lon] * 5, [3] * 5))
    request = SitingRequest(kinds=[SiteKindWanted(kind="post", limit_s=40)], demand=DemandKind.INCIDENTS)
    reply = ask(engine, SitesAsked(told, request), SitingReply)
    assert isinstance(reply, SitingReply)
    assert (reply.before_share, reply.covered_share) == (0.0, 1.0)


def test_beats_hold_all_streets_and_are_drawn(engine: PlanningEngine, ground: Ground) -> None:
    reply = ask(engine, BeatsAsked(ground, BeatsRequest(beats_per_station=2, tolerance_ratio=0.15)), BeatsReply)
    assert isinstance(reply, BeatsReply)
    assert [(beat.station_id, beat.number) for beat in reply.beats] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert sum(beat.weight_share for beat in reply.beats) == pytest.approx(1.0)
    assert sum(beat.road_km for beat in reply.beats) == pytest.approx(TOWN.streets.length_m.sum() / 1000.0)
    assert all(beat.polygons for beat in reply.beats)
    assert reply.is_balanced
    unknown = BeatsRequest(station_ids=[1, 99])
    refused = refusal(engine, BeatsAsked(ground, unknown))
    assert (refused.word, refused.message) == ("not_found", "there is no station 99: choose among 1, 2")
    no_station = msgspec.structs.replace(ground, stations=[])
    assert "there is no station" in refusal(engine, BeatsAsked(no_station, BeatsRequest())).message


# --- moves -----------------------------------------------------------------------------------------------------------


def moves(ground: Ground, columns: UnitColumns, **more: object) -> MoveUpAsked:
    count = len(columns.unit_id)
    fields: dict[str, object] = {"stood_s": [None] * count, "move_count": [0] * count, "at_ms": 1.0, "hour_of_week": 3}
    return MoveUpAsked(ground=ground, units=columns, **(fields | more))  # type: ignore[arg-type]


def test_cars_that_stand_together_are_sent_apart_and_each_move_explains_itself(
    engine: PlanningEngine, ground: Ground
) -> None:
    crowd = units((11, 1, SOUTH), (12, 1, SOUTH), (13, 1, SOUTH))
    reply = ask(engine, moves(ground, crowd, drive_limit_s=900.0), MoveUpReply)
    assert isinstance(reply, MoveUpReply)
    assert 1 <= len(reply.moves) <= 3
    best = reply.moves[0]
    assert best.unit_id in {11, 12, 13}
    assert best.gain_share > 0.0
    assert best.won_share - best.left_share == pytest.approx(best.gain_share)
    assert best.drive_km > 0.5
    assert best.way[0] == pytest.approx([crowd.lon_deg[0], crowd.lat_deg[0]])
    assert best.way[-1] == pytest.approx([best.lon_deg, best.lat_deg], abs=1e-4)
    assert reply.expected_after_share > reply.expected_before_share


def test_rules_of_dwell_shift_and_scope_are_kept(engine: PlanningEngine, ground: Ground) -> None:
    crowd = units((11, 1, SOUTH), (12, 1, SOUTH))
    just_came = ask(engine, moves(ground, crowd, stood_s=[100.0, 100.0]), MoveUpReply)
    assert isinstance(just_came, MoveUpReply)
    assert (just_came.moves, [held.reason for held in just_came.held]) == ([], [Hold.DWELL, Hold.DWELL])
    moved = ask(engine, moves(ground, crowd, move_count=[4, 4]), MoveUpReply)
    assert isinstance(moved, MoveUpReply)
    assert (moved.moves, {held.reason for held in moved.held}) == ([], {Hold.MOVED_ENOUGH})
    foreign = ask(engine, moves(ground, crowd, movable_unit_ids=[]), MoveUpReply)
    assert isinstance(foreign, MoveUpReply)
    assert (foreign.moves, foreign.held) == ([], [])


def test_no_units_get_no_advice_and_a_wrong_ratio_is_refused(engine: PlanningEngine, ground: Ground) -> None:
    empty = ask(engine, moves(ground, UnitColumns()), MoveUpReply)
    assert isinstance(empty, MoveUpReply)
    assert (empty.moves, empty.available_count, empty.expected_before_share) == ([], 0, 0.0)
    refused = refusal(engine, moves(ground, UnitColumns(), busy_ratio=1.2))
    assert refused.message.startswith("busy_ratio is 1.2: allowed is 0.0 to 0.99")


# --- what if ---------------------------------------------------------------------------------------------------------


def what_if(ground: Ground, request: WhatIfRequest, **more: object) -> WhatIfAsked:
    both = units((11, 1, SOUTH), (12, 2, NORTH))
    fields: dict[str, object] = {"units": both, "crews": both, "at_ms": 1.0, "hour_of_week": 3}
    return WhatIfAsked(ground=ground, request=request, **(fields | more))  # type: ignore[arg-type]


def test_nothing_changed_is_the_same_before_and_after(engine: PlanningEngine, ground: Ground) -> None:
    reply = ask(engine, what_if(ground, WhatIfRequest()), WhatIfReply)
    assert isinstance(reply, WhatIfReply)
    assert reply.before == reply.after
    assert (reply.lost_km, reply.won_km, reply.opened_links, reply.closed) == (0.0, 0.0, [], [])
    assert reply.before.contours


def test_a_unit_away_loses_its_ground(engine: PlanningEngine, ground: Ground) -> None:
    reply = ask(engine, what_if(ground, WhatIfRequest(away_unit_ids=[12])), WhatIfReply)
    assert isinstance(reply, WhatIfReply)
    before, after = reply.before.coverage, reply.after.coverage
    assert (before.available_count, after.available_count) == (2, 1)
    assert after.shares[1] < before.shares[1]
    assert reply.lost_km > 1.0
    assert reply.won_km == 0.0
    assert refusal(engine, what_if(ground, WhatIfRequest(away_unit_ids=[99]))).message.startswith("no unit 99 counts")


@pytest.mark.parametrize("name", [BRIDGE_NAME_ZH, BRIDGE_NAME_EN.upper()])
def test_a_bridge_closed_by_name_cuts_the_banks_apart(engine: PlanningEngine, ground: Ground, name: str) -> None:
    reply = ask(
        engine, what_if(ground, WhatIfRequest(closed=[StreetClosed(name=name)], away_unit_ids=[12])), WhatIfReply
    )
    assert isinstance(reply, WhatIfReply)
    only_away = ask(engine, what_if(ground, WhatIfRequest(away_unit_ids=[12])), WhatIfReply)
    assert isinstance(only_away, WhatIfReply)
    assert reply.after.coverage.shares[2] < only_away.after.coverage.shares[2]
    assert reply.after.coverage.gaps
    assert [(one.name_zh, one.length_km) for one in reply.closed] == [(BRIDGE_NAME_ZH, 0.3)]


def test_a_bridge_closed_by_a_click_is_the_same_bridge(engine: PlanningEngine, ground: Ground) -> None:
    south_end = SIDE * (SIDE // 2 - 1) + BRIDGE_COLUMN
    lat, lon = place_of(TOWN, south_end, north_m=140.0)
    reply = ask(engine, what_if(ground, WhatIfRequest(closed=[StreetClosed(lat_deg=lat, lon_deg=lon)])), WhatIfReply)
    assert isinstance(reply, WhatIfReply)
    assert [(one.name_en, len(one.lines)) for one in reply.closed] == [(BRIDGE_NAME_EN, 1)]
    nowhere = what_if(ground, WhatIfRequest(closed=[StreetClosed(lat_deg=lat, lon_deg=lon + 1.0)]))
    assert "no street lies within 100 m" in refusal(engine, nowhere).message


def test_an_unknown_street_is_refused_with_names_like_it(engine: PlanningEngine, ground: Ground) -> None:
    refused = refusal(engine, what_if(ground, WhatIfRequest(closed=[StreetClosed(name="中山路")])))
    assert refused.word == "not_found"
    assert "perhaps 中山桥" in refused.message
    neither = refusal(engine, what_if(ground, WhatIfRequest(closed=[StreetClosed()])))
    assert "neither a name nor a place" in neither.message


def test_a_dragged_station_takes_its_crew_along_and_changes_the_plan(engine: PlanningEngine, ground: Ground) -> None:
    lat, lon = place_of(TOWN, 44)
    moved = WhatIfRequest(stations=[StationMoved(station_id=1, lat_deg=lat, lon_deg=lon)])
    reply = ask(engine, what_if(ground, moved), WhatIfReply)
    assert isinstance(reply, WhatIfReply)
    assert reply.before.coverage.plan != reply.after.coverage.plan
    assert reply.won_km > 0.0
    same = np.array(reply.after.coverage.shares) - np.array(reply.after.coverage.plan)
    assert np.abs(same).max() < 0.01, "the car stands at its new post"


@pytest.mark.parametrize(
    ("north_m", "words"), [(-9_000.0, "from the nearest street, in water, in open land or off the map"), (-600.0, "drag it to")]
)  # fmt: skip
def test_a_station_dragged_into_the_river_or_off_the_map_is_refused(
    engine: PlanningEngine, ground: Ground, north_m: float, words: str
) -> None:
    lat, lon = place_of(TOWN, 0, north_m=north_m)
    moved = WhatIfRequest(stations=[StationMoved(station_id=1, lat_deg=lat, lon_deg=lon)])
    assert words in refusal(engine, what_if(ground, moved)).message
    unknown = WhatIfRequest(stations=[StationMoved(station_id=9, lat_deg=lat, lon_deg=lon)])
    assert refusal(engine, what_if(ground, unknown)).word == "not_found"


def test_who_sees_one_station_is_told_of_no_other_s_units(engine: PlanningEngine, ground: Ground) -> None:
    reply = ask(engine, what_if(ground, WhatIfRequest(away_unit_ids=[11]), own_station_ids=[1]), WhatIfReply)
    assert isinstance(reply, WhatIfReply)
    for picture in (reply.before, reply.after):
        assert [station.station_id for station in picture.coverage.stations] == [1]
        assert all(closer.unit_id == 11 for gap in picture.coverage.gaps for closer in gap.closers)


def test_who_sees_one_station_is_shown_no_ground_of_another_even_by_dragging_its_own(
    engine: PlanningEngine, ground: Ground
) -> None:
    lat, lon = place_of(TOWN, NORTH + 1)
    dragged = WhatIfRequest(stations=[StationMoved(station_id=1, lat_deg=lat, lon_deg=lon)])
    whole = ask(engine, what_if(ground, dragged), WhatIfReply)
    own = ask(engine, what_if(ground, dragged, own_station_ids=[1]), WhatIfReply)
    assert isinstance(whole, WhatIfReply)
    assert isinstance(own, WhatIfReply)
    assert [is_shown(picture, NORTH) for picture in (whole.before, whole.after)] == [True, True]
    assert [is_shown(picture, NORTH) for picture in (own.before, own.after)] == [False, False]
    assert is_shown(own.before, SOUTH)


def is_shown(picture: Picture, node: int) -> bool:
    """Tell whether any contour lies at a junction."""
    lat, lon = place_of(TOWN, node)
    shapes = [shapely.Polygon(contour.polygon[0]) for contour in picture.contours]
    return any(shape.distance(shapely.Point(lon, lat)) < 1e-4 for shape in shapes)


# --- the pipe --------------------------------------------------------------------------------------------------------


def test_the_process_answers_each_question_in_turn_and_ends_with_its_input(ground: Ground) -> None:
    source = io.BytesIO(
        PIPE.framed(BeatsAsked(ground, BeatsRequest())) + PIPE.framed(moves(ground, UnitColumns(), busy_ratio=2.0))
    )
    sink = io.BytesIO()
    serve(source, sink)
    data, answers = sink.getvalue(), []
    while data:
        (length,) = LENGTH.unpack(data[: LENGTH.size])
        answers.append(PIPE.decode_answer(data[LENGTH.size : LENGTH.size + length]))
        data = data[LENGTH.size + length :]
    assert [type(answer) for answer in answers] == [Answered, Refused]


def test_a_map_that_was_made_anew_is_read_anew(ground: Ground) -> None:
    engine = PlanningEngine()
    first = engine.answer(BeatsAsked(ground, BeatsRequest()))
    assert isinstance(first, BeatsReply)
    assert len(first.beats) == 2
    grid_town(6).save(Path(ground.city_dir) / "roads.npz")
    stations = [StationPlace(1, *place_of(grid_town(6), 0), None)]
    reply = engine.answer(BeatsAsked(Ground(ground.city_dir, stations), BeatsRequest()))
    assert isinstance(reply, BeatsReply)
    assert reply.beats[0].road_km == pytest.approx(grid_town(6).streets.length_m.sum() / 1000.0)
