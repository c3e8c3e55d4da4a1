"""Missions, fences and rally points on their way to an autopilot that pymavlink speaks for, over good and bad lines."""

import itertools
from collections.abc import Callable

import msgspec
import pytest

from telemetry.model.commands import ClearMission, DownloadMission, UploadMission
from telemetry.model.decoding import Peer
from telemetry.model.errors import ConflictError
from telemetry.model.events import AnyEvent, CommandAnswered
from telemetry.model.flight_events import MissionTransferred, OnBoard, TransferProgress
from telemetry.model.mission_items import MissionItem, MissionList
from telemetry.sources.mavlink import MavlinkDecoder
from telemetry.sources.mavlink.upload import FLOATS_AFTER
from tests.mavlink_scene import KEY, registry_of
from tests.pymavlink_autopilot import SECOND, Autopilot, BadLine, Manners

ITEMS = frozenset({39, 73})
"""MISSION_ITEM, MISSION_ITEM_INT."""
BOTH = pytest.mark.parametrize("manners", list(Manners))


def mission_of(count: int) -> tuple[MissionItem, ...]:
    """A take-off and waypoints on a line."""
    places = (
        MissionItem(command=16, param1=2.0, lat_e7=360_600_000 + 900 * number, lon_e7=1_038_300_000, alt_m=40.25)
        for number in range(1, count)
    )
    return (MissionItem(command=22, lat_e7=360_600_000, lon_e7=1_038_300_000, alt_m=40.25), *places)


FENCE = tuple(
    MissionItem(command=5001, frame=0, param1=4.0, lat_e7=lat_e7, lon_e7=lon_e7)
    for lat_e7, lon_e7 in [
        (360_500_000, 1_038_200_000),
        (360_500_000, 1_038_400_000),
        (360_700_000, 1_038_400_000),
        (360_700_000, 1_038_200_000),
    ]
)
RALLY = (MissionItem(command=5100, lat_e7=360_600_000, lon_e7=1_038_300_000, alt_m=30.0),)


def line_to(vehicle: Autopilot, *, loss: float = 0.0, delay_us: int = 50_000, seed: int = 1) -> BadLine:
    """A line whose vehicle was discovered already."""
    keys = {1: vehicle.key} if vehicle.key else {}
    decoder = MavlinkDecoder(registry_of(1, keys=keys), "g", allow_unsigned=not vehicle.key)
    line = BadLine(decoder, vehicle, loss=loss, delay_us=delay_us, seed=seed)
    assert line.run(lambda: decoder.network.vehicle_of(1) is not None, at_most_s=60)
    return line


def settle(
    line: BadLine, command: UploadMission | DownloadMission | ClearMission, *, at_most_s: float = 900
) -> CommandAnswered:
    """Give an order and let time go by until it is answered."""
    line.take(line.decoder.send(command, line.now_us))
    assert line.run(lambda: answer_of(line, command.command_id) is not None, at_most_s=at_most_s), line.events[-5:]
    answer = answer_of(line, command.command_id)
    assert answer is not None
    return answer


def answer_of(line: BadLine, command_id: int) -> CommandAnswered | None:
    answers = (event for event in line.events if isinstance(event, CommandAnswered) and event.command_id == command_id)
    return next(answers, None)


def transfers(events: list[AnyEvent]) -> list[MissionTransferred]:
    return [event for event in events if isinstance(event, MissionTransferred)]


def next_of(line: BadLine) -> int:
    """Which item the vehicle waits for."""
    upload = line.vehicle._upload
    return -1 if upload is None else upload["next"]


def upload_until(line: BadLine, is_so: Callable[[], bool]) -> None:
    """Begin to upload forty items, until something is so."""
    line.take(line.decoder.send(UploadMission(device_id=1, command_id=5, mission=mission_of(40)), line.now_us))
    assert line.run(is_so, at_most_s=60)


def test_items_lost_one_after_the_other_are_sent_again_in_the_form_that_was_taken_before() -> None:
    line = line_to(Autopilot(), delay_us=300_000)
    upload_until(line, lambda: next_of(line) == 20)
    put = line._put
    lost: list[bytes] = []

    def loses_items(data: bytes, *, is_up: bool) -> None:
        is_item = is_up and int.from_bytes(data[7:10], "little") in ITEMS
        if is_item and len(lost) < FLOATS_AFTER + 1:
            lost.append(data)
        else:
            put(data, is_up=is_up)

    line._put = loses_items  # type: ignore[method-assign]
    assert line.run(lambda: next_of(line) == 21, at_most_s=7), "the vehicle breaks off after 8 s"
    assert len(lost) == FLOATS_AFTER + 1
    assert line.run(lambda: answer_of(line, 5) is not None, at_most_s=60)


def test_a_vehicle_whose_word_that_it_broke_off_was_lost_is_begun_with_again() -> None:
    line = line_to(Autopilot(), delay_us=300_000)
    upload_until(line, lambda: next_of(line) == 20)
    since_us = line.now_us - line._began_us
    line.silent = lambda at_us: at_us < since_us + 12 * SECOND
    assert line.run(lambda: answer_of(line, 5) is not None, at_most_s=200)
    answer = answer_of(line, 5)
    assert answer is not None
    assert (answer.state, answer.text) == ("delivered", "")


@BOTH
def test_five_hundred_items_get_through_where_one_in_ten_is_lost_and_an_answer_takes_600_ms(manners: Manners) -> None:
    line = line_to(Autopilot(manners=manners), loss=0.1, delay_us=300_000)
    answer = settle(line, UploadMission(device_id=1, command_id=5, mission=mission_of(500)), at_most_s=1_500)
    assert (answer.state, answer.text) == ("delivered", "")
    (told,) = transfers(line.events)
    assert (told.on_board, told.item_count) == (OnBoard.AS_ASKED, 500)
    assert told.first_item == len(line.vehicle.lists[0]) - 500
    assert [item.x for item in line.vehicle.lists[0][-499:]] == [item.lat_e7 for item in mission_of(500)[1:]]


def test_progress_is_told_at_most_twice_a_second_and_only_goes_up() -> None:
    line = line_to(Autopilot(), delay_us=100_000)
    settle(line, UploadMission(device_id=1, command_id=5, mission=mission_of(60)))
    told = [event for event in line.events if isinstance(event, TransferProgress)]
    assert len(told) >= 10
    assert [event.done for event in told] == sorted(event.done for event in told)
    assert {event.total for event in told} == {120}
    assert all(later.received_us - event.received_us >= SECOND // 2 for event, later in itertools.pairwise(told))


@BOTH
def test_fence_and_rally_points_go_first_and_each_list_is_told(manners: Manners) -> None:
    line = line_to(Autopilot(manners=manners))
    order = UploadMission(device_id=1, command_id=5, mission=mission_of(4), fence=FENCE, rally=RALLY)
    assert settle(line, order).state == "delivered"
    assert [told.mission_list for told in transfers(line.events)] == [
        MissionList.FENCE,
        MissionList.RALLY,
        MissionList.MISSION,
    ]
    assert [len(line.vehicle.lists[kind]) for kind in (1, 2)] == [4, 1]
    assert line.vehicle.heeds_fence is (manners is Manners.ARDUPILOT)


@BOTH
def test_what_was_uploaded_is_read_back_as_it_was_with_the_same_digest(manners: Manners) -> None:
    line = line_to(Autopilot(manners=manners), loss=0.05)
    settle(line, UploadMission(device_id=1, command_id=5, mission=mission_of(20), fence=FENCE))
    settle(
        line,
        DownloadMission(device_id=1, command_id=6, lists=(MissionList.MISSION, MissionList.FENCE, MissionList.RALLY)),
    )
    up_fence, up, fence, rally, mission = transfers(line.events)
    assert mission.items is not None
    assert [(item.lat_e7, item.alt_m) for item in mission.items] == [(item.lat_e7, 40.25) for item in mission_of(20)]
    assert (mission.digest, fence.digest, rally.item_count) == (up.digest, up_fence.digest, 0)
    assert line.decoder.network.talking == {}


@BOTH
def test_a_cleared_list_is_empty_and_an_uploaded_empty_one_too(manners: Manners) -> None:
    line = line_to(Autopilot(manners=manners))
    settle(line, UploadMission(device_id=1, command_id=5, mission=mission_of(5), fence=FENCE))
    assert settle(line, ClearMission(device_id=1, command_id=6, lists=(MissionList.MISSION,))).state == "delivered"
    assert settle(line, UploadMission(device_id=1, command_id=7, fence=())).state == "delivered"
    assert len(line.vehicle.lists[0]) <= 1
    assert line.vehicle.lists[1] == []


@BOTH
def test_an_upload_goes_on_after_a_silence_of_twenty_seconds(manners: Manners) -> None:
    line = line_to(Autopilot(manners=manners), delay_us=200_000)
    line.silent = lambda elapsed_us: 12 * SECOND <= elapsed_us < 32 * SECOND
    assert settle(line, UploadMission(device_id=1, command_id=5, mission=mission_of(80))).state == "delivered"


@BOTH
def test_a_vehicle_that_falls_silent_is_told_with_what_it_may_have(manners: Manners) -> None:
    line = line_to(Autopilot(manners=manners))
    line.silent = lambda elapsed_us: elapsed_us > 3 * SECOND
    answer = settle(line, UploadMission(device_id=1, command_id=5, mission=mission_of(400)))
    assert answer.state == "refused"
    assert "no answer" in answer.text
    assert "look at the link" in answer.text
    assert transfers(line.events)[-1].on_board is OnBoard.UNKNOWN


def test_an_item_that_is_other_on_board_than_it_was_sent_is_never_taken_for_done() -> None:
    def lower(number: int, item: object) -> object:
        if number == 3:
            item.z = 20.0  # type: ignore[attr-defined]
        return item

    line = line_to(Autopilot(change=lower))
    answer = settle(line, UploadMission(device_id=1, command_id=5, mission=mission_of(5)))
    assert answer.state == "refused"
    assert "item 3: height 40.25 m was sent, 20 m is on board" in answer.text
    assert transfers(line.events)[-1].on_board is OnBoard.UNKNOWN


def test_a_vehicle_that_knows_no_fence_refuses_one_and_needs_none() -> None:
    line = line_to(Autopilot(manners=Manners.PX4, knows=(0,)))
    assert (
        settle(line, UploadMission(device_id=1, command_id=5, mission=mission_of(3), fence=(), rally=())).state
        == "delivered"
    )
    answer = settle(line, UploadMission(device_id=1, command_id=6, mission=mission_of(4), fence=FENCE))
    assert answer.text == "the fence was refused at its beginning: it does not know this list or this command"
    assert transfers(line.events)[-1].on_board is OnBoard.AS_BEFORE
    assert len(line.vehicle.lists[0]) == 3


def test_an_old_vehicle_does_not_get_the_fence_for_its_mission() -> None:
    line = line_to(Autopilot(ignores_types=True))
    answer = settle(line, UploadMission(device_id=1, command_id=5, fence=FENCE))
    assert "its firmware knows no such list" in answer.text
    assert line.vehicle.lists[0] == []


def test_too_many_items_are_refused_and_the_old_mission_stays() -> None:
    line = line_to(Autopilot(room=10))
    settle(line, UploadMission(device_id=1, command_id=5, mission=mission_of(5)))
    answer = settle(line, UploadMission(device_id=1, command_id=6, mission=mission_of(30)))
    assert "it has no room for so many items" in answer.text
    assert transfers(line.events)[-1].on_board is OnBoard.AS_BEFORE


def test_a_vehicle_that_is_busy_with_another_ground_station_is_asked_again_until_it_has_time() -> None:
    line = line_to(Autopilot())
    line.vehicle._upload = {
        "by": (77, 1),
        "type": 0,
        "count": 9,
        "next": 0,
        "heard_us": line.now_us,
        "asked_us": line.now_us,
        "items": [],
    }
    assert settle(line, UploadMission(device_id=1, command_id=5, mission=mission_of(3))).state == "delivered"
    assert line.elapsed_s() > 8


def test_of_two_orders_the_second_waits_for_the_first() -> None:
    line = line_to(Autopilot())
    line.take(line.decoder.send(UploadMission(device_id=1, command_id=5, mission=mission_of(30)), line.now_us))
    settle(line, UploadMission(device_id=1, command_id=6, mission=mission_of(7)))
    first, second = transfers(line.events)
    assert (first.command_id, second.command_id) == (5, 6)
    assert len(line.vehicle.lists[0]) == 8


def test_more_orders_than_anybody_means_are_refused() -> None:
    line = line_to(Autopilot())
    line.silent = lambda _: True
    for number in range(8):
        line.decoder.send(ClearMission(device_id=1, command_id=number), line.now_us)
    with pytest.raises(ConflictError, match="8 transfers wait"):
        line.decoder.send(ClearMission(device_id=1, command_id=9), line.now_us)


def test_a_transfer_whose_link_is_closed_ends_there_and_goes_by_no_other_one() -> None:
    line = line_to(Autopilot())
    first = line.decoder
    first.send(UploadMission(device_id=1, command_id=5, mission=mission_of(9)), line.now_us)
    other = MavlinkDecoder(registry_of(1), "g", allow_unsigned=True, network=first.network)
    line.decoder = other
    assert line.run(lambda: answer_of(line, 5) is not None, at_most_s=20)
    answer = answer_of(line, 5)
    assert answer is not None
    assert "the link that the transfer began on is gone" in answer.text
    assert line.vehicle.lists[0] == []


def test_a_transfer_goes_on_when_an_address_translator_gives_the_vehicle_another_port() -> None:
    decoder = MavlinkDecoder(
        registry_of(1), "g", allow_unsigned=True, peer=Peer(transport="udp", host="198.51.100.7", port=4_000)
    )
    line = BadLine(decoder, Autopilot(), delay_us=50_000)
    assert line.run(lambda: decoder.network.vehicle_of(1) is not None, at_most_s=60)
    line.take(decoder.send(UploadMission(device_id=1, command_id=5, mission=mission_of(60)), line.now_us))
    line.run(lambda: False, at_most_s=2)
    peer = Peer(transport="udp", host="198.51.100.7", port=4_711)
    line.decoder = MavlinkDecoder(registry_of(1), "g", allow_unsigned=True, network=decoder.network, peer=peer)
    assert line.run(lambda: answer_of(line, 5) is not None, at_most_s=120)
    answer = answer_of(line, 5)
    assert answer is not None
    assert answer.text == ""


def test_every_frame_of_a_transfer_bears_our_signature() -> None:
    line = line_to(Autopilot(key=KEY))
    assert (
        settle(line, UploadMission(device_id=1, command_id=5, mission=mission_of(6), fence=FENCE)).state == "delivered"
    )
    assert line.vehicle.unsigned == 0


def test_none_is_sent_as_nan_to_a_px4_and_as_zero_to_an_ardupilot() -> None:
    item = msgspec.structs.replace(RALLY[0], command=17, param4=None)
    params = []
    for manners in Manners:
        line = line_to(Autopilot(manners=manners))
        settle(line, UploadMission(device_id=1, command_id=5, mission=(item,)))
        params.append(line.vehicle.lists[0][-1].param4)
    assert params[0] == 0.0
    assert params[1] != params[1]


@BOTH
def test_a_list_that_came_to_another_length_is_not_read_whole_and_said_to_differ(manners: Manners) -> None:
    line = line_to(Autopilot(manners=manners, tells_more=60_000))
    answer = settle(line, UploadMission(device_id=1, command_id=5, mission=mission_of(5)))
    assert "reads otherwise than it was sent: 5 items were sent, 60005 are on board" in answer.text
    assert transfers(line.events)[-1].on_board is OnBoard.UNKNOWN
