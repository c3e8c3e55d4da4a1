"""Four weeks of made-up past calls as a CSV file, brought in by the product's own import: what coverage weighs hours and places by."""

import csv
from pathlib import Path
from typing import Final

import numpy as np

from console.demo.call_texts import CALLS
from console.demo.calls import CallPlace, places_of
from console.demo.crews import CITY_UTC_OFFSET_S, DAY_S
from console.incidents.file_import import import_incidents
from infra.clock import MICROSECONDS, utc_of
from mission.calls.incident_file import parse_incident_file
from telemetry.model.errors import InputError
from telemetry.model.geodesy import destination

FILE: Final = "past_calls.csv"
CALLS_MADE: Final = 280
DAYS: Final = 28
AWAY_M: Final = 180.0
HOUR_WEIGHTS: Final = (
    *(1.4, 1.0, 0.7, 0.4, 0.3, 0.4, 0.7, 1.2, 1.6, 1.4, 1.3, 1.4),
    *(1.5, 1.3, 1.2, 1.3, 1.5, 1.8, 2.0, 2.1, 2.3, 2.4, 2.2, 1.8),
)
"""How many calls come in each hour of the city's day, beside the others."""


async def bring_past_calls(city: Path, owner_url: str, *, seed: int, now_us: int) -> None:
    """Bring the past calls into the database; once for each data folder, about 1 s. Raises InputError when they do not fit."""
    file = city / FILE
    if file.exists():
        return
    fresh = file.with_suffix(".new")
    _write(fresh, places_of(city / "tiers.geojson"), seed, now_us)
    parsed = parse_incident_file(fresh.read_bytes(), now_us=now_us)
    report = await import_incidents(owner_url, parsed, now_us=now_us, is_dry=False)
    if report.problems:
        raise InputError(
            f"the demo's past calls do not fit: line {report.problems[0].line}: {report.problems[0].message}"
        )
    fresh.rename(file)


def _write(file: Path, places: list[CallPlace], seed: int, now_us: int) -> None:
    random = np.random.default_rng([seed, 107])
    weights = np.array(HOUR_WEIGHTS) / sum(HOUR_WEIGHTS)
    today_s = now_us // MICROSECONDS + CITY_UTC_OFFSET_S
    midnight_s = today_s - today_s % int(DAY_S) - CITY_UTC_OFFSET_S
    with file.open("w", encoding="utf-8", newline="") as target:
        rows = csv.writer(target)
        rows.writerow(
            (
                "source_ref",
                "title",
                "urgency",
                "category",
                "place_text",
                "lat_deg",
                "lon_deg",
                "reported_at",
                "closed_at",
            )
        )
        for number in range(1, CALLS_MADE + 1):
            text, place = CALLS[int(random.integers(0, len(CALLS)))], places[int(random.integers(0, len(places)))]
            bearing_deg, away_m = float(random.uniform(0.0, 360.0)), AWAY_M * float(random.random())
            lat, lon = destination(place.lat_deg, place.lon_deg, bearing_deg, away_m)
            hour = int(random.choice(24, p=weights))
            day_s = int(random.integers(1, DAYS + 1)) * int(DAY_S)
            reported_s = midnight_s - day_s + hour * 3600 + int(random.integers(0, 3600))
            rows.writerow(
                (
                    f"demo-past-{now_us}-{number:04d}",
                    f"{place.name_zh} {text.title_zh}",
                    text.urgency,
                    text.category.value,
                    place.name_zh,
                    f"{float(lat):.6f}",
                    f"{float(lon):.6f}",
                    utc_of(reported_s * MICROSECONDS).isoformat(),
                    utc_of((reported_s + int(random.integers(300, 2400))) * MICROSECONDS).isoformat(),
                )
            )
