"""No conflict is missed against every pair reckoned by itself, and what is mended is free and within its bounds."""

from random import Random

import numpy as np
import pytest
from msgspec.structs import replace

from console.bench.deconflict import START_US, every_pair, flights
from mission.air.flight_path import path_of
from mission.air.sky import Sky
from mission.deconflict import Limits, Margins, begins_us, find, mend
from mission.deconflict.volumes import Volumes, joined, meetings, meetings_between, volumes_of
from mission.model import US, Airframe, Camera, Crew, Window, ZoneKind
from mission.plan import Sortie, SortieState, Visit
from mission.rules import limits_of, margins_of, rule_set
from tests.sky_scene import DOCK, PLANE, box, clock, sortie, task, window, zone


def random_volumes(dice: Random, count: int) -> Volumes:
    start = np.array([(dice.uniform(0, 900), dice.uniform(0, 900)) for _ in range(count)])
    step = np.array([(dice.choice((0.0, dice.uniform(-300, 300))), dice.uniform(-300, 300)) for _ in range(count)])
    low = np.array([dice.uniform(30, 110) for _ in range(count)])
    since = np.array([dice.randrange(0, 400 * US) for _ in range(count)])
    until = since + np.array([dice.choice((0, dice.randrange(1, 90 * US))) for _ in range(count)])
    high = low + np.array([dice.choice((0.0, 15.0)) for _ in range(count)])
    owner = np.array([dice.randrange(12) for _ in range(count)])
    return Volumes(start, start + step, low, high, since, until, owner)


@pytest.mark.parametrize("seed", range(10))
def test_every_meeting_is_found_and_none_is_made_up(seed: int) -> None:
    dice = Random(seed)
    volumes = random_volumes(dice, 150)
    margins = Margins(dice.uniform(5, 60), dice.uniform(0, 20), dice.choice((0.0, 15.0)))
    met = meetings(volumes, margins)
    pairs = [(min(one), max(one)) for one in zip(met.first.tolist(), met.second.tolist(), strict=True)]
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == every_pair(volumes, margins)


def test_many_slabs_of_a_long_day_miss_nothing() -> None:
    dice = Random(5)
    some = random_volumes(dice, 1300)
    volumes = Volumes(
        some.start, some.end, some.low_m, some.high_m, some.from_us * 40, some.from_us * 40 + (some.until_us - some.from_us) * 20, some.owner
    )  # fmt: skip
    met = meetings(volumes, Margins())
    found = {(min(one), max(one)) for one in zip(met.first.tolist(), met.second.tolist(), strict=True)}
    assert len(found) > 100
    assert found == every_pair(volumes, Margins())


def test_two_groups_meet_as_they_do_in_one() -> None:
    dice = Random(3)
    volumes = random_volumes(dice, 120)
    mine = volumes.owner < 6
    met = meetings_between(volumes.take(mine), volumes.take(~mine), Margins())
    rows = np.flatnonzero(mine)[met.first], np.flatnonzero(~mine)[met.second]
    both = {(int(min(one)), int(max(one))) for one in zip(*rows, strict=True)}
    assert both == {one for one in every_pair(volumes, Margins()) if mine[one[0]] != mine[one[1]]}


def test_pieces_of_a_way_cover_all_of_it_and_stand_where_it_stands() -> None:
    path = path_of(sortie([(400, 0), (400, 300)], clock(20), hold_s=600.0), plane=PLANE, dock=DOCK)
    pieces = volumes_of(path, 4)
    assert int(pieces.from_us[0]) == path.window.start_us
    assert int(pieces.until_us[-1]) == path.window.end_us
    assert (pieces.from_us[1:] <= pieces.until_us[:-1]).all()
    spent_s = (pieces.until_us - pieces.from_us) / US
    assert sorted(spent_s)[-2:] == [600.0, 600.0]
    assert sorted(spent_s)[-3] <= 8.001
    np.testing.assert_allclose(pieces.end[:-1], pieces.start[1:], atol=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_what_is_mended_has_no_conflict_and_stays_within_visits_and_heights(seed: int) -> None:
    sorties = flights(24, seed=seed, within_us=300 * US)
    before = find(sorties, plane=PLANE)
    visits = [
        Visit(
            visit_id=one.sortie_id,
            task_id=1,
            number=1,
            window=Window(start_us=START_US, end_us=one.takeoff_us + 900 * US),
        )
        for one in sorties
    ]
    mended, report = mend(sorties, plane=PLANE, limits=Limits(visits=visits))
    left = find(mended, plane=PLANE)
    assert len(before) > 3
    assert [one for one in report if not one.mended_by] == left
    assert len(left) < len(before) / 3
    assert [one.sortie_id for one in mended] == [one.sortie_id for one in sorties]
    for was, now in zip(sorties, mended, strict=True):
        later_us = now.takeoff_us - was.takeoff_us
        assert later_us == now.delayed_s * US >= 0
        assert now.landing_us - was.landing_us == later_us == now.free_us - was.free_us
        highest_m = max(one.alt_home_m for one in now.waypoints)
        assert highest_m <= max(120.0, *(one.alt_home_m for one in was.waypoints))
        for visit_id, begin_us in begins_us(now, visits).items():
            assert begin_us < visits[visit_id - 1].window.end_us


def relays(count: int) -> list[Sortie]:
    """Return sorties that relieve each other over one place, each handover overlapping by a minute."""
    found = []
    for number in range(count):
        flown = sortie(
            [(0.0, 500.0)], clock(20) + number * 540 * US, hold_s=600.0, sortie_id=number + 1, airframe_id=number + 1
        )
        way = flown.waypoints[0]
        assert way.arrive_us is not None
        on_watch = Window(start_us=way.arrive_us, end_us=way.arrive_us + 600 * US)
        found.append(replace(flown, dock_id=number + 1, on_watch=on_watch))
    return found


def test_relays_at_one_place_get_layers_and_no_delay() -> None:
    docks = [replace(DOCK, dock_id=number + 1, lon_deg=103.8 + 0.002 * number) for number in range(3)]
    sorties = relays(3)
    assert len(find(sorties, plane=PLANE, docks=docks)) == 2
    mended, report = mend(sorties, plane=PLANE, docks=docks)
    assert find(mended, plane=PLANE, docks=docks) == []
    assert {one.mended_by for one in report} == {"layer"}
    assert [one.delayed_s for one in mended] == [0.0, 0.0, 0.0]
    assert [one.waypoints[0].alt_home_m for one in mended] == [60.0, 75.0, 60.0]


def test_a_task_whose_pixels_would_grow_too_coarse_is_not_raised_but_waits() -> None:
    one, two = (
        sortie([(0.0, 500.0)], clock(20)),
        sortie([(0.0, 500.0)], clock(20), sortie_id=2, airframe_id=10, dock_id=3),
    )
    docks = [DOCK, replace(DOCK, dock_id=3, lon_deg=103.803)]
    frames = [Airframe(airframe_id=number, name="", dock_id=2, cameras=(Camera(name="wide"),)) for number in (9, 10)]
    fine = task(ground_pixel_m=0.0225, alt_agl_m=None)  # 61.7 m at most
    limits = Limits(
        tasks=[fine], airframes=frames, visits=[Visit(visit_id=3, task_id=7, number=1, window=window(20, 0, 21, 0))]
    )
    mended, report = mend([one, two], plane=PLANE, docks=docks, limits=limits)
    assert [item.mended_by for item in report] == ["delay"]
    assert mended[1].waypoints[0].alt_home_m == 60.0
    assert 0.0 < mended[1].delayed_s < 200.0


@pytest.mark.parametrize("state", [SortieState.UPLOADED, SortieState.FLYING])
def test_who_flies_already_stays_and_the_other_moves(state: SortieState) -> None:
    one = sortie([(0.0, 500.0)], clock(20), state=state)
    two = sortie([(0.0, 500.0)], clock(20) - US, sortie_id=2, airframe_id=10, dock_id=3)
    docks = [DOCK, replace(DOCK, dock_id=3, lon_deg=103.803)]
    mended, _ = mend([one, two], plane=PLANE, docks=docks)
    assert mended[0] == one
    assert mended[1] != two


def test_two_sorties_that_cannot_be_parted_stay_and_are_reported() -> None:
    one, two = sortie([(0.0, 500.0)], clock(20)), sortie([(0.0, 500.0)], clock(20), sortie_id=2, airframe_id=10)
    tight = [Visit(visit_id=3, task_id=7, number=1, window=Window(start_us=clock(20), end_us=clock(20) + 75 * US))]
    mended, report = mend([one, two], plane=PLANE, docks=[DOCK], limits=Limits(visits=tight))
    assert mended == [one, two]
    assert [item.mended_by for item in report] == [""]


def test_the_next_flight_of_the_airframe_and_the_end_of_the_shift_bound_the_delay() -> None:
    one, two = (
        sortie([(0.0, 500.0)], clock(20)),
        sortie([(0.0, 500.0)], clock(20), sortie_id=2, airframe_id=10, crew_id=4),
    )
    mended, _ = mend([one, two], plane=PLANE, docks=[DOCK], limits=Limits())
    assert 25.0 < mended[1].delayed_s < 60.0
    soon = sortie([(0.0, -900.0)], two.free_us + 20 * US, sortie_id=3, airframe_id=10)
    held, report = mend([one, two, soon], plane=PLANE, docks=[DOCK], limits=Limits())
    assert held[1].delayed_s == 0.0
    assert "" in [item.mended_by for item in report]
    crew = Crew(crew_id=4, name="", shifts=(Window(start_us=clock(19), end_us=two.landing_us + 20 * US),))
    held, _ = mend([one, two], plane=PLANE, docks=[DOCK], limits=Limits(crews=[crew]))
    assert held[1].delayed_s == 0.0


def test_the_way_of_a_helicopter_is_crossed_under_or_after_it() -> None:
    corridor = zone(
        ZoneKind.TRAFFIC, box(200, -50, 300, 50), floor_agl_m=55.0, windows=(window(20, 0, 20, 5),), zone_id=8
    )
    flown = sortie([(600.0, 0.0)], clock(20))
    sky = Sky([corridor], plane=PLANE)
    conflicts = find([flown], plane=PLANE, docks=[DOCK], sky=sky)
    assert {one.zone_id for one in conflicts} == {8}
    mended, report = mend([flown], plane=PLANE, docks=[DOCK], sky=sky)
    assert find(mended, plane=PLANE, docks=[DOCK], sky=sky) == []
    assert {one.mended_by for one in report} == {"delay"}
    assert 200.0 < mended[0].delayed_s < 320.0


def test_sorties_of_one_airframe_spares_and_those_that_are_over_are_no_conflict() -> None:
    one = sortie([(0.0, 500.0)], clock(20))
    same = replace(one, sortie_id=2)
    spare = replace(one, sortie_id=3, airframe_id=10, is_standby=True)
    over = replace(one, sortie_id=4, airframe_id=11, state=SortieState.CANCELLED)
    assert find([one, same, spare, over], plane=PLANE, docks=[DOCK]) == []
    assert joined([]).owner.size == 0
    assert mend([one], plane=PLANE) == ([one], [])


def test_margins_and_layers_are_those_of_the_rules_and_none_where_the_rule_is_off() -> None:
    rules = rule_set("default", {"R-05": {"margin_m": 70.0, "layer_m": 20.0}})
    assert margins_of(rules) == Margins(70.0, 12.0, 20.0)
    assert (limits_of(rules).layer_m, limits_of(rules).most_agl_m) == (20.0, 120.0)
    off = margins_of(rule_set("default", {"R-05": {"level": "off"}}))
    same = [sortie([(0.0, 500.0)], clock(20), sortie_id=number, airframe_id=number) for number in (1, 2)]
    found = find(same, plane=PLANE, docks=[DOCK], margin_m=off.margin_m, height_m=off.height_m, margin_s=off.margin_s)
    assert found == []
