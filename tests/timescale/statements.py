"""Every named query of the project with numbered parameters, as a server prepares them."""

import re
from collections.abc import Iterator
from pathlib import Path

from infra.database import load_queries
from tests.conftest import PROJECT

PARAMETER = re.compile(r"%\((\w+)\)s|%%")


def numbered(query: str) -> str:
    """Return the query with `%(name)s` as `$1`, `$2`, ... by first use, and `%%` as `%`."""
    names: list[str] = []

    def number(match: re.Match[str]) -> str:
        name = match[1]
        if name is None:
            return "%"
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    return PARAMETER.sub(number, query)


def all_queries() -> Iterator[tuple[Path, str, str]]:
    """Give file, name and numbered text of every named query."""
    files = [path for room in ("telemetry", "mission", "console") for path in (PROJECT / room).rglob("*.sql")]
    for path in sorted(file for file in files if "node_modules" not in file.parts):
        for name, query in load_queries(path).items():
            yield path, name, numbered(query)
