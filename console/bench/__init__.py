"""Benchmarks that anyone can run: one file each with `run(*, runs, seed) -> Figures`; ratios against a peer are the gate.

A benchmark takes beside them what its `run` names: `osm` (a map extract in place of the demo city), `duration_s` (how long, for
those that last), `iterations` (how many, instead), `folder` (instances of one's own), `geojson` (shapes of one's own).
"""

import importlib
import inspect
import os
import pkgutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec

from telemetry.model.errors import InputError, NotFoundError

_OPTIONS: Final = {
    "osm": "map",
    "duration_s": "duration",
    "iterations": "count of iterations",
    "folder": "folder of instances",
    "geojson": "shapes",
}
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


def names() -> list[str]:
    """Return the names of all benchmarks."""
    return sorted(info.name for info in pkgutil.iter_modules(__path__))


def run_benchmark(name: str, *, runs: int, seed: int, **options: Path | float | None) -> dict[str, object]:
    """Run one benchmark and return the printed object; `options` are those of the module's docstring, None where not given.

    Raises NotFoundError for an unknown name, InputError for an option that the benchmark does not use.
    """
    if name not in names():
        message = f"there is no benchmark {name!r}: choose from {', '.join(names())}"
        raise NotFoundError(message)
    run: Callable[..., Figures] = importlib.import_module(f"{__name__}.{name}").run
    extra = {option: value for option, value in options.items() if value is not None}
    for option, value in extra.items():
        _check_used(name, run, option, value)
    load1 = os.getloadavg()[0]
    result = run(runs=runs, seed=seed, **extra)
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


def _check_used(name: str, run: Callable[..., Figures], option: str, value: object) -> None:
    if option not in inspect.signature(run).parameters:
        message = f"the benchmark {name!r} uses no {_OPTIONS[option]}: leave {value} out"
        raise InputError(message)


def _meets(figure: float | str | None, sign: str, bound: float) -> bool:
    if not isinstance(figure, int | float):
        return False
    return figure >= bound if sign == ">=" else figure <= bound
