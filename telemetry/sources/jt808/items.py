"""What follows a position's core: items by number. Known ones become readings by name, all others stay as they came."""

import struct
from collections import Counter
from collections.abc import Callable
from typing import Final

LARGEST_VENDOR_DIGITS: Final = 2_048
MOST_OF_ONE_NUMBER: Final = 8
"""Items of the same number that are kept of one position."""

Items = list[tuple[int, bytes]]


def split_items(body: bytes, at: int, end: int | None = None) -> Items:
    """Return (number, value) of the items in `body[at:end]`, in order; a broken tail ends them quietly."""
    end = len(body) if end is None else end
    items: Items = []
    while at + 2 <= end:
        size = body[at + 1]
        if at + 2 + size > end:
            break
        items.append((body[at], body[at + 2 : at + 2 + size]))
        at += 2 + size
    return items


def _number(scale_ratio: float, decimals: int) -> Callable[[bytes], str]:
    return lambda value: f"{int.from_bytes(value) * scale_ratio:.{decimals}f}"


def _bits(value: bytes) -> str:
    return f"0x{value.hex()}"


def _speeding(value: bytes) -> str:
    return _WHERE.get(value[0], f"type {value[0]}") + (f" {int.from_bytes(value[1:])}" if value[1:] else "")


def _crossing(value: bytes) -> str:
    kind, area_id, way = struct.unpack(">BIB", value)
    return f"{_WHERE.get(kind, f'type {kind}')} {area_id} {'out' if way else 'in'}"


def _section(value: bytes) -> str:
    section_id, time_s, result = struct.unpack(">IHB", value)
    return f"section {section_id} {time_s} s, too {'long' if result else 'short'}"


def _analogue(value: bytes) -> str:
    return f"{int.from_bytes(value[2:])} {int.from_bytes(value[:2])}"


_WHERE: Final = {0: "anywhere", 1: "circle", 2: "rectangle", 3: "polygon", 4: "section"}
KNOWN: Final[dict[tuple[int, int], tuple[str, Callable[[bytes], str]]]] = {
    (0x01, 4): ("odometer_km", _number(0.1, 1)),
    (0x02, 2): ("fuel_l", _number(0.1, 1)),
    (0x03, 2): ("recorder_speed_kmh", _number(0.1, 1)),
    (0x04, 2): ("alarm_to_confirm", _number(1, 0)),
    (0x05, 30): ("tyres", _bits),
    (0x06, 2): ("cabin_temperature_c", lambda value: str(int.from_bytes(value, signed=True))),
    (0x11, 1): ("overspeed_where", _speeding),
    (0x11, 5): ("overspeed_where", _speeding),
    (0x12, 6): ("crossing", _crossing),
    (0x13, 7): ("section_time", _section),
    (0x14, 4): ("video_alarm_bits", _bits),
    (0x15, 4): ("video_lost_channels", _bits),
    (0x16, 4): ("video_covered_channels", _bits),
    (0x17, 2): ("storage_faults", _bits),
    (0x18, 2): ("abnormal_driving", _bits),
    (0x25, 4): ("signal_bits", _bits),
    (0x2A, 2): ("io_bits", _bits),
    (0x2B, 4): ("analogue", _analogue),
    (0x30, 1): ("network_signal", _number(1, 0)),
    (0x31, 1): ("satellites", _number(1, 0)),
}
"""Name and meaning of the standard's items by number and length: one of another length is a vendor's own."""
ALARM_TO_CONFIRM: Final = 0x04


def readings_of(items: Items) -> dict[str, str]:
    """Return what the standard's items say, by name."""
    return {
        KNOWN[number, len(value)][0]: KNOWN[number, len(value)][1](value)
        for number, value in items
        if (number, len(value)) in KNOWN
    }


def vendor_of(items: Items) -> dict[str, str]:
    """Return the items that no standard names as hexadecimal digits by "0x" and their number; one told again gets "#2" to "#8"."""
    vendor: dict[str, str] = {}
    told: Counter[int] = Counter()
    for number, value in items:
        if (number, len(value)) in KNOWN:
            continue
        told[number] += 1
        if told[number] <= MOST_OF_ONE_NUMBER:
            again = f"#{told[number]}" if told[number] > 1 else ""
            vendor[f"0x{number:02x}{again}"] = value.hex()[:LARGEST_VENDOR_DIGITS]
    return vendor
