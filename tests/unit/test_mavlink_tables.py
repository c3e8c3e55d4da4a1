"""Every message of the tables is laid out as pymavlink has it, and the generated file is up to date."""

import random
import subprocess
import sys
from pathlib import Path

import pytest
from pymavlink.dialects.v10 import ardupilotmega as peer_v1
from pymavlink.dialects.v20 import ardupilotmega as peer

from console.bench.decode import differences
from telemetry.sources.mavlink import frame as room
from telemetry.sources.mavlink.tables import MESSAGES, enum_name
from telemetry.sources.mavlink.tables_generated import ENUMS


def test_the_generated_tables_are_up_to_date() -> None:
    generator = Path(__file__).parents[2] / "tools" / "generate_mavlink_tables.py"
    subprocess.run([sys.executable, str(generator), "--check"], check=True)


def test_every_message_of_pymavlink_is_known_with_its_lengths() -> None:
    assert set(MESSAGES) == set(peer.mavlink_map)
    assert all(MESSAGES[n].max_len == known.unpacker.size for n, known in peer.mavlink_map.items())
    assert all(MESSAGES[n].min_len == known.unpacker.size for n, known in peer_v1.mavlink_map.items())
    assert all(message.dtype.itemsize == message.max_len for message in MESSAGES.values())


@pytest.mark.parametrize("version", [1, 2])
def test_random_values_of_every_message_are_pymavlinks_bit_for_bit(version: int) -> None:
    draw = random.Random(version)
    stream = b""
    for message in MESSAGES.values():
        if version == 1 and message.msg_id > 0xFF:
            continue
        for size in (message.max_len, message.min_len, 1, 0):
            payload = draw.randbytes(size).ljust(message.max_len, b"\0")
            build = room._frame_v1 if version == 1 else room._frame_v2
            header = build(message, payload, 1, 1, 1, None)
            stream += header + room._crc_bytes(header[1:], message.crc_extra)
    assert differences(stream) == 0


def test_enum_values_bear_pymavlinks_names() -> None:
    assert enum_name("MAV_AUTOPILOT", 8) == "INVALID"
    assert enum_name("COPTER_MODE", 4) == "GUIDED"
    for enum, names in ENUMS.items():
        known = {value: entry.name for value, entry in peer.enums[enum].items()}
        assert all(known[value] in {name, f"{enum}_{name}"} for value, name in names.items())
