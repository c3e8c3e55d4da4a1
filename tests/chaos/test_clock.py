"""The machine's wall clock jumps by hours, forward and back: order, ages and the map survive it, and nothing is lost."""

import shutil
import time
from pathlib import Path
from typing import Final

import psycopg
import pytest

from tests.chaos.ground import ground_with_own_database
from tests.chaos.trial import IS_LONG, observed

pytestmark = [pytest.mark.chaos, pytest.mark.database]
LIBRARY: Final = next(iter(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)
JUMPS_S: Final = (3 * 3600, -2 * 3600, 0, -300, 3600, 0) if IS_LONG else (3 * 3600, -2 * 3600, 0)
SETTLE_S: Final = 6.5
"""Longer than a frame may take: a map that stands still is seen."""


def test_the_wall_clock_jumps_by_hours_both_ways(force_folder: Path, tmp_path: Path) -> None:
    if LIBRARY is None or shutil.which("faketime") is None:
        pytest.skip("NO LIBFAKETIME: install Debian's package faketime to see the clock jump")
    stamp = tmp_path / "offset"
    stamp.write_text("+0\n")
    environment = {
        "LD_PRELOAD": str(LIBRARY),
        "FAKETIME_TIMESTAMP_FILE": str(stamp),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
        "FAKE_UTIME": "0",
    }
    with (
        ground_with_own_database(force_folder, environment) as (program, _),
        observed("wall clock jumps by hours", program, program.force.of("osmand", 8)) as one,
    ):
        for offset_s in JUMPS_S:
            one.wait_for_words(20)
            stamp.write_text(f"{offset_s:+d}\n")
            one.note_end()
            one.wait_for_words(20)
            time.sleep(SETTLE_S)
        result = one.verdict()
        behind_s, ahead_s = received_minus_observed_s(program.owner_url)
    assert behind_s == pytest.approx(min(JUMPS_S), abs=60), "the clock did not jump back"
    assert ahead_s == pytest.approx(max(JUMPS_S), abs=60), "the clock did not jump forward"
    assert result.recovery_s is not None
    assert result.recovery_s < 5


def received_minus_observed_s(owner_url: str) -> tuple[float, float]:
    """Return the least and the largest: devices' clocks are right, so it is what the program's clock was wrong by."""
    query = "select extract(epoch from min(received_at - observed_at)), extract(epoch from max(received_at - observed_at)) from store.position"
    with psycopg.connect(owner_url) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return float(row[0]), float(row[1])
