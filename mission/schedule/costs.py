"""How long everything takes between docks and targets, by kind of airframe: the matrices that routes are made with."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mission.air.climbing import least_s
from mission.model import Airframe
from mission.schedule.scene import Scene
from mission.schedule.targets import WATCHED_KINDS, WAY_PLACES, Part, Target
from telemetry.model.geodesy import Floats

TICK_S: Final = 0.1
"""All ways and services are whole multiples of it."""
_ROUNDING_SLACK: Final = 1e-6


@dataclass(frozen=True, eq=False)
class Costs:
    """Targets (n) and docks (d), seconds from the plan's zero, by kind of airframe (k).

    `between_s[kind]` (n, n) is the way from where a target ends to where another begins, `out_s[kind]` (d, n) from take-off at
    a dock to a target, climb included, `back_s[kind]` (n, d) from a target to having landed; inf: there is no way.
    `service_s` (k, n), `from_s`, `until_s`, `prize`, `group` (n,): -1 for a target without a group.
    """

    dock_ids: tuple[int, ...]
    between_s: tuple[Floats, ...]
    out_s: tuple[Floats, ...]
    back_s: tuple[Floats, ...]
    service_s: Floats
    from_s: Floats
    until_s: Floats
    prize: NDArray[np.int64]
    group: NDArray[np.int64]
    place_count: NDArray[np.int64]
    """(n,) how many waypoints each target takes."""
    most_places: tuple[int, ...]
    """(k,) how many waypoints the targets of one sortie may take, those of the ways kept free."""

    @property
    def count(self) -> int:
        """Return how many targets there are."""
        return len(self.prize)


def costs_of(targets: Sequence[Target], scene: Scene) -> Costs:
    """Return the matrices. About 1 us a pair of parts in open air, 5 us among zones."""
    parts = list({id(target.part): target.part for target in targets}.values())
    row_of = {id(part): row for row, part in enumerate(parts)}
    rows = np.array([row_of[id(target.part)] for target in targets], np.intp)
    dock_ids = tuple(sorted({airframe.dock_id for airframe in scene.airframes if airframe.dock_id in scene.docks}))
    places = _places(parts, [scene.dock_place(dock_id) for dock_id in dock_ids])
    metres = scene.metres(places)
    count, docks = len(parts), slice(2 * len(parts), None)
    starts, ends = slice(0, count), slice(count, 2 * count)
    between, out, back = [], [], []
    for kind in scene.kinds:
        seconds = scene.travel_s(places, metres, kind)
        rise_m = _rises_m(parts, scene, kind)
        across_s = np.maximum(seconds[ends, starts], least_s(rise_m[None, :] - rise_m[:, None], kind))
        there_s = np.maximum(seconds[docks, starts], least_s(rise_m, kind)[None, :]) + scene.climb_s(kind)
        home_s = seconds[ends, docks] + least_s(-rise_m, kind)[:, None] + scene.sink_s(kind)
        between.append(_whole_ticks(across_s)[np.ix_(rows, rows)])
        out.append(_whole_ticks(there_s)[:, rows])
        back.append(_whole_ticks(home_s)[rows, :])
    service = [[_service_s(target, kind) for target in targets] for kind in range(len(scene.kinds))]
    return Costs(
        dock_ids=dock_ids,
        between_s=tuple(between),
        out_s=tuple(out),
        back_s=tuple(back),
        service_s=_whole_ticks(np.array(service, np.float64).reshape(len(scene.kinds), len(targets))),
        from_s=np.array([target.from_s for target in targets], np.float64),
        until_s=np.array([target.until_s for target in targets], np.float64),
        prize=np.array([target.prize for target in targets], np.int64),
        place_count=np.array([_place_count(target) for target in targets], np.int64),
        most_places=tuple(max(kind.most_waypoints - WAY_PLACES, 1) for kind in scene.kinds),
        group=np.array([-1 if target.group is None else target.group for target in targets], np.int64),
    )


def _whole_ticks(seconds: Floats) -> Floats:
    """Return times rounded up to whole ticks: what fits here fits for the routes' own search too, to the tick."""
    ticks: Floats = np.ceil(seconds / TICK_S - _ROUNDING_SLACK)
    return ticks * TICK_S


def _rises_m(parts: Sequence[Part], scene: Scene, airframe: Airframe) -> Floats:
    """Return how much higher (n,) than the transit each part is flown; who watches flies there at the height of the watch."""
    transit_m = scene.transit_alt_m(airframe)
    heights = [transit_m if part.task.kind in WATCHED_KINDS else part.pattern.alt_agl_m for part in parts]
    return np.array(heights, np.float64) - transit_m


def _service_s(target: Target, kind: int) -> float:
    return target.part.service_s[kind] if target.kinds is None or kind in target.kinds else math.inf


def _place_count(target: Target) -> int:
    """Return how many places a controller is told: one more where it looks or films and then stays at the first."""
    pattern = target.part.pattern
    return max(len(pattern.places), 2) + int(pattern.hold_s[0] > 0.0)


def _places(parts: Sequence[Part], docks: Sequence[Floats]) -> Floats:
    rows = [part.start for part in parts] + [part.end for part in parts] + list(docks)
    return np.array(rows, np.float64).reshape(-1, 2)
