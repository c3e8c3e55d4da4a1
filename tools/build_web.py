"""Build the web app into console/static: with the machine's Node.js from 20 on, else with the one that PyPI carries."""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).resolve().parent.parent
WEB: Final = PROJECT / "console" / "web"
STATIC: Final = PROJECT / "console" / "static"
STAMP: Final = STATIC / ".built"
OLDEST_NODE: Final = 20
NOT_SOURCE: Final = frozenset({"node_modules", "dev", "coverage", "pictures"})


def main() -> None:
    """Build when the sources changed since the last build; with --check run the web app's own checks too."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="type-check, lint and test the web app; builds nothing")
    parser.add_argument("--force", action="store_true", help="build even if nothing changed")
    options = parser.parse_args()
    if options.check:
        _install_packages(node_folder())
        _npm(node_folder(), "run", "--silent", "check")
        return
    build(force=options.force)


def build(*, force: bool = False) -> None:
    """Install the locked npm packages and build; does nothing when the sources' digest is the last build's."""
    digest = source_digest()
    if not force and STAMP.exists() and STAMP.read_text() == digest:
        STAMP.touch()
        return
    node = node_folder()
    _install_packages(node)
    _npm(node, "run", "--silent", "build")
    STAMP.write_text(digest)


def source_digest() -> str:
    """Return the SHA-256 over every source file's name and content."""
    digest = hashlib.sha256()
    for path in sorted(WEB.rglob("*")):
        inner = path.relative_to(WEB)
        if path.is_file() and not NOT_SOURCE.intersection(inner.parts):
            digest.update(str(inner).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def node_folder() -> Path:
    """Return the folder of a node from 20 on and its npm; installs the one from PyPI into this environment if need be."""
    machine = shutil.which("node")
    if machine and shutil.which("npm", path=str(Path(machine).parent)) and _major(machine) >= OLDEST_NODE:
        return Path(machine).parent
    own = Path(sys.executable).parent
    if not (own / "npm").exists():
        print("no Node.js 20 or newer here: installing the one that PyPI carries", flush=True)
        lock = PROJECT / "requirements-node.lock"
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        subprocess.run([*pip, "-r", str(lock)], check=True)
    return own


def _major(node: str) -> int:
    said = subprocess.run([node, "--version"], check=True, capture_output=True, text=True).stdout
    found = re.match(r"v(\d+)\.", said)
    return int(found[1]) if found else 0


def _install_packages(node: Path) -> None:
    lock = (WEB / "package-lock.json").read_bytes()
    marker = WEB / "node_modules" / ".installed"
    digest = hashlib.sha256(lock).hexdigest()
    if marker.exists() and marker.read_text() == digest:
        return
    _npm(node, "ci", "--no-audit", "--no-fund", "--loglevel=error")
    marker.write_text(digest)


def _npm(node: Path, *arguments: str) -> None:
    environment = os.environ | {"PATH": f"{node}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run([str(node / "npm"), *arguments], cwd=WEB, env=environment, check=False)
    if done.returncode != 0:
        sys.exit(f"npm {' '.join(arguments)} failed with exit status {done.returncode}")


if __name__ == "__main__":
    main()
