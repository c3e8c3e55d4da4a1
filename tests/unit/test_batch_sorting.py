"""Sorting for storage gives the index's order and each identity once, by the quick way and by the sure one."""

import numpy as np
import pytest

from telemetry.model.batch import Batch, hash_fixes, new_batch, sort_for_storage


def scrambled(row_count: int, *, spread_us: int, devices: int, seed: int) -> Batch:
    random = np.random.default_rng(seed)
    batch = new_batch(row_count)
    batch["device_id"] = random.integers(-devices, devices, row_count)
    batch["observed_us"] = 1_790_000_000_000_000 + random.integers(0, spread_us, row_count)
    batch["received_us"] = random.permutation(row_count)
    batch["lat_e7"] = random.integers(0, 3, row_count)
    hash_fixes(batch)
    return batch


@pytest.mark.parametrize(("spread_us", "devices"), [(10**9, 50), (10**13, 50), (40, 3), (1, 1)])
def test_rows_are_in_the_order_of_the_index_once_each(spread_us: int, devices: int) -> None:
    batch = scrambled(500, spread_us=spread_us, devices=devices, seed=spread_us % 97)
    first: dict[tuple[int, int, int], int] = {}
    for row in batch:
        identity = (int(row["device_id"]), -int(row["observed_us"]), int(row["fix_hash"]))
        first[identity] = min(first.get(identity, 10**9), int(row["received_us"]))
    found = [
        ((int(row["device_id"]), -int(row["observed_us"]), int(row["fix_hash"])), int(row["received_us"]))
        for row in sort_for_storage(batch)
    ]
    assert found == sorted(first.items())


def test_the_given_batch_is_left_alone_and_times_at_the_ends_of_the_type_are_sorted() -> None:
    batch = new_batch(3)
    batch["observed_us"] = [-(2**63), 2**63 - 1, 0]
    before = batch.copy()
    assert sort_for_storage(batch)["observed_us"].tolist() == [2**63 - 1, 0, -(2**63)]
    assert (batch == before).all()
