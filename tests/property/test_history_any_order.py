"""Whatever the order in which rows arrive and whenever history is derived between, roll-ups, trips and stops come out the same."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from telemetry.history.derived import DerivedHistory
from telemetry.model.batch import Batch, Quality, hash_fixes, new_batch, sort_for_storage
from telemetry.recording.copy_rows import copy_positions
from telemetry.recording.store import Group, RecorderStore
from tests.conftest import FakeClock, TestDatabase

pytestmark = pytest.mark.database

BEGIN_US = 1_790_000_000_000_000 // 86_400_000_000 * 86_400_000_000 + 14 * 3_600_000_000
"""Two hours before a unit's day begins (16:00 UTC), so that a run crosses it."""
DERIVED = {
    "position_minute": "device_id, bin_at",
    "position_quarter_hour": "device_id, bin_at",
    "movement": "device_id, started_at, kind",
}


class House:
    """A database whose history is written by arrivals and derived between them."""

    def __init__(self, database: TestDatabase) -> None:
        self.owner = psycopg.connect(database.owner_url, autocommit=True)
        self.writer = psycopg.connect(database.writer_url, autocommit=True)
        self.store = RecorderStore(database.writer_url)
        self.clock = FakeClock(BEGIN_US)
        self.derived = DerivedHistory(database.writer_url, database.owner_url, self.clock, lag_s=lambda: 0.0)
        self._epoch = 0
        self.owner.execute(
            "insert into device (device_id, protocol, address) values (1, 'osmand', 'a'), (2, 'osmand', 'b')"
        )

    def empty(self) -> None:
        """Forget all history."""
        self._epoch += 1
        for table in ("position", "late_interval", "ingest_ledger", *DERIVED):
            self.owner.execute(f"truncate store.{table}".encode())
        self.owner.execute(
            "update store.derived_progress set claimed_through = '-infinity', derived_through = '-infinity', "
            "moved_through = '-infinity'"
        )

    def arrive(self, rows: Batch, number: int) -> None:
        """Record rows as one group of the recorder."""
        rows = sort_for_storage(rows)
        group = Group(
            epoch=self._epoch,
            first_sequence=number,
            last_sequence=number,
            rows=rows,
            rows_encoded=copy_positions(rows),
            odd_rows=new_batch(0),
        )
        self.store.write(group, lambda _: None)

    def derive(self, line_us: int) -> None:
        """Derive history as a turn does when the line is at `line_us`."""
        self.clock.step((line_us + 120_000_000 - self.clock.now_us()) / 1e6)
        self.derived.derive(self.writer, move_step="0 s")
        self.derived.mend(self.writer)

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return all that is derived."""
        return {
            table: self.owner.execute(f"select * from store.{table} order by {order}".encode()).fetchall()
            for table, order in DERIVED.items()
        }

    def close(self) -> None:
        """Let go of the connections."""
        self.owner.close()
        self.writer.close()
        self.store.close()


@pytest.fixture
def house(database: TestDatabase) -> Iterator[House]:
    made = House(database)
    yield made
    made.close()


def walk(random: np.random.Generator) -> Batch:
    """Return four hours of two devices that drive, stand, fall silent and say odd places."""
    rows = []
    for device_id in (1, 2):
        steps_s = random.choice([5, 10, 20, 40, 900, 4000], 200, p=[0.3, 0.3, 0.2, 0.18, 0.015, 0.005])
        observed_us = BEGIN_US + np.cumsum(steps_s).astype(np.int64) * 1_000_000 + random.integers(0, 900_000, 200)
        moving = np.repeat(random.random(10) < 0.5, 20)
        batch = new_batch(200)
        batch["device_id"] = device_id
        batch["observed_us"] = observed_us
        batch["received_us"] = observed_us
        batch["lat_e7"] = 300_000_000 + np.cumsum(np.where(moving, random.integers(0, 9_000, 200), 0))
        batch["lon_e7"] = 1_140_000_000 + np.cumsum(np.where(moving, random.integers(-3_000, 9_000, 200), 0))
        batch["speed_cmps"] = np.where(moving, 900, 0)
        bits = [0, int(Quality.NO_FIX), int(Quality.JUMPED), int(Quality.PARKED), int(Quality.NULL_ISLAND)]
        batch["quality"] = random.choice(bits, 200, p=[0.9, 0.025, 0.025, 0.025, 0.025])
        rows.append(batch)
    batch = np.concatenate(rows)
    batch[random.random(len(batch)) < 0.05] = batch[0]  # sent twice
    hash_fixes(batch)
    return batch


def pieces(order: NDArray[np.intp], cuts: list[int]) -> list[NDArray[np.intp]]:
    return [piece for piece in np.split(order, sorted(cut % len(order) for cut in cuts)) if len(piece)]


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(seed=st.integers(0, 2**31), cuts=st.lists(st.integers(0, 399), max_size=6), turns=st.integers(1, 3))
def test_any_order_of_arrival_gives_the_history_of_arrival_in_order(
    house: House, seed: int, cuts: list[int], turns: int
) -> None:
    random = np.random.default_rng(seed)
    rows = walk(random)
    end_us = int(rows["observed_us"].max()) + 3_600_000_000
    house.empty()
    house.arrive(rows, 1)
    house.derive(end_us)
    expected = house.tables()
    assert expected["position_minute"]
    assert expected["position_quarter_hour"]

    house.empty()
    lines_us = np.sort(random.integers(BEGIN_US, end_us, 8))
    for number, piece in enumerate(pieces(random.permutation(len(rows)), cuts), start=1):
        house.arrive(rows[piece], number)
        if number % turns == 0:
            house.derive(int(lines_us[number % 8]))
    house.derive(end_us)
    assert house.tables() == expected
    assert house.owner.execute("select count(*) from store.late_interval").fetchone() == (0,)
