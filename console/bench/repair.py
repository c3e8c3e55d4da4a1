"""`skybeat bench repair`: a drone is lost while 100 targets are flown; the plan mended at once against one made anew in 10 s."""

from time import perf_counter
from typing import Final

import numpy as np

from console.bench import Figures
from mission.model import Airframe, Dock, Programme, Task, TaskKind, Window
from mission.plan import Plan, Sortie
from mission.planner import plan_day, repair
from mission.schedule.change import Change
from mission.schedule.routing.problem import Effort

TARGETS: Final = 100
DRONES: Final = 3
DAY_S: Final = 3 * 3600
CHANGE_S: Final = 1800
"""When the drone is lost, after the day's beginning."""
COLD_S: Final = 10.0
_BEGIN_US: Final = 1_789_776_000_000_000
_LAT_DEG, _LON_DEG = 36.0, 103.8
_M_LAT, _M_LON = 1.0 / 111_000.0, 1.0 / 90_000.0


def programme_of(seed: int) -> tuple[Programme, Window]:
    """Return 100 points over 6 km with priorities and windows, drones in three docks, and the time to plan."""
    random = np.random.default_rng(seed)
    tasks = []
    for number in range(1, TARGETS + 1):
        east_m, north_m = random.uniform(-3000.0, 3000.0, 2)
        from_s = float(random.uniform(0.0, DAY_S - 3600.0))
        until_s = from_s + float(random.uniform(1800.0, 5400.0))
        tasks.append(
            Task(
                task_id=number, name_zh=f"目标{number}", name_en=f"target {number}", kind=TaskKind.POINT,
                geometry={"type": "Point", "coordinates": [_LON_DEG + east_m * _M_LON, _LAT_DEG + north_m * _M_LAT]},
                priority=int(random.integers(1, 10)), dwell_s=30.0, alt_agl_m=60.0,
                windows=(_window(from_s, min(until_s, DAY_S)),), width_m=30.0,
            )
        )  # fmt: skip
    docks = tuple(
        Dock(
            dock_id=number,
            name=f"dock {number}",
            lat_deg=_LAT_DEG + north_m * _M_LAT,
            lon_deg=_LON_DEG + east_m * _M_LON,
        )
        for number, (east_m, north_m) in enumerate([(-1500.0, -1000.0), (1500.0, -1000.0), (0.0, 1600.0)], 1)
    )
    airframes = tuple(
        Airframe(airframe_id=number, name=f"drone {number}", dock_id=(number - 1) % len(docks) + 1, endurance_s=2400.0)
        for number in range(1, DRONES + 1)
    )
    return Programme(tasks=tuple(tasks), docks=docks, airframes=airframes), _window(0.0, DAY_S)


def run(*, runs: int, seed: int) -> Figures:
    """Lose a drone half an hour into the day, and mend the plan; shown is the median of so many runs."""
    programme, day = programme_of(seed)
    first_s: list[float] = []
    began = perf_counter()
    plan = plan_day(
        programme, day, now_us=_us(-3600.0), effort=Effort(within_s=COLD_S, seed=seed),
        on_better=lambda _: first_s.append(perf_counter() - began),
    )  # fmt: skip
    now_us, change = _us(CHANGE_S), Change(without_airframe_ids=(1,))
    took_s, mended = [], plan
    for _ in range(runs):
        began = perf_counter()
        mended = repair(plan, programme, change, now_us=now_us)
        took_s.append(perf_counter() - began)
    cold = repair(_begun(plan, now_us), programme, change, now_us=now_us, effort=Effort(within_s=COLD_S, seed=seed))
    return Figures(
        figures={
            "targets": TARGETS,
            "sorties": len(plan.sorties),
            "flown": sum(sortie.takeoff_us <= now_us for sortie in plan.sorties),
            "first_plan_s": round(first_s[0], 3),
            "score": plan.score,
            "cold_score": cold.score,
            "mended_score": mended.score,
            "s": round(sorted(took_s)[len(took_s) // 2], 3),
            "score_ratio": round(mended.score / cold.score, 4),
            "moved": len(_flights(mended) - _flights(plan)),
        },
        goals={"s": ("<=", 2.0), "score_ratio": (">=", 0.98)},
    )


def _begun(plan: Plan, now_us: int) -> Plan:
    """Return the plan with nothing but what has begun: made anew from here, there is nothing to begin from."""
    return Plan(
        window=plan.window,
        visits=plan.visits,
        sorties=tuple(sortie for sortie in plan.sorties if sortie.takeoff_us <= now_us),
    )


def _flights(plan: Plan) -> set[tuple[int, int, tuple[int, ...]]]:
    def flight(sortie: Sortie) -> tuple[int, int, tuple[int, ...]]:
        return sortie.airframe_id, sortie.takeoff_us, sortie.visit_ids

    return {flight(sortie) for sortie in plan.sorties}


def _window(from_s: float, until_s: float) -> Window:
    return Window(_us(from_s), _us(until_s))


def _us(time_s: float) -> int:
    return _BEGIN_US + round(time_s * 1e6)
