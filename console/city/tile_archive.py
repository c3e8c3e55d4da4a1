"""Reads single tiles out of a PMTiles archive (version 3): a header, directories of varints, tiles in Hilbert order."""

import gzip
import zlib
from bisect import bisect_right
from functools import lru_cache
from pathlib import Path
from struct import Struct
from typing import Final, NamedTuple

from telemetry.model.errors import FileFormatError, InputError

MOST_ZOOM: Final = 22
_HEADER: Final = Struct("<7sB11QBBBBBB")
_MAGIC: Final = b"PMTiles"
_VERSION: Final = 3
_PLAIN: Final = 1
_GZIP: Final = 2
_DEEPEST: Final = 4
"""Directories that name further directories, at most: the format itself needs two or three."""
_KEPT_DIRECTORIES: Final = 64


class Header(NamedTuple):
    """Where the archive's parts are (bytes from its beginning), how they are packed, and the zooms that it has."""

    root_offset: int
    root_length: int
    leaves_offset: int
    tiles_offset: int
    directory_packing: int
    tile_packing: int
    least_zoom: int
    most_zoom: int


class Directory(NamedTuple):
    """Entries by tile id: from each id a run of tiles has these bytes; a run of 0 names another directory."""

    ids: tuple[int, ...]
    runs: tuple[int, ...]
    lengths: tuple[int, ...]
    offsets: tuple[int, ...]


class Tile(NamedTuple):
    """A tile's bytes as they are kept, and whether they are gzip."""

    data: bytes
    is_gzip: bool


def read_tile(path: Path, z: int, x: int, y: int) -> Tile | None:
    """Return a tile of the archive, None where it has none. Opens the file anew; directories are kept by its time of change.

    Raises InputError for a place off the world, FileFormatError for a file that is no such archive.
    """
    if not (0 <= z <= MOST_ZOOM and 0 <= x < 1 << z and 0 <= y < 1 << z):
        message = f"there is no tile {z}/{x}/{y}: zoom is 0 to {MOST_ZOOM}, x and y are 0 to 2^zoom - 1"
        raise InputError(message)
    changed_ns = path.stat().st_mtime_ns
    try:
        header = _header(path, changed_ns)
        if not header.least_zoom <= z <= header.most_zoom:
            return None
        found = _find(path, changed_ns, header, tile_id(z, x, y))
        return None if found is None else Tile(_read(path, *found), header.tile_packing == _GZIP)
    except (IndexError, EOFError, OSError, zlib.error) as error:
        raise _broken(path, str(error)) from error


def _broken(path: Path, reason: str) -> FileFormatError:
    return FileFormatError(f"{path} is no whole tile archive ({reason}): run `skybeat roads import` again")


def tile_id(z: int, x: int, y: int) -> int:
    """Return a tile's number: those of all lower zooms come first, then the place on the zoom's Hilbert curve."""
    number, side = ((1 << 2 * z) - 1) // 3, 1 << z >> 1
    while side:
        right, down = int(bool(x & side)), int(bool(y & side))
        number += side * side * ((3 * right) ^ down)
        if not down:
            if right:
                x, y = side - 1 - x, side - 1 - y
            x, y = y, x
        side >>= 1
    return number


@lru_cache(maxsize=8)
def _header(path: Path, _changed_ns: int) -> Header:
    data = _read(path, 0, 127)
    if len(data) < 127 or data[:7] != _MAGIC or data[7] != _VERSION:
        raise _broken(path, "its first bytes are not those of PMTiles 3")
    fields = _HEADER.unpack(data[: _HEADER.size])
    header = Header(fields[2], fields[3], fields[6], fields[8], fields[14], fields[15], fields[17], fields[18])
    if header.directory_packing not in {_PLAIN, _GZIP} or header.tile_packing not in {_PLAIN, _GZIP}:
        raise _broken(path, "it is packed by another method than gzip")
    return header


def _find(path: Path, changed_ns: int, header: Header, wanted: int) -> tuple[int, int] | None:
    """Return where the tile's bytes are: offset and length."""
    offset, length = header.root_offset, header.root_length
    for _ in range(_DEEPEST):
        directory = _directory(path, changed_ns, offset, length)
        place = bisect_right(directory.ids, wanted) - 1
        if place < 0:
            return None
        if directory.runs[place]:
            is_here = wanted < directory.ids[place] + directory.runs[place]
            return (header.tiles_offset + directory.offsets[place], directory.lengths[place]) if is_here else None
        offset, length = header.leaves_offset + directory.offsets[place], directory.lengths[place]
    raise _broken(path, "its directories go round in circles")


@lru_cache(maxsize=_KEPT_DIRECTORIES)
def _directory(path: Path, changed_ns: int, offset: int, length: int) -> Directory:
    data = _read(path, offset, length)
    if _header(path, changed_ns).directory_packing == _GZIP:
        data = gzip.decompress(data)
    numbers = _varints(data)
    count = numbers[0]
    if len(numbers) != 1 + 4 * count:
        raise _broken(path, "a directory is cut off")
    steps, runs, lengths, places = (tuple(numbers[1 + part * count : 1 + (part + 1) * count]) for part in range(4))
    ids, offsets = list[int](), list[int]()
    for step, place in zip(steps, places, strict=True):
        ids.append(step + (ids[-1] if ids else 0))
        offsets.append(place - 1 if place else offsets[-1] + lengths[len(offsets) - 1])
    return Directory(tuple(ids), runs, lengths, tuple(offsets))


def _varints(data: bytes) -> list[int]:
    """Return the numbers in the data: seven bits a byte, the lowest first, the top bit says that more follow."""
    numbers, number, shift = list[int](), 0, 0
    for byte in data:
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            numbers.append(number)
            number, shift = 0, 0
    return numbers


def _read(path: Path, offset: int, length: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        data = file.read(length)
    if len(data) < length:
        raise EOFError(f"{length} bytes at {offset} are not there")
    return data
