"""How long places wait on street nets patrolled by 2, 4 and 8 drones, against the drones following each other on one tour.

`--dir` holds nets (*.graph, the format of patrolling_sim). The wait is taken by following the walks given back, not from what the
planner says of them; `worst_ratio` and `mean_ratio` set it against the tour's length divided by the number of drones.
"""

import os
import statistics
import time
from pathlib import Path
from typing import Final

from console.bench import Figures, Goal
from mission.schedule.streets.graph import StreetGraph, read_patrol_graph
from mission.schedule.streets.idleness import patrol
from mission.schedule.streets.walks import longest_idleness_s
from telemetry.model.errors import UnavailableError

DRONES: Final = (2, 4, 8)
GOALS: Final[dict[str, Goal]] = {"worst_ratio": ("<=", 1.0)}


def run(
    *,
    runs: int,  # noqa: ARG001 - the same seed gives the same walks
    seed: int,
    folder: Path | None = None,
) -> Figures:
    """Plan every net for each number of drones. Raises UnavailableError where there is none, FileFormatError for a bad file."""
    home = folder or _recorded()
    files = sorted(home.rglob("*.graph"))
    if not files:
        message = f"{home} holds no *.graph: give a folder of nets with --dir"
        raise UnavailableError(message)
    ratios: dict[str, list[float]] = {}
    began_s = time.process_time()
    for path in files:
        graph = read_patrol_graph(path.read_bytes(), name=path.stem)
        ratios[path.stem] = [_ratio(graph, count, seed) for count in DRONES]
    every = [ratio for found in ratios.values() for ratio in found]
    return Figures(
        figures={
            "graphs": len(files),
            "cases": len(every),
            "worst_ratio": round(max(every), 6),
            "mean_ratio": round(statistics.fmean(every), 4),
            **{f"ratios_{name}": " ".join(f"{ratio:.3f}" for ratio in found) for name, found in ratios.items()},
            "solve_s": round((time.process_time() - began_s) / len(every), 3),
        },
        goals=GOALS,
    )


def _ratio(graph: StreetGraph, drone_count: int, seed: int) -> float:
    """Return the longest wait by the part of one tour that each drone has."""
    found = patrol(graph, [1.0] * drone_count, seed=seed)
    return longest_idleness_s(graph, found.walks) / found.tour_s if found.tour_s > 0.0 else 1.0


def _recorded() -> Path:
    """Return the recorded nets (SKYBEAT_TEST_DATA, by default shared/data beside the project)."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    return Path(os.environ.get("SKYBEAT_TEST_DATA", beside)) / "mission" / "patrol_graphs"
