"""What stands when a server is ready is not walked again by the collector of cycles."""

import gc

from infra.heap import YOUNG_AT_MOST, settle_heap


def test_what_stands_is_frozen_and_what_comes_later_is_collected_as_before() -> None:
    threshold = gc.get_threshold()
    try:
        settle_heap()
        assert gc.get_freeze_count() > 0
        assert gc.get_threshold() == (YOUNG_AT_MOST, *threshold[1:])
        cycle: list[object] = []
        cycle.append(cycle)
        del cycle
        assert gc.collect() >= 1
    finally:
        gc.unfreeze()
        gc.set_threshold(*threshold)
