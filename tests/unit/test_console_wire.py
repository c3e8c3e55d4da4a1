"""The websocket's messages and frames: what is packed is what is read back, and what is wrong is refused with a reason."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from console import wire
from telemetry.model.errors import InputError
from telemetry.model.unit_state import UNIT_STATE, UnitStates

T_MS = 1_700_000_000_000.0


def rows_of(count: int) -> UnitStates:
    rows = np.zeros(count, UNIT_STATE)
    rows["unit_id"] = np.arange(1, count + 1)
    rows["lat_e7"] = 361_234_567
    rows["lon_e7"] = -1_031_234_567
    rows["observed_us"] = int(T_MS) * 1000 - np.arange(count) * 1_500_000
    rows["heading_ddeg"] = -32768
    rows["state"] = 1 << 4
    return rows


@pytest.mark.parametrize("count", [0, 1, 3, 8, 833])
def test_what_is_packed_is_read_back_column_by_column(count: int) -> None:
    rows = rows_of(count)
    data = wire.pack_units(rows, wire.FrameKind.DELTA, epoch=7, seq=2**40, t_ms=T_MS)
    frame = wire.decode_frame(data)
    assert (frame.kind, frame.epoch, frame.seq, frame.t_ms, len(frame)) == (2, 7, 2**40, T_MS, count)
    for name, values in frame.columns.items():
        if name != "age_ms":
            assert np.array_equal(values, rows[name])
    assert np.array_equal(frame.columns["age_ms"], np.arange(count) * 1500)


def test_every_column_begins_at_a_multiple_of_eight_bytes() -> None:
    data = wire.pack_units(rows_of(3), wire.FrameKind.SNAPSHOT, epoch=1, seq=1, t_ms=T_MS)
    assert len(data) % 8 == 0
    assert len(data) == 32 + 8 * 16 + 5 * 8 + 5 * 8
    assert data[:4] == b"SK\x01\x01"


def test_833_units_fit_in_the_budget_of_the_bench() -> None:
    data = wire.pack_units(rows_of(833), wire.FrameKind.SNAPSHOT, epoch=1, seq=1, t_ms=T_MS)
    assert len(data) < 48 * 833


def test_a_unit_never_heard_has_an_unknown_age_and_an_old_one_a_saturated_one() -> None:
    rows = rows_of(3)
    rows["observed_us"] = [0, 1, int(T_MS) * 1000 + 5_000_000]
    frame = wire.decode_frame(wire.pack_units(rows, wire.FrameKind.SNAPSHOT, epoch=1, seq=1, t_ms=T_MS))
    assert frame.columns["age_ms"].tolist() == [-(2**31), 2**31 - 1, -5000]


def test_a_trail_names_its_unit_and_keeps_its_order() -> None:
    points = [(int(T_MS) * 1000 - 2_000_000, 1, 2), (int(T_MS) * 1000 - 1_000_000, 3, 4), (int(T_MS) * 1000, 5, 6)]
    fixes = np.array(points, [("observed_us", "<i8"), ("lat_e7", "<i4"), ("lon_e7", "<i4")])
    frame = wire.decode_frame(wire.pack_trail(42, fixes, epoch=1, seq=0, t_ms=T_MS))
    assert frame.unit_id == 42
    assert frame.columns["age_ms"].tolist() == [2000, 1000, 0]
    assert frame.columns["lon_e7"].tolist() == [2, 4, 6]


def test_a_gone_frame_holds_unit_ids_alone() -> None:
    frame = wire.decode_frame(wire.pack_gone(np.array([5, 9], np.int32), epoch=1, seq=4, t_ms=T_MS))
    assert (frame.kind, frame.columns["unit_id"].tolist()) == (wire.FrameKind.GONE, [5, 9])


@pytest.mark.parametrize("cut", [0, 10, 31, 40, 200])
def test_a_frame_cut_short_is_refused(cut: int) -> None:
    data = wire.pack_units(rows_of(8), wire.FrameKind.DELTA, epoch=1, seq=1, t_ms=T_MS)
    with pytest.raises(InputError, match="a frame"):
        wire.decode_frame(data[:cut])


def test_a_frame_of_another_version_is_refused() -> None:
    data = bytearray(wire.pack_gone(np.array([5], np.int32), epoch=1, seq=4, t_ms=T_MS))
    data[2] = 9
    with pytest.raises(InputError, match="version 9"):
        wire.decode_frame(bytes(data))


def test_a_subscription_is_read_and_its_limits_are_kept() -> None:
    message = wire.decode_message('{"type":"sub","bbox":[103,35,104,37],"unit_ids":[1,2],"hz":2}')
    assert message == wire.Subscribe(bbox=[103.0, 35.0, 104.0, 37.0], unit_ids=[1, 2], hz=2.0)
    for bad in ('{"type":"sub","hz":99}', '{"type":"fly"}', "[]", "", '{"type":"sub","bbox":[1]}'):
        with pytest.raises(InputError, match="not one of skb1"):
            wire.decode_message(bad)
    with pytest.raises(InputError, match="at most 16384"):
        wire.decode_message(" " * 20_000)


def test_messages_to_the_browser_bear_their_type() -> None:
    assert wire.encode_message(wire.RateChanged(hz=2.0)) == '{"type":"rate","hz":2.0}'
    status = wire.StatusView(
        unit_id=3, mode="AUTO", mission_item=9, mission_total=14, text=None, text_level=None, text_at_ms=None
    )
    assert wire.encode_message(wire.StatusChanged(statuses=[status])) == (
        '{"type":"status","statuses":[{"unit_id":3,"mode":"AUTO","mission_item":9,"mission_total":14,'
        '"text":null,"text_level":null,"text_at_ms":null}]}'
    )


def test_the_browsers_twin_is_what_the_structs_say() -> None:
    tool = Path(__file__).parents[2] / "tools" / "generate_wire.py"
    done = subprocess.run([sys.executable, str(tool), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
