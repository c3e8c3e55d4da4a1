"""Rasters of heights: files of common tools are read, what is none is refused, heights are true between cells and said outside."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from mission.air.flight_path import path_of
from mission.air.terrain import FLAT, Ground, load_ground, read_ground
from telemetry.model.errors import FileFormatError
from tests.sky_scene import DOCK, PLANE, clock, sortie

ASC = b"""ncols 4
nrows 3
xllcorner 103.7995
yllcorner 35.9995
cellsize 0.001
NODATA_value -9999
10 20 30 40
11 21 31 41
12 22 -9999 42
"""


def npz(**arrays: object) -> bytes:
    data = io.BytesIO()
    np.savez(data, **arrays)  # type: ignore[arg-type]
    return data.getvalue()


def heights(ground: Ground, *places: tuple[float, float]) -> list[float]:
    lat, lon = np.array(places).T
    return [float(one) for one in ground.heights_m(lat, lon)]


def test_an_esri_grid_is_read_by_the_centres_of_its_cells_north_first() -> None:
    ground = read_ground(ASC, name="dem.asc")
    assert heights(ground, (36.002, 103.8), (36.0, 103.8), (36.001, 103.803)) == pytest.approx([10.0, 12.0, 41.0])


def test_heights_between_cells_are_bilinear() -> None:
    ground = read_ground(ASC, name="dem.ASC")
    assert heights(ground, (36.0015, 103.8005), (36.00125, 103.80225)) == pytest.approx([15.5, 33.25])


def test_outside_of_the_raster_and_beside_unknown_cells_nothing_is_known() -> None:
    ground = read_ground(ASC, name="dem.asc")
    assert np.isnan(
        heights(ground, (36.0021, 103.8), (36.0, 103.7999), (35.9999, 103.8), (36.0, 103.8031), (36.0005, 103.8015))
    ).all()


def test_centres_in_place_of_corners_and_oblong_cells_are_read() -> None:
    text = ASC.replace(b"xllcorner 103.7995", b"xllcenter 103.8").replace(b"yllcorner 35.9995", b"yllcenter 36.0")
    text = text.replace(b"cellsize 0.001", b"dx 0.002\ndy 0.001").replace(b"\n", b"\r\n")
    assert heights(read_ground(text, name="a.asc"), (36.001, 103.806)) == pytest.approx([41.0])


def test_a_numpy_archive_is_read_whichever_way_its_rows_run() -> None:
    lat, lon = np.array([36.0, 36.001, 36.002]), np.array([103.8, 103.801])
    grid = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    south_first = read_ground(npz(height_msl_m=grid, lat_deg=lat, lon_deg=lon), name="dem.npz")
    north_first = read_ground(npz(height_msl_m=grid[::-1], lat_deg=lat[::-1], lon_deg=lon), name="dem.npz")
    for ground in (south_first, north_first):
        assert heights(ground, (36.0, 103.8), (36.002, 103.801)) == pytest.approx([1.0, 6.0])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "header"),
        (b"hello world", "header"),
        (ASC.replace(b"ncols 4\n", b""), "ncols"),
        (ASC.replace(b"ncols 4", b"ncols four"), "four"),
        (ASC.replace(b"ncols 4", b"ncols 400000000"), "cells"),
        (ASC.replace(b"ncols 4", b"ncols -4"), "cells"),
        (ASC.replace(b"ncols 4", b"ncols nan"), "header"),
        (ASC.replace(b"10 20", b"10 x"), "no height"),
        (ASC.replace(b"10 20 30 40\n", b""), "holds 8 heights"),
        (ASC.replace(b"103.7995", b"523000"), "EPSG:4326"),
        (ASC.replace(b"0.001", b"0"), "cells"),
        (ASC.split(b"10 20")[0] + b"-9999 " * 12, "NODATA"),
        (ASC.replace(b"40", b"-32768"), "from -32768 to 42"),
        (ASC.replace(b"40", b"inf"), "to inf"),
    ],
)
def test_a_grid_that_is_wrong_is_refused_with_what_is_wrong(data: bytes, said: str) -> None:
    with pytest.raises(FileFormatError, match=said):
        read_ground(data, name="dem.asc")


def test_archives_that_lie_about_their_size_or_shape_or_hold_objects_are_refused() -> None:
    lat, lon = np.array([36.0, 36.001]), np.array([103.8, 103.801])
    grid = np.zeros((2, 2))
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("height_msl_m.npy", b"")
        archive.filelist[0].file_size = 5_000_000_000
    wrong = [
        b"PK not a zip",
        npz(height_msl_m=grid, lat_deg=lat),
        npz(height_msl_m=grid, lat_deg=np.array([36.0, 36.001, 36.5]), lon_deg=lon),
        npz(height_msl_m=np.zeros((3, 2)), lat_deg=np.array([36.0, 36.001, 36.5]), lon_deg=lon),
        npz(height_msl_m=np.array([[object()]]), lat_deg=lat, lon_deg=lon),
        bomb.getvalue(),
    ]
    for data in wrong:
        with pytest.raises(FileFormatError):
            read_ground(data, name="dem.npz")


def test_another_kind_of_file_is_refused_with_the_kinds_that_are_read(tmp_path: Path) -> None:
    path = tmp_path / "dem.tif"
    path.write_bytes(b"II*\0")
    with pytest.raises(FileFormatError, match=r"\.asc"):
        load_ground(path)
    with pytest.raises(FileFormatError, match="no file"):
        load_ground(tmp_path / "none.asc")
    with pytest.raises(FileFormatError, match="no file"):
        load_ground(tmp_path)
    (tmp_path / "dem.asc").write_bytes(ASC)
    assert load_ground(tmp_path / "dem.asc").name == "dem.asc"


def test_flat_ground_is_at_nought_everywhere() -> None:
    assert heights(FLAT, (36.0, 103.8), (-80.0, 12.0)) == [0.0, 0.0]


def test_a_way_over_a_raster_is_sampled_finely_enough_to_meet_each_hill() -> None:
    lat, lon = 36.0 + np.arange(10, -11, -1) * 0.0002, 103.8 + np.arange(-5, 60) * 0.0002
    grid = np.full((len(lat), len(lon)), 1500.0)
    grid[:, 30] = 1590.0  # a wall, 18 m wide
    ground = Ground(grid, float(lat[0]), float(lon[0]), 0.0002, 0.0002, "wall")
    path = path_of(sortie([(900.0, 0.0)], clock(20), alt_m=60.0), plane=PLANE, dock=DOCK, ground=ground)
    assert path.lowest_agl_m < -10.0
    assert path.highest_agl_m == pytest.approx(60.0)
    assert path_of(sortie([(900.0, 0.0)], clock(20)), plane=PLANE, dock=DOCK).lowest_agl_m == 0.0


def test_a_dock_that_knows_its_own_height_goes_before_the_raster() -> None:
    ground = Ground(np.full((2, 2), 1500.0), 36.01, 103.79, 0.02, 0.03, "plain")
    path = path_of(
        sortie([(900.0, 0.0)], clock(20)), plane=PLANE, dock=replace(DOCK, ground_msl_m=1510.0), ground=ground
    )
    assert path.highest_agl_m == pytest.approx(70.0)


def test_from_a_dock_of_unknown_height_a_way_is_reckoned_as_over_flat_ground() -> None:
    ground = Ground(np.full((2, 2), 1500.0), 36.01, 103.79, 0.02, 0.03, "plain")
    path = path_of(sortie([(900.0, 0.0)], clock(20)), plane=PLANE, dock=replace(DOCK, lat_deg=36.5), ground=ground)
    assert path.highest_agl_m == pytest.approx(60.0)
    assert path.lowest_agl_m == 0.0


@pytest.mark.parametrize(
    "arrays",
    [
        {"lat_deg": np.float64(36.0)},
        {"lat_deg": np.ones((2, 2))},
        {"height_msl_m": np.ones((2, 2), complex)},
        {"height_msl_m": np.zeros((2, 2), [("a", "f8")])},
        {"height_msl_m": np.zeros((2, 2), "M8[s]")},
    ],
)
def test_an_archive_of_other_than_real_numbers_in_rows_and_columns_is_refused(arrays: dict[str, object]) -> None:
    sound: dict[str, object] = {
        "height_msl_m": np.ones((2, 2)),
        "lat_deg": np.array([36.1, 36.0]),
        "lon_deg": np.array([103.0, 103.1]),
    }
    with pytest.raises(FileFormatError):
        read_ground(npz(**(sound | arrays)), name="a.npz")


@pytest.mark.parametrize("shape", ["(1000000, 1000000)", "(99999999999999999999, 2)", "(-2, 2)"])
def test_an_archive_that_claims_terabytes_is_refused(shape: str) -> None:
    said = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(117) + b"\n"
    archive = io.BytesIO(npz(lat_deg=np.array([36.1, 36.0]), lon_deg=np.array([103.0, 103.1])))
    with zipfile.ZipFile(archive, "a") as members:
        members.writestr("height_msl_m.npy", b"\x93NUMPY\x01\x00" + len(said).to_bytes(2, "little") + said)
    with pytest.raises(FileFormatError, match="no raster of heights"):
        read_ground(archive.getvalue(), name="a.npz")


def test_an_archive_that_is_encrypted_or_damaged_inside_is_refused() -> None:
    data = bytearray(
        npz(height_msl_m=np.ones((2, 2)), lat_deg=np.array([36.1, 36.0]), lon_deg=np.array([103.0, 103.1]))
    )
    entry = data.find(b"PK\x01\x02")
    for at, value in ((entry + 8, 1), (entry + 10, 99)):  # the flag of encryption, a packing that nobody knows
        changed = bytearray(data)
        changed[at] = value
        with pytest.raises(FileFormatError, match="no raster of heights"):
            read_ground(bytes(changed), name="a.npz")


def test_negative_counts_of_cells_and_what_is_no_file_are_refused() -> None:
    turned = ASC.replace(b"ncols 4", b"ncols -4").replace(b"nrows 3", b"nrows -3")
    with pytest.raises(FileFormatError, match="cells"):
        read_ground(turned, name="dem.asc")
    with pytest.raises(FileFormatError, match="no file"):
        load_ground(Path("/dev/zero"))
