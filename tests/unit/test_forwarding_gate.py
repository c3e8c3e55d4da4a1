"""What the gate lets through of other ground stations, how often they may ask, and what they are told that are not heeded."""

from types import SimpleNamespace
from typing import Any

import pymavlink.dialects.v20.ardupilotmega as dialect
import pytest

from telemetry.forwarding.gate import READ_COMMANDS, Gate, Standing
from telemetry.forwarding.pace import (
    ASKS_AT_ONCE,
    ASKS_PER_S,
    ORDERS_AT_ONCE,
    ORDERS_EVERY_S,
    PARAMETERS_EVERY_S,
    TOLD_EVERY_S,
    AskingPace,
)
from telemetry.forwarding.refusal import TEXTS
from telemetry.forwarding.setting import parse_forwards
from telemetry.forwarding.station import StationLink
from telemetry.sources.mavlink.frame import Value, encode
from tests.conftest import FakeClock

WATCHED = {1: [11], 2: [12], 3: [13, 14]}
HOLDING_2 = Standing(WATCHED, held=frozenset({12}))
BUSY = Standing(WATCHED, held=frozenset({12}), transferring=frozenset({11, 12}))
NOW_S = 1000.0
ARM, VERSION = 400, 512


def station(message: str, **fields: Value) -> bytes:
    return encode(message, fields, system_id=250, component_id=190, sequence=1)


@pytest.mark.parametrize(
    ("frame", "goes_to", "dropped"),
    [
        (station("PARAM_REQUEST_LIST", target_system=1), [11], {}),
        (station("COMMAND_LONG", target_system=1, command=512), [11], {}),
        (station("COMMAND_LONG", target_system=1, command=400), [], {"not_in_control": 1}),
        (station("COMMAND_LONG", target_system=2, command=400), [12], {}),
        (station("COMMAND_LONG", target_system=9, command=512), [], {"not_watched": 1}),
        (station("COMMAND_LONG", target_system=3, command=512), [], {"ambiguous_drone": 1}),
        (station("COMMAND_LONG", target_system=0, command=21), [12], {}),
        (station("PARAM_SET", target_system=1), [], {"not_in_control": 1}),
        (station("SET_MODE", target_system=1), [], {"not_in_control": 1}),
        (station("SETUP_SIGNING", target_system=2), [], {"sets_key": 1}),
        (station("MISSION_COUNT", target_system=1, count=3), [], {"not_in_control": 1}),
    ],
)
def test_the_gate_lets_reads_through_and_orders_only_to_what_was_handed_over(
    frame: bytes, goes_to: list[int], dropped: dict[str, int]
) -> None:
    passed = Gate("field", AskingPace()).feed(frame, Standing(WATCHED, held=frozenset({12})), NOW_S)
    assert (list(passed.frames), dict(passed.dropped)) == (goes_to, dropped)


@pytest.mark.parametrize("number", sorted(READ_COMMANDS))
def test_commands_that_anybody_may_give_ask_and_do_nothing(number: int) -> None:
    name = dialect.enums["MAV_CMD"][number].name
    assert name.startswith(("MAV_CMD_REQUEST_", "MAV_CMD_GET_"))


def test_a_watcher_cannot_empty_the_card_of_a_camera() -> None:
    order = station("COMMAND_LONG", target_system=1, command=dialect.MAV_CMD_STORAGE_FORMAT, param1=1, param2=1)
    passed = Gate("field", AskingPace()).feed(order, Standing(WATCHED), NOW_S)
    assert (passed.frames, dict(passed.dropped)) == ({}, {"not_in_control": 1})


@pytest.mark.parametrize(
    ("frame", "orders"),
    [
        (station("COMMAND_LONG", target_system=2, command=ARM), [(12, "COMMAND_LONG 400")]),
        (station("COMMAND_LONG", target_system=2, command=VERSION), []),
        (station("SET_MODE", target_system=2, custom_mode=6), [(12, "SET_MODE")]),
        (station("MISSION_COUNT", target_system=2, count=3), [(12, "MISSION_COUNT")]),
        (station("MISSION_ITEM_INT", target_system=2, seq=1), []),
        (station("PARAM_REQUEST_LIST", target_system=2), []),
        (station("SET_MODE", target_system=1, custom_mode=6), []),
        (station("HEARTBEAT", type=6), []),
    ],
)
def test_what_is_ordered_is_named_and_what_is_asked_is_not(frame: bytes, orders: list[tuple[int, str]]) -> None:
    assert Gate("field", AskingPace()).feed(frame, HOLDING_2, NOW_S).orders == orders


def test_of_a_stream_of_one_order_some_are_named_and_another_order_beside_it_is() -> None:
    gate, stick = Gate("field", AskingPace()), station("MANUAL_CONTROL", target=2)
    named = [order for number in range(500) for order in gate.feed(stick, HOLDING_2, NOW_S + number * 0.1).orders]
    assert ORDERS_AT_ONCE <= len(named) <= ORDERS_AT_ONCE + 50.0 / ORDERS_EVERY_S + 1
    arm = station("COMMAND_LONG", target_system=2, command=ARM)
    assert gate.feed(arm, HOLDING_2, NOW_S + 50.0).orders == [(12, "COMMAND_LONG 400")]


def test_a_station_that_holds_nothing_is_not_blamed_for_its_heartbeat() -> None:
    passed = Gate("field", AskingPace()).feed(station("HEARTBEAT", type=6), Standing(WATCHED), NOW_S)
    assert (passed.frames, passed.dropped.total()) == ({}, 0)


def heard(answers: list[bytes]) -> list[Any]:
    """What pymavlink reads at the station."""
    return dialect.MAVLink(None).parse_buffer(b"".join(answers)) or []


class Asking:
    """A station, and what became of what it asked."""

    def __init__(self, name: str = "field", pace: AskingPace | None = None) -> None:
        self.gate = Gate(name, pace or AskingPace())

    def passes(self, frame: bytes, now_s: float, standing: Standing = HOLDING_2) -> bool:
        return bool(self.gate.feed(frame, standing, now_s).frames)


READ = station("PARAM_REQUEST_READ", target_system=1, param_index=3)
LIST = station("PARAM_REQUEST_LIST", target_system=1)


def test_a_station_asks_a_burst_of_each_drone_and_then_so_much_a_second() -> None:
    asking = Asking()
    assert [asking.passes(READ, NOW_S) for _ in range(ASKS_AT_ONCE + 1)] == [True] * ASKS_AT_ONCE + [False]
    assert asking.passes(station("PARAM_REQUEST_READ", target_system=2), NOW_S)
    later_s = NOW_S + 2.0
    assert sum(asking.passes(READ, later_s) for _ in range(ASKS_AT_ONCE)) == 2 * ASKS_PER_S


def test_what_a_station_in_control_orders_is_not_held_up_by_what_it_asked() -> None:
    asking = Asking()
    for _ in range(ASKS_AT_ONCE + 1):
        asking.passes(station("PARAM_REQUEST_READ", target_system=2), NOW_S)
    assert not asking.passes(station("PARAM_REQUEST_READ", target_system=2), NOW_S)
    assert asking.passes(station("COMMAND_LONG", target_system=2, command=ARM), NOW_S)


def test_all_parameters_of_a_drone_are_asked_for_once_in_ten_seconds_by_all_stations_together() -> None:
    pace = AskingPace()
    field, desk = Asking("field", pace), Asking("desk", pace)
    assert field.passes(LIST, NOW_S)
    passed = desk.gate.feed(LIST, HOLDING_2, NOW_S + 1)
    assert (passed.frames, dict(passed.dropped)) == ({}, {"parameters_again": 1})
    assert desk.passes(station("PARAM_REQUEST_LIST", target_system=2), NOW_S + 1)
    assert desk.passes(LIST, NOW_S + PARAMETERS_EVERY_S)


@pytest.mark.parametrize(
    ("message", "is_answered"),
    [
        ("MISSION_REQUEST_LIST", True),
        ("MISSION_REQUEST_INT", True),
        ("MISSION_REQUEST", True),
        ("MISSION_COUNT", True),
        ("MISSION_CLEAR_ALL", True),
        ("MISSION_WRITE_PARTIAL_LIST", True),
        ("MISSION_ITEM_INT", False),
        ("MISSION_ACK", False),
    ],
)
def test_no_station_reads_or_writes_a_list_while_a_transfer_of_ours_runs_and_is_told_so(
    message: str, is_answered: bool
) -> None:
    asking = Asking()
    frame = station(message, target_system=2, target_component=1, mission_type=1)
    passed = asking.gate.feed(frame, BUSY, NOW_S)
    assert (passed.frames, dict(passed.dropped)) == ({}, {"transfer_runs": 1})
    *acknowledged, text = heard(passed.answers)
    assert (text.get_type(), text.text) == ("STATUSTEXT", TEXTS["transfer_runs"])
    assert [
        (ack.get_type(), ack.type, ack.mission_type, ack.target_system, ack.target_component) for ack in acknowledged
    ] == ([("MISSION_ACK", dialect.MAV_MISSION_DENIED, 1, 250, 190)] if is_answered else [])
    assert {(one.get_srcSystem(), one.get_srcComponent()) for one in (*acknowledged, text)} == {(2, 1)}
    assert asking.passes(frame, NOW_S, HOLDING_2)


def test_while_a_transfer_of_ours_runs_other_questions_and_orders_go_on() -> None:
    asking = Asking()
    assert asking.passes(READ, NOW_S, BUSY)
    assert asking.passes(station("COMMAND_LONG", target_system=2, command=ARM), NOW_S, BUSY)
    to_all = asking.gate.feed(station("MISSION_CLEAR_ALL", target_system=0), BUSY, NOW_S)
    assert (to_all.frames, dict(to_all.dropped)) == ({}, {"transfer_runs": 1})


@pytest.mark.parametrize("message", ["COMMAND_LONG", "COMMAND_INT"])
def test_an_order_without_control_is_denied_and_the_cause_is_said_once_a_minute(message: str) -> None:
    asking = Asking()
    order = station(message, target_system=1, target_component=1, command=ARM)
    denied, text = heard(asking.gate.feed(order, HOLDING_2, NOW_S).answers)
    assert (denied.get_type(), denied.command, denied.result) == ("COMMAND_ACK", ARM, dialect.MAV_RESULT_DENIED)
    assert (denied.get_srcSystem(), denied.target_system, denied.target_component) == (1, 250, 190)
    assert text.text == TEXTS["not_in_control"]
    (again,) = heard(asking.gate.feed(order, HOLDING_2, NOW_S + 1).answers)
    assert again.get_type() == "COMMAND_ACK"
    assert len(heard(asking.gate.feed(order, HOLDING_2, NOW_S + TOLD_EVERY_S).answers)) == 2


def test_a_command_asked_too_often_may_be_tried_again() -> None:
    asking = Asking()
    ask = station("COMMAND_LONG", target_system=1, command=VERSION)
    for _ in range(ASKS_AT_ONCE):
        asking.passes(ask, NOW_S)
    told, _ = heard(asking.gate.feed(ask, HOLDING_2, NOW_S).answers)
    assert (told.command, told.result) == (VERSION, dialect.MAV_RESULT_TEMPORARILY_REJECTED)


def test_a_flood_of_orders_is_not_answered_one_by_one() -> None:
    order = station("COMMAND_LONG", target_system=1, command=ARM)
    flood = Asking().gate.feed(order * 500, HOLDING_2, NOW_S)
    assert (len(flood.answers), flood.dropped["not_in_control"]) == (ASKS_AT_ONCE + 1, 500)


@pytest.mark.parametrize(
    "frame",
    [
        station("COMMAND_LONG", target_system=9, command=ARM),
        station("COMMAND_LONG", target_system=3, command=ARM),
        station("COMMAND_LONG", target_system=0, command=ARM),
        encode("COMMAND_LONG", {"target_system": 2, "command": ARM}, system_id=1, component_id=1, sequence=1),
    ],
)
def test_nobody_is_answered_in_the_name_of_a_drone_that_is_not_meant(frame: bytes) -> None:
    passed = Asking().gate.feed(frame, Standing(WATCHED), NOW_S)
    assert (passed.frames, passed.answers, passed.dropped.total()) == ({}, [], 1)


def test_the_causes_fit_into_a_text_of_the_protocol() -> None:
    assert all(len(text.encode()) <= 50 and text.isascii() for text in TEXTS.values())


def test_a_station_that_is_heard_again_shows_no_old_error() -> None:
    (url,) = parse_forwards("udpout:127.0.0.1:14550#field")
    watched: Any = SimpleNamespace(pace=AskingPace(), standing=lambda _: HOLDING_2)
    station_link = StationLink(url, watched, lambda *_: True, FakeClock())
    station_link.note_loss("Connection refused")
    assert station_link.status().last_error == "Connection refused"
    station_link.hear(station_link.gate(), station("HEARTBEAT", type=6))
    assert station_link.status().last_error is None
