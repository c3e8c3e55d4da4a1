"""Makes the demo's calls: what, how urgent, in which words, where, and with which flaws. The same for the same seed."""

import json
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from console.demo.call_texts import CALLS, SURNAMES, CallText
from telemetry.model.datum import Crs, from_wgs84
from telemetry.model.geodesy import destination

ENGLISH_RATIO: Final = 0.3
WITHOUT_PLACE_RATIO: Final = 0.1
GCJ02_RATIO: Final = 0.3
"""So many callers are located by a map of the country, which shifts coordinates and says so."""
AWAY_M: Final = 90.0


class CallPlace(NamedTuple):
    """A place of the city that people name."""

    name_zh: str
    name_en: str
    lat_deg: float
    lon_deg: float


class Call(NamedTuple):
    """A call: what the intake is told, and where it is in truth (the caller may not say)."""

    body: dict[str, Any]
    place: CallPlace


class CallMaker:
    """Makes one call after another about these places."""

    def __init__(self, places: list[CallPlace], seed: int, *, run: str) -> None:
        """`run` makes the calls' references differ from those of an earlier run."""
        self._places, self._run = places, run
        self._random = np.random.default_rng([seed, 101])
        weights = np.array([text.weight for text in CALLS])
        self._weights = weights / weights.sum()
        self._count = 0

    def next(self) -> Call:
        """Return the next call."""
        self._count += 1
        text = CALLS[int(self._random.choice(len(CALLS), p=self._weights))]
        named = self._places[int(self._random.integers(0, len(self._places)))]
        away_m = AWAY_M * float(np.sqrt(self._random.random()))
        lat, lon = destination(named.lat_deg, named.lon_deg, float(self._random.uniform(0.0, 360.0)), away_m)
        place = named._replace(lat_deg=round(float(lat), 6), lon_deg=round(float(lon), 6))
        return Call(self._body(text, place), place)

    def _body(self, text: CallText, place: CallPlace) -> dict[str, Any]:
        english = bool(self._random.random() < ENGLISH_RATIO)
        name = place.name_en if english else place.name_zh
        surname_zh, surname_en = SURNAMES[int(self._random.integers(0, len(SURNAMES)))]
        body: dict[str, Any] = {
            "source_ref": f"demo-{self._run}-{self._count}",
            "title": f"{name}: {text.title_en}" if english else f"{name} {text.title_zh}",
            "text": (text.text_en if english else text.text_zh).format(place=name),
            "urgency": text.urgency,
            "category": text.category.value,
            "caller_name": f"Mr {surname_en}" if english else f"{surname_zh}先生",
            "caller_phone": f"190 0000 {int(self._random.integers(0, 10_000)):04d}",
            "needs": [need.value for need in text.needs],
        }
        flaw = float(self._random.random())
        if flaw < WITHOUT_PLACE_RATIO:
            return body
        return body | {"place_text": name} | located(place, Crs.GCJ02 if flaw > 1.0 - GCJ02_RATIO else Crs.WGS84)


def located(place: CallPlace, crs: Crs) -> dict[str, Any]:
    """Return a place as a caller's map gives it: coordinates in `crs`, which is declared."""
    lat, lon = from_wgs84(place.lat_deg, place.lon_deg, crs=crs)
    return {"lat_deg": round(float(lat), 6), "lon_deg": round(float(lon), 6), "crs": crs.value}


def places_of(tiers: Path) -> list[CallPlace]:
    """Return the city's named places that the coverage knows as well."""
    return [
        CallPlace(
            item["properties"]["name_zh"],
            item["properties"]["name_en"],
            float(item["geometry"]["coordinates"][1]),
            float(item["geometry"]["coordinates"][0]),
        )
        for item in json.loads(tiers.read_bytes())["features"]
    ]
