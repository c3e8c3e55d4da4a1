"""A track as a file: SI units, UTC, nothing where nothing is known."""

import csv
import io
import json

from console.api.track_files import csv_of, geojson_of
from telemetry.model.batch import Batch, new_batch


def track() -> Batch:
    batch = new_batch(2)
    batch["observed_us"] = [1_790_000_000_000_000, 1_790_000_001_500_000]
    batch["received_us"] = batch["observed_us"] + 250_000
    batch["lat_e7"], batch["lon_e7"] = [360_612_345, 360_612_400], [1_038_300_001, 1_038_300_002]
    batch["speed_cmps"][0], batch["heading_ddeg"][1], batch["battery_pct"][0] = 1234, 0, 57
    return batch


def test_a_csv_has_si_units_utc_times_and_empty_cells_for_the_unknown() -> None:
    first, second = csv.DictReader(io.StringIO(csv_of(track()).decode()))
    assert (first["observed_at"], first["received_at"]) == ("2026-09-21T14:13:20.000Z", "2026-09-21T14:13:20.250Z")
    assert (first["lat_deg"], first["lon_deg"], first["speed_mps"]) == ("36.0612345", "103.8300001", "12.34")
    assert (first["heading_deg"], first["battery_ratio"], first["alt_msl_m"]) == ("", "0.57", "")
    assert (second["heading_deg"], second["speed_mps"]) == ("0.0", "")


def test_a_geojson_has_longitude_first_and_null_for_the_unknown() -> None:
    first, second = json.loads(geojson_of(track()))["features"]
    assert first["geometry"] == {"type": "Point", "coordinates": [103.8300001, 36.0612345]}
    assert (first["properties"]["speed_mps"], first["properties"]["heading_deg"]) == (12.34, None)
    assert second["properties"]["heading_deg"] == 0.0


def test_an_empty_track_is_an_empty_file_of_its_kind() -> None:
    assert csv_of(new_batch(0)).decode().splitlines()[1:] == []
    assert json.loads(geojson_of(new_batch(0)))["features"] == []
