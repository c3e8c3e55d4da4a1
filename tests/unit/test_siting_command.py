"""`skybeat siting` reads candidates in their own system and names the wrong line; beats become GeoJSON."""

from pathlib import Path

import pytest
import shapely

from console.api.models_siting import BeatsReply, BeatView
from console.commands.siting import beats_geojson, read_candidates
from telemetry.model.datum import Crs, from_wgs84
from telemetry.model.errors import InputError


def test_candidates_are_read_in_the_declared_system(tmp_path: Path) -> None:
    lat, lon = from_wgs84(36.06, 103.83, crs=Crs.BD09)
    path = tmp_path / "squares.csv"
    path.write_text(f"\ufeffname,lat_deg,lon_deg\n广场,{float(lat)!r},{float(lon)!r}\n", encoding="utf-8")
    (place,) = read_candidates(path, Crs.BD09)
    assert (place.lat_deg, place.lon_deg) == pytest.approx((36.06, 103.83), abs=1e-7)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("lat_deg,lon_deg\n36.0,103.8\nnorth,103.8\n", "line 3: needs numbers"),
        ("lat,lon\n36.0,103.8\n", "line 2: needs numbers in the columns lat_deg and lon_deg"),
        ("lat_deg,lon_deg\n136.0,103.8\n", r"line 2: 136\.0, 103\.8 is no place"),
        ("lat_deg,lon_deg\nnan,103.8\n", "line 2: nan, 103.8 is no place"),
        ("lat_deg,lon_deg\n", "names no place"),
    ],
)
def test_a_wrong_line_of_candidates_is_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "squares.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=words):
        read_candidates(path, Crs.WGS84)


def test_beats_are_written_as_geojson() -> None:
    ring = [[103.8, 36.0], [103.9, 36.0], [103.9, 36.1], [103.8, 36.0]]
    beat = BeatView(
        station_id=3, number=1, weight_share=1.0, road_km=9.0, mean_s=60.0, worst_s=120.0, lat_deg=36.0, lon_deg=103.8,
        polygons=[[ring]],
    )  # fmt: skip
    (feature,) = beats_geojson(BeatsReply(beats=[beat], imbalance_ratio=0.0, is_balanced=True, beyond_share=0.0))[
        "features"
    ]
    assert shapely.geometry.shape(feature["geometry"]).area > 0.0
    assert feature["properties"]["station_id"] == 3
    assert "polygons" not in feature["properties"]
