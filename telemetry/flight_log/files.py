"""The files of flight logs: their names, what is told of them, and which must go."""

import os
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from infra.clock import MICROSECONDS, utc_of
from telemetry.model.errors import NotFoundError

_NAME: Final = re.compile(r"device(\d{1,10})-(\d{8}T\d{6})Z(-\d{1,3})?\.tlog")
_STAMP: Final = "%Y%m%dT%H%M%S"
NONE_GOES_ON: Final[Mapping[str, int]] = {}


class FlightLogFile(msgspec.Struct, frozen=True, kw_only=True):
    """One log, or one part of a long flight; `ended_us` is when the last frame was written, None while it goes on.

    `size_bytes` of one that goes on end with a whole frame.
    """

    name: str
    device_id: int
    started_us: int
    ended_us: int | None
    size_bytes: int


def name_of(device_id: int, started_us: int, part: int) -> str:
    """Return the name of a flight's log; `part` counts from 1."""
    further = "" if part == 1 else f"-{part}"
    return f"device{device_id}-{utc_of(started_us):{_STAMP}}Z{further}.tlog"


def list_logs(directory: Path, going_on: Mapping[str, int] = NONE_GOES_ON) -> list[FlightLogFile]:
    """Return the logs, the newest first; `going_on` are those still being written, each with its bytes up to the last whole frame."""
    if not directory.is_dir():
        return []
    found = [_told(path, going_on) for path in directory.iterdir()]
    return sorted((log for log in found if log is not None), key=lambda log: (-log.started_us, log.name))


def path_of(directory: Path, name: str) -> Path:
    """Return a log's file. Raises NotFoundError for a name that is none of ours or of a log that is gone."""
    path = directory / name
    if _NAME.fullmatch(name) is None or not path.is_file():
        message = f"there is no flight log {name[:100]!r}: GET /api/flights/logs lists those that are kept"
        raise NotFoundError(message)
    return path


def to_delete(
    logs: Iterable[FlightLogFile], *, now_us: int, keep_us: int, max_bytes: int, missing_bytes: int
) -> list[FlightLogFile]:
    """Return which logs must go: those past their days, then the oldest until the rest fits and `missing_bytes` are free again.

    One that is being written stays.
    """
    ended = sorted((log for log in logs if log.ended_us is not None), key=lambda log: log.started_us)
    used_bytes = sum(log.size_bytes for log in logs)
    gone: list[FlightLogFile] = []
    freed_bytes = 0
    for log in ended:
        assert log.ended_us is not None
        is_old = log.ended_us < now_us - keep_us
        if is_old or used_bytes - freed_bytes > max_bytes or freed_bytes < missing_bytes:
            gone.append(log)
            freed_bytes += log.size_bytes
    return gone


def private(path: str, flags: int) -> int:
    """Open a file that nobody else may read: an opener for `open`."""
    return os.open(path, flags, 0o600)


def _told(path: Path, going_on: Mapping[str, int]) -> FlightLogFile | None:
    match = _NAME.fullmatch(path.name)
    if match is None:
        return None
    started = datetime.strptime(match[2], _STAMP).replace(tzinfo=UTC)
    status = path.stat()
    return FlightLogFile(
        name=path.name,
        device_id=int(match[1]),
        started_us=round(started.timestamp() * MICROSECONDS),
        ended_us=None if path.name in going_on else round(status.st_mtime * MICROSECONDS),
        size_bytes=going_on.get(path.name, status.st_size),
    )
