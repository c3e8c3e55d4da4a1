"""Messages of JT/T 808 in parts: put together in any order, asked for again, bounded, and promised only when whole."""

import pytest

from telemetry.model.batch import Quality
from telemetry.model.decoding import Promise
from telemetry.sources.jt808 import messages as m
from telemetry.sources.jt808.frame import Form, Frame
from telemetry.sources.jt808.parts import BYTES_AT_MOST, GROUPS_AT_MOST, PARTS_AT_MOST, Assembly
from telemetry.sources.jt808.terminal import Edition
from tests.jt808_scene import START_US, Call, fix_at, frames_in, promises_of

FIXES = [fix_at(START_US - number * 1_000_000) for number in range(130)]
FORM = Form(b"\x01\x39\x12\x34\x56\x78")


def parts_of(call: Call) -> list[bytes]:
    """The frames of a batch in four parts."""
    data = call.terminal.batch(FIXES, archive=True).data
    return [b"~" + piece + b"~" for piece in data.split(b"~") if piece]


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]])
def test_parts_in_any_order_give_the_whole_message_once_and_are_all_promised_with_it(order: list[int]) -> None:
    call = Call().connect()
    parts = parts_of(call)
    for number in order[:-1]:
        assert not call.say(parts[number]).acknowledged, "a part alone is on no disk"
        assert len(call.batch) == 0
    heard = call.say(parts[order[-1]])
    assert sorted(heard.acknowledged) == serials_of(parts)
    assert promises_of(call.outputs[-1]) == [Promise.DURABLE]
    assert len(call.batch) == 130
    assert {Quality(int(value)) for value in call.batch["quality"]} == {Quality.ARCHIVE}


def serials_of(parts: list[bytes]) -> list[int]:
    return [frame.serial for part in parts for frame in frames_in(part)]


def test_a_part_sent_twice_changes_nothing() -> None:
    call = Call().connect()
    parts = parts_of(call)
    for part in (parts[0], parts[0], *parts[1:]):
        call.say(part)
    assert len(call.batch) == 130


def test_a_terminal_that_waits_for_the_answer_to_each_part_is_answered_after_a_second_and_from_then_on_at_once() -> (
    None
):
    call = Call().connect()
    parts = parts_of(call)
    assert not call.say(parts[0]).acknowledged
    heard = call.hear(call.decoder.tick(START_US + 1_000_000))
    assert heard.acknowledged == (1,)
    assert call.say(parts[1]).acknowledged == (2,)
    assert call.say(parts[2]).acknowledged == (3,)
    assert call.say(parts[3]).acknowledged == (4,)
    assert promises_of(call.outputs[-1]) == [Promise.DURABLE]
    assert len(call.batch) == 130


@pytest.mark.parametrize("edition", list(Edition))
def test_missing_parts_are_asked_for_again_and_come(edition: Edition) -> None:
    call = Call(edition=edition).connect()
    parts = parts_of(call)
    call.say(parts[0] + parts[3])
    call.decoder.tick(START_US + 4_000_000)
    assert call.frames[-1].msg_id != m.RESEND
    heard = call.hear(call.decoder.tick(START_US + 5_000_000))
    request = call.frames[-1]
    assert request.msg_id == m.RESEND
    count = b"\x00\x02" if edition is Edition.E2019 else b"\x02"
    assert request.body == b"\x00\x01" + count + b"\x00\x02\x00\x03"
    call.say(heard.data)
    assert len(call.batch) == 130


def test_a_message_that_stays_broken_is_asked_for_three_times_and_then_given_up() -> None:
    call = Call().connect()
    call.say(parts_of(call)[1])
    asked = 0
    for second in range(0, 60, 5):
        output = call.decoder.tick(START_US + second * 1_000_000)
        asked += sum(frame.msg_id == m.RESEND for reply in output.replies for frame in frames_in(reply.data))
        call.outputs.append(output)
    assert asked == 3
    assert call.bad("parts_lost") == 1


def test_parts_of_messages_that_nobody_reads_are_answered_one_by_one_and_not_kept() -> None:
    call = Call().connect()
    heard = call.say(call.terminal.say(0x0801, bytes(3_000)).data)
    assert [result for _, result in heard.refused] == [m.Result.UNSUPPORTED] * 3
    assert call.decoder._assembly._size_bytes == 0


def frame_of(number: int, *, part: int = 1, parts: int = 2, size_bytes: int = 1) -> Frame:
    return Frame(m.BATCH, number & 0xFFFF, bytes(size_bytes), FORM, part, parts)


def test_begun_messages_are_bounded_in_number_and_bytes() -> None:
    assembly = Assembly()
    for number in range(0, 10 * GROUPS_AT_MOST, 10):
        assembly.take(frame_of(number))
    assert len(assembly._groups) == GROUPS_AT_MOST
    for part in range(1, 900):
        for first in (30_000, 40_000):
            assembly.take(frame_of(first + part, part=part, parts=PARTS_AT_MOST, size_bytes=1_000))
    assert assembly._size_bytes <= BYTES_AT_MOST
    assert assembly.dropped_count >= GROUPS_AT_MOST


@pytest.mark.parametrize(("part", "parts"), [(0, 3), (4, 3), (1, PARTS_AT_MOST + 1)])
def test_a_part_that_cannot_be_is_dropped(part: int, parts: int) -> None:
    assembly = Assembly()
    assert assembly.take(frame_of(1, part=part, parts=parts)) is None
    assert assembly.dropped_count == 1
    assert not assembly._groups
