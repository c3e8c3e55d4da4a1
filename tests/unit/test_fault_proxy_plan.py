"""What a bad line does to what crosses it: the same for the same seed, each fault alone, at its time."""

import pytest

from infra.fault_proxy_plan import (
    NEVER,
    QUEUE_S,
    REORDERED_BY_S,
    SEGMENT_BYTES,
    Crossing,
    Faults,
    Lane,
    Line,
    Rate,
    Span,
    always,
    parse_rate,
)

ALL = Faults(
    loss=always(0.2),
    doubling=always(0.2),
    reordering=always(0.2),
    corruption=always(0.2),
    reset=always(0.05),
    delay_s=always(0.1),
    jitter_s=always(0.3),
)


def udp(faults: Faults, *, seed: int = 1, number: int = 0) -> Lane:
    return Lane(faults, Line.UDP, seed, number, "there")


def tcp(faults: Faults, *, seed: int = 1) -> Lane:
    return Lane(faults, Line.TCP, seed, 0, "there")


def cross(lane: Lane, count: int = 200) -> list[list[Crossing]]:
    return [lane.cross(bytes([number % 256] * 40), number * 0.01) for number in range(count)]


def test_the_same_seed_has_the_same_faults_and_another_seed_or_connection_others() -> None:
    assert cross(udp(ALL)) == cross(udp(ALL))
    assert cross(udp(ALL)) != cross(udp(ALL, seed=2))
    assert cross(udp(ALL)) != cross(udp(ALL, number=1))


def test_a_line_without_faults_passes_everything_on_at_once() -> None:
    assert udp(Faults()).cross(b"abc", 5.0) == [Crossing(5.0, b"abc")]
    assert tcp(Faults()).cross(b"abc", 5.0) == [Crossing(5.0, b"abc")]


def test_more_loss_loses_the_same_pieces_and_further_ones() -> None:
    def lost(share: float) -> set[int]:
        crossed = cross(udp(Faults(loss=always(share))))
        return {number for number, crossings in enumerate(crossed) if not crossings}

    assert lost(0.0) == set()
    assert lost(0.1) < lost(0.3) < lost(1.0)
    assert 40 < len(lost(0.3)) < 80


def test_other_faults_change_nothing_of_what_is_lost() -> None:
    alone = [bool(crossings) for crossings in cross(udp(Faults(loss=always(0.2))))]
    assert [bool(crossings) for crossings in cross(udp(ALL))] == alone


def test_doubled_datagrams_come_twice_and_are_counted() -> None:
    lane = udp(Faults(doubling=always(0.25)))
    twice = [crossings for crossings in cross(lane) if len(crossings) == 2]
    assert 30 < len(twice) < 70
    assert lane.counts["doubling"] == len(twice)
    assert all(first.data == second.data for first, second in twice)


def test_a_reordered_datagram_is_overtaken_by_the_next() -> None:
    crossings = [crossing for crossed in cross(udp(Faults(reordering=always(0.2)))) for crossing in crossed]
    due_s = [crossing.due_s for crossing in crossings]
    assert due_s != sorted(due_s)
    assert max(due - number * 0.01 for number, due in enumerate(due_s)) == pytest.approx(REORDERED_BY_S)


def test_a_corrupted_piece_differs_in_one_bit() -> None:
    changed = 0
    for number, (crossing,) in enumerate(cross(udp(Faults(corruption=always(0.3))))):
        ours = bytes([number % 256] * 40)
        bits = sum((before ^ after).bit_count() for before, after in zip(ours, crossing.data, strict=True))
        assert bits <= 1
        changed += bits
    assert 40 < changed < 80


def test_a_stream_meets_the_same_faults_however_its_bytes_arrive() -> None:
    data = bytes(range(256)) * 80

    def crossed(chunk_bytes: int) -> bytes:
        lane = tcp(Faults(loss=always(0.3), corruption=always(0.3)))
        chunks = [data[at : at + chunk_bytes] for at in range(0, len(data), chunk_bytes)]
        return b"".join(crossing.data for chunk in chunks for crossing in lane.cross(chunk, 0.0))

    assert crossed(7) == crossed(1_000) == crossed(len(data))
    assert (len(data) - len(crossed(len(data)))) % SEGMENT_BYTES == 0
    assert crossed(7) != data


def test_a_stream_keeps_its_order_under_jitter() -> None:
    lane = tcp(Faults(jitter_s=always(0.5)))
    due_s = [crossing.due_s for at in range(100) for crossing in lane.cross(bytes(SEGMENT_BYTES), at * 0.01)]
    assert due_s == sorted(due_s)


def test_a_narrow_line_takes_its_time_and_drops_datagrams_that_would_wait_too_long() -> None:
    stream = tcp(Faults(bytes_per_s=always(1_000)))
    assert [crossing.due_s for crossing in stream.cross(bytes(2_000), 10.0)] == pytest.approx([11.024, 12.0])
    lane = udp(Faults(bytes_per_s=always(1_000)))
    passed = sum(len(lane.cross(bytes(100), 0.0)) for _ in range(50))
    assert passed == round(QUEUE_S * 10) + 1
    assert lane.counts["queue_full"] == 50 - passed


def test_a_half_open_connection_is_silent_both_ways_while_it_lasts() -> None:
    faults = Faults(half_open=parse_rate(["0.5@10-20"], highest=1))
    silent = 0
    for number in range(40):
        there, back = (Lane(faults, Line.UDP, 3, number, name) for name in ("there", "back"))
        assert there.is_silent(15.0) == back.is_silent(15.0)
        assert not there.is_silent(9.9)
        assert not there.is_silent(20.0)
        silent += there.is_silent(15.0)
        assert bool(there.cross(b"a", 15.0)) != there.is_silent(15.0)
    assert 10 < silent < 30


def test_a_reset_cuts_instead_of_passing_on() -> None:
    (crossing,) = tcp(Faults(reset=always(1.0))).cross(b"abc", 0.0)
    assert crossing.is_reset
    there, cut = udp(Faults(reset=always(1.0))).cross(b"abc", 0.0)
    assert (there.data, cut.is_reset) == (b"abc", True)


def test_a_rate_holds_in_its_spans_and_the_largest_wins() -> None:
    rate = parse_rate(["0.1", "0.5@10-20", "0.3@15-18/60"], highest=1)
    assert [rate.at(at_s) for at_s in (0, 10, 16, 20, 76, 79)] == [0.1, 0.5, 0.5, 0.1, 0.3, 0.1]
    assert parse_rate([], highest=1) == NEVER
    assert parse_rate(["1@5-"], highest=1) == Rate((Span(1.0, 5.0),))
    assert not Span(1.0, 5.0).holds(4.9)


@pytest.mark.parametrize("text", ["", "a", "1.5", "-0.1", "0.1@5", "0.1@5-4", "0.1@0-10/5", "0.1@a-b", "1..2"])
def test_what_is_no_rate_is_refused_with_its_value(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no rate|allowed are|must end"):
        parse_rate([text], highest=1)
