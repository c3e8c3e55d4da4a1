"""Whatever a line loses, doubles, delays and reorders: a transfer that is told as done is done, and each order is answered once."""

from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.model.commands import UploadMission
from telemetry.model.events import CommandAnswered
from telemetry.model.flight_events import MissionTransferred, OnBoard
from telemetry.model.mission_items import MissionItem, MissionList
from telemetry.sources.mavlink import MavlinkDecoder
from telemetry.sources.mavlink.mission_messages import LIST_NUMBER
from tests.mavlink_scene import registry_of
from tests.pymavlink_autopilot import SECOND, Autopilot, BadLine, Manners, Message

ITEMS = st.lists(
    st.builds(
        MissionItem,
        command=st.sampled_from([16, 19, 22, 178, 206]),
        param1=st.none() | st.integers(0, 30).map(float),
        lat_e7=st.integers(360_000_000, 361_000_000),
        lon_e7=st.integers(1_038_000_000, 1_039_000_000),
        alt_m=st.integers(5, 120).map(float),
    ),
    max_size=12,
).map(tuple)
FENCES = st.none() | st.lists(
    st.builds(
        MissionItem,
        command=st.sampled_from([5003, 5004]),
        frame=st.just(0),
        param1=st.integers(10, 500).map(float),
        lat_e7=st.integers(360_000_000, 361_000_000),
        lon_e7=st.integers(1_038_000_000, 1_039_000_000),
    ),
    max_size=4,
).map(tuple)


@settings(max_examples=40, deadline=None)
@given(
    manners=st.sampled_from(list(Manners)),
    seed=st.integers(0, 2**32),
    loss=st.sampled_from([0.0, 0.1, 0.3, 0.6, 0.9]),
    doubling=st.sampled_from([0.0, 0.3]),
    delay_ms=st.sampled_from([5, 300, 2_000]),
    jitter_ms=st.sampled_from([0, 400, 3_000]),
    silence=st.none() | st.tuples(st.integers(0, 30), st.integers(1, 60)),
    spoils=st.none() | st.integers(0, 12),
    mission=ITEMS,
    fence=FENCES,
)
def test_done_means_that_the_vehicle_has_it_and_every_order_is_answered_once(
    manners: Manners,
    seed: int,
    loss: float,
    doubling: float,
    delay_ms: int,
    jitter_ms: int,
    silence: tuple[int, int] | None,
    spoils: int | None,
    mission: tuple[MissionItem, ...],
    fence: tuple[MissionItem, ...] | None,
) -> None:
    def kept(number: int, item: Message) -> Message:
        if number == spoils:
            item.z += 7.0
        return item

    vehicle = Autopilot(manners=manners, change=kept)
    decoder = MavlinkDecoder(registry_of(1), "g", allow_unsigned=True)
    line = BadLine(decoder, vehicle, seed=seed, delay_us=5_000)
    assert line.run(lambda: decoder.network.vehicle_of(1) is not None, at_most_s=5)
    line.loss, line.doubling, line.delay_us, line.jitter_us = loss, doubling, delay_ms * 1_000, jitter_ms * 1_000
    if silence is not None:
        begin_s, long_s = silence
        line.silent = lambda elapsed_us: begin_s <= elapsed_us / SECOND < begin_s + long_s
    line.take(decoder.send(UploadMission(device_id=1, command_id=5, mission=mission, fence=fence), line.now_us))
    assert line.run(lambda: not decoder.network.talking, at_most_s=3_000)
    answers = [event for event in line.events if isinstance(event, CommandAnswered)]
    told = [event for event in line.events if isinstance(event, MissionTransferred)]
    assert len(answers) == 1
    is_on_board = all(event.on_board is OnBoard.AS_ASKED for event in told)
    is_unheeded = answers[0].text.startswith("switching the fence on: no answer")
    assert (answers[0].state == "delivered") == (is_on_board and not is_unheeded)
    if answers[0].state == "delivered" and fence and manners is Manners.ARDUPILOT:
        assert vehicle.heeds_fence
    assert all(bool(event.problem) == (event.on_board is not OnBoard.AS_ASKED) for event in told)
    given_lists = {MissionList.MISSION: mission, MissionList.FENCE: fence or ()}
    for event in told:
        if event.on_board is OnBoard.AS_ASKED:
            on_board = vehicle.lists[LIST_NUMBER[event.mission_list]][event.first_item :]
            assert [_of(item) for item in on_board] == [_wanted(item) for item in given_lists[event.mission_list]]
    if loss == 0.0 and silence is None and spoils is None and delay_ms + jitter_ms < 1_000:
        assert answers[0].state == "delivered", answers[0].text


def _of(item: Message) -> tuple[int, int, int, float]:
    return (item.command, item.x, item.y, item.z) if _has_place(item.command) else (item.command, 0, 0, 0.0)


def _wanted(item: MissionItem) -> tuple[int, int, int, float]:
    place = (item.lat_e7, item.lon_e7, item.alt_m) if _has_place(item.command) else (0, 0, 0.0)
    return (item.command, *place)


def _has_place(command: int) -> bool:
    return command not in {178, 206}
