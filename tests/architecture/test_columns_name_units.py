"""Columns of numbers, in SQL and in numpy, end in their unit or say that they count, number or point."""

import re
from typing import Final

from console.wire import TRAIL_COLUMNS, UNIT_COLUMNS
from infra.migrate import load_migrations
from telemetry.model.batch import REPORT
from telemetry.model.unit_state import UNIT_STATE

NUMBER_COLUMN: Final = re.compile(
    r"^\s+([a-z_0-9]+) (?:int|int2|int4|int8|integer|bigint|smallint|real|float4|float8|double precision|numeric)\b",
    re.MULTILINE,
)
UNITS: Final = (
    "_e7",
    "_us",
    "_ms",
    "_s",
    "_dm",
    "_cmps",
    "_ddeg",
    "_pct",
    "_days",
    "_bytes",
    "_ratio",
    "_deg",
    "_m",
    "_mps",
)
COUNTS_AND_NAMES: Final = ("_id", "_ids", "_count", "_sequence", "_epoch", "_order", "_hash")
WITHOUT_UNIT: Final = frozenset(
    {
        "satellites", "fix", "quality", "link", "duty", "state", "version",  # counts, enumerations, bits
        "port",  # a name in numbers
        "days", "from_minute", "to_minute",  # a set of weekdays, two minutes of the day
        "positions", "frames_good", "frames_bad", "made", "dropped",  # counts by their names
        "score", "number", "last_number", "severity", "urgency_rank", "timestamp",  # a station's number, a rank, MAVLink's own signing time (10 us since 2015)
    }
)  # fmt: skip


def is_said(name: str) -> bool:
    return name.endswith(UNITS + COUNTS_AND_NAMES) or name in WITHOUT_UNIT


def test_every_column_of_numbers_in_the_schema_says_its_unit() -> None:
    names = {(step.name, name) for step in load_migrations() for name in NUMBER_COLUMN.findall(step.sql)}
    assert len(names) > 40
    wrong = sorted(f"{step} {name}" for step, name in names if not is_said(name))
    assert not wrong, "\n".join(wrong)


def test_every_column_of_batches_states_and_frames_says_its_unit() -> None:
    names = {*(REPORT.names or ()), *(UNIT_STATE.names or ()), *(name for name, _ in UNIT_COLUMNS + TRAIL_COLUMNS)}
    assert sorted(name for name in names if not is_said(name)) == []
