"""A track as a file to keep: CSV and GeoJSON, in SI units, unknown left empty."""

import csv
import io
from collections.abc import Callable
from typing import Any, Final

import msgspec

from infra.clock import utc_of
from telemetry.model.batch import Batch, as_columns

COLUMNS: Final[tuple[tuple[str, str, float], ...]] = (
    ("lat_deg", "lat_e7", 1e7),
    ("lon_deg", "lon_e7", 1e7),
    ("alt_msl_m", "alt_msl_dm", 10),
    ("alt_hae_m", "alt_hae_dm", 10),
    ("alt_home_m", "alt_home_dm", 10),
    ("speed_mps", "speed_cmps", 100),
    ("climb_mps", "climb_cmps", 100),
    ("heading_deg", "heading_ddeg", 10),
    ("course_deg", "course_ddeg", 10),
    ("accuracy_m", "accuracy_dm", 10),
    ("battery_ratio", "battery_pct", 100),
    ("satellites", "satellites", 1),
    ("fix", "fix", 1),
    ("quality", "quality", 1),
)
"""Name in the file, column of REPORT, and what to divide by."""


def csv_of(batch: Batch) -> bytes:
    """Return one line a point below a line of names; times are RFC 3339 in UTC."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    records = _records(batch, "")
    writer.writerow(["observed_at", "received_at", *(name for name, _, _ in COLUMNS)])
    writer.writerows(record.values() for record in records)
    return text.getvalue().encode()


def geojson_of(batch: Batch) -> bytes:
    """Return a FeatureCollection with one Point a fix, [lon, lat] in WGS-84, everything else as its properties."""
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [record.pop("lon_deg"), record.pop("lat_deg")]},
            "properties": record,
        }
        for record in _records(batch, None)
    ]
    return msgspec.json.encode({"type": "FeatureCollection", "features": features})


def _records(batch: Batch, unknown: str | None) -> list[dict[str, Any]]:
    columns = as_columns(batch)
    named: dict[str, list[Any]] = {
        "observed_at": [_time(us) for us in columns["observed_us"]],
        "received_at": [_time(us) for us in columns["received_us"]],
    }
    for name, source, factor in COLUMNS:
        scale = _scaler(factor)
        named[name] = [unknown if value is None else scale(value) for value in columns[source]]
    return [dict(zip(named, values, strict=True)) for values in zip(*named.values(), strict=True)]


def _scaler(factor: float) -> Callable[[int], float]:
    return (lambda value: value) if factor == 1 else (lambda value: value / factor)


def _time(us: int | None) -> str:
    assert us is not None
    return utc_of(us).isoformat(timespec="milliseconds").replace("+00:00", "Z")
