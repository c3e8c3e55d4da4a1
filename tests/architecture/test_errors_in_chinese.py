"""What a person may be told on the planner's screen when something cannot be done is said in Chinese too."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
ROOMS: Final = (
    *("mission/formats", "mission/patterns", "mission/rules", "mission/schedule", "mission/flying", "console/patrols"),
    *("mission/days.py", "mission/weather.py", "mission/checking.py", "mission/planner.py", "mission/sketch.py"),
    *(
        "mission/plan_store.py",
        "mission/programme_items.py",
        "mission/programme_merge.py",
        "mission/programme_store.py",
    ),
    *("console/api/exchange.py", "console/api/plans.py", "console/api/plan_files.py", "console/api/programme.py"),
    *("mission/pilot.py", "console/flight/desk.py", "console/flight/sorties.py", "console/flight/actions.py"),
    *("console/asking.py", "console/process_worker.py", "console/api/contract.py"),
)
ERRORS: Final = (
    "InputError",
    "FileFormatError",
    "NotAllowedError",
    "NotFoundError",
    "ConflictError",
    "UnavailableError",
)
"""Those of `telemetry.model.errors`, which take the sentence in English and then in Chinese."""
OF_PROGRAMS: Final = ("mission/schedule/routing/", "mission/schedule/streets/")
"""Solvers: what they refuse is a fault of ours."""


def files() -> Iterator[Path]:
    for room in ROOMS:
        path = ROOT / room
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]


def english_only(source: str) -> list[int]:
    """Return the lines that make an error of the tree without its Chinese."""
    made = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [
        node.lineno
        for node in made
        if isinstance(node.func, ast.Name)
        and node.func.id in ERRORS
        and len(node.args) < len(("en", "zh"))
        and not any(isinstance(argument, ast.Starred) for argument in node.args)
    ]


def test_every_error_of_the_planners_rooms_is_said_in_chinese_too() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in files()
        if not str(path.relative_to(ROOT)).startswith(OF_PROGRAMS)
        for line in english_only(path.read_text())
    ]
    assert not found, found


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ('raise InputError("a")', [1]),
        ('raise InputError("a", "b")', []),
        ("raise InputError(*both)", []),
        ("len(x)", []),
    ],
)
def test_the_search_finds_what_lacks_its_chinese(source: str, lines: list[int]) -> None:
    assert english_only(source) == lines
