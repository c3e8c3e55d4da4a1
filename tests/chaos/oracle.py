"""The oracle of the fault tests: what was acknowledged against what the table holds and what the map showed."""

import bisect
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import psycopg
from numpy.typing import NDArray

from tests.chaos.diary import ACKNOWLEDGED, SENT, only

REPORT_FILE: Final = "SKYBEAT_TEST_CHAOS_REPORT"
_PLACES: Final = np.dtype([("device_id", "<i4"), ("lat_e7", "<i4"), ("lon_e7", "<i4")])
STORED: Final = np.dtype([*((name, _PLACES[name]) for name in _PLACES.names or ()), ("observed_us", "<i8")])
SHOWN: Final = np.dtype(
    [("at_us", "<i8"), ("connection", "<i4"), *((name, _PLACES[name]) for name in _PLACES.names or ())]
)
"""One position that a browser was shown, when (the machine's monotonic clock) and over which of its connections."""
FRAME_WITHIN_US: Final = 5_000_000
"""A frame shows what was acknowledged so long before it arrived: two busy cores, five frames a second."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a fault test found. `lost`, `doubled`, `foreign` and `wrong_shown` must be 0.

    `foreign` rows were never sent; `unknown` were sent and not acknowledged: they may be there or not. `recovery_s` is the
    longest time from the end of a fault until a client was acknowledged again, `drained_s` until the table had all.
    """

    fault: str
    form: str
    seed: int
    times: int
    sent: int
    acknowledged: int
    stored: int
    unknown: int
    lost: int
    doubled: int
    foreign: int
    wrong_shown: int
    shown: int
    recovery_s: float | None
    drained_s: float | None
    memory_mib: int

    @property
    def is_clean(self) -> bool:
        """Whether nothing acknowledged was lost, nothing is there twice or made up, and the map was right."""
        return not (self.lost or self.doubled or self.foreign or self.wrong_shown)

    def publish(self) -> "Verdict":
        """Print it, and append it to the file that SKYBEAT_TEST_CHAOS_REPORT names."""
        line = msgspec.json.encode(self).decode()
        print(line)  # noqa: T201 - the fault tests' own figures, shown by pytest -s
        if report := os.environ.get(REPORT_FILE):
            with Path(report).open("a") as file:
                file.write(line + "\n")
        return self


def stored_rows(url: str, device_ids: list[int]) -> NDArray[Any]:
    """Return the table's rows of these devices, odd times too."""
    query = (
        "select device_id, lat_e7, lon_e7, (extract(epoch from observed_at) * 1000000)::bigint from {}"
        " where device_id = any(%s)"
    )
    with psycopg.connect(url) as connection:
        tables = ("store.position", "store.position_odd_time")
        rows = [row for table in tables for row in connection.execute(query.format(table), (device_ids,))]
    return np.array(rows, STORED)


def missing(diary: NDArray[Any], stored: NDArray[Any]) -> NDArray[Any]:
    """Return the places that were acknowledged and are not in the table."""
    return np.setdiff1d(_places(only(diary, ACKNOWLEDGED)), _places(stored))


def doubled(stored: NDArray[Any]) -> NDArray[Any]:
    """Return the rows (dtype of `stored_rows`) whose place stands there more than once: nobody was anywhere twice."""
    _, which, counts = np.unique(_places(stored), return_inverse=True, return_counts=True)
    rows: NDArray[Any] = stored[counts[which] > 1]
    return np.sort(rows)


def foreign(diary: NDArray[Any], stored: NDArray[Any]) -> NDArray[Any]:
    """Return the places in the table that nobody ever sent."""
    return np.setdiff1d(_places(stored), _places(only(diary, SENT)))


def wrongly_shown(diary: NDArray[Any], shown: NDArray[Any], outages_us: Sequence[tuple[int, int]] = ()) -> list[str]:
    """Return a sentence for each position that the map should not have shown.

    Shown must be what the device sent, over one connection never older than before, and never older than the newest that was
    acknowledged (FRAME_WITHIN_US earlier; in the end: at all). A map that stands still shows what is old, too; `outages_us` are the times
    in which it had to, since the program was stopped.
    """
    sent = np.sort(only(diary, SENT), order=["device_id", "observed_us", "at_us"], kind="stable")
    rank = {place: number for number, place in enumerate(map(tuple, _places(sent).tolist()))}
    acknowledged = _Newest(only(diary, ACKNOWLEDGED), rank)
    wrong: list[str] = []
    before: dict[tuple[int, int], int] = {}
    newest: dict[int, int] = {}
    for line, place in zip(shown, map(tuple, _places(shown).tolist()), strict=True):
        device_id, key, number = place[0], (int(line["connection"]), place[0]), rank.get(place, -1)
        due = acknowledged.by(device_id, _due_us(int(line["at_us"]), outages_us))
        if number < 0:
            wrong.append(f"device {device_id} was never at {place[1:]}")
        elif number < before.get(key, -1):
            wrong.append(f"device {device_id} went back by {before[key] - number} fixes")
        elif number < due:
            wrong.append(f"device {device_id} is {due - number} fixes behind what was acknowledged")
        elif before.get(key, number) < due:
            wrong.append(f"device {device_id} stood still while {due - before[key]} fixes were acknowledged")
        before[key] = newest[device_id] = number
    for device_id, number in newest.items():
        due = acknowledged.by(device_id, 1 << 62)
        if number < due:
            wrong.append(f"device {device_id} ends {due - number} fixes behind what was acknowledged")
    return wrong


def _due_us(at_us: int, outages_us: Sequence[tuple[int, int]]) -> int:
    """Return until when what was acknowledged must be seen in a frame that came at this time."""
    due_us = at_us - FRAME_WITHIN_US
    begun_us = [begin_us for begin_us, end_us in outages_us if begin_us <= at_us and end_us >= due_us]
    return min([due_us, *(begin_us - FRAME_WITHIN_US for begin_us in begun_us)])


class _Newest:
    """The newest fix of each device that was acknowledged by a time."""

    def __init__(self, acknowledged: NDArray[Any], rank: dict[tuple[int, ...], int]) -> None:
        self._times: dict[int, list[int]] = {}
        self._ranks: dict[int, list[int]] = {}
        for place, at_us in zip(
            map(tuple, _places(acknowledged).tolist()), acknowledged["at_us"].tolist(), strict=True
        ):
            ranks = self._ranks.setdefault(place[0], [])
            ranks.append(max(rank[place], ranks[-1] if ranks else -1))
            self._times.setdefault(place[0], []).append(at_us)

    def by(self, device_id: int, at_us: int) -> int:
        """Return its rank, -1 when none was."""
        place = bisect.bisect_right(self._times.get(device_id, []), at_us)
        return self._ranks[device_id][place - 1] if place else -1


def recovery_s(diary: NDArray[Any], ends_us: list[int]) -> float | None:
    """Return the longest time from the end of a fault to the next acknowledgement; None when there was none after one."""
    times = np.sort(only(diary, ACKNOWLEDGED)["at_us"])
    longest_us = 0
    for end_us in ends_us:
        place = int(np.searchsorted(times, end_us))
        if place == len(times):
            return None
        longest_us = max(longest_us, int(times[place]) - end_us)
    return round(longest_us / 1e6, 2)


def _places(lines: NDArray[Any]) -> NDArray[Any]:
    places = np.empty(len(lines), _PLACES)
    for name in _PLACES.names or ():
        places[name] = lines[name]
    return places


def read_report(path: Path) -> list[dict[str, Any]]:
    """Return the verdicts of a report file."""
    return [json.loads(line) for line in path.read_text().splitlines()]
