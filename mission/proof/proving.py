"""Proof of a day: what each task was promised, what of it was seen, when nobody looked, and why."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import msgspec
import numpy as np
import shapely

from mission.model import US, Airframe, Geometry, Programme, Task, TaskKind, Window
from mission.plan import Plan, Refusal, Sortie, SortieState
from mission.proof.flown import Track, above_ground, near_windows, no_track, seen_by_plan, seen_by_track, standing_of
from telemetry.model.geodesy import Floats, LocalPlane, local_plane

USUAL_WIDTH_M: Final = 30.0
NEAR_M: Final = 60.0
"""Who is as near as this to where it should stand watches from there."""
COVERED_RATIO: Final = 0.95
"""A visit to an area is done when so much of what it was planned to see was seen."""
SHOWN_TOLERANCE_M: Final = 1.0
_GROUND: Final = frozenset({TaskKind.AREA, TaskKind.CORRIDOR, TaskKind.PERIMETER, TaskKind.SEARCH, TaskKind.STREETS})


class SortieProof(msgspec.Struct, frozen=True, kw_only=True):
    """One sortie as planned and as flown; None where nothing was recorded. `reason` says why it was not flown as planned."""

    sortie_id: int
    airframe_id: int
    airframe_name: str
    task_ids: tuple[int, ...]
    state: SortieState
    planned: Window
    flown: Window | None
    planned_m: float
    flown_m: float
    off_m: float | None
    """How far from its planned line it flew, at most, in 95 of 100 positions."""
    reason: str = ""


class TaskProof(msgspec.Struct, frozen=True, kw_only=True):
    """What a task was promised and what of it was done. Ratios 0..1 of the ground asked for, None where none is asked for.

    `gaps` are times within its windows in which an event was not watched. `is_kept`: everything that was asked for was done.
    """

    task_id: int
    name_zh: str
    name_en: str
    kind: TaskKind
    visit_count: int
    planned_count: int
    done_count: int
    planned_ratio: float | None = None
    covered_ratio: float | None = None
    watched_ratio: float | None = None
    gaps: tuple[Window, ...] = ()
    longest_gap_s: float | None = None
    least_overlap_s: float | None = None
    revisit_s: float | None = None
    longest_revisit_s: float | None = None
    is_kept: bool = False
    refusals: tuple[Refusal, ...] = ()
    unseen: Geometry | None = None
    """The ground that was asked for and not seen, WGS-84."""


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """The proof of a plan's day as of `made_us`: what lies after it is not yet judged."""

    plan_id: int
    window: Window
    made_us: int
    tasks: tuple[TaskProof, ...]
    sorties: tuple[SortieProof, ...]
    flown_s: float
    flown_m: float


def prove(plan: Plan, programme: Programme, tracks: Sequence[Track], *, now_us: int) -> Proof:
    """Return what the tracks prove of the plan until now. Cost about 10 ms for a task and sortie of 1,000 positions."""
    plane = _plane(programme)
    laid = {sortie.sortie_id: sortie for sortie in plan.sorties}
    by_sortie = {
        one.sortie_id: above_ground(one, laid[one.sortie_id], plane) for one in tracks if one.sortie_id in laid
    }
    airframes = {airframe.airframe_id: airframe for airframe in programme.airframes}
    sorties = [
        _prove_sortie(sortie, by_sortie.get(sortie.sortie_id) or no_track(sortie.sortie_id), airframes, plane)
        for sortie in plan.sorties
        if not sortie.is_standby
    ]
    judging = _Judging(plan, by_sortie, airframes, plane, now_us)
    return Proof(
        plan_id=plan.plan_id,
        window=plan.window,
        made_us=now_us,
        tasks=tuple(judging.task(task) for task in programme.tasks),
        sorties=tuple(sorties),
        flown_s=sum((one.flown.end_us - one.flown.start_us) / US for one in sorties if one.flown is not None),
        flown_m=sum(one.flown_m for one in sorties),
    )


def unwatched(wanted: Sequence[Window], watched: Sequence[Window]) -> tuple[Window, ...]:
    """Return the times of `wanted` in which none of `watched` was there, in order."""
    gaps: list[Window] = []
    for window in wanted:
        since_us = window.start_us
        for one in sorted(watched):
            if one.end_us <= since_us or one.start_us >= window.end_us:
                continue
            if one.start_us > since_us:
                gaps.append(Window(since_us, one.start_us))
            since_us = max(since_us, one.end_us)
        if since_us < window.end_us:
            gaps.append(Window(since_us, window.end_us))
    return tuple(gaps)


class _Judging:
    """What every task is judged by."""

    def __init__(
        self,
        plan: Plan,
        tracks: Mapping[int, Track],
        airframes: Mapping[int, Airframe],
        plane: LocalPlane,
        now_us: int,
    ) -> None:
        self._plan, self._tracks, self._airframes, self._plane = plan, tracks, airframes, plane
        self._now_us = now_us

    def task(self, task: Task) -> TaskProof:
        """Return what was done of a task."""
        plan = self._plan
        visits = [visit for visit in plan.visits if visit.task_id == task.task_id]
        sorties = [one for one in plan.sorties if task.task_id in one.task_ids and not one.is_standby]
        planned_ids = {visit_id for sortie in sorties for visit_id in sortie.visit_ids}
        proof = TaskProof(
            task_id=task.task_id,
            name_zh=task.name_zh,
            name_en=task.name_en,
            kind=task.kind,
            visit_count=len(visits),
            planned_count=sum(visit.visit_id in planned_ids for visit in visits),
            done_count=0,
            revisit_s=task.revisit_s,
            refusals=tuple(one for one in plan.refusals if one.task_id == task.task_id and not one.is_warning),
        )
        if task.kind is TaskKind.EVENT:
            return self._event(task, proof, sorties, [visit.window for visit in visits])
        if task.kind in _GROUND:
            proof = self._ground(task, proof, sorties)
        return self._visits(task, proof, sorties, [visit.window for visit in visits])

    def _event(self, task: Task, proof: TaskProof, sorties: Sequence[Sortie], wanted: Sequence[Window]) -> TaskProof:
        past = [Window(one.start_us, min(one.end_us, self._now_us)) for one in wanted if one.start_us < self._now_us]
        each = [self._near(sortie, task) for sortie in sorties]
        watched = [window for windows in each for window in windows]
        gaps = unwatched(past, watched)
        wanted_s = sum((one.end_us - one.start_us) / US for one in past)
        gap_s = sum((one.end_us - one.start_us) / US for one in gaps)
        return msgspec.structs.replace(
            proof,
            done_count=sum(
                any(one.start_us < look.end_us and look.start_us < one.end_us for look in watched) for one in past
            ),
            watched_ratio=1.0 - gap_s / wanted_s if wanted_s > 0.0 else None,
            gaps=gaps,
            longest_gap_s=max(((one.end_us - one.start_us) / US for one in gaps), default=0.0) if past else None,
            least_overlap_s=_least_overlap_s(watched),
            is_kept=bool(past) and not gaps,
        )

    def _ground(self, task: Task, proof: TaskProof, sorties: Sequence[Sortie]) -> TaskProof:
        asked = _asked(task, self._plane)
        if asked.is_empty or asked.area == 0.0:
            return proof
        planned, seen = [], []
        for sortie in sorties:
            airframe = self._airframes.get(sortie.airframe_id)
            if airframe is not None:
                planned.append(seen_by_plan(sortie, airframe, task, self._plane))
                seen.append(seen_by_track(self._track(sortie), airframe, task, self._plane))
        left = shapely.difference(asked, shapely.union_all(seen))
        return msgspec.structs.replace(
            proof,
            planned_ratio=_ratio(shapely.intersection(asked, shapely.union_all(planned)).area / asked.area),
            covered_ratio=_ratio(1.0 - left.area / asked.area),
            unseen=_to_wgs84(left, self._plane),
        )

    def _visits(self, task: Task, proof: TaskProof, sorties: Sequence[Sortie], wanted: Sequence[Window]) -> TaskProof:
        """Count the looks that were really taken, and the longest time between two of them."""
        looks = sorted(at_us for sortie in sorties if (at_us := self._done_us(sortie, task)) is not None)
        longest_s = _longest_between_s(looks, wanted, self._now_us) if wanted and task.revisit_s is not None else None
        is_ground_kept = proof.covered_ratio is None or proof.covered_ratio >= COVERED_RATIO
        is_revisited = longest_s is None or longest_s <= (task.revisit_s or 0.0)
        enough = len(looks) >= proof.visit_count or longest_s is not None
        return msgspec.structs.replace(
            proof,
            done_count=len(looks),
            longest_revisit_s=longest_s,
            is_kept=bool(looks) and is_ground_kept and is_revisited and enough,
        )

    def _done_us(self, sortie: Sortie, task: Task) -> int | None:
        """Return when a sortie had seen what it should of a task, None when it did not."""
        track, airframe = self._track(sortie), self._airframes.get(sortie.airframe_id)
        if airframe is None or track.aloft is None:
            return None
        planned = seen_by_plan(sortie, airframe, task, self._plane)
        if task.kind in _GROUND and planned.area > 0.0:
            wanted = shapely.intersection(planned, _asked(task, self._plane))
            seen = seen_by_track(track, airframe, task, self._plane)
            is_done = wanted.area > 0.0 and shapely.intersection(wanted, seen).area >= COVERED_RATIO * wanted.area
            return track.aloft.end_us if is_done else None
        near = self._near(sortie, task)
        return near[0].start_us if near else None

    def _near(self, sortie: Sortie, task: Task) -> list[Window]:
        return near_windows(self._track(sortie), standing_of(sortie, task, self._plane), self._plane, NEAR_M)

    def _track(self, sortie: Sortie) -> Track:
        return self._tracks.get(sortie.sortie_id) or no_track(sortie.sortie_id)


def _prove_sortie(sortie: Sortie, track: Track, airframes: Mapping[int, Airframe], plane: LocalPlane) -> SortieProof:
    airframe = airframes.get(sortie.airframe_id)
    return SortieProof(
        sortie_id=sortie.sortie_id,
        airframe_id=sortie.airframe_id,
        airframe_name=airframe.name if airframe else "",
        task_ids=sortie.task_ids,
        state=sortie.state,
        planned=Window(sortie.takeoff_us, sortie.landing_us),
        flown=track.aloft,
        planned_m=sortie.length_m,
        flown_m=track.length_m(plane),
        off_m=_off_m(sortie, track, plane),
        reason=track.ended_by,
    )


def _off_m(sortie: Sortie, track: Track, plane: LocalPlane) -> float | None:
    lifted_m = max([0.0, *(point.ground_above_home_m for point in sortie.waypoints)])
    places = track.places(plane)[track.alt_home_m > (sortie.transit_alt_home_m - lifted_m) / 2.0]
    if not len(places) or len(sortie.waypoints) < len("ab"):
        return None
    lat, lon = (np.array([getattr(point, name) for point in sortie.waypoints]) for name in ("lat_deg", "lon_deg"))
    line = shapely.linestrings(np.column_stack(plane.to_plane(lat, lon)))
    return float(np.percentile(shapely.distance(shapely.points(places), line), 95))


def _least_overlap_s(watched: Sequence[Window]) -> float | None:
    """Return the shortest time that two who relieved each other were there together, None with fewer than two."""
    ordered = sorted(watched)
    overlaps = [(one.end_us - other.start_us) / US for one, other in pairwise(ordered)]
    return min(overlaps) if overlaps else None


def _ratio(share: float) -> float:
    """Return a share as 0..1 without what reckoning leaves behind the sixth digit."""
    return round(min(max(float(share), 0.0), 1.0), 6)


def _longest_between_s(looks: Sequence[int], wanted: Sequence[Window], now_us: int) -> float:
    """Return the longest time without a look within each wanted time, its start and its end counted as looks."""
    longest_us = 0
    for start_us, end_us in _joined(wanted):
        until_us = min(end_us, now_us)
        if until_us <= start_us:
            continue
        times = [start_us, *(at_us for at_us in looks if start_us <= at_us <= until_us), until_us]
        longest_us = max(longest_us, *(later - earlier for earlier, later in pairwise(times)))
    return longest_us / US


def _joined(windows: Sequence[Window]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for window in sorted(windows):
        if joined and window.start_us <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], window.end_us))
        else:
            joined.append((window.start_us, window.end_us))
    return joined


def _asked(task: Task, plane: LocalPlane) -> Any:  # noqa: ANN401 - shapely has no types
    """Return the ground that a task asks for, in the plane."""
    shape = shapely.from_geojson(msgspec.json.encode(task.geometry).decode())
    planar = shapely.transform(shape, lambda at: np.column_stack(plane.to_plane(at[:, 1], at[:, 0])))
    half_m = (task.width_m or USUAL_WIDTH_M) / 2.0
    if task.kind is TaskKind.PERIMETER:
        return shapely.buffer(planar.boundary, half_m)
    if task.kind is TaskKind.SEARCH and planar.geom_type == "Point":
        return shapely.buffer(planar, task.width_m or USUAL_WIDTH_M)
    return planar if planar.area > 0.0 else shapely.buffer(planar, half_m)


def _to_wgs84(shape: Any, plane: LocalPlane) -> Geometry | None:  # noqa: ANN401 - shapely has no types
    simple = shapely.simplify(shape, SHOWN_TOLERANCE_M)
    parts = [part for part in shapely.get_parts(simple) if part.geom_type == "Polygon" and part.area > 1.0]
    if not parts:
        return None

    def back(at: Floats) -> Floats:
        lat, lon = plane.from_plane(at[:, 0], at[:, 1])
        return np.column_stack((lon, lat))

    found: Geometry = msgspec.json.decode(shapely.to_geojson(shapely.transform(shapely.MultiPolygon(parts), back)))
    return found


def _plane(programme: Programme) -> LocalPlane:
    places = [(dock.lat_deg, dock.lon_deg) for dock in programme.docks] or [(0.0, 0.0)]
    return local_plane(*(float(value) for value in np.mean(places, axis=0)))
