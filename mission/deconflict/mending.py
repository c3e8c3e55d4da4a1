"""Conflicts mended: each sortie in turn goes to the first layer that is free, else it waits as little as will do."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from mission.air.flight_path import FlightPath
from mission.air.sky import Sky
from mission.air.terrain import FLAT, Ground
from mission.deconflict.finding import Scene, conflicts, flies
from mission.deconflict.moves import Limits, delayed, raised, slack_us
from mission.deconflict.volumes import Margins, Volumes, joined, meetings_between, volumes_of
from mission.model import US, Dock, Window
from mission.plan import Conflict, Sortie, SortieState
from telemetry.model.geodesy import LocalPlane

STILL_US: Final = 1 * US
_FIXED: Final = frozenset({SortieState.UPLOADED, SortieState.FLYING, SortieState.FLOWN, SortieState.BROKEN_OFF})
_TRIES: Final = 40


def mend(
    sorties: Sequence[Sortie],
    *,
    plane: LocalPlane,
    docks: Sequence[Dock] = (),
    ground: Ground = FLAT,
    sky: Sky | None = None,
    margin_m: float = Margins.margin_m,
    height_m: float = Margins.height_m,
    margin_s: float = Margins.margin_s,
    limits: Limits | None = None,
) -> tuple[list[Sortie], list[Conflict]]:
    """Return the sorties, moved where they came too near, and the report: what was mended and by what, and what remains.

    Who is frozen or in the air stays, then those that watch an event are placed (they are not delayed: there would be a gap),
    then the others in the order of their take-off; each goes to the lowest layer that is free, on transit first, then with all
    of its way, else later by as little as will do. What cannot be mended stays as it was. About 1 ms a sortie.
    """
    bounds = limits or Limits()
    scene = Scene(plane=plane, docks=docks, ground=ground, sky=sky, airframes=bounds.airframes)
    margins = Margins(margin_m, height_m, margin_s)
    before = conflicts(sorties, scene, margins)
    if not before:
        return list(sorties), []
    placing = _Placing(list(sorties), scene, margins, bounds)
    placing.place_all()
    after = conflicts(placing.sorties, scene, margins)
    return placing.sorties, _report(before, after, placing.moved_by)


def _report(before: Sequence[Conflict], after: Sequence[Conflict], moved_by: Mapping[int, str]) -> list[Conflict]:
    """Return the conflicts that are left, and those that are gone with what mended them."""
    left = {(one.sortie_id, one.other_sortie_id, one.zone_id) for one in after}
    gone = []
    for one in before:
        if (one.sortie_id, one.other_sortie_id, one.zone_id) in left:
            continue
        by = {moved_by.get(number or -1, "") for number in (one.sortie_id, one.other_sortie_id)}
        gone.append(msgspec.structs.replace(one, mended_by="delay" if "delay" in by else "layer"))
    return sorted([*after, *gone], key=lambda one: (one.window, one.sortie_id))


@dataclass
class _Placing:
    """Sorties on their way into a plan without conflicts: those placed already, and the next."""

    sorties: list[Sortie]
    scene: Scene
    margins: Margins
    limits: Limits
    moved_by: dict[int, str] = field(default_factory=dict)
    _placed: list[tuple[Window, Volumes]] = field(default_factory=list)

    def place_all(self) -> None:
        """Place every sortie that flies."""

        def rank(number: int) -> tuple[int, int, int]:
            one = self.sorties[number]
            return (0 if self._is_fixed(one) else 1 if one.on_watch else 2, one.takeoff_us, one.sortie_id)

        for number in sorted((one for one in range(len(self.sorties)) if flies(self.sorties[one])), key=rank):
            self._place(number)

    def _is_fixed(self, sortie: Sortie) -> bool:
        return sortie.state in _FIXED or sortie.sortie_id in self.limits.frozen

    def _place(self, number: int) -> None:
        sortie = self.sorties[number]
        if not self._is_fixed(sortie):
            for candidate, by in self._candidates(sortie):
                if self.limits.allows is None or not by or self.limits.allows(candidate):
                    self.sorties[number] = candidate
                    if by:
                        self.moved_by[sortie.sortie_id] = by
                    break
        path = self.scene.path(self.sorties[number])
        self._placed.append((path.window, volumes_of(path, self.sorties[number].airframe_id)))

    def _candidates(self, sortie: Sortie) -> Iterator[tuple[Sortie, str]]:
        """Yield the moves without a conflict, the best first: layers without delay, then the least delay of each layer."""
        waits: list[tuple[int, int, Sortie, FlightPath]] = []
        highest_m = self.limits.most_agl_m
        for rank, layer in enumerate(raised(sortie, self.limits)):
            path = self.scene.path(layer)
            if rank and path.highest_agl_m > highest_m:
                continue
            wait_us = self._wait_us(layer, path)
            if wait_us == 0:
                yield layer, "layer" if rank else ""
            elif wait_us < math.inf:
                waits.append((int(wait_us), rank, layer, path))
        most_us = slack_us(sortie, self.sorties, self.limits)
        for _ in range(_TRIES):
            waits = sorted((one for one in waits if one[0] <= most_us), key=lambda one: one[:2])
            if not waits:
                return
            later_us, rank, layer, path = waits.pop(0)
            candidate = delayed(layer, later_us)
            more_us = self._wait_us(candidate, path.later(later_us))
            if more_us == 0:
                yield candidate, "delay"
            elif more_us < math.inf:
                waits.append((later_us + int(more_us), rank, layer, path))

    def _wait_us(self, sortie: Sortie, path: FlightPath) -> float:
        """Return how much later a sortie must be for what is in its way now to be gone; 0: nothing is, inf: it never is."""
        mine = volumes_of(path, sortie.airframe_id)
        reach_us = round(self.margins.margin_s * US)
        since_us, until_us = path.window.start_us - reach_us, path.window.end_us + reach_us
        others = joined(
            [
                volumes
                for window, volumes in self._placed
                if window.start_us < until_us and since_us < window.end_us and volumes.owner[0] != sortie.airframe_id
            ]
        )
        met = meetings_between(mine, others, self.margins)
        wait_us = 0.0
        if len(met):
            wait_us = float((others.until_us[met.second] + reach_us - mine.from_us[met.first]).max())
        if self.scene.sky is not None and self.scene.sky.zones:
            for offence in self.scene.sky.offences(path, approval=sortie.approval):
                ends = [one.end_us for one in offence.zone.windows if one.end_us > offence.window.start_us]
                wait_us = max(wait_us, float(min(ends) - offence.window.start_us) if ends else math.inf)
        return math.ceil(wait_us / STILL_US) * STILL_US if 0.0 < wait_us < math.inf else wait_us
