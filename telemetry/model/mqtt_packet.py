"""The MQTT packets that pass between a broker's link and a protocol's room, as they are on the wire: PUBLISH, PUBACK, DISCONNECT.

A room that is carried by MQTT is fed whole PUBLISH packets, so that topic, retained flag and packet number reach it (and the log
of raw bytes) together; its promise to keep what one says is the PUBACK of the same number.
"""

import struct
from typing import Final

import msgspec

from telemetry.model.errors import InputError

PUBLISH: Final = 3
PUBACK: Final = 4
DISCONNECT: Final = b"\xe0\x00"
"""The packet that ends a connection; a broker keeps what was not acknowledged for the next one of the same session."""
LONGEST_REMAINING: Final = 268_435_455
LONGEST_TOPIC_BYTES: Final = 65_535


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """One message of a topic. `packet_id` is 1..65535 where it wants an acknowledgement (QoS 1), else 0.

    `is_retained`: the broker kept it for those who come later, so it may be old.
    """

    topic: str
    payload: bytes
    packet_id: int = 0
    is_retained: bool = False


def encode_publish(publication: Publication) -> bytes:
    """Return a PUBLISH packet (MQTT 3.1.1). Raises InputError for a topic that is too long."""
    topic = publication.topic.encode()
    if len(topic) > LONGEST_TOPIC_BYTES:
        raise InputError(f"a topic of {len(topic)} bytes: at most {LONGEST_TOPIC_BYTES} are allowed")
    flags = (0b0010 if publication.packet_id else 0) | publication.is_retained
    number = struct.pack(">H", publication.packet_id) if publication.packet_id else b""
    rest = struct.pack(">H", len(topic)) + topic + number + publication.payload
    return bytes([PUBLISH << 4 | flags]) + _length_bytes(len(rest)) + rest


def encode_puback(packet_id: int) -> bytes:
    """Return the PUBACK of a PUBLISH."""
    return struct.pack(">BBH", PUBACK << 4, 2, packet_id)


def packet_kind(packet: bytes) -> int:
    """Return the packet's type: PUBLISH, PUBACK or another; 0 for no bytes."""
    return packet[0] >> 4 if packet else 0


def acknowledged_id(packet: bytes) -> int:
    """Return the number that a PUBACK acknowledges. Raises InputError for no PUBACK."""
    if len(packet) != 4 or packet_kind(packet) != PUBACK:
        raise InputError(f"{packet[:8].hex()} is no PUBACK: one has 4 bytes and begins with 40 02")
    return int.from_bytes(packet[2:], "big")


def parse_publish(packet: bytes) -> Publication:
    """Return what a whole PUBLISH packet says. Raises InputError for other bytes."""
    if packet_kind(packet) != PUBLISH:
        raise InputError(f"an MQTT packet that begins with {packet[:1].hex()!r}: a PUBLISH begins with 3x")
    at, rest_bytes = _length(packet)
    if at + rest_bytes != len(packet) or rest_bytes < 2:
        raise InputError(f"a PUBLISH of {len(packet)} bytes says that it has {at + rest_bytes}")
    (topic_bytes,) = struct.unpack_from(">H", packet, at)
    begin, has_number = at + 2 + topic_bytes, bool(packet[0] & 0b0110)
    if begin + 2 * has_number > len(packet):
        raise InputError(f"a PUBLISH of {len(packet)} bytes ends within its topic of {topic_bytes} bytes")
    try:
        topic = packet[at + 2 : begin].decode()
    except UnicodeDecodeError as error:
        raise InputError("a PUBLISH with a topic that is no UTF-8") from error
    number = int.from_bytes(packet[begin : begin + 2], "big") if has_number else 0
    payload = packet[begin + 2 * has_number :]
    return Publication(topic=topic, payload=payload, packet_id=number, is_retained=bool(packet[0] & 1))


def _length_bytes(length: int) -> bytes:
    if length > LONGEST_REMAINING:
        raise InputError(f"an MQTT packet of {length} bytes: at most {LONGEST_REMAINING} are allowed")
    digits = bytearray()
    while True:
        length, digit = divmod(length, 128)
        digits.append(digit | (0x80 if length else 0))
        if not length:
            return bytes(digits)


def _length(packet: bytes) -> tuple[int, int]:
    """Return where the rest begins and how long it says to be."""
    total = 0
    for place, digit in enumerate(packet[1:5]):
        total |= (digit & 0x7F) << 7 * place
        if not digit & 0x80:
            return place + 2, total
    raise InputError("an MQTT packet without a length")
