"""Rows of structured arrays are copied as plain bytes, with what numpy's own copy gives."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from telemetry.model.batch import new_batch
from telemetry.model.slots import Slots, copied, put_rows, rows_at

TABLE = np.dtype([("id", "<i4"), ("inner", [("us", "<i8"), ("ok", "?")]), ("pair", "<i8", (2,))])


def table(count: int) -> NDArray[Any]:
    made = np.zeros(count, TABLE)
    made["id"], made["inner"]["us"], made["inner"]["ok"] = np.arange(count), 7 * np.arange(count), True
    made["pair"] = np.arange(2 * count).reshape(count, 2)
    return made


@pytest.mark.parametrize("rows", [np.array([3]), np.array([4, 1, 1]), np.array([], np.intp), np.arange(5) > 2])
def test_rows_copied_as_bytes_are_the_rows_that_numpy_copies(rows: NDArray[Any]) -> None:
    whole = table(5)
    assert (rows_at(whole, rows) == whole[rows]).all()
    assert (rows_at(whole["inner"], rows) == whole["inner"][rows]).all()
    copy = copied(whole[::2])
    copy["id"] = -1
    assert (whole == table(5)).all()


def test_rows_are_written_where_they_belong_and_nowhere_else() -> None:
    whole = table(5)
    put_rows(whole["inner"], np.array([4, 0]), table(5)["inner"][[1, 2]])
    assert whole["inner"]["us"].tolist() == [14, 7, 14, 21, 7]
    assert whole["id"].tolist() == [0, 1, 2, 3, 4]
    put_rows(whole, slice(None), table(5)[2])
    assert whole["id"].tolist() == [2] * 5


def test_a_number_beyond_all_that_are_known_has_no_row() -> None:
    slots = Slots()
    assert slots.find(np.array([9])).tolist() == [-1]
    assert slots.take(np.array([5, 2, 5], np.int32)).tolist() == [0, 1, 0]
    assert slots.find(np.array([1, 2, 3, 5, 9])).tolist() == [-1, 1, -1, 0, -1]


def test_an_empty_batch_is_one_too() -> None:
    assert len(new_batch(0)) == len(copied(new_batch(0))) == 0
