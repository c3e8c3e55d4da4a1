"""The ground: flat, or a raster of heights above mean sea level; true heights above it along a way.

A raster is a file that common tools write, in WGS-84 degrees and metres above mean sea level: an ESRI ASCII grid
(`gdalwarp -t_srs EPSG:4326 dem.tif wgs84.tif && gdal_translate -of AAIGrid wgs84.tif dem.asc`; QGIS: Raster, Translate), or a
NumPy .npz with `height_msl_m` (rows, columns), `lat_deg` (rows,) and `lon_deg` (columns,), evenly spaced.
"""

import io
import math
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from telemetry.model.errors import FileFormatError
from telemetry.model.geodesy import Floats

MOST_CELLS: Final = 25_000_000
"""Of a raster: 5000 x 5000, 150 km at 30 m; 200 MB in each process that plans."""
MOST_BYTES: Final = 400_000_000
LOWEST_M: Final = -500.0
HIGHEST_M: Final = 9000.0
"""Between these lies all dry land, above mean sea level."""
LEAST_SAMPLE_M: Final = 5.0
METRES_A_DEGREE: Final = 111_320.0
_HEADERS: Final = frozenset(
    {"ncols", "nrows", "xllcorner", "yllcorner", "xllcenter", "yllcenter", "cellsize", "dx", "dy", "nodata_value"}
)
_EVEN_SHARE: Final = 1e-3
_ROUNDING_CELLS: Final = 1e-6
_BROKEN: Final = (
    ValueError,
    TypeError,
    KeyError,
    OverflowError,
    MemoryError,
    OSError,
    EOFError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What reading a damaged or hostile archive raises: one that is packed otherwise or encrypted, a header that says terabytes."""


@dataclass(frozen=True)
class Ground:
    """Heights of the ground at the centres of cells; without any it is flat, at level 0.

    `heights_grid_m` (rows, columns): the first row is the northernmost, NaN is unknown. `north_lat_deg` and `west_lon_deg` are
    the first cell's centre, the steps are between centres.
    """

    heights_grid_m: Floats | None = None
    north_lat_deg: float = 0.0
    west_lon_deg: float = 0.0
    step_lat_deg: float = 1.0
    step_lon_deg: float = 1.0
    name: str = ""

    @property
    def is_flat(self) -> bool:
        """Whether there is no raster."""
        return self.heights_grid_m is None

    @property
    def bounds(self) -> str:
        """Between which degrees the centres of its cells lie, for people to read; empty where the ground is flat."""
        if self.heights_grid_m is None:
            return ""
        rows, columns = self.heights_grid_m.shape
        south = self.north_lat_deg - (rows - 1) * self.step_lat_deg
        east = self.west_lon_deg + (columns - 1) * self.step_lon_deg
        return f"{south:.4f} to {self.north_lat_deg:.4f} N, {self.west_lon_deg:.4f} to {east:.4f} E"

    @property
    def sample_m(self) -> float:
        """How far apart places along a way shall be for it to miss no cell: inf where the ground is flat."""
        if self.is_flat:
            return math.inf
        narrow = math.cos(math.radians(min(abs(self.north_lat_deg), 85.0)))
        return max(min(self.step_lat_deg, self.step_lon_deg * narrow) * METRES_A_DEGREE, LEAST_SAMPLE_M)

    def heights_m(self, lat_deg: Floats, lon_deg: Floats) -> Floats:
        """Return the ground's heights (n,), bilinear between cells; NaN outside of the raster and next to unknown cells."""
        grid = self.heights_grid_m
        if grid is None:
            return np.zeros(np.shape(lat_deg))
        rows, columns = grid.shape
        row = (self.north_lat_deg - np.asarray(lat_deg, np.float64)) / self.step_lat_deg
        column = (np.asarray(lon_deg, np.float64) - self.west_lon_deg) / self.step_lon_deg
        edge = _ROUNDING_CELLS
        known = (row >= -edge) & (row <= rows - 1 + edge) & (column >= -edge) & (column <= columns - 1 + edge)
        row = np.clip(np.where(known, row, 0.0), 0.0, rows - 1)
        column = np.clip(np.where(known, column, 0.0), 0.0, columns - 1)
        up, left = np.minimum(row.astype(np.int64), rows - 2), np.minimum(column.astype(np.int64), columns - 2)
        down_share, right_share = row - up, column - left
        upper = _between(grid[up, left], grid[up, left + 1], right_share)
        lower = _between(grid[up + 1, left], grid[up + 1, left + 1], right_share)
        return np.where(known, _between(upper, lower, down_share), np.nan)


def _between(first: Floats, second: Floats, share: Floats) -> Floats:
    """Return what lies between two heights; one that has no share in it may be unknown."""
    only_first, only_second = share < _ROUNDING_CELLS, share > 1.0 - _ROUNDING_CELLS
    return np.where(only_first, first, np.where(only_second, second, first * (1.0 - share) + second * share))


FLAT: Final = Ground()


def load_ground(path: Path) -> Ground:
    """Return the ground of a raster file, .asc or .npz; about 0.2 us a cell.

    Raises FileFormatError for a file that is missing, is no raster, or is too large.
    """
    try:
        if not path.is_file():
            message = f"the raster of heights {path} is no file: name an .asc or .npz file that is there"
            raise FileFormatError(message)
        size = path.stat().st_size
        if size > MOST_BYTES:
            message = f"{path} has {size} bytes: {MOST_BYTES} are allowed; cut out the area that is flown over"
            raise FileFormatError(message)
        return read_ground(path.read_bytes(), name=path.name)
    except OSError as error:
        message = (
            f"the raster of heights {path} cannot be read ({error.strerror}): name an .asc or .npz file that is there"
        )
        raise FileFormatError(message) from error


def read_ground(data: bytes, *, name: str) -> Ground:
    """Return the ground of a raster file's bytes, by its name's ending. Raises FileFormatError."""
    readers = {".asc": _read_asc, ".npz": _read_npz}
    reader = readers.get(Path(name).suffix.lower())
    if reader is None:
        message = (
            f"{name} is no raster of heights that is read here: give an ESRI ASCII grid (.asc) or a NumPy archive (.npz); "
            "GDAL makes one of most others: gdal_translate -of AAIGrid IN dem.asc"
        )
        raise FileFormatError(message)
    return _checked(reader(data, name))


def _checked(ground: Ground) -> Ground:
    grid = ground.heights_grid_m
    assert grid is not None
    rows, columns = grid.shape
    if rows < 2 or columns < 2 or rows * columns > MOST_CELLS:
        message = f"{ground.name} has {rows} x {columns} cells: 2 x 2 to {MOST_CELLS} in all are allowed"
        raise FileFormatError(message)
    south = ground.north_lat_deg - (rows - 1) * ground.step_lat_deg
    east = ground.west_lon_deg + (columns - 1) * ground.step_lon_deg
    if not (-90.0 <= south < ground.north_lat_deg <= 90.0 and -180.0 <= ground.west_lon_deg < east <= 360.0):
        message = (
            f"{ground.name} reaches from {south:g}, {ground.west_lon_deg:g} to {ground.north_lat_deg:g}, {east:g}: that is not"
            " in degrees of latitude and longitude; reproject it first (gdalwarp -t_srs EPSG:4326)"
        )
        raise FileFormatError(message)
    if np.isnan(grid).all():
        message = f"{ground.name} knows no height at all: every cell is NODATA"
        raise FileFormatError(message)
    lowest_m, highest_m = float(np.nanmin(grid)), float(np.nanmax(grid))
    if not LOWEST_M <= lowest_m <= highest_m <= HIGHEST_M:
        message = (
            f"{ground.name} holds heights from {lowest_m:g} to {highest_m:g}: allowed are {LOWEST_M:g} to {HIGHEST_M:g} metres "
            "above the sea; give metres, and name what stands for an unknown height (NODATA_value; NaN in an .npz)"
        )
        raise FileFormatError(message)
    return ground


def _read_asc(data: bytes, name: str) -> Ground:
    lines = data.split(b"\n")
    header: dict[str, float] = {}
    first = 0
    for number, line in enumerate(lines):
        words = line.split()
        if words and words[0].decode("ascii", "replace").lower() not in _HEADERS:
            first = number
            break
        if len(words) == 2:
            header[words[0].decode("ascii").lower()] = _number(words[1], name)
    try:
        columns, rows = int(header["ncols"]), int(header["nrows"])
        step_lon = header.get("cellsize", header.get("dx", 0.0))
        step_lat = header.get("cellsize", header.get("dy", 0.0))
        west = header["xllcenter"] if "xllcenter" in header else header["xllcorner"] + step_lon / 2.0
        south = header["yllcenter"] if "yllcenter" in header else header["yllcorner"] + step_lat / 2.0
    except (KeyError, ValueError, OverflowError) as error:
        message = f"{name} lacks {error} in its header: an ESRI ASCII grid begins with ncols, nrows, xllcorner, yllcorner, cellsize"
        raise FileFormatError(message) from error
    if not (min(columns, rows) > 0 and columns * rows <= MOST_CELLS and step_lat > 0.0 and step_lon > 0.0):
        message = (
            f"{name} says {columns} x {rows} cells of {step_lon:g} degrees: allowed are 4 to {MOST_CELLS} cells above 0; "
            "cut out the area that is flown over (gdalwarp -te), or make its cells larger (gdalwarp -tr)"
        )
        raise FileFormatError(message)
    try:
        heights = np.fromstring(b" ".join(lines[first:]), np.float64, sep=" ")
    except ValueError as error:
        message = f"{name} holds what is no height: {error}"
        raise FileFormatError(message) from error
    if len(heights) != columns * rows:
        message = f"{name} says {columns} x {rows} cells and holds {len(heights)} heights: one of both is wrong"
        raise FileFormatError(message)
    heights[heights == header.get("nodata_value", -9999.0)] = np.nan
    north = south + (rows - 1) * step_lat
    return Ground(heights.reshape(rows, columns), north, west, step_lat, step_lon, name)


def _number(word: bytes, name: str) -> float:
    try:
        return float(word)
    except ValueError as error:
        message = f"{name} says {word!r} in its header where a number belongs"
        raise FileFormatError(message) from error


def _numbers(array: np.ndarray) -> Floats:
    if getattr(array, "dtype", np.dtype(object)).kind not in "iuf":
        message = "what it holds are no real numbers"
        raise ValueError(message)
    return np.asarray(array, np.float64)


def _read_npz(data: bytes, name: str) -> Ground:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size <= MOST_BYTES:
            with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
                grid, lat, lon = (_numbers(arrays[each]) for each in ("height_msl_m", "lat_deg", "lon_deg"))
    except _BROKEN as error:
        message = (
            f"{name} is no raster of heights ({error}): it holds height_msl_m (rows, columns), lat_deg and lon_deg"
        )
        raise FileFormatError(message) from error
    if size > MOST_BYTES:
        message = f"{name} unpacks to {size} bytes: {MOST_BYTES} are allowed; cut out the area that is flown over"
        raise FileFormatError(message)
    if lat.ndim != 1 or lon.ndim != 1 or grid.shape != (*lat.shape, *lon.shape) or min(grid.shape) < 2:
        message = (
            f"{name} holds heights {grid.shape} for latitudes {lat.shape} and longitudes {lon.shape}: they must agree"
        )
        raise FileFormatError(message)
    if lat[0] < lat[-1]:
        lat, grid = lat[::-1], grid[::-1]
    steps_lat, steps_lon = -np.diff(lat), np.diff(lon)
    for steps in (steps_lat, steps_lon):
        if not (steps.min() > 0.0 and np.ptp(steps) <= _EVEN_SHARE * steps.mean()):
            message = f"{name} is not evenly spaced: steps of {steps.min():g} to {steps.max():g} degrees"
            raise FileFormatError(message)
    return Ground(grid, float(lat[0]), float(lon[0]), float(steps_lat.mean()), float(steps_lon.mean()), name)
