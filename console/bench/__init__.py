"""Benchmarks that anyone can run: one file each with `run(*, runs, seed) -> Figures`; ratios against a peer are the gate."""

import importlib
import os
import pkgutil
from collections.abc import Mapping
from typing import Literal, Protocol, TypeAlias

import msgspec

from telemetry.model.errors import NotFoundError

Goal: TypeAlias = tuple[Literal[">=", "<="], float]


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What a benchmark saw: named figures (units in their names) and the goals that some of them have."""

    figures: Mapping[str, float | int | str | None]
    goals: Mapping[str, Goal]

    def unmet(self) -> list[str]:
        """Return a sentence for every goal that was missed or could not be measured."""
        return [
            f"{name} is {self.figures.get(name)}, the goal is {sign} {bound}"
            for name, (sign, bound) in self.goals.items()
            if not _meets(self.figures.get(name), sign, bound)
        ]


class Benchmark(Protocol):
    """A module of this package."""

    def run(self, *, runs: int, seed: int) -> Figures:
        """Measure `runs` times and return medians."""


def names() -> list[str]:
    """Return the names of all benchmarks."""
    return sorted(info.name for info in pkgutil.iter_modules(__path__))


def run_benchmark(name: str, *, runs: int, seed: int) -> dict[str, object]:
    """Run one benchmark and return the printed object. Raises NotFoundError for an unknown name."""
    if name not in names():
        message = f"there is no benchmark {name!r}: choose from {', '.join(names())}"
        raise NotFoundError(message)
    module: Benchmark = importlib.import_module(f"{__name__}.{name}")
    load1 = os.getloadavg()[0]
    result = module.run(runs=runs, seed=seed)
    return {
        "name": name,
        "seed": seed,
        "cpu_count": os.cpu_count(),
        "load1": round(load1, 2),
        "runs": runs,
        **result.figures,
        "goals": {goal: f"{sign} {bound:g}" for goal, (sign, bound) in result.goals.items()},
        "unmet": result.unmet(),
    }


def _meets(figure: float | str | None, sign: str, bound: float) -> bool:
    if not isinstance(figure, int | float):
        return False
    return figure >= bound if sign == ">=" else figure <= bound
