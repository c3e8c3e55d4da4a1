"""The oracle of the fault tests finds what it is there to find."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.chaos.diary import ACKNOWLEDGED, ENTRY, SENT
from tests.chaos.oracle import FRAME_WITHIN_US, SHOWN, STORED, doubled, foreign, missing, recovery_s, wrongly_shown

SECOND_US = 1_000_000


def diary(*, acknowledged: int, sent: int = 10) -> NDArray[Any]:
    """A device that sent a fix a second and was acknowledged at once, the first ones."""
    lines = [(SENT, 1, n * SECOND_US, n, 0, n * SECOND_US) for n in range(sent)]
    lines += [(ACKNOWLEDGED, 1, n * SECOND_US, n, 0, n * SECOND_US + 1_000) for n in range(acknowledged)]
    return np.array(lines, ENTRY)


def table(*numbers: int) -> NDArray[Any]:
    return np.array([(1, n, 0, n * SECOND_US) for n in numbers], STORED)


def shown(*seen: tuple[float, int], connection: int = 1) -> NDArray[Any]:
    """Positions by (second, number of the fix)."""
    return np.array([(round(at_s * SECOND_US), connection, 1, number, 0) for at_s, number in seen], SHOWN)


def test_what_was_acknowledged_and_is_not_stored_is_lost_and_what_was_only_sent_is_not() -> None:
    assert missing(diary(acknowledged=3), table(0, 2))["lat_e7"].tolist() == [1]
    assert len(missing(diary(acknowledged=3), table(0, 1, 2, 7))) == 0


def test_a_place_that_stands_twice_is_doubled_also_at_another_time() -> None:
    twice = table(0, 1, 1)
    twice["observed_us"][2] += 392
    assert len(doubled(twice)) == 2
    assert len(doubled(table(0, 1, 2))) == 0


def test_what_nobody_sent_is_made_up() -> None:
    assert foreign(diary(acknowledged=3), table(0, 99))["lat_e7"].tolist() == [99]


def test_recovery_is_the_longest_time_to_the_next_acknowledgement() -> None:
    assert recovery_s(diary(acknowledged=5), [0, 2_500_000]) == 0.5
    assert recovery_s(diary(acknowledged=5), [4_500_000]) is None


def test_a_map_that_follows_is_right() -> None:
    assert wrongly_shown(diary(acknowledged=10), shown(*((n + 0.2, n) for n in range(10)))) == []


def test_a_map_that_shows_what_was_never_sent_goes_back_or_ends_behind_is_wrong() -> None:
    assert "was never" in wrongly_shown(diary(acknowledged=0), shown((0.2, 99)))[0]
    assert "went back" in wrongly_shown(diary(acknowledged=0), shown((3.2, 3), (4.2, 2)))[0]
    assert wrongly_shown(diary(acknowledged=10), shown((3.2, 3))) == [
        "device 1 ends 6 fixes behind what was acknowledged"
    ]


def test_a_map_that_stands_still_is_wrong_unless_the_program_was_stopped_meanwhile() -> None:
    late_s = FRAME_WITHIN_US / SECOND_US + 4
    seen = shown((1.2, 1), (late_s, 9))
    assert "stood still" in wrongly_shown(diary(acknowledged=10), seen)[0]
    assert wrongly_shown(diary(acknowledged=10), seen, [(1_500_000, 9_500_000)]) == []


def test_a_browser_that_connects_anew_may_begin_where_the_server_is() -> None:
    seen = np.concatenate([shown((3.2, 3)), shown((4.2, 2), connection=2)])
    assert wrongly_shown(diary(acknowledged=0), seen) == []
