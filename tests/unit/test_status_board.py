"""The status board: a fold of mode, mission and text by unit, that follows the registry and repeats itself."""

from typing import Any

import pytest

from telemetry.model.events import AnyEvent, ArmedChanged, MissionProgress, ModeChanged, StatusText
from telemetry.model.unit import Assignment, Device, Service, Unit, UnitKind
from telemetry.picture.status import LONGEST_TEXT_CHARACTERS, StatusBoard, UnitStatus
from telemetry.registry.table import RegistryContents, RegistryTable

HAWK, OTHER = 1, 2
FIRST, SECOND, NOBODY = 11, 12, 13


def contents(*assignments: tuple[int, int], units: tuple[int, ...] = (HAWK, OTHER)) -> RegistryContents:
    return RegistryContents(
        units=tuple(
            Unit(unit_id=unit_id, call_sign=f"H{unit_id}", kind=UnitKind.DRONE, service=Service.AIR)
            for unit_id in units
        ),
        devices=tuple(
            Device(device_id=device_id, protocol="mavlink", address=f"main/{device_id}")
            for device_id in (FIRST, SECOND, NOBODY)
        ),
        assignments=tuple(
            Assignment(device_id=device_id, unit_id=unit_id, started_us=0) for device_id, unit_id in assignments
        ),
    )


@pytest.fixture
def registry() -> RegistryTable:
    return RegistryTable(contents((FIRST, HAWK), (SECOND, OTHER)))


@pytest.fixture
def board(registry: RegistryTable) -> StatusBoard:
    return StatusBoard(registry)


def base(second: int = 1, device_id: int = FIRST) -> dict[str, Any]:
    return {"device_id": device_id, "observed_us": second * 1_000_000, "received_us": second * 1_000_000}


def flight() -> list[AnyEvent]:
    return [
        ModeChanged(mode="GUIDED", **base(1)),
        ArmedChanged(armed=True, **base(1)),
        MissionProgress(item=1, total=14, **base(2)),
        ModeChanged(mode="AUTO", previous="GUIDED", **base(3)),
        MissionProgress(item=2, total=14, **base(4)),
        StatusText(level=4, text="Reached waypoint", **base(5)),
    ]


def test_what_a_vehicle_said_last_is_its_units_status(board: StatusBoard) -> None:
    for event in flight():
        board.apply(event)
    assert board.changed_since(0) == [
        UnitStatus(
            unit_id=HAWK,
            device_id=FIRST,
            mode="AUTO",
            mission_item=2,
            mission_total=14,
            text="Reached waypoint",
            text_level=4,
            text_at_us=5_000_000,
        )
    ]


def test_the_same_events_make_the_same_board(board: StatusBoard, registry: RegistryTable) -> None:
    again = StatusBoard(registry)
    for event in flight():
        board.apply(event)
        again.apply(event)
    assert (again.version, again.changed_since(0)) == (board.version, board.changed_since(0))


def test_only_what_changed_is_told_and_a_repetition_is_no_change(board: StatusBoard) -> None:
    board.apply(ModeChanged(mode="AUTO", **base(1)))
    board.apply(ModeChanged(mode="LOITER", **base(1, SECOND)))
    version = board.version
    board.apply(ModeChanged(mode="AUTO", **base(2)))
    assert board.version == version
    board.apply(ModeChanged(mode="RTL", **base(3)))
    assert [(status.unit_id, status.mode) for status in board.changed_since(version)] == [(HAWK, "RTL")]


def test_what_was_never_said_is_unknown(board: StatusBoard) -> None:
    board.apply(ModeChanged(mode="AUTO", **base()))
    status = board.of(HAWK)
    assert (status.mission_item, status.mission_total, status.text, status.text_level) == (None, None, None, None)
    assert board.of(OTHER) == UnitStatus(unit_id=OTHER)


def test_an_item_that_was_reached_is_current_only_while_no_other_is_known(board: StatusBoard) -> None:
    board.apply(MissionProgress(item=3, reached=True, **base(1)))
    assert board.of(HAWK).mission_item == 3
    board.apply(MissionProgress(item=5, total=9, **base(2)))
    board.apply(MissionProgress(item=4, total=9, reached=True, **base(3)))
    assert (board.of(HAWK).mission_item, board.of(HAWK).mission_total) == (5, 9)


def test_a_recorded_vehicle_has_a_status_too(board: StatusBoard) -> None:
    board.apply(ModeChanged(mode="AUTO", replayed=True, **base()))
    assert board.of(HAWK).mode == "AUTO"


def test_a_device_that_speaks_for_no_unit_says_nothing(board: StatusBoard) -> None:
    board.apply(ModeChanged(mode="AUTO", **base(1, NOBODY)))
    assert board.changed_since(0) == []


def test_another_device_of_a_unit_begins_with_nothing(board: StatusBoard, registry: RegistryTable) -> None:
    for event in flight():
        board.apply(event)
    registry.replace(contents((SECOND, HAWK)))
    board.apply(StatusText(level=6, text="Hello", **base(9, SECOND)))
    assert (board.of(HAWK).mode, board.of(HAWK).mission_item, board.of(HAWK).text) == (None, None, "Hello")


def test_a_unit_whose_device_left_tells_that_nothing_is_known(board: StatusBoard, registry: RegistryTable) -> None:
    for event in flight():
        board.apply(event)
    version = board.version
    registry.replace(contents((SECOND, OTHER)))
    board.refresh(9_000_000)
    assert board.changed_since(version) == [UnitStatus(unit_id=HAWK)]


def test_a_unit_that_left_the_force_is_forgotten(board: StatusBoard, registry: RegistryTable) -> None:
    for event in flight():
        board.apply(event)
    registry.replace(contents(units=(OTHER,)))
    board.refresh(9_000_000)
    assert board.changed_since(0) == []


def test_a_text_without_end_is_cut(board: StatusBoard) -> None:
    board.apply(StatusText(level=6, text="x" * 12_000, **base()))
    assert len(board.of(HAWK).text or "") == LONGEST_TEXT_CHARACTERS
