"""How near to proven optima orienteering comes: instances of the TOPTW benchmark, solved by the planner's own solver.

`--dir` holds a best_known.csv and the instances that it names, in any subfolders; those that are not there are counted as `missing`.
With one path (m = 1) each gets `--seconds` (5), with more twice as many; with `--iterations` each gets so many instead, and the
answers are the same on every machine. Every solution is reckoned again by an evaluator that shares no code with the solver.
Gaps are percent of the best known score.
"""

import os
import statistics
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import msgspec

from console.bench import Figures, Goal
from mission.schedule.routing.orienteering import Effort, Routes, solve
from mission.schedule.routing.toptw_evaluator import evaluate
from mission.schedule.routing.toptw_file import BestKnown, read_best_known, read_instance
from telemetry.model.errors import UnavailableError

PROCESSES: Final = 2
USUAL_S: Final = 5.0
GOALS: Final[dict[str, Goal]] = {
    "mean_gap": ("<=", 0.10),
    "worst_gap": ("<=", 1.5),
    "mean_gap_v": ("<=", 0.5),
    "wrong": ("<=", 0.0),
}


class Solved(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one instance: its score by the evaluator, its gap in percent, and how far the search got."""

    instance: str
    path_count: int
    score: int
    gap_pct: float
    iterations: int
    is_right: bool


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One instance to solve, and how hard."""

    path: Path
    known: BestKnown
    effort: Effort


def run(
    *,
    runs: int,  # noqa: ARG001 - every instance is solved once
    seed: int,
    folder: Path | None = None,
    duration_s: float | None = None,
    iterations: int | None = None,
) -> Figures:
    """Solve every instance that is there. Raises UnavailableError where there is none, FileFormatError for a bad file."""
    home = folder or _recorded()
    rows = read_best_known((home / "best_known.csv").read_bytes()) if (home / "best_known.csv").is_file() else ()
    files = {path.stem: path for path in sorted(home.rglob("*.txt"))}
    asked = [
        Asked(path=files[row.instance], known=row, effort=_effort(row, seed, duration_s, iterations))
        for row in rows
        if row.instance in files
    ]
    if not asked:
        message = f"{home} holds no best_known.csv with an instance beside it: give a folder with --dir"
        raise UnavailableError(message)
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        solved = list(pool.map(solve_one, asked))
    figures = _figures(solved, missing_count=len(rows) - len(asked))
    return Figures(figures=figures, goals={name: goal for name, goal in GOALS.items() if figures[name] is not None})


def solve_one(asked: Asked) -> Solved:
    """Solve an instance and let the evaluator reckon the answer; ends early once nothing better is known to exist."""
    data, known = asked.path.read_bytes(), asked.known
    problem = read_instance(data, name=asked.path.stem).problem(known.path_count)
    all_prizes = sum(job.prize for job in problem.jobs)
    told: list[Routes] = []
    found = solve(
        problem,
        effort=asked.effort,
        on_better=told.append,
        stop=lambda: bool(told) and told[-1].score == all_prizes,
    )
    paths = [[stop.job + 1 for stop in route.stops] for route in found.routes]
    score = evaluate(data, paths, name=asked.path.stem, path_count=known.path_count)
    return Solved(
        instance=known.instance,
        path_count=known.path_count,
        score=score,
        gap_pct=100.0 * (known.score - score) / known.score,
        iterations=found.iterations,
        is_right=score == found.score and (score <= known.score or not known.is_proven),
    )


def _effort(row: BestKnown, seed: int, duration_s: float | None, iterations: int | None) -> Effort:
    if iterations is not None:
        return Effort(within_s=None, iterations=iterations, seed=seed)
    within_s = duration_s or USUAL_S
    return Effort(within_s=within_s if row.path_count == 1 else 2.0 * within_s, seed=seed)


def _figures(solved: Sequence[Solved], *, missing_count: int) -> dict[str, float | int | str | None]:
    single = [one for one in solved if one.path_count == 1]
    several = [one for one in solved if one.path_count > 1]
    return {
        "mean_gap": _mean(single),
        "worst_gap": _worst(single),
        "mean_gap_v": _mean(several),
        "worst_gap_v": _worst(several),
        "instances": len(solved),
        "instances_v": len(several),
        "missing": missing_count,
        "optimal": sum(one.gap_pct <= 0.0 for one in solved),
        "optimal_v": sum(one.gap_pct <= 0.0 for one in several),
        "wrong": sum(not one.is_right for one in solved),
        "median_iterations": round(statistics.median(one.iterations for one in single)) if single else None,
        "median_iterations_v": round(statistics.median(one.iterations for one in several)) if several else None,
        "gaps": ", ".join(f"{one.instance}({one.path_count}) {one.gap_pct:.2f}" for one in solved if one.gap_pct > 0.0),
    }


def _mean(solved: Sequence[Solved]) -> float | None:
    return round(statistics.fmean(one.gap_pct for one in solved), 4) if solved else None


def _worst(solved: Sequence[Solved]) -> float | None:
    return round(max(one.gap_pct for one in solved), 4) if solved else None


def _recorded() -> Path:
    """Return the recorded instances (SKYBEAT_TEST_DATA, by default shared/data beside the project)."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    return Path(os.environ.get("SKYBEAT_TEST_DATA", beside)) / "mission" / "toptw"
