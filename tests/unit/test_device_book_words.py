"""What devices say of themselves: the newest word of each kind, nothing lost beside it, nothing without end."""

from typing import Final, TypedDict

from telemetry.model.events import DeviceInfo, DeviceParameters, OfficerOnBoard, SosCleared, VideoChanged, ZoneWrong
from telemetry.picture.device_book import FIELDS_AT_MOST, DeviceBook


class Times(TypedDict):
    observed_us: int
    received_us: int


TIMES: Final[Times] = {"observed_us": 5_000_000, "received_us": 6_000_000}


def test_a_card_in_the_reader_is_the_officer_on_board_until_it_is_taken_out() -> None:
    book = DeviceBook()
    book.apply(OfficerOnBoard(device_id=1, present=True, name="Li Wei", card="6201", agency="Traffic", **TIMES))
    on_board = book.of(1).on_board
    assert on_board is not None
    assert (on_board.name, on_board.agency, on_board.since_us) == ("Li Wei", "Traffic", 5_000_000)
    book.apply(OfficerOnBoard(device_id=1, present=False, **TIMES))
    assert book.of(1).on_board is None


def test_maker_settings_and_zone_stand_beside_each_other() -> None:
    book = DeviceBook()
    book.apply(DeviceInfo(device_id=1, fields={"maker": "HIK", "model": "A"}, **TIMES))
    book.apply(DeviceInfo(device_id=1, fields={"model": "B"}, **TIMES))
    book.apply(DeviceParameters(device_id=1, values={"heartbeat_s": "30"}, **TIMES))
    book.apply(ZoneWrong(device_id=1, offset_s=28_800.0, **TIMES))
    said = book.of(1)
    assert said.info == {"maker": "HIK", "model": "B"}
    assert (said.parameters, said.parameters_us, said.zone_offset_s) == ({"heartbeat_s": "30"}, 6_000_000, 28_800.0)


def test_video_is_there_as_long_as_it_is_open() -> None:
    book = DeviceBook()
    book.apply(VideoChanged(device_id=1, channel="1", url="rtsp://media.example/1", **TIMES))
    book.apply(VideoChanged(device_id=1, channel="2", url="rtsp://media.example/2", **TIMES))
    book.apply(VideoChanged(device_id=1, channel="1", **TIMES))
    assert book.of(1).video == {"2": "rtsp://media.example/2"}


def test_a_device_that_makes_up_fields_without_end_keeps_the_last_of_them() -> None:
    book = DeviceBook()
    book.apply(DeviceInfo(device_id=1, fields={f"field {number}": "x" * 9_000 for number in range(1_000)}, **TIMES))
    info = book.of(1).info
    assert (len(info), max(map(len, info.values())), "field 999" in info) == (FIELDS_AT_MOST, 500, True)


def test_other_events_and_other_devices_say_nothing_of_it() -> None:
    book = DeviceBook()
    book.apply(SosCleared(device_id=1, **TIMES))
    assert (book.of(1).info, book.of(2).on_board) == ({}, None)
