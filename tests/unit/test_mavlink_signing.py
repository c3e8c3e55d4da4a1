"""Signatures are verified before their timestamps are believed, and old frames stay old after a restart."""

import io

import pytest
from pymavlink.dialects.v20 import ardupilotmega as pymavlink_dialect

from telemetry.model.decoding import SigningFact
from telemetry.model.errors import InputError
from telemetry.model.unit import Device
from telemetry.registry.table import RegistryTable
from telemetry.sources.mavlink.frame import Frame, FrameReader, encode
from telemetry.sources.mavlink.signing import Signer, Verdict, Verifier, timestamp_at

KEY = bytes(range(32))
WRONG_KEY = bytes(32)
NOW_US = 1_800_000_000_000_000
DEVICE_ID = 12
MINUTE_US = 60_000_000


class FakeRegistry(RegistryTable):
    """Knows one device's key and what was stored of its streams."""

    def __init__(self, key: bytes | None = KEY) -> None:
        super().__init__()
        self.key = key
        self.stored: dict[tuple[int, int, int], int] = {}

    def device(self, protocol: str, address: str) -> Device | None:  # noqa: ARG002 the protocol's signature
        return None

    def signing_key(self, device_id: int) -> bytes | None:
        assert device_id == DEVICE_ID
        return self.key

    def signing_timestamp(self, device_id: int, link_id: int, component_id: int) -> int:
        return self.stored.get((device_id, link_id, component_id), 0)

    def quarantine(self, protocol: str, address: str, now_us: int, reason: str) -> None:
        raise AssertionError(f"signing quarantines nobody: {protocol} {address} {now_us} {reason}")

    def store(self, facts: tuple[SigningFact, ...]) -> None:
        for fact in facts:
            self.stored[fact.device_id, fact.link_id, fact.component_id] = fact.timestamp


def heartbeat(signer: Signer | None, sequence: int = 0) -> bytes:
    fields = {"type": 2, "autopilot": 3}
    return encode("HEARTBEAT", fields, system_id=5, component_id=1, sequence=sequence, signer=signer)


def signed(key: bytes = KEY, *, at_us: int = NOW_US, link_id: int = 1) -> bytes:
    signer = Signer(key, link_id)
    signer.advance(at_us)
    return heartbeat(signer)


def read(data: bytes) -> Frame:
    return FrameReader().feed(data)[0]


def pymavlink_receiver(key: bytes = KEY) -> pymavlink_dialect.MAVLink:
    receiver = pymavlink_dialect.MAVLink(io.BytesIO())
    receiver.robust_parsing = True
    receiver.signing.secret_key = key
    receiver.signing.timestamp = timestamp_at(NOW_US)
    return receiver


def pymavlink_signed(key: bytes, at_us: int) -> bytes:
    sender = pymavlink_dialect.MAVLink(io.BytesIO(), srcSystem=5, srcComponent=1)
    sender.signing.secret_key = key
    sender.signing.sign_outgoing = True
    sender.signing.link_id = 1
    sender.signing.timestamp = timestamp_at(at_us)
    return bytes(pymavlink_dialect.MAVLink_heartbeat_message(2, 3, 0, 0, 4, 3).pack(sender))


def is_heartbeat(receiver: pymavlink_dialect.MAVLink, data: bytes) -> bool:
    return [message.get_type() for message in receiver.parse_buffer(data) or []] == ["HEARTBEAT"]


def test_what_pymavlink_signs_is_genuine() -> None:
    frame = read(pymavlink_signed(KEY, NOW_US))
    assert Verifier(DEVICE_ID, FakeRegistry()).verify(frame, NOW_US) is Verdict.GENUINE


def test_pymavlink_accepts_what_we_sign() -> None:
    assert is_heartbeat(pymavlink_receiver(), signed())


def test_one_forged_timestamp_shuts_pymavlink_up_but_not_us() -> None:
    forged = signed(WRONG_KEY, at_us=NOW_US + 365 * 1440 * MINUTE_US)
    genuine = [pymavlink_signed(KEY, NOW_US + second * 1_000_000) for second in range(3)]

    theirs = pymavlink_receiver()
    assert is_heartbeat(theirs, genuine[0])
    assert not is_heartbeat(theirs, forged)
    assert not any(is_heartbeat(theirs, data) for data in genuine[1:])

    ours = Verifier(DEVICE_ID, FakeRegistry())
    assert ours.verify(read(genuine[0]), NOW_US) is Verdict.GENUINE
    facts_before = ours.take_facts()
    assert ours.verify(read(forged), NOW_US) is Verdict.FORGED
    assert ours.take_facts() == ()
    assert [ours.verify(read(data), NOW_US) for data in genuine[1:]] == [Verdict.GENUINE, Verdict.GENUINE]
    assert facts_before[0].timestamp < ours.take_facts()[0].timestamp


def test_a_genuine_signature_from_beyond_a_minute_ahead_changes_nothing() -> None:
    verifier = Verifier(DEVICE_ID, FakeRegistry())
    assert verifier.verify(read(signed(at_us=NOW_US + MINUTE_US)), NOW_US) is Verdict.AHEAD
    assert verifier.take_facts() == ()
    assert verifier.verify(read(signed()), NOW_US) is Verdict.GENUINE


def test_a_frame_sent_again_is_refused() -> None:
    verifier = Verifier(DEVICE_ID, FakeRegistry())
    data = signed()
    assert verifier.verify(read(data), NOW_US) is Verdict.GENUINE
    assert verifier.verify(read(data), NOW_US) is Verdict.REPLAYED


def test_a_frame_sent_again_after_a_restart_is_refused() -> None:
    registry = FakeRegistry()
    before = Verifier(DEVICE_ID, registry)
    data = signed()
    assert before.verify(read(data), NOW_US) is Verdict.GENUINE
    registry.store(before.take_facts())

    after = Verifier(DEVICE_ID, registry)
    assert after.verify(read(data), NOW_US) is Verdict.REPLAYED
    assert after.verify(read(signed(at_us=NOW_US + 1_000)), NOW_US) is Verdict.GENUINE


def test_a_stream_never_heard_may_not_begin_more_than_a_minute_ago() -> None:
    verifier = Verifier(DEVICE_ID, FakeRegistry())
    assert verifier.verify(read(signed(at_us=NOW_US - MINUTE_US - 1_000)), NOW_US) is Verdict.REPLAYED
    assert verifier.verify(read(signed(at_us=NOW_US - MINUTE_US + 1_000)), NOW_US) is Verdict.GENUINE


def test_each_link_counts_for_itself() -> None:
    verifier = Verifier(DEVICE_ID, FakeRegistry())
    data = [signed(link_id=2), signed(link_id=3, at_us=NOW_US - 1_000_000)]
    assert [verifier.verify(read(each), NOW_US) for each in data] == [Verdict.GENUINE, Verdict.GENUINE]
    assert {fact.link_id for fact in verifier.take_facts()} == {2, 3}
    assert verifier.take_facts() == ()


def test_unsigned_frames_and_devices_without_a_key_are_told_apart() -> None:
    assert Verifier(DEVICE_ID, FakeRegistry()).verify(read(heartbeat(None)), NOW_US) is Verdict.UNSIGNED
    assert Verifier(DEVICE_ID, FakeRegistry(None)).verify(read(signed()), NOW_US) is Verdict.NO_KEY


@pytest.mark.parametrize("at", [0, 4, 6, 11, -14, -13, -7, -6, -1])
def test_no_byte_of_a_signed_frame_can_change(at: int) -> None:
    data = bytearray(signed())
    data[at] ^= 0x01
    frames = FrameReader().feed(bytes(data))
    assert not frames or Verifier(DEVICE_ID, FakeRegistry()).verify(frames[0], NOW_US) is Verdict.FORGED


def test_a_key_rotated_counts_at_once() -> None:
    registry = FakeRegistry()
    verifier = Verifier(DEVICE_ID, registry)
    registry.key = WRONG_KEY
    assert verifier.verify(read(signed()), NOW_US) is Verdict.FORGED


def test_a_signer_never_repeats_a_timestamp_even_when_the_clock_falls_back() -> None:
    signer = Signer(KEY, 1)
    stamps = []
    for at_us in (NOW_US, NOW_US, NOW_US - 5_000_000):
        signer.advance(at_us)
        signature = read(heartbeat(signer)).signature
        assert signature is not None
        stamps.append(int.from_bytes(signature[1:7], "little"))
    assert stamps == sorted(set(stamps))


@pytest.mark.parametrize(("key", "link_id"), [(b"short", 1), (KEY, 256), (KEY, -1)])
def test_a_key_or_link_id_that_cannot_be_is_refused(key: bytes, link_id: int) -> None:
    with pytest.raises(InputError):
        Signer(key, link_id)
