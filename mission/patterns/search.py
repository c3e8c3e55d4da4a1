"""Searches of the IAMSAR Manual: expanding square, sector, parallel track, and how likely they find who is there (no drift).

Patterns and terms follow the International Aeronautical and Maritime Search and Rescue Manual, volume II, chapter 5: the
coverage factor is C = W / S, or W L / A over a whole search, with sweep width W, track spacing S, length of tracks L and
area A. Its two curves of the probability of detection are Koopman's (Search and Screening, 1946): in ideal conditions the
inverse-cube law of parallel sweeps, erf(sqrt(pi) / 2 C); in normal conditions the random search, 1 - exp(-C).
"""

from collections.abc import Iterable
from math import ceil, erf, exp, pi, prod, sqrt
from typing import Final

import numpy as np
import shapely

from mission.patterns.asked import Asked
from mission.patterns.clear import in_order, open_pieces
from mission.patterns.flown import Pattern, length_m
from mission.patterns.survey import survey
from telemetry.model.geodesy import Floats

USUAL_RADIUS_M: Final = 300.0
_SECTOR_COURSES: Final = (0.0, 120.0, 240.0, 240.0, 0.0, 120.0, 120.0, 240.0, 0.0)
_SECOND_PASS_DEG: Final = 30.0
_LEAST_RINGS: Final = 2


def sweep_width_m(
    uncorrected_m: float, *, weather_factor: float = 1.0, fatigue_factor: float = 1.0, speed_factor: float = 1.0
) -> float:
    """Return the sweep width W = W0 fw ff fv: the table's width corrected for weather, fatigue (0.9 of a tired crew), speed.

    For a camera W0 is what it sees across its track: a sensor that finds all within a definite range and nothing beyond.
    """
    return uncorrected_m * weather_factor * fatigue_factor * speed_factor


def coverage_of(sweep_width_m: float, tracks_m: float, area_m2: float) -> float:
    """Return C = W L / A."""
    return sweep_width_m * tracks_m / area_m2


def detection_ideal(coverage_factor: float) -> float:
    """Return the probability of detection (0..1) of one search with coverage factor C in ideal conditions."""
    return erf(sqrt(pi) / 2.0 * coverage_factor)


def detection_normal(coverage_factor: float) -> float:
    """Return the probability of detection (0..1) of one search with coverage factor C in normal conditions."""
    return 1.0 - exp(-coverage_factor)


def detection_of_all(single: Iterable[float]) -> float:
    """Return the probability that one of several searches of the same place finds: 1 - prod(1 - p)."""
    return 1.0 - prod(1.0 - ratio for ratio in single)


def square_legs(spacing_m: float, radius_m: float) -> Floats:
    """Return the places (n, 2) of an expanding square from (0, 0): legs of S, S, 2 S, 2 S ... north first, always to the right.

    It ends when a square of half side `radius_m` is swept; the last length is flown three times, which closes it.
    """
    rings = max(_LEAST_RINGS, ceil(2.0 * radius_m / spacing_m - 1e-9) - 1)
    lengths = np.array([*np.repeat(np.arange(1, rings + 1), 2), rings], np.float64) * spacing_m
    return _by_courses(90.0 * np.arange(len(lengths), dtype=np.float64), lengths)


def sector_legs(radius_m: float, passes: int) -> Floats:
    """Return the places (n, 2) of sector searches about (0, 0): nine legs of one radius, three times through the datum.

    Each turn is 120 degrees to the right; a second pass is turned by 30 degrees.
    """
    courses = [course + number * _SECOND_PASS_DEG for number in range(passes) for course in _SECTOR_COURSES]
    return _by_courses(np.array(courses), np.full(len(courses), radius_m))


def _by_courses(courses_deg: Floats, lengths: Floats) -> Floats:
    course = np.radians(courses_deg)
    steps = lengths[:, None] * np.column_stack((np.sin(course), np.cos(course)))
    return np.concatenate((np.zeros((1, 2)), np.cumsum(steps, axis=0)))


def expanding_square(asked: Asked) -> Pattern:
    """Return the expanding square from where the person was last seen: soonest near the datum."""
    datum, radius_m = _datum(asked), asked.task.width_m or USUAL_RADIUS_M
    legs = square_legs(asked.swath_m, radius_m)
    side_m = float(np.ptp(legs[:, 0])) + asked.swath_m
    return _searched(asked, datum + legs, side_m**2)


def sector(asked: Asked) -> Pattern:
    """Return the sector search about the datum, for a place that is well known; twice where one pass leaves wide gaps."""
    datum, radius_m = _datum(asked), asked.task.width_m or USUAL_RADIUS_M
    area_m2 = pi * radius_m**2
    passes = 1 if coverage_of(asked.swath_m, 9.0 * radius_m, area_m2) >= 1.0 else 2
    return _searched(asked, datum + sector_legs(radius_m, passes), area_m2)


def parallel_track(asked: Asked) -> Pattern:
    """Return parallel tracks over the area, or over a square about the datum: evenly, where nothing says where to begin."""
    area = asked.shape
    if area.geom_type not in {"Polygon", "MultiPolygon"}:
        datum, radius_m = _datum(asked), asked.task.width_m or USUAL_RADIUS_M
        area = shapely.box(*(datum - radius_m), *(datum + radius_m))
    found = survey(area, asked.ways.closed, swath_m=asked.swath_m, legs_s=asked.legs_s)
    detection = detection_normal(coverage_of(sweep_width_m(asked.seen_m), length_m(found.places), area.area))
    return asked.flown(found.places, left_out_m2=found.left_out_m2, detection_ratio=detection)


def _searched(asked: Asked, tracks: Floats, area_m2: float) -> Pattern:
    places = in_order(open_pieces(tracks, asked.ways), asked.ways)
    tracks_m = min(length_m(places), length_m(tracks))
    return asked.flown(
        places, detection_ratio=detection_normal(coverage_of(sweep_width_m(asked.seen_m), tracks_m, area_m2))
    )


def _datum(asked: Asked) -> Floats:
    middle = asked.shape.centroid
    return np.array([middle.x, middle.y])
