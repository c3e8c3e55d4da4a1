"""MAVLink 2 signatures: who verifies remembers, who sends never repeats a timestamp.

The order matters. A receiver that believes a frame's timestamp before it has checked the frame's signature can be shut
up for ever by one forged frame from the far future; here nothing is remembered of a frame whose signature is wrong.
"""

import hashlib
import hmac
from enum import StrEnum
from typing import Final

from telemetry.model.decoding import Registry, SigningFact
from telemetry.model.errors import InputError
from telemetry.sources.mavlink.frame import SIGNATURE_BYTES, Frame

KEY_BYTES: Final = 32
HASH_BYTES: Final = 6
EPOCH_US: Final = 1_420_070_400_000_000  # 2015-01-01 UTC, where signing timestamps begin
TICK_US: Final = 10  # a signing timestamp counts tens of microseconds
LEEWAY_TICKS: Final = 60_000_000 // TICK_US  # how far a sender's clock may run ahead; behind, for a stream never heard


class Verdict(StrEnum):
    """What a signature is worth."""

    GENUINE = "genuine"
    UNSIGNED = "unsigned"
    NO_KEY = "no_signing_key"
    FORGED = "wrong_signature"
    REPLAYED = "old_signing_timestamp"
    AHEAD = "future_signing_timestamp"


def timestamp_at(now_us: int) -> int:
    """Return the signing timestamp of a UTC time in microseconds; 0 before 2015."""
    return max(0, (now_us - EPOCH_US) // TICK_US)


def signature_hash(key: bytes, covered: bytes) -> bytes:
    """Return the 6 bytes that sign `covered`: the frame from its magic up to and with the signature's timestamp."""
    return hashlib.sha256(key + covered).digest()[:HASH_BYTES]


def checked_key(key: bytes) -> bytes:
    """Return a signing key that has the right length. Raises InputError (the message does not tell the key)."""
    if len(key) != KEY_BYTES:
        raise InputError(
            f"a MAVLink signing key has {KEY_BYTES} bytes, this one {len(key)}; make one with `skybeat device rotate`"
        )
    return key


class Verifier:
    """Decides whether frames of one device bear its signature, and remembers each stream's newest timestamp.

    A stream is (link id, system id, component id). The newest timestamps survive restarts: `take_facts` gives what is
    to be stored, and a stream not heard since the start asks the registry. Keys are asked of the registry each time,
    so that a rotated or revoked key counts at once.
    """

    __slots__ = ("_changed", "_device_id", "_newest", "_registry")

    def __init__(self, device_id: int, registry: Registry) -> None:
        self._device_id = device_id
        self._registry = registry
        self._newest: dict[tuple[int, int, int], int] = {}
        self._changed: dict[tuple[int, int], int] = {}

    def verify(self, frame: Frame, now_us: int) -> Verdict:
        """Return what the frame's signature is worth; only a genuine one changes what is remembered."""
        signature = frame.signature
        if signature is None:
            return Verdict.UNSIGNED
        key = self._registry.signing_key(self._device_id)
        if key is None:
            return Verdict.NO_KEY
        expected = signature_hash(key, frame.raw[:-HASH_BYTES])
        if not hmac.compare_digest(expected, signature[-HASH_BYTES:]):
            return Verdict.FORGED
        return self._judge_time((signature[0], frame.system_id, frame.component_id), signature, now_us)

    def take_facts(self) -> tuple[SigningFact, ...]:
        """Return the newest timestamp of each stream that moved since the last call: one fact a stream, to be stored."""
        changed, self._changed = self._changed, {}
        return tuple(
            SigningFact(device_id=self._device_id, link_id=link_id, component_id=component_id, timestamp=timestamp)
            for (link_id, component_id), timestamp in changed.items()
        )

    def _judge_time(self, stream: tuple[int, int, int], signature: bytes, now_us: int) -> Verdict:
        timestamp = int.from_bytes(signature[1 : SIGNATURE_BYTES - HASH_BYTES], "little")
        now_ticks = timestamp_at(now_us)
        if timestamp >= now_ticks + LEEWAY_TICKS:
            return Verdict.AHEAD
        newest = self._newest_of(stream)
        if timestamp <= newest or (newest == 0 and timestamp + LEEWAY_TICKS < now_ticks):
            return Verdict.REPLAYED
        self._newest[stream] = timestamp
        self._changed[stream[0], stream[2]] = timestamp
        return Verdict.GENUINE

    def _newest_of(self, stream: tuple[int, int, int]) -> int:
        known = self._newest.get(stream)
        if known is not None:
            return known
        return self._registry.signing_timestamp(self._device_id, stream[0], stream[2])


class Signer:
    """Signs the frames that we send on one link: each with a timestamp newer than the one before.

    Hand it the time with `advance` before sending; frames of one instant get consecutive timestamps.
    """

    __slots__ = ("_key", "_link_id", "_timestamp")

    def __init__(self, key: bytes, link_id: int) -> None:
        if not 0 <= link_id <= 0xFF:
            raise InputError(f"a signing link id is 0..255, not {link_id}")
        self._key = checked_key(key)
        self._link_id = link_id
        self._timestamp = 0

    def advance(self, now_us: int) -> None:
        """Move on to this time; a clock that was set back does not move the timestamps back."""
        self._timestamp = max(self._timestamp, timestamp_at(now_us))

    def sign(self, frame: bytes) -> bytes:
        """Return the 13 bytes that follow a frame which ends with its CRC and bears the flag of a signed one."""
        self._timestamp += 1
        stamp = bytes([self._link_id]) + self._timestamp.to_bytes(6, "little")
        return stamp + signature_hash(self._key, frame + stamp)
