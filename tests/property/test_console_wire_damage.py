"""Whatever bytes or text arrive: a frame is read back whole or refused with a reason, never anything else."""

import contextlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from console import wire
from console.stream.group import snapped_box
from telemetry.model.errors import InputError
from telemetry.model.unit_state import UNIT_STATE

GOOD = wire.pack_units(np.zeros(5, UNIT_STATE), wire.FrameKind.DELTA, epoch=1, seq=2, t_ms=3.0)


@given(st.binary(max_size=400))
def test_any_bytes_are_a_frame_or_an_input_error(data: bytes) -> None:
    with contextlib.suppress(InputError):
        assert len(wire.decode_frame(data)) >= 0


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_a_flipped_byte_never_makes_columns_of_unlike_length(at: int, value: int) -> None:
    data = bytearray(GOOD)
    data[at] = value
    with contextlib.suppress(InputError):
        frame = wire.decode_frame(bytes(data))
        assert {len(column) for column in frame.columns.values()} == {len(frame)}


@given(st.one_of(st.text(max_size=300), st.binary(max_size=300)))
def test_any_text_is_a_message_or_an_input_error(text: str | bytes) -> None:
    with contextlib.suppress(InputError):
        assert isinstance(wire.decode_message(text), wire.Hello | wire.Subscribe | wire.Pong)


@given(st.lists(st.floats(allow_nan=True), min_size=4, max_size=4))
def test_any_subscription_that_is_read_makes_a_box_that_holds_what_was_asked(bbox: list[float]) -> None:
    box_deg = snapped_box(bbox)
    if box_deg is not None:
        west, south, east, north = bbox
        assert box_deg[0] <= west
        assert box_deg[1] <= south
        assert box_deg[2] >= east
        assert box_deg[3] >= north
