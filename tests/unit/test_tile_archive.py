"""Tiles come out of a PMTiles archive by their place; a broken archive is told as such."""

import gzip
import itertools
import struct
from pathlib import Path

import pytest

from console.city.tile_archive import read_tile, tile_id
from telemetry.model.errors import FileFormatError, InputError


def varint(number: int) -> bytes:
    data = bytearray()
    while True:
        number, low = number >> 7, number & 127
        data.append(low | (128 if number else 0))
        if not number:
            return bytes(data)


def directory(entries: list[tuple[int, int, int, int]]) -> bytes:
    """Entries are (id, run, length, offset)."""
    steps = [b - a for a, b in itertools.pairwise([0, *(entry[0] for entry in entries)])]
    columns = [steps, *([entry[part] for entry in entries] for part in (1, 2)), [entry[3] + 1 for entry in entries]]
    return gzip.compress(b"".join(map(varint, [len(entries), *itertools.chain(*columns)])))


def archive(path: Path, entries: list[tuple[int, int, int, int]], leaf: bytes, tiles: bytes) -> Path:
    """An archive whose root has the entries; offsets of runs are into `tiles`, of others into `leaf`."""
    root = directory(entries)
    places = [127, len(root), 127, 0, 127 + len(root), len(leaf), 127 + len(root) + len(leaf), len(tiles), 0, 0, 0]
    header = struct.pack("<7sB11QBBBBBB", b"PMTiles", 3, *places, 1, 2, 1, 1, 0, 3)
    path.write_bytes(header.ljust(127, b"\0") + root + leaf + tiles)
    return path


@pytest.fixture
def tiles(tmp_path: Path) -> Path:
    """Zoom 0 is "world", all of zoom 1 is "quarter", one tile of zoom 3 is "deep" behind a second directory."""
    leaf = directory([(tile_id(3, 5, 2), 1, 4, 12)])
    entries = [(0, 1, 5, 0), (1, 4, 7, 5), (21, 0, len(leaf), 0)]
    return archive(tmp_path / "map.pmtiles", entries, leaf, b"worldquarterdeep")


def test_numbers_follow_the_hilbert_curve_zoom_by_zoom() -> None:
    assert [tile_id(*place) for place in ((0, 0, 0), (1, 0, 0), (1, 0, 1), (1, 1, 1), (1, 1, 0))] == [0, 1, 2, 3, 4]
    assert tile_id(12, 3423, 1763) == 19_078_479
    for zoom in range(1, 6):
        ids = {(tile_id(zoom, x, y)): (x, y) for x in range(1 << zoom) for y in range(1 << zoom)}
        assert sorted(ids) == list(range(min(ids), min(ids) + 4**zoom))
        walk = [ids[number] for number in sorted(ids)]
        assert all(abs(a[0] - b[0]) + abs(a[1] - b[1]) == 1 for a, b in itertools.pairwise(walk))


def test_tiles_are_found_by_runs_and_behind_further_directories(tiles: Path) -> None:
    assert read_tile(tiles, 0, 0, 0) == (b"world", False)
    assert {read_tile(tiles, 1, x, y) for x in (0, 1) for y in (0, 1)} == {(b"quarter", False)}
    assert read_tile(tiles, 3, 5, 2) == (b"deep", False)
    assert read_tile(tiles, 3, 5, 3) is None
    assert read_tile(tiles, 2, 0, 0) is None
    assert read_tile(tiles, 9, 0, 0) is None


@pytest.mark.parametrize("place", [(-1, 0, 0), (0, 1, 0), (1, 0, 2), (1, -1, 0), (40, 0, 0)])
def test_a_place_off_the_world_is_refused(tiles: Path, place: tuple[int, int, int]) -> None:
    with pytest.raises(InputError, match="there is no tile"):
        read_tile(tiles, *place)


def test_a_broken_archive_is_told_as_such(tiles: Path, tmp_path: Path) -> None:
    whole = tiles.read_bytes()
    broken = {
        "empty": b"",
        "other": b"hello" * 100,
        "version": whole[:7] + b"\x02" + whole[8:],
        "packing": whole[:97] + b"\x04" + whole[98:],
        "cut_header": whole[:100],
        "cut_root": whole[:140],
        "cut_tiles": whole[:-10],
        "garbled": whole[:127] + bytes(len(whole) - 127),
    }
    for name, content in broken.items():
        path = tmp_path / f"{name}.pmtiles"
        path.write_bytes(content)
        with pytest.raises(FileFormatError, match="no whole tile archive"):
            read_tile(path, 3, 5, 2)
    looped = archive(tmp_path / "loop.pmtiles", [(0, 0, 40, 0)], b"", b"")
    with pytest.raises(FileFormatError):
        read_tile(looped, 0, 0, 0)
