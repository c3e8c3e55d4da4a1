"""Damage to bytes that mean something, by a seeded chance: what the wire, a bug or a joker may make of them."""

import random
from typing import Final

ODD_BYTES: Final = b"\x00\x01\x7d\x7e\x7f\x80\xe7\xfd\xfe\xff$*,.-0<>{}\"'\r\n"
LONGEST_BYTES: Final = 4_096


def damaged(seeds: list[bytes], chance: random.Random) -> bytes:
    """Return one of the seeds after some accidents, seldom after none."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3, 6, 12))):
        _hurt(data, seeds, chance)
    return bytes(data[:LONGEST_BYTES])


def _hurt(data: bytearray, seeds: list[bytes], chance: random.Random) -> None:
    at = chance.randrange(len(data) + 1)
    length = chance.choice((1, 1, 2, 4, 9, 30))
    match chance.randrange(7):
        case 0 if at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        case 1 if at < len(data):
            data[at] = chance.choice(ODD_BYTES)
        case 2:
            del data[at : at + length]
        case 3:
            data[at:at] = data[at : at + length] * chance.choice((1, 2, 20))
        case 4:
            data[at:at] = chance.randbytes(length)
        case 5:
            other = chance.choice(seeds)
            begin = chance.randrange(len(other) + 1)
            data[at : at + length] = other[begin : begin + length * 3]
        case _:
            del data[at:]
