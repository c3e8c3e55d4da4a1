"""No bytes and no field values break the decoder, and what it gives always fits its columns."""

from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.model.batch import REPORT
from telemetry.model.events import decode_event, encode_event
from telemetry.sources.mavlink import MavlinkDecoder
from telemetry.sources.mavlink.frame import Frame
from telemetry.sources.mavlink.network import Network
from telemetry.sources.mavlink.tables import MESSAGES
from telemetry.sources.mavlink.turn import Turn
from tests.mavlink_scene import START_US, Drone, registry_of

HANDLED = (0, 1, 2, 24, 30, 33, 42, 46, 74, 109, 147, 235, 245, 253, 340, 12901)
PAYLOAD = st.one_of(
    st.binary(min_size=255, max_size=255), st.sampled_from([b"\xff" * 255, b"\x7f" * 255, b"\x80" * 255])
)


@settings(max_examples=300)
@given(st.lists(st.tuples(st.sampled_from(HANDLED), PAYLOAD, st.integers(0, 20_000_000)), min_size=1, max_size=30))
def test_no_field_values_break_it_and_every_row_and_event_can_be_stored(
    messages: list[tuple[int, bytes, int]],
) -> None:
    network = Network(registry_of(1), "g")
    link = network.join(allow_unsigned=True)
    now_us = START_US
    turn = Turn()
    heartbeat = b"\0\0\0\0\x02\x03\xd1\x04\x03"
    for number, (msg_id, data, wait_us) in enumerate([(0, heartbeat, 0), *messages]):
        now_us += wait_us
        payload = data[: MESSAGES[msg_id].max_len].ljust(MESSAGES[msg_id].max_len, b"\0")
        network.take(Frame(1, 1, number & 255, msg_id, 2, payload, None, b""), link, now_us, turn)
        network.tick(now_us, turn)
    output = turn.output()
    assert output.batch.dtype == REPORT
    assert (abs(output.batch["lat_e7"]) <= 900_000_000).all()
    assert (output.batch["observed_us"] <= now_us + 1_000).all()
    assert (output.batch["battery_pct"] <= 100).all()
    for event in output.events:
        assert decode_event(encode_event(event)) == event


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=40), st.integers(1, 300))
def test_damaged_bytes_in_pieces_of_any_size_cost_frames_but_never_an_error(
    damages: list[tuple[int, int]], piece: int
) -> None:
    drone = Drone()
    stream = bytearray(
        b"".join(frame for tick in range(60) for frame in drone.frames_at(tick, START_US + tick * 100_000))
    )
    for place, value in damages:
        stream[place % len(stream)] ^= value
    decoder = MavlinkDecoder(registry_of(1), "g", allow_unsigned=True)
    rows = 0
    for at in range(0, len(stream), piece):
        rows += len(decoder.feed(bytes(stream[at : at + piece]), START_US + at * 400).batch)
    assert rows <= drone.positions_sent
    if not damages:
        assert rows == drone.positions_sent
