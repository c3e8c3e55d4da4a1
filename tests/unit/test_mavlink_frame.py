"""The scalar tier finds and writes frames."""

import pytest

from telemetry.model.errors import InputError
from telemetry.sources.mavlink.frame import Frame, FrameReader, decode, encode, values
from telemetry.sources.mavlink.tables import MESSAGE_ID, MESSAGES, enum_name

POSITION = {
    "time_boot_ms": 1234,
    "lat": 360512345,
    "lon": 1038412345,
    "alt": 1_550_000,
    "relative_alt": 30_000,
    "vx": 120,
    "vy": -3,
    "vz": 7,
    "hdg": 35_900,
}


def position(sequence: int = 0, *, version: int = 2) -> bytes:
    return encode("GLOBAL_POSITION_INT", POSITION, system_id=7, component_id=1, sequence=sequence, version=version)


def text(words: str) -> bytes:
    return encode("STATUSTEXT", {"severity": 4, "text": words}, system_id=7, component_id=1, sequence=1)


@pytest.mark.parametrize("version", [1, 2])
def test_a_written_frame_is_read_back_with_its_values(version: int) -> None:
    frames = FrameReader().feed(position(9, version=version))
    assert [(f.system_id, f.component_id, f.sequence, f.msg_id, f.version) for f in frames] == [(7, 1, 9, 33, version)]
    assert values(frames[0]) == POSITION
    assert decode(frames[0]) == tuple(POSITION[field.name] for field in MESSAGES[33].fields)


def test_a_truncated_payload_is_zero_extended() -> None:
    frame = FrameReader().feed(text("hello"))[0]
    assert len(frame.raw) == 12 + 6
    assert len(frame.payload) == MESSAGES[253].max_len
    assert values(frame) == {"severity": 4, "text": "hello", "id": 0, "chunk_seq": 0}


def test_a_stream_cut_anywhere_gives_the_same_frames() -> None:
    stream = position(0) + text("halfway") + position(1, version=1)
    for cut in range(len(stream)):
        reader = FrameReader()
        frames = reader.feed(stream[:cut]) + reader.feed(stream[cut:])
        assert [frame.msg_id for frame in frames] == [33, 253, 33]
        assert (reader.frames_bad, reader.bytes_skipped, reader.pending_bytes) == (0, 0, 0)


def test_noise_between_frames_is_one_bad_run_and_costs_no_frame() -> None:
    reader = FrameReader()
    frames = reader.feed(position(0) + b"\xfd\xfe\x00noise\xfd" + position(1))
    assert [frame.sequence for frame in frames] == [0, 1]
    assert (reader.frames_good, reader.frames_bad, reader.bytes_skipped) == (2, 1, 9)


def test_a_run_of_noise_over_several_pieces_counts_once() -> None:
    reader = FrameReader()
    for piece in (b"no", b"ise", position(0), b"again"):
        reader.feed(piece)
    assert (reader.frames_good, reader.frames_bad, reader.bytes_skipped) == (1, 2, 10)


def test_one_wrong_length_byte_loses_one_frame() -> None:
    beats = [encode("HEARTBEAT", {"type": 2}, system_id=1, component_id=1, sequence=n) for n in range(60)]
    beats[20] = beats[20][:1] + b"\xff" + beats[20][2:]
    reader = FrameReader()
    frames = reader.feed(b"".join(beats)) + reader.flush()
    assert [frame.sequence for frame in frames] == [n for n in range(60) if n != 20]


def test_flushing_searches_behind_a_beginning_that_never_ends() -> None:
    false_beginning = b"\xfd\xff\x00\x00\x00\x01\x01\x21\x00\x00"
    reader = FrameReader()
    assert reader.feed(false_beginning + position(1)) == []
    assert [frame.sequence for frame in reader.flush()] == [1]
    assert (reader.pending_bytes, reader.frames_bad, reader.bytes_skipped) == (0, 1, len(false_beginning))


def test_an_unknown_message_id_is_never_accepted() -> None:
    unknown = b"\xfd\x01\x00\x00\x05\x01\x01\xff\xff\x00\x00\x12\x34"
    reader = FrameReader()
    assert reader.feed(unknown + position(0))[0].msg_id == 33
    assert reader.bytes_skipped == len(unknown)


def test_unknown_incompatibility_flags_are_never_accepted() -> None:
    frame = bytearray(position(0))
    frame[2] = 0x02
    assert FrameReader().feed(bytes(frame) + position(1))[0].sequence == 1


def test_a_longer_payload_of_a_newer_sender_is_cut_to_what_we_know() -> None:
    from telemetry.sources.mavlink import frame as room

    body = position(0)[1:-2]
    longer = bytes([body[0] + 4]) + body[1:] + b"\x01\x02\x03\x04"
    stream = b"\xfd" + longer + room._crc_bytes(longer, MESSAGES[33].crc_extra)
    assert values(FrameReader().feed(stream)[0]) == POSITION


@pytest.mark.parametrize(
    ("msg_id", "fields", "version", "says"),
    [
        ("NO_SUCH", {}, 2, "no MAVLink message 'NO_SUCH'"),
        (99_999, {}, 2, "no MAVLink message 99999"),
        ("HEARTBEAT", {"colour": 1}, 2, "has no field colour"),
        ("HEARTBEAT", {"type": 256}, 2, "does not fit"),
        ("HEARTBEAT", {"type": 1.5}, 2, "does not fit"),
        ("OPEN_DRONE_ID_LOCATION", {}, 1, "use version 2"),
    ],
)
def test_what_cannot_be_written_is_refused_in_words(
    msg_id: int | str, fields: dict[str, int | float], version: int, says: str
) -> None:
    with pytest.raises(InputError, match=says):
        encode(msg_id, fields, system_id=1, component_id=1, sequence=0, version=version)


def test_a_system_id_beyond_one_byte_is_refused() -> None:
    with pytest.raises(InputError, match="system id 300"):
        encode("HEARTBEAT", {}, system_id=300, component_id=1, sequence=0)


def test_the_tables_know_names_and_lengths() -> None:
    assert MESSAGES[MESSAGE_ID["GPS_RAW_INT"]].min_len == 30
    assert MESSAGES[24].max_len == MESSAGES[24].dtype.itemsize == 52
    assert enum_name("MAV_TYPE", 2) == "QUADROTOR"
    assert enum_name("MAV_TYPE", 250) is None


def test_a_frame_is_a_tuple_with_names() -> None:
    frame = FrameReader().feed(position(3))[0]
    assert isinstance(frame, Frame)
    assert (frame.signature, frame.raw) == (None, position(3))
