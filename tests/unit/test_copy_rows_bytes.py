"""The COPY encoder's bytes are those that struct would write, for every pattern of NULLs."""

import struct
from typing import Any

import numpy as np
import pytest
from numpy.random import Generator

from telemetry.model.batch import NULLABLE, REPORT, Batch, Quality, hash_fixes, new_batch, unknown_of
from telemetry.model.events import AnyEvent, SosRaised, StatusText
from telemetry.recording.copy_rows import (
    EARLIEST_US,
    HEADER,
    LATEST_US,
    POSTGRES_EPOCH_US,
    TRAILER,
    body_of,
    copy_events,
    copy_positions,
    hash_event,
    say_times,
)

WIDTHS = {"i1": ("h", 2), "i2": ("h", 2), "i4": ("i", 4), "i8": ("q", 8)}
NOW_US = 1_790_000_000_000_000


def some_batch(random: Generator, row_count: int, null_patterns: int) -> Batch:
    """Rows with every column filled at random, of which some columns are unknown in `null_patterns` ways."""
    batch = new_batch(row_count)
    for column in REPORT.names or ():
        limits = np.iinfo(REPORT[column])
        batch[column] = random.integers(
            limits.min + 1, limits.max, row_count, REPORT[column].newbyteorder("="), endpoint=True
        )
    for column in ("observed_us", "received_us"):
        batch[column] = NOW_US + random.integers(-(10**12), 10**12, row_count)
    for pattern in range(1, null_patterns):
        rows = np.arange(row_count) % null_patterns == pattern
        for column in NULLABLE[pattern::3]:
            batch[column][rows] = unknown_of(column)
    hash_fixes(batch)
    return batch


def struct_row(row: np.void) -> bytes:
    """The same row by struct, one field after the other."""
    parts = [struct.pack(">h", len(REPORT.names or ()))]
    for column in REPORT.names or ():
        value = int(row[column])
        code, width = WIDTHS[REPORT[column].str.lstrip("<|")]
        if column in NULLABLE and value == unknown_of(column):
            parts.append(struct.pack(">i", -1))
            continue
        if column in ("observed_us", "received_us"):
            value -= POSTGRES_EPOCH_US
        parts.append(struct.pack(f">i{code}", width, value))
    return b"".join(parts)


@pytest.mark.parametrize("null_patterns", [1, 2, 3, 7])
def test_rows_are_the_bytes_that_struct_writes(null_patterns: int) -> None:
    batch = some_batch(np.random.default_rng(3), 50, null_patterns)
    buffers = copy_positions(batch)
    assert bytes(buffers[0]) == HEADER
    assert bytes(buffers[-1]) == TRAILER
    found = b"".join(buffers[1:-1])
    by_pattern: dict[tuple[bool, ...], list[bytes]] = {}
    for row in batch:
        pattern = tuple(bool(row[column] == unknown_of(column)) for column in reversed(NULLABLE))
        by_pattern.setdefault(pattern, []).append(struct_row(row))
    assert len(buffers) == len(by_pattern) + 2
    assert found == b"".join(b"".join(rows) for _, rows in sorted(by_pattern.items()))


def test_a_row_of_which_nothing_is_known_is_all_nulls() -> None:
    batch = new_batch(1)
    assert bytes(copy_positions(batch)[1]) == struct_row(batch[0])


def test_an_empty_batch_is_an_empty_stream() -> None:
    assert b"".join(copy_positions(new_batch(0))) == HEADER + TRAILER


def test_times_that_no_calendar_has_are_cut_and_marked() -> None:
    batch = new_batch(3)
    batch["observed_us"] = [-(2**63), NOW_US, 2**63 - 1]
    said = say_times(batch)
    assert said["observed_us"].tolist() == [EARLIEST_US, NOW_US, LATEST_US]
    assert said["quality"].tolist() == [Quality.SATURATED, 0, Quality.SATURATED]
    assert batch["observed_us"][0] == -(2**63)
    assert say_times(batch[1:2])["observed_us"][0] == NOW_US


def event(**changes: object) -> AnyEvent:
    values: dict[str, object] = {
        "device_id": 7,
        "observed_us": NOW_US,
        "received_us": NOW_US + 5,
        "text": "help",
        **changes,
    }
    return SosRaised(**values)  # type: ignore[arg-type]


def test_an_event_row_is_the_bytes_that_struct_writes() -> None:
    sos = event()
    body = b"\x01" + body_of(sos)
    expected = struct.pack(
        f">h iiiqiq i10s ih i{len(body)}s iq".replace(" ", ""),
        *(7, 4, 7, 8, NOW_US - POSTGRES_EPOCH_US, 8, NOW_US + 5 - POSTGRES_EPOCH_US),
        *(10, b"sos_raised", 2, 3, len(body), body, 8, hash_event(sos)),
    )
    assert b"".join(copy_events([sos])) == HEADER + expected + TRAILER


def test_an_event_heard_again_has_the_same_hash_and_another_one_has_not() -> None:
    said: dict[str, Any] = {"device_id": 7, "observed_us": NOW_US, "level": 3, "text": "help"}
    once = hash_event(StatusText(**said, received_us=NOW_US + 5))
    assert once == hash_event(StatusText(**said, received_us=NOW_US + 99))
    assert once != hash_event(StatusText(**{**said, "text": "now"}, received_us=NOW_US + 5))


def test_a_second_call_for_help_is_kept_even_when_the_devices_clock_stands_still() -> None:
    assert hash_event(event()) != hash_event(event(received_us=NOW_US + 99))


def test_a_nul_in_a_text_never_reaches_the_database() -> None:
    text = StatusText(device_id=1, observed_us=0, received_us=0, level=3, text="a\x00b")
    assert b"\\u0000" not in body_of(text)
    assert "a\ufffdb" in body_of(text).decode()
