"""What a plan takes over from others: how far its sorties came meanwhile, and drones from plans published before it."""

import msgspec

from mission.plan import Plan, Sortie, SortieState


def moved_on(plan: Plan, now: Plan) -> Plan:
    """Return a plan that was changed with the sorties that it calls planned as far as they came meanwhile (`now`)."""
    came = {sortie.sortie_id: sortie for sortie in now.sorties if sortie.state is not SortieState.PLANNED}
    sorties = tuple(
        msgspec.structs.replace(
            sortie,
            state=came[sortie.sortie_id].state,
            flown_waypoints=came[sortie.sortie_id].flown_waypoints,
            handed_us=came[sortie.sortie_id].handed_us,
            started_us=came[sortie.sortie_id].started_us,
            ended_us=came[sortie.sortie_id].ended_us,
        )
        if sortie.state is SortieState.PLANNED and sortie.sortie_id in came
        else sortie
        for sortie in plan.sorties
    )
    return msgspec.structs.replace(plan, sorties=sorties)


def superseded(older: Plan, newer: Plan) -> Plan | None:
    """Return the older plan with those sorties cancelled that have not begun and whose drones the newer plan flies then.

    None where none is. What a pilot has already is flown to its end.
    """
    wanted: dict[int, list[Sortie]] = {}
    for sortie in newer.sorties:
        wanted.setdefault(sortie.airframe_id, []).append(sortie)
    sorties = tuple(
        msgspec.structs.replace(sortie, state=SortieState.CANCELLED)
        if sortie.state is SortieState.PLANNED and _meets(sortie, wanted.get(sortie.airframe_id, []))
        else sortie
        for sortie in older.sorties
    )
    return None if sorties == older.sorties else msgspec.structs.replace(older, sorties=sorties)


def _meets(sortie: Sortie, others: list[Sortie]) -> bool:
    """Tell whether a sortie, its charging included, meets another of the same drone."""
    return any(sortie.takeoff_us < other.free_us and other.takeoff_us < sortie.free_us for other in others)
