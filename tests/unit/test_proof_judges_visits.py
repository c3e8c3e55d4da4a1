"""A visit counts when it was begun in its window, whole, and for as long as asked; what lies ahead or may not be seen is not judged."""

import msgspec
import numpy as np
import pytest

from mission.model import Programme, Task, TaskKind, Window
from mission.plan import Plan, Sortie, SortieState, Visit, VisitPart, Waypoint
from mission.proof import report_files, report_html
from mission.proof.flown import Track, hidden_track
from mission.proof.proving import TaskProof, prove
from mission.proof.watching import least_overlap_s, unwatched, watched_ratio
from tests.proved_day import (
    DOCK,
    FIELD,
    FIELD_PLAN,
    FIELD_PROGRAMME,
    HAWKS,
    LATER_US,
    PLANE,
    SECOND_US,
    START_US,
    SURVEY,
    along,
    ring,
    sortie,
    swaths,
    track,
    waypoint,
)

PLACE_M = (100.0, 0.0)


def window(start_s: float, end_s: float) -> Window:
    return Window(START_US + round(start_s * SECOND_US), START_US + round(end_s * SECOND_US))


def crossing(**changes: object) -> Task:
    lat, lon = (float(value) for value in PLANE.from_plane(*PLACE_M))
    values: dict[str, object] = {"geometry": {"type": "Point", "coordinates": [lon, lat]}, "dwell_s": 600.0}
    return Task(task_id=1, name_zh="路口", name_en="Crossing", kind=TaskKind.POINT, **(values | changes))  # type: ignore[arg-type]


def flight(number: int, visit: int, points: tuple[Waypoint, ...], *, begins_s: int, lasts_s: int = 900) -> Sortie:
    made = sortie(number, points, points[len(points) // 2].task_id or 0, begins_s=begins_s, lasts_s=lasts_s)
    return msgspec.structs.replace(made, visit_ids=(visit,), airframe_id=1)


def proved(task: Task, windows: list[Window], sorties: list[Sortie], tracks: list[Track], *, now_s: float) -> TaskProof:
    visits = tuple(
        Visit(visit_id=number, task_id=task.task_id, number=number, window=each)
        for number, each in enumerate(windows, 1)
    )
    plan = Plan(window=window(0, 7200), visits=visits, sorties=tuple(sorties))
    programme = Programme(tasks=(task,), airframes=HAWKS, docks=(DOCK,))
    return prove(plan, programme, tracks, now_us=START_US + round(now_s * SECOND_US)).tasks[0]


def standing(number: int, *, begins_s: float, lasts_s: int) -> Track:
    return track(number, np.tile(PLACE_M, (lasts_s + 1, 1)), begins_s=begins_s)


STAND = (waypoint(50.0, 0.0, None), waypoint(*PLACE_M, 1, hold_s=600.0), waypoint(300.0, 0.0, None))


@pytest.mark.parametrize(
    ("begins_s", "lasts_s", "is_done"),
    [(1800, 605, True), (1830, 560, False), (0, 605, False), (3700, 605, False), (1750, 605, True)],
)
def test_a_place_is_visited_within_its_window_and_for_the_time_asked(
    begins_s: int, lasts_s: int, is_done: bool
) -> None:
    found = proved(
        crossing(),
        [window(1800, 3600)],
        [flight(1, 1, STAND, begins_s=1700)],
        [standing(1, begins_s=begins_s, lasts_s=lasts_s)],
        now_s=7200,
    )
    assert (found.due_count, found.done_count, found.is_kept) == (1, int(is_done), is_done)


def test_a_place_that_was_flown_over_on_the_way_was_not_visited() -> None:
    over = np.column_stack((np.arange(0.0, 300.0, 15.0), np.zeros(20)))
    plain = flight(1, 1, STAND, begins_s=0)
    found = proved(crossing(), [window(0, 3600)], [plain], [track(1, over, begins_s=10)], now_s=7200)
    assert (found.done_count, found.is_kept) == (0, False)


def halves(visit: int, first: int, begins_s: int) -> list[Sortie]:
    """A visit to the field in two sorties."""
    pieces = (tuple(waypoint(*at, 5) for at in swaths()[:4]), tuple(waypoint(*at, 5) for at in swaths()[4:]))
    return [
        msgspec.structs.replace(
            flight(first + number, visit, piece, begins_s=begins_s + number * 600, lasts_s=500),
            visit_parts=(
                VisitPart(visit_id=visit, number=number, part_count=2, first_waypoint=0, last_waypoint=len(piece) - 1),
            ),
        )
        for number, piece in enumerate(pieces)
    ]


def test_a_visit_in_two_sorties_is_one_visit_and_half_of_one_is_none() -> None:
    windows, sorties = [window(0, 1800), window(1900, 4000)], [*halves(1, 1, 0), *halves(2, 3, 2000)]
    first = [track(1, along(swaths()[:4]), begins_s=5), track(2, along(swaths()[4:]), begins_s=605)]
    found = proved(FIELD, windows, sorties, first, now_s=7200)
    assert (found.visit_count, found.planned_count, found.done_count) == (2, 2, 1)
    assert (found.covered_ratio, found.is_kept) == (1.0, False)
    half = proved(FIELD, windows[:1], sorties[:2], first[:1], now_s=7200)
    assert (half.planned_count, half.done_count) == (1, 0)
    without = proved(FIELD, windows[:1], sorties[:1], first[:1], now_s=7200)
    assert (without.planned_count, without.done_count) == (0, 0)


def test_what_lies_ahead_is_not_judged_and_what_is_being_flown_neither() -> None:
    survey = msgspec.structs.replace(
        SURVEY, takeoff_us=START_US + 3600 * SECOND_US, landing_us=START_US + 4200 * SECOND_US
    )
    ahead = msgspec.structs.replace(survey, state=SortieState.PLANNED)
    found = proved(FIELD, [window(3600, 3900)], [ahead], [], now_s=60)
    assert (found.due_count, found.done_count, found.covered_ratio, found.is_kept) == (0, 0, None, None)
    flying = msgspec.structs.replace(survey, state=SortieState.FLYING)
    begun = [track(1, along(swaths()[:4]), begins_s=3700)]
    found = proved(FIELD, [window(3600, 3900)], [flying], begun, now_s=3950)
    assert (found.due_count, found.is_kept) == (0, None)
    over = proved(FIELD, [window(3600, 3900)], [survey], begun, now_s=3950)
    assert (over.due_count, over.is_kept) == (1, False)


def test_a_page_says_of_what_lies_ahead_neither_yes_nor_no() -> None:
    plan = msgspec.structs.replace(FIELD_PLAN, sorties=(msgspec.structs.replace(SURVEY, state=SortieState.PLANNED),))
    proof = prove(plan, FIELD_PROGRAMME, [], now_us=START_US - 60 * SECOND_US)
    page = report_html.write(proof, FIELD_PROGRAMME, language="en").decode()
    assert "<td>ahead</td>" in page
    assert "<td>0 / 1 / 1</td><td>– / 100\N{NO-BREAK SPACE}%</td>" in page
    assert 'class="no"' not in page
    assert "<svg" not in page


def test_a_task_that_comes_back_is_judged_by_the_time_between_its_visits_not_within_their_windows() -> None:
    """Each hour from 0 to 2 h: to be begun in three windows of 10 minutes."""
    hourly = crossing(dwell_s=0.0, revisit_s=3600.0)
    windows = [window(0, 600), window(3000, 3600), window(3600, 3900)]
    sorties = [flight(number, number, STAND, begins_s=round(number * 100)) for number in (1, 2, 3)]
    tracks = [standing(1, begins_s=300, lasts_s=60), standing(3, begins_s=3700, lasts_s=60)]
    missed = proved(hourly, windows, sorties, tracks, now_s=7200)
    assert (missed.done_count, missed.longest_revisit_s, missed.is_kept) == (2, 3500.0, True)
    late = proved(hourly, windows[:2], sorties[:2], tracks[:1], now_s=5400)
    assert (late.longest_revisit_s, late.is_kept) == (5100.0, False)
    never = proved(hourly, windows, sorties, [], now_s=7200)
    assert (never.longest_revisit_s, never.is_kept) == (7200.0, False)
    early = proved(hourly, windows, sorties, [], now_s=100)
    assert (early.longest_revisit_s, early.is_kept) == (100.0, None)
    short = proved(hourly, [window(0, 1800)], sorties[:1], [], now_s=7200)
    assert (short.longest_revisit_s, short.is_kept) == (1800.0, False)


def test_patrolled_streets_are_judged_by_the_place_that_waited_longest() -> None:
    lat, lon = PLANE.from_plane(np.array([0.0, 400.0]), np.zeros(2))
    line = {"type": "LineString", "coordinates": np.column_stack((lon, lat)).tolist()}
    streets = Task(task_id=1, name_zh="街", name_en="Streets", kind=TaskKind.STREETS, geometry=line, revisit_s=600.0)
    walk = (waypoint(0.0, 0.0, 1), waypoint(400.0, 0.0, 1))
    lap = along([(0.0, 0.0), (400.0, 0.0), (0.0, 0.0)])
    flown = [track(1, np.concatenate([lap] * 5), begins_s=0), track(2, np.concatenate([lap] * 5), begins_s=1000)]
    sorties = [flight(1, 1, walk, begins_s=0), flight(2, 1, walk, begins_s=1000)]
    found = proved(streets, [window(0, 1400)], sorties, flown, now_s=7200)
    assert found.longest_revisit_s == pytest.approx(1034 - 370, abs=3)
    assert (found.done_count, found.is_kept) == (1, False)


def test_fewer_watchers_than_asked_are_a_gap_and_handovers_are_between_those_who_relieve() -> None:
    wanted, one, other = Window(0, 100), Window(0, 100), Window(10, 60)
    assert unwatched([wanted], [one, other], count=2) == (Window(0, 10), Window(60, 100))
    assert watched_ratio([wanted], [one, other], count=2) == 0.75
    stands = [Window(0, 50 * SECOND_US), Window(0, 60 * SECOND_US), Window(40 * SECOND_US, 90 * SECOND_US)]
    assert least_overlap_s(stands, count=2) == 10.0
    assert least_overlap_s(stands[:1]) is None


def test_a_drone_that_went_silent_for_a_moment_was_not_relieved_by_itself() -> None:
    event = msgspec.structs.replace(crossing(), kind=TaskKind.EVENT)
    whole = standing(1, begins_s=0, lasts_s=400)
    kept = (whole.at_us < START_US + 100 * SECOND_US) | (whole.at_us > START_US + 130 * SECOND_US)
    cut = Track(
        sortie_id=1, at_us=whole.at_us[kept], lat_deg=whole.lat_deg[kept], lon_deg=whole.lon_deg[kept],
        alt_home_m=whole.alt_home_m[kept],
    )  # fmt: skip
    found = proved(event, [window(0, 400)], [flight(1, 1, STAND, begins_s=0)], [cut], now_s=7200)
    assert (found.longest_gap_s, found.least_overlap_s, found.is_kept) == (32.0, None, False)


def test_the_line_from_the_dock_and_back_to_it_is_part_of_the_planned_way() -> None:
    points = (waypoint(1000.0, 0.0, 1), waypoint(1100.0, 0.0, 1))
    away = np.concatenate((np.arange(0.0, 1100.0, 5.0), np.arange(1100.0, 0.0, -5.0)))
    area = Task(task_id=1, name_zh="面", name_en="Area", kind=TaskKind.AREA, geometry=ring(1000.0, -5.0, 100.0))
    plan = Plan(window=window(0, 3600), visits=(), sorties=(flight(1, 1, points, begins_s=0),))
    flown = track(1, np.column_stack((away, 0.0 * away)), begins_s=0)
    programme = Programme(tasks=(area,), airframes=HAWKS, docks=(DOCK,))
    (found,) = prove(plan, programme, [flown], now_us=LATER_US).sorties
    assert found.off_m == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize(("language", "said"), [("zh", "不在您的权限范围"), ("en", "not in your scope")])
def test_of_a_drone_that_is_not_in_scope_nothing_is_said_to_have_been_flown_or_not(language: str, said: str) -> None:
    proof = prove(FIELD_PLAN, FIELD_PROGRAMME, [hidden_track(1)], now_us=LATER_US)
    (task,), (hidden,) = proof.tasks, proof.sorties
    assert (hidden.is_in_scope, hidden.flown_m, hidden.off_m) == (False, None, None)
    assert (task.is_in_scope, task.done_count, task.covered_ratio, task.is_kept) == (False, None, None, None)
    assert task.unseen is None
    page = report_html.write(proof, FIELD_PROGRAMME, language="zh" if language == "zh" else "en").decode()
    assert page.count(said) == 2
    assert ("仅计权限范围内的无人机" in page) == (language == "zh")
    assert 'class="no"' not in page
    assert said in report_files.write_csv(proof, language="zh" if language == "zh" else "en").decode()
