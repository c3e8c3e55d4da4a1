"""What the rules say to a sortie at the moment of flying: with the zones, the weather and the rule set of now, and who else is in the air."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import msgspec

from mission.deconflict import find, mend
from mission.deconflict.moves import delayed
from mission.model import US, Airframe, Dock, Programme, Window
from mission.plan import Conflict, Refusal, Sortie
from mission.rules import check_sortie, limits_of, margins_of
from mission.rules.conditions import WEATHER_RULES
from mission.rules.refusals import Remedy, refusal
from mission.rules.way_checks import shift_remedy, to_minute_us
from mission.schedule.scene import Scene, scene_of

__all__ = ["ON_TIME_US", "Other", "Takeoff", "said_at_takeoff"]

ON_TIME_US: Final = 15 * US
"""Who takes off within this of its time flies as it was planned beside the others: arming takes its while."""


class Other(msgspec.Struct, frozen=True, kw_only=True):
    """A sortie that is in the air or due, at the times that hold now, and how messages call it.

    `is_accepted`: whoever approved the plan was told how near the two come, and let it be.
    """

    sortie: Sortie
    name: str
    is_accepted: bool = False


class Takeoff(msgspec.Struct, frozen=True, kw_only=True):
    """A sortie that would take off at `takeoff_us`, whenever it was planned for; `programme` is the one of now.

    `battery_ratio` is what the battery holds (None: unknown). `accepted` are the rules that its approved plan tells of it and
    that a person let be, for it watches an event: those are told again, and refuse nothing. Weather is never among them.
    """

    sortie: Sortie
    airframe: Airframe
    dock: Dock
    programme: Programme
    now_us: int
    takeoff_us: int
    others: tuple[Other, ...] = ()
    battery_ratio: float | None = None
    accepted: frozenset[str] = frozenset()


def said_at_takeoff(asked: Takeoff) -> tuple[Refusal, ...]:
    """Return what speaks against taking off then, refusals before warnings. Raises InputError for zones or rules that cannot be.

    About 10 ms among zones, 50 ms where others are near and another time is looked for.
    """
    sortie = delayed(asked.sortie, asked.takeoff_us - asked.sortie.takeoff_us)
    scene = _scene(asked, sortie)
    crews = {crew.crew_id: crew for crew in asked.programme.crews}
    others = [one.sortie for one in asked.others]
    said = check_sortie(
        sortie.over_level_ground(),
        asked.airframe,
        dock=asked.dock,
        **scene.conditions,
        crew=crews.get(sortie.crew_id) if sortie.crew_id is not None else None,
        crew_sorties=[one for one in others if one.crew_id is not None and one.crew_id == sortie.crew_id],
        start_ratio=1.0 if asked.battery_ratio is None else asked.battery_ratio,
    )
    let_be = asked.accepted - WEATHER_RULES
    told = [msgspec.structs.replace(one, is_warning=one.is_warning or one.rule_id in let_be) for one in said]
    is_on_time = abs(asked.takeoff_us - asked.sortie.takeoff_us) <= ON_TIME_US
    told += _too_near(scene, asked.sortie if is_on_time else sortie, asked.others)
    return tuple(sorted(told, key=lambda one: one.is_warning))


def _scene(asked: Takeoff, sortie: Sortie) -> Scene:
    """Return the scene of a take-off: its dock is there whatever became of it in the programme since."""
    docks = {dock.dock_id: dock for dock in (*asked.programme.docks, asked.dock)}
    airframes = {one.airframe_id: one for one in (*asked.programme.airframes, asked.airframe)}
    beside = msgspec.structs.replace(
        asked.programme, docks=tuple(docks.values()), airframes=tuple(airframes.values()), tasks=()
    )
    return scene_of(beside, Window(sortie.takeoff_us, sortie.landing_us), now_us=asked.now_us)


def _too_near(scene: Scene, sortie: Sortie, others: Sequence[Other]) -> Iterator[Refusal]:
    """Yield whom the sortie would meet, and a later time at which it meets nobody, if there is one."""
    margins = margins_of(scene.rules)
    mine = msgspec.structs.replace(sortie, sortie_id=len(others) + 1)
    numbered = [msgspec.structs.replace(one.sortie, sortie_id=number) for number, one in enumerate(others, 1)]
    met = find(
        [mine, *numbered],
        plane=scene.plane,
        docks=scene.programme.docks,
        airframes=scene.programme.airframes,
        margin_m=margins.margin_m,
        height_m=margins.height_m,
        margin_s=margins.margin_s,
    )
    near = {
        _other_of(one, mine): one for one in reversed(met) if mine.sortie_id in (one.sortie_id, one.other_sortie_id)
    }
    if not near or not scene.rules.is_on("R-05"):
        return
    remedies = tuple(_later(scene, mine, numbered))
    for number, conflict in sorted(near.items(), key=lambda one: one[1].window):
        other = others[number - 1]
        numbers: dict[str, float | str] = {
            "other": other.name,
            "distance_m": conflict.distance_m,
            "height_apart_m": conflict.height_apart_m,
            "margin_m": margins.margin_m,
            "height_m": margins.height_m,
        }
        yield refusal(
            "conflict",
            "R-05",
            numbers,
            remedies=remedies,
            is_warning=other.is_accepted or scene.rules.is_warning("R-05"),
            airframe_id=sortie.airframe_id,
            window=conflict.window,
        )


def _other_of(conflict: Conflict, mine: Sortie) -> int:
    other = conflict.other_sortie_id if conflict.sortie_id == mine.sortie_id else conflict.sortie_id
    assert other is not None
    return other


def _later(scene: Scene, mine: Sortie, others: Sequence[Sortie]) -> Iterator[Remedy]:
    """Yield by how much later it meets nobody: what is on board flies as high as it is, so no layer helps."""
    margins = margins_of(scene.rules)
    sorties, _ = mend(
        [*others, msgspec.structs.replace(mine, on_watch=None)],
        plane=scene.plane,
        docks=scene.programme.docks,
        sky=scene.sky,
        margin_m=margins.margin_m,
        height_m=margins.height_m,
        margin_s=margins.margin_s,
        limits=replace(limits_of(scene.rules), most_layer_count=0, frozen={one.sortie_id for one in others}),
    )
    moved = next(one for one in sorties if one.sortie_id == mine.sortie_id)
    if moved.takeoff_us > mine.takeoff_us:
        shift_us = to_minute_us(mine.takeoff_us, moved.takeoff_us - mine.takeoff_us)
        yield shift_remedy(mine, shift_us, scene.conditions["daylight"])
