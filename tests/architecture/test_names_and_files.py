"""House rules that a machine can read: names end in units, files stay one idea, nothing speaks of a machine."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

PROJECT: Final = Path(__file__).resolve().parents[2]
FLOORS: Final = ("telemetry", "mission", "console", "infra")
LONGEST_FILE_LINES: Final = 400
LONGEST_FUNCTION_LINES: Final = 60
UNITS: Final = (
    "_s", "_ms", "_us", "_ns", "_m", "_km", "_dm", "_mm", "_km2", "_m2", "_deg", "_ddeg", "_rad", "_e7", "_mps", "_cmps", "_kmh", "_knots",
    "_mps2", "_ratio", "_pct", "_hz", "_bytes", "_v", "_a", "_factor", "_share", "_shares", "_weight", "_per_s", "_pixels", "_rows", "_count", "_c",
    "_degps", "_per_kmh", "_kg", "_mmph",
)  # fmt: skip
WITHOUT_UNIT: Final = frozenset(
    {
        "x", "y", "value", "values", "number", "lowest", "highest", "bound", "figure", "result", "score", "hz", "share", "shares", "ratio", "weight", "speed",
        "factor", "bbox", "a", "b", "f", "param1", "param2", "param3", "param4",
    }
)  # fmt: skip


def tracked(*endings: str) -> list[Path]:
    """Return the files that git tracks or would track, by their endings."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("NO GIT HERE: the files of the project cannot be listed")
    paths = [PROJECT / line for line in listed.stdout.splitlines()]
    return [path for path in paths if path.is_file() and path.name.endswith(endings)]


def sources() -> list[Path]:
    """Return our Python files, generated ones left out."""
    return [
        path for path in tracked(".py") if path.relative_to(PROJECT).parts[0] in FLOORS and "generated" not in path.name
    ]


def floats_of(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield every parameter and attribute annotated as float, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and node.annotation is not None:
            name, annotation, line = node.arg, node.annotation, node.lineno
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name, annotation, line = node.target.id, node.annotation, node.lineno
        else:
            continue
        if ast.unparse(annotation) in {"float", "float | None", "Final[float]"}:
            yield name.lower(), line


def test_every_float_in_a_signature_or_record_ends_in_its_unit() -> None:
    wrong = [
        f"{path.relative_to(PROJECT)}:{line} {name}"
        for path in sources()
        for name, line in floats_of(ast.parse(path.read_text()))
        if not name.endswith(UNITS) and name.lstrip("_") not in WITHOUT_UNIT
    ]
    assert not wrong, "say the unit in the name:\n" + "\n".join(wrong)


def test_every_file_is_short_enough_to_be_one_idea() -> None:
    files = [*sources(), *(path for path in tracked(".ts", ".tsx", ".css") if "generated" not in path.name)]
    long = {path: len(path.read_text().splitlines()) for path in files}
    wrong = [f"{path.relative_to(PROJECT)} {lines}" for path, lines in long.items() if lines > LONGEST_FILE_LINES]
    assert not wrong, f"files of more than {LONGEST_FILE_LINES} lines:\n" + "\n".join(wrong)


def test_every_function_is_short_enough_to_be_read_at_once() -> None:
    wrong = []
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1 - _docstring_lines(node)
                if lines > LONGEST_FUNCTION_LINES:
                    wrong.append(f"{path.relative_to(PROJECT)}:{node.lineno} {node.name} {lines}")
    assert not wrong, f"functions of more than {LONGEST_FUNCTION_LINES} lines:\n" + "\n".join(wrong)


def _docstring_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    text = ast.get_docstring(node)
    return len(text.splitlines()) if text else 0


def test_no_import_hides_behind_type_checking_and_only_tasks_catches_everything() -> None:
    wrong = []
    for path in sources():
        text = path.read_text()
        if "TYPE_CHECKING" in text:
            wrong.append(f"{path.relative_to(PROJECT)}: TYPE_CHECKING")
        if path != PROJECT / "infra" / "tasks.py" and re.search(r"except (Base)?Exception\b|except:", text):
            catches = re.findall(r"except BaseException:\n(?:.*\n){1,4}?\s+raise", text)
            if len(catches) != len(re.findall(r"except (?:Base)?Exception\b|except:", text)):
                wrong.append(f"{path.relative_to(PROJECT)}: a broad except that does not raise again")
    assert not wrong, "\n".join(wrong)


def test_nothing_speaks_of_a_machine_or_a_registry() -> None:
    places = re.compile(
        r"/(?:work|root|home)/[a-z]|registry\.npmjs|files\.pythonhosted|pypi\.org/simple|127\.0\.0\.1:\d+/simple"
    )
    endings = (
        ".py",
        ".ts",
        ".tsx",
        ".css",
        ".md",
        ".toml",
        ".lock",
        ".json",
        ".sql",
        ".html",
        ".yml",
        "Makefile",
        "run",
    )
    wrong = [
        f"{path.relative_to(PROJECT)}:{number} {line.strip()[:100]}"
        for path in tracked(*endings)
        if path != Path(__file__).resolve()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if places.search(line)
    ]
    assert not wrong, "\n".join(wrong)
