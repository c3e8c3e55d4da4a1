"""However a stream of SIP is cut, joined and soiled, the same messages come out of it; and no bytes bring a decoder down."""

from hypothesis import example, given
from hypothesis import strategies as st

from telemetry.model.decoding import Peer
from telemetry.model.reading import ReadError
from telemetry.sources.gb28181 import message_reader
from telemetry.sources.gb28181.camera import Camera
from telemetry.sources.gb28181.sip import SipError, parse, write
from telemetry.sources.gb28181.stream import MessageSplitter
from tests.gb28181_scene import NOW_US, PEER, Scene, fix, message, plan

READER = message_reader(utc_offset_s=28_800)
TCP = Peer(transport="tcp", host=PEER.host, port=PEER.port, local_host="10.0.0.1", local_port=5060)
bodies = st.one_of(st.binary(max_size=200), st.just(b"\r\n\r\n"), st.just(b"MESSAGE sip:a SIP/2.0\r\n\r\n"))
messages = st.builds(message, bodies, method=st.sampled_from(["MESSAGE", "NOTIFY", "REGISTER"]))
junk = st.binary(max_size=60).filter(lambda data: b"SIP" not in data.upper())
cuts = st.lists(st.integers(1, 200), max_size=30)


def pieces(data: bytes, lengths: list[int]) -> list[bytes]:
    found, at = [], 0
    for length in lengths:
        found.append(data[at : at + length])
        at += length
    return [*found, data[at:]]


@given(st.lists(messages, max_size=6), cuts)
def test_a_stream_gives_the_same_messages_wherever_it_is_cut(sent: list[bytes], lengths: list[int]) -> None:
    splitter = MessageSplitter()
    came = [one for piece in pieces(b"".join(sent), lengths) for one in splitter.feed(piece)]
    assert came == sent
    assert (splitter.begun_bytes, splitter.bytes_skipped) == (0, 0)


@given(st.lists(st.tuples(junk, messages), max_size=5), cuts)
def test_junk_between_messages_costs_only_itself(sent: list[tuple[bytes, bytes]], lengths: list[int]) -> None:
    splitter = MessageSplitter()
    stream = b"".join(soil + b"\n" + one for soil, one in sent)
    came = [one for piece in pieces(stream, lengths) for one in splitter.feed(piece)]
    assert came == [one for _, one in sent]


@given(st.binary(max_size=300))
@example(b"REGISTER sip:x SIP/2.0\r\nVia: \r\nFrom: \r\nCall-ID:\r\nCSeq:\r\n\r\n")
@example(b"NOTIFY sip:x SIP/2.0\nv:;branch=\nf:;tag=\ni:\nCSeq: -1\nExpires: 99999999999\n\n<")
def test_no_bytes_bring_a_decoder_a_reader_or_a_camera_down(data: bytes) -> None:
    for peer in (PEER, TCP):
        Scene(peer=peer).decoder.feed(data, NOW_US)
    Camera(plan()).feed(data, NOW_US)
    assert READER.read(data)
    assert sum(map(len, READER.split(data))) <= len(data)
    assert 0 <= READER.whole_bytes(data) <= len(data)


headers = st.lists(
    st.tuples(st.sampled_from(["Contact", "Expires", "Authorization", "Event", "To", "X"]), st.text(max_size=40)),
    max_size=5,
)


@given(st.sampled_from(["REGISTER", "MESSAGE", "NOTIFY", "BYE", "SUBSCRIBE"]), headers, bodies)
def test_no_header_brings_the_server_or_a_camera_down(method: str, said: list[tuple[str, str]], body: bytes) -> None:
    scene = Scene()
    scene.start()
    data = message(body, method=method, headers=tuple(said))
    scene.ask(data)
    scene.camera.feed(data, NOW_US)


@given(st.integers(0, 400), st.binary(min_size=1, max_size=3))
def test_a_damaged_report_is_read_refused_or_answered_but_never_half_believed(at: int, damage: bytes) -> None:
    scene = Scene()
    scene.start()
    (notify,) = scene.camera.report([fix(scene.now_us)], scene.now_us)
    damaged = notify[:at] + damage + notify[at + len(damage) :]
    output = scene.decoder.feed(damaged, scene.now_us)
    for reply in output.replies:
        assert parse(reply.data).status in {200, 400, 403, 405, 481} or parse(reply.data).method
    assert len(output.batch) <= 1


@given(st.lists(messages, min_size=1, max_size=4))
def test_a_recording_splits_the_same_in_pieces_as_whole(sent: list[bytes]) -> None:
    stream = b"\n".join(sent)
    taken = READER.whole_bytes(stream)
    assert READER.split(stream[:taken]) + READER.split(stream[taken:]) == READER.split(stream)


@given(st.text(max_size=60), st.text(max_size=60))
def test_what_is_written_reads_the_same(call_id: str, value: str) -> None:
    data = write(
        "MESSAGE sip:a@b SIP/2.0",
        [("Via", "a"), ("From", "b"), ("Call-ID", call_id), ("CSeq", "1 MESSAGE"), ("X", value)],
        b"body",
    )
    try:
        sip = parse(data)
    except SipError:
        raise AssertionError(data) from None
    assert sip.body == b"body"
    assert "x" in sip.headers
    assert not [read for read in READER.read(data) if isinstance(read, ReadError)]
