"""How soon the best sites are proven: 300 demands by 60 sites, on a map and scattered at random, with and without backup.

Times are CPU seconds of this process, the model's making included, one thread; `s` is the median over the runs of the slowest of
all cases. Every case must be proven optimal. The seconds between sites and demands are reckoned apart (`matrix_s`).
"""

import statistics
from pathlib import Path
from typing import Final

import numpy as np

from console.bench import Figures, Goal
from console.bench.coverage import cpu_ms, roads_of
from mission.roads.travel import TravelMode
from mission.siting.planning_map import DemandKind, PlanningMap
from mission.siting.site_model import Effort
from mission.siting.sites import Proof, SiteKind, Siting, best_sites
from telemetry.model.geodesy import Floats

DEMANDS: Final = 300
SITES: Final = 60
LIMIT_S: Final = 180.0
NEW_COUNTS: Final = (4, 8, 16)
BACKUP_SHARES: Final = (0.0, 0.3, 1.0)
EFFORT: Final = Effort(within_s=60.0)
GOALS: Final[dict[str, Goal]] = {"s": ("<=", 1.0), "unproven": ("<=", 0.0)}


def run(*, runs: int, seed: int, osm: Path | None = None) -> Figures:
    """Measure on the demo city, or on an OpenStreetMap extract, and on random places."""
    area = PlanningMap(roads_of(seed, osm))
    demands = area.demands(DemandKind.ROADS, most_count=DEMANDS)
    sites = area.candidates(count=SITES)
    area.seconds_between(TravelMode.CAR, sites[:1], demands.node, limit_s=LIMIT_S)  # what is made once is made
    matrices: list[Floats] = []
    matrix_ms = cpu_ms(
        lambda: matrices.append(area.seconds_between(TravelMode.CAR, sites, demands.node, limit_s=LIMIT_S))
    )
    instances = {"map": (matrices[0], demands.weight), "random": _scattered(seed)}
    found = [_solved(instance, new_count, share)[0] for instance in instances.values() for new_count, share in _cases()]
    slowest_s: dict[str, list[float]] = {name: [] for name in instances}
    for _ in range(runs):
        for name, instance in instances.items():
            slowest_s[name].append(max(_solved(instance, new_count, share)[1] for new_count, share in _cases()))
    medians = {name: statistics.median(times) for name, times in slowest_s.items()}
    return Figures(
        figures={
            "map": "demo city" if osm is None else osm.name,
            "nodes": area.graph.node_count,
            "demands": len(demands.node),
            "sites": len(sites),
            "cases": len(found),
            "s": round(max(medians.values()), 3),
            **{f"{name}_s": round(seconds, 3) for name, seconds in medians.items()},
            "matrix_s": round(matrix_ms / 1000.0, 3),
            "unproven": sum(one.proof is not Proof.OPTIMAL for one in found),
        },
        goals=GOALS,
    )


def _cases() -> list[tuple[int, float]]:
    return [(new_count, share) for new_count in NEW_COUNTS for share in BACKUP_SHARES]


def _solved(instance: tuple[Floats, Floats], new_count: int, backup_share: float) -> tuple[Siting, float]:
    """Return the answer and the CPU seconds that it took."""
    seconds, weight = instance
    kind = SiteKind("station", seconds, LIMIT_S, min(new_count, seconds.shape[1]))
    found: list[Siting] = []
    spent_ms = cpu_ms(lambda: found.append(best_sites([kind], weight, backup_share=backup_share, effort=EFFORT)))
    return found[0], spent_ms / 1000.0


def _scattered(seed: int) -> tuple[Floats, Floats]:
    """Return seconds between places scattered over 10 x 10 km at 10 m/s, and whole weights."""
    random = np.random.default_rng(seed)
    demands, sites = random.uniform(0.0, 10_000.0, (DEMANDS, 2)), random.uniform(0.0, 10_000.0, (SITES, 2))
    away_m = np.hypot(*(demands[:, None] - sites[None]).transpose(2, 0, 1))
    return away_m / 10.0, random.integers(1, 100, DEMANDS).astype(np.float64)
