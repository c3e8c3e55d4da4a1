"""A push reaches its unit: at once, again until received, on every phone; and people are told once when it does not."""

from typing import Final

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from telemetry.downlink import Channel, Downlink, NoChannel, Offer, Push, PushState, Step, Unanswered

BEGAN_US: Final = 1_790_000_000_000_000
SECOND_US: Final = 1_000_000
UNIT, OTHER = 7, 8
PAGE = Channel(channel_id=1, unit_id=UNIT, name="page")
SECOND_PAGE = Channel(channel_id=2, unit_id=UNIT, name="page")
STRANGER = Channel(channel_id=3, unit_id=OTHER, name="page")
TEXT = Channel(channel_id=4, unit_id=UNIT, name="mavlink", acknowledges=False)


def push(state: PushState = PushState.QUEUED, *, push_id: int = 1, unit_id: int = UNIT) -> Push:
    return Push(
        push_id=push_id, unit_id=unit_id, queued_us=BEGAN_US, answer_by_us=BEGAN_US + 30 * SECOND_US, state=state
    )


def after(downlink: Downlink, seconds: float) -> list[Step]:
    return downlink.due(BEGAN_US + round(seconds * SECOND_US))


def test_a_push_goes_to_every_phone_of_its_officer_at_once_and_to_nobody_else() -> None:
    downlink = Downlink()
    for channel in (PAGE, SECOND_PAGE, STRANGER):
        downlink.open(channel)
    downlink.replace([push()])
    offers = after(downlink, 0)
    assert offers == [Offer(push_id=1, channel=PAGE), Offer(push_id=1, channel=SECOND_PAGE)]
    assert after(downlink, 0.2) == []
    assert (downlink.reaches(UNIT), downlink.reaches(99)) == (True, False)


def test_what_was_not_received_comes_again_every_ten_seconds_and_stops_when_it_is() -> None:
    downlink = Downlink()
    downlink.open(PAGE)
    downlink.replace([push()])
    assert len(after(downlink, 0)) == 1
    downlink.replace([push(PushState.SENT)])
    assert [len(after(downlink, second)) for second in (1, 9.9, 10, 11, 20)] == [0, 0, 1, 0, 1]
    downlink.replace([push(PushState.RECEIVED)])
    assert after(downlink, 25) == []


def test_a_page_that_reconnects_gets_it_at_once() -> None:
    downlink = Downlink()
    downlink.open(PAGE)
    downlink.replace([push(PushState.SENT)])
    assert len(after(downlink, 0)) == 1
    downlink.close(PAGE.channel_id)
    downlink.open(msgspec.structs.replace(PAGE, channel_id=9))
    assert len(after(downlink, 1)) == 1


def test_a_channel_that_acknowledges_nothing_is_given_a_push_once() -> None:
    downlink = Downlink()
    downlink.open(TEXT)
    downlink.replace([push()])
    assert len(after(downlink, 0)) == 1
    downlink.replace([push(PushState.SENT)])
    assert [after(downlink, second) for second in (10, 29)] == [[], []]
    assert after(downlink, 30) == [Unanswered(push_id=1)]


def test_a_unit_that_nothing_reaches_is_told_to_people_after_two_seconds_and_once() -> None:
    downlink = Downlink()
    downlink.open(STRANGER)
    downlink.replace([push()])
    assert after(downlink, 1.9) == []
    assert after(downlink, 2) == [NoChannel(push_id=1)]
    downlink.replace([push()])
    assert after(downlink, 3) == []
    downlink.open(PAGE)  # and when the officer comes after all, the push is there
    assert after(downlink, 4) == [Offer(push_id=1, channel=PAGE)]


def test_another_console_that_sent_it_is_no_missing_channel() -> None:
    downlink = Downlink()
    downlink.replace([push(PushState.SENT)])
    assert after(downlink, 5) == []


def test_an_answer_that_does_not_come_is_told_once_and_one_that_came_is_not() -> None:
    downlink = Downlink()
    downlink.open(PAGE)
    downlink.replace([push(PushState.RECEIVED), push(PushState.ANSWERED, push_id=2)])
    assert after(downlink, 29.9) == []
    assert after(downlink, 30) == [Unanswered(push_id=1)]
    assert after(downlink, 31) == []


def test_what_could_not_be_written_down_is_due_again() -> None:
    downlink = Downlink()
    downlink.replace([push()])
    (told,) = after(downlink, 2)
    downlink.untold(told)
    assert after(downlink, 3) == [told]
    downlink.open(PAGE)
    (offer,) = after(downlink, 4)
    downlink.untold(offer)
    assert after(downlink, 5) == [offer]


def test_a_push_that_is_over_is_forgotten_with_all_that_was_done_for_it() -> None:
    downlink = Downlink()
    downlink.open(PAGE)
    downlink.replace([push()])
    assert len(after(downlink, 0)) == 1
    downlink.replace([])
    assert after(downlink, 60) == []
    downlink.replace([push()])
    assert after(downlink, 0) == [Offer(push_id=1, channel=PAGE)]


def test_a_clock_that_is_set_back_does_not_silence_anything() -> None:
    downlink = Downlink()
    downlink.open(PAGE)
    downlink.replace([push()])
    assert len(after(downlink, 0)) == 1
    assert len(after(downlink, -3600)) == 1


COMMANDS: Final = st.lists(
    st.one_of(
        st.tuples(st.just("open"), st.integers(1, 4), st.integers(1, 3)),
        st.tuples(st.just("close"), st.integers(1, 4), st.just(0)),
        st.tuples(st.just("put"), st.integers(1, 5), st.integers(1, 3)),
        st.tuples(st.just("state"), st.integers(1, 5), st.integers(0, 3)),
        st.tuples(st.just("wait"), st.integers(0, 40), st.just(0)),
    ),
    max_size=60,
)


@given(COMMANDS)
def test_whatever_happens_every_waiting_push_was_offered_to_each_open_channel_of_its_unit_lately(
    commands: list[tuple[str, int, int]],
) -> None:
    downlink, now_us = Downlink(), BEGAN_US
    channels: dict[int, Channel] = {}
    pushes: dict[int, Push] = {}
    offered: dict[tuple[int, int], int] = {}
    told: list[tuple[int, str]] = []
    for word, number, more in commands:
        match word:
            case "open" if number not in channels:
                channels[number] = Channel(channel_id=number, unit_id=more, name="page")
                downlink.open(channels[number])
            case "close":
                channels.pop(number, None)
                downlink.close(number)
                offered = {key: at_us for key, at_us in offered.items() if key[1] != number}
            case "put" if number not in pushes:
                pushes[number] = Push(
                    push_id=number, unit_id=more, queued_us=now_us, answer_by_us=now_us + 30 * SECOND_US
                )
            case "state" if number in pushes:
                pushes[number] = msgspec.structs.replace(pushes[number], state=list(PushState)[more])
            case "wait":
                now_us += number * SECOND_US
        downlink.replace(pushes.values())
        for step in downlink.due(now_us):
            if isinstance(step, Offer):
                assert step.channel.unit_id == pushes[step.push_id].unit_id
                assert channels[step.channel.channel_id] == step.channel
                offered[step.push_id, step.channel.channel_id] = now_us
            else:
                told.append((step.push_id, type(step).__name__))
        for one in pushes.values():
            if one.state in {PushState.QUEUED, PushState.SENT}:
                for channel in channels.values():
                    if channel.unit_id == one.unit_id:
                        assert now_us - offered[one.push_id, channel.channel_id] < 10 * SECOND_US
    assert len(told) == len(set(told))
