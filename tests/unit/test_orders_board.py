"""The board of commands: what goes on, what is over, what a restart finds again."""

import msgspec

from telemetry.model.commands import CommandState, RequestPosition, SendText
from telemetry.model.events import AnyEvent, CommandAnswered, CommandMoved, CommandOrdered, decode_event, encode_event
from telemetry.orders import KEPT_US, QUEUED_FOR_US, OrderBoard

NOW_US = 1_790_000_000_000_000
DEVICE = 7


def ordered(
    command_id: int, *, at_us: int = NOW_US, device_id: int = DEVICE, unit_id: int | None = 3
) -> CommandOrdered:
    command = SendText(device_id=device_id, command_id=command_id, text="ring the centre", is_spoken=True)
    return CommandOrdered(
        device_id=device_id,
        observed_us=at_us,
        received_us=at_us,
        command_id=command_id,
        command=msgspec.json.encode(command).decode(),
        expires_us=at_us + QUEUED_FOR_US,
        unit_id=unit_id,
        account_id=1,
        account_name="zhou",
    )


def moved(command_id: int, state: CommandState, text: str = "", *, at_us: int = NOW_US + 1) -> CommandMoved:
    return CommandMoved(
        device_id=DEVICE, observed_us=at_us, received_us=at_us, command_id=command_id, state=state.value, text=text
    )


def answered(
    command_id: int, state: str, text: str = "", *, at_us: int = NOW_US + 2, device_id: int = DEVICE
) -> CommandAnswered:
    return CommandAnswered(
        device_id=device_id, observed_us=at_us, received_us=at_us, command_id=command_id, state=state, text=text
    )


def test_a_command_goes_from_queued_over_sent_to_delivered() -> None:
    board = OrderBoard()
    board.apply(ordered(1))
    (waiting,) = board.queued()
    assert (waiting.state, waiting.ordered_by, waiting.unit_id) == (CommandState.QUEUED, "zhou", 3)
    board.apply(moved(1, CommandState.SENT))
    assert not board.queued()
    board.apply(answered(1, "delivered"))
    done = board.of(1)
    assert done is not None
    assert (done.state, done.sent_us, done.ended_us) == (CommandState.DELIVERED, NOW_US + 1, NOW_US + 2)


def test_what_a_device_said_is_the_last_word() -> None:
    board = OrderBoard()
    board.apply(ordered(1))
    board.apply(answered(1, "refused", "not supported"))
    board.apply(moved(1, CommandState.SENT))
    board.apply(moved(1, CommandState.EXPIRED))
    board.apply(answered(1, "delivered"))
    found = board.of(1)
    assert found is not None
    assert (found.state, found.answer) == (CommandState.REFUSED, "not supported")


def test_an_answer_that_comes_after_the_time_is_an_answer_all_the_same() -> None:
    board = OrderBoard()
    board.apply(ordered(1))
    board.apply(moved(1, CommandState.EXPIRED))
    board.apply(answered(1, "delivered"))
    found = board.of(1)
    assert found is not None
    assert found.state is CommandState.DELIVERED


def test_another_device_answers_for_nobody_but_itself() -> None:
    board = OrderBoard()
    board.apply(ordered(1))
    board.apply(answered(1, "delivered", device_id=8))
    board.apply(answered(99, "delivered"))
    board.apply(answered(1, "some new word"))
    found = board.of(1)
    assert found is not None
    assert found.state is CommandState.QUEUED


def test_an_answer_heard_twice_changes_nothing_the_second_time() -> None:
    board = OrderBoard()
    board.apply(ordered(1))
    board.apply(answered(1, "delivered"))
    version = board.version
    board.apply(answered(1, "delivered", at_us=NOW_US + 9))
    board.apply(ordered(1))
    assert (board.version, board.changed_since(version)) == (version, [])


def test_changes_are_told_in_their_order_each_command_once() -> None:
    board = OrderBoard()
    for command_id in (1, 2, 3):
        board.apply(ordered(command_id))
    seen = board.version
    board.apply(moved(1, CommandState.SENT))
    board.apply(moved(3, CommandState.SENT))
    board.apply(answered(1, "delivered"))
    assert [order.command_id for order in board.changed_since(seen)] == [3, 1]
    assert [order.command_id for order in board.changed_since(0)] == [2, 3, 1]


def test_numbers_never_come_twice_not_even_after_a_restart_or_a_clock_set_back() -> None:
    board = OrderBoard()
    first = board.next_id(NOW_US)
    assert board.next_id(NOW_US) == first + 1
    assert board.next_id(NOW_US - 3_600_000_000) == first + 2
    board.apply(ordered(first + 50))
    assert board.next_id(NOW_US) == first + 51


def test_the_same_events_make_the_same_board_again() -> None:
    events: list[AnyEvent] = [
        ordered(1),
        ordered(2, unit_id=None),
        moved(1, CommandState.SENT),
        answered(1, "refused", "no"),
    ]
    first, again = OrderBoard(), OrderBoard()
    for event in events:
        first.apply(event)
        again.apply(decode_event(encode_event(event)))
    assert [first.of(number) for number in (1, 2)] == [again.of(number) for number in (1, 2)]
    assert [order.command_id for order in again.of_unit(3)] == [1]


def test_commands_of_yesterday_are_forgotten_and_unread_ones_passed_over() -> None:
    board = OrderBoard()
    board.apply(ordered(1, at_us=NOW_US - KEPT_US - 1))
    board.apply(ordered(2))
    assert (board.of(1), board.queued()[0].command_id) == (None, 2)
    broken = msgspec.structs.replace(ordered(3), command='{"command":"fly_home","device_id":7}')
    board.apply(broken)
    assert board.of(3) is None


def test_commands_read_back_as_what_they_were() -> None:
    board = OrderBoard()
    ask = RequestPosition(device_id=DEVICE, command_id=4)
    board.apply(msgspec.structs.replace(ordered(4), command=msgspec.json.encode(ask).decode()))
    found = board.of(4)
    assert found is not None
    assert found.command == ask
