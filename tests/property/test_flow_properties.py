"""What must hold for every flow of reports: batches split anywhere give the same, time never runs back, doors lose nothing."""

import itertools
from typing import Final

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from telemetry.alarms.board import AlarmBoard
from telemetry.model.batch import (
    ANGLES,
    NEVER_UNKNOWN,
    NULLABLE,
    REPORT,
    Batch,
    Quality,
    as_columns,
    concatenate,
    hash_fixes,
    new_batch,
    put,
    sort_for_storage,
    unknown_of,
)
from telemetry.model.events import (
    AlarmAcknowledged,
    AnyEvent,
    ArmedChanged,
    BatteryLow,
    IdentityConflict,
    LandedChanged,
    LandedState,
    LinkLost,
    LinkRegained,
    SosCleared,
    SosRaised,
    decode_event,
    encode_event,
)
from telemetry.model.unit import Assignment, Device, Service, Unit, UnitKind
from telemetry.picture.live import Picture
from telemetry.registry.table import RegistryContents, RegistryTable
from telemetry.tracking.tracker import Tracker

NOW_US: Final = 1_800_000_000_000_000
SECOND_US: Final = 1_000_000
DEVICES: Final = 4


def registry() -> RegistryTable:
    """Four devices; the last two speak for one unit."""
    protocols = ("osmand", "mavlink", "osmand", "osmand")
    return RegistryTable(
        RegistryContents(
            units=tuple(
                Unit(unit_id=10 + number, call_sign=str(number), kind=UnitKind.CAR, service=Service.PATROL)
                for number in range(3)
            ),
            devices=tuple(
                Device(device_id=number + 1, protocol=protocol, address=str(number), report_interval_s=2)
                for number, protocol in enumerate(protocols)
            ),
            assignments=tuple(
                Assignment(device_id=number + 1, unit_id=10 + min(number, 2), started_us=0) for number in range(DEVICES)
            ),
        )
    )


@st.composite
def flows(draw: st.DrawFn) -> Batch:
    """Rows in order of arrival, with late, repeated, jumping, odd and placeless ones among them."""
    count = draw(st.integers(1, 40))
    batch = new_batch(count)
    arrival_s = 0.0
    for place in range(count):
        arrival_s += draw(st.sampled_from([0.0, 0.3, 1.0, 6.0, 40.0]))
        age_s = draw(st.sampled_from([0.0, 0.0, 0.0, 0.5, 3.0, -2.0, 1e9, -1e9, 28_800.0, 28_800.0]))
        row = batch[place]
        row["device_id"] = draw(st.integers(1, DEVICES))
        row["received_us"] = NOW_US + int(arrival_s * SECOND_US)
        row["observed_us"] = NOW_US + int((arrival_s - age_s) * SECOND_US)
        row["lat_e7"] = draw(
            st.sampled_from([0, 360_000_000, 360_000_500, 360_003_000, 361_000_000, 361_000_400, 370_000_000])
        )
        row["lon_e7"] = 0 if row["lat_e7"] == 0 else 1_038_000_000
        row["battery_pct"] = draw(st.sampled_from([unknown_of("battery_pct"), 5, 15, 22, 90]))
        row["accuracy_dm"] = draw(st.sampled_from([unknown_of("accuracy_dm"), 50, 4_000]))
        row["fix"] = draw(st.sampled_from([unknown_of("fix"), 0, 3]))
        row["speed_cmps"] = draw(st.sampled_from([unknown_of("speed_cmps"), 0, 40, 900]))
        row["quality"] = draw(st.sampled_from([0, 0, 0, int(Quality.ARCHIVE), int(Quality.ENCRYPTED)]))
    hash_fixes(batch)
    return batch


def tracked_in_pieces(batch: Batch, cuts: list[int]) -> tuple[Batch, list[AnyEvent]]:
    tracker = Tracker(registry())
    rows: list[Batch] = []
    events: list[AnyEvent] = []
    edges = [0, *sorted({cut for cut in cuts if 0 < cut < len(batch)}), len(batch)]
    for start, end in itertools.pairwise(edges):
        tracked = tracker.apply(batch[start:end], int(batch["received_us"][-1]))
        rows.append(tracked.batch)
        events += tracked.events
    return concatenate(rows), events


@given(batch=flows(), cuts=st.lists(st.integers(0, 40), max_size=5))
@settings(deadline=None)
def test_a_batch_is_tracked_as_its_rows_one_by_one(batch: Batch, cuts: list[int]) -> None:
    whole, whole_events = tracked_in_pieces(batch, [])
    single, single_events = tracked_in_pieces(batch, list(range(len(batch))))
    pieces, pieces_events = tracked_in_pieces(batch, cuts)
    assert (whole == single).all()
    assert (whole == pieces).all()
    assert sorted(map(encode_event, whole_events)) == sorted(map(encode_event, single_events))
    assert sorted(map(encode_event, pieces_events)) == sorted(map(encode_event, single_events))


@given(batch=flows(), pieces=st.integers(1, 8))
@settings(deadline=None)
def test_no_device_goes_back_in_time_and_versions_only_grow(batch: Batch, pieces: int) -> None:
    table = registry()
    tracker, picture = Tracker(table), Picture(table, NOW_US)
    shown: dict[tuple[int, int], int] = {}
    version = picture.version
    for part in np.array_split(batch, pieces):
        if not len(part):
            continue
        now_us = int(part["received_us"][-1])
        picture.apply(tracker.apply(part, now_us).batch, now_us)
        assert picture.version >= version
        assert (picture.units["version"] <= picture.version).all()
        version = picture.version
        for state in picture.units[picture.units["observed_us"] > 0]:
            key = (int(state["unit_id"]), int(state["device_id"]))
            assert int(state["observed_us"]) >= shown.get(key, 0)
            assert int(state["observed_us"]) <= now_us
            assert not int(state["quality"]) & Quality.ODD_TIME
            shown[key] = int(state["observed_us"])


@given(batch=flows())
@settings(deadline=None)
def test_sorting_for_storage_keeps_each_identity_once_the_one_received_first(batch: Batch) -> None:
    rows = sort_for_storage(batch)
    names = ["device_id", "observed_us", "fix_hash"]
    identities = [tuple(row) for row in rows[names].tolist()]
    assert set(identities) == {tuple(row) for row in batch[names].tolist()}
    assert identities == sorted(set(identities), key=lambda key: (key[0], -key[1], key[2]))
    for row in rows:
        same = (batch[names] == row[names]).nonzero()[0]
        assert row["received_us"] == batch["received_us"][same].min()
    assert (sort_for_storage(rows) == rows).all()


@given(
    column=st.sampled_from(NULLABLE),
    values=arrays.arrays(np.float64, st.integers(0, 20), elements=st.floats(width=64)),
)
def test_what_is_put_in_is_rounded_cut_or_wrapped_and_nan_is_unknown(column: str, values: np.ndarray) -> None:
    batch = new_batch(len(values))
    put(batch, column, values)
    unknown, limits = unknown_of(column), np.iinfo(REPORT[column])
    for value, stored, quality in zip(values.tolist(), batch[column].tolist(), batch["quality"].tolist(), strict=True):
        if np.isnan(value):
            assert (stored, quality) == (unknown, 0)
            continue
        assert unknown < stored <= limits.max
        if column in ANGLES and np.isfinite(value):
            assert 0 <= stored < 3600
        elif quality == 0:
            assert abs(stored - value) <= 0.5
        else:
            assert quality == Quality.SATURATED


@given(data=st.data())
def test_columns_for_python_say_none_for_unknown_and_nothing_else(data: st.DataObject) -> None:
    batch = data.draw(arrays.arrays(REPORT, st.integers(0, 10)))
    columns = as_columns(batch)
    assert list(columns) == list(REPORT.names or ())
    for name, values in columns.items():
        raw = batch[name].tolist()
        assert [value is None for value in values] == [
            name not in NEVER_UNKNOWN and value == unknown_of(name) for value in raw
        ]
        assert [value for value in values if value is not None] == [
            value for value in raw if name in NEVER_UNKNOWN or value != unknown_of(name)
        ]


@st.composite
def histories(draw: st.DrawFn) -> list[AnyEvent]:
    """Events of two devices in order of arrival; acknowledgements name alarms that may be there."""
    at_us, history = NOW_US, list[AnyEvent]()
    for _ in range(draw(st.integers(0, 40))):
        at_us += draw(st.sampled_from([0, SECOND_US, 30 * SECOND_US, 90 * SECOND_US]))
        stamp = {"device_id": draw(st.integers(1, 2)), "observed_us": at_us, "received_us": at_us}
        kinds: list[dict[str, object]] = [
            {"kind": "sos_raised"},
            {"kind": "sos_cleared"},
            {"kind": "link_lost", "silent_s": draw(st.sampled_from([3.0, 12.0]))},
            {"kind": "link_regained", "silent_s": 12.0},
            {"kind": "battery_low", "battery_ratio": draw(st.sampled_from([0.1, 0.3])), "threshold_ratio": 0.3},
            {"kind": "armed_changed", "armed": draw(st.booleans())},
            {"kind": "landed_changed", "landed": draw(st.sampled_from(list(LandedState)))},
            {"kind": "identity_conflict", "evidence": "two sequences"},
        ]
        raised = [event for event in history if isinstance(event, SosRaised | LinkLost | BatteryLow | IdentityConflict)]
        if raised:
            cause = draw(st.sampled_from(raised))
            kind = {"SosRaised": "sos", "LinkLost": "link_lost", "BatteryLow": "battery_low"}
            alarm_id = f"{kind.get(type(cause).__name__, 'identity_conflict')}-{cause.device_id}-{cause.received_us}"
            kinds.append({"kind": "alarm_acknowledged", "alarm_id": alarm_id, "account_id": 1, "account_name": "Wang"})
        history.append(event_of(draw(st.sampled_from(kinds)), stamp))
    return history


TYPES: Final = {
    "sos_raised": SosRaised,
    "sos_cleared": SosCleared,
    "link_lost": LinkLost,
    "link_regained": LinkRegained,
    "battery_low": BatteryLow,
    "armed_changed": ArmedChanged,
    "landed_changed": LandedChanged,
    "identity_conflict": IdentityConflict,
    "alarm_acknowledged": AlarmAcknowledged,
}


def event_of(fields: dict[str, object], stamp: dict[str, int]) -> AnyEvent:
    rest = {name: value for name, value in fields.items() if name != "kind"}
    made = TYPES[str(fields["kind"])](**{**stamp, **rest})
    assert isinstance(made, AnyEvent)
    return made


def board() -> AlarmBoard:
    table = registry()
    return AlarmBoard(lambda device_id, at_us: table.units.get(table.unit_of(device_id, at_us) or 0))


@given(history=histories(), ticks=st.lists(st.integers(0, 3_000), max_size=10))
@settings(deadline=None)
def test_the_same_events_make_the_same_board_whenever_the_clock_looked(
    history: list[AnyEvent], ticks: list[int]
) -> None:
    live, later = board(), board()
    marks = sorted(NOW_US + tick * SECOND_US for tick in ticks)
    for event in history:
        while marks and marks[0] <= event.received_us:
            live.advance(marks.pop(0))
        live.apply(event)
    end_us = NOW_US + 10_000 * SECOND_US
    live.advance(end_us)
    for event in history:
        later.apply(decode_event(encode_event(event)))
    later.advance(end_us)
    assert live.open() == later.open()
    assert live.changes_since(0) == later.changes_since(0)


@given(history=histories())
@settings(deadline=None)
def test_an_event_told_twice_in_a_row_changes_nothing_the_second_time(history: list[AnyEvent]) -> None:
    subject = board()
    for event in history:
        subject.apply(event)
        before = subject.open(), subject.sequence
        subject.apply(event)
        assert (subject.open(), subject.sequence) == before
