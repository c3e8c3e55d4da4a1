"""A pattern: the places that one look at a task is flown along, and what is seen from there."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from telemetry.model.geodesy import Floats

Shape: TypeAlias = Any
"""A shapely geometry in a local plane, metres east and north; shapely tells no types."""


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """Places (n, 2) in a local plane, metres east and north, flown in their order at one height above ground.

    `gaze` (n, 2) is what the camera looks at from each place on, NaN where it looks down or along the track; `hold_s` (n,) how
    long it stays there. `footprint` is a shapely polygon in the same plane: what is seen. `swath_m` is how far lines lie apart
    (what one line is counted for), `seen_m` how wide the camera sees below it, `left_out_m2` how much of what was asked for lies in closed air or cannot be reached,
    `detection_ratio` how likely a search finds who is there (None: no search).
    """

    places: Floats
    gaze: Floats
    hold_s: Floats
    alt_agl_m: float
    footprint: Shape
    length_m: float
    swath_m: float
    seen_m: float
    gimbal_pitch_deg: float = -90.0
    left_out_m2: float = 0.0
    detection_ratio: float | None = None


def looking_down(places: Floats) -> tuple[Floats, Floats]:
    """Return the gaze (n, 2) and holds (n,) of a flight that stops nowhere and looks at nothing in particular."""
    return np.full(places.shape, np.nan), np.zeros(len(places))


def length_m(places: Floats) -> float:
    """Return the length of a line through places (n, 2), metres; 0 for one place or none."""
    return float(np.hypot(*np.diff(places, axis=0).T).sum()) if len(places) > 1 else 0.0
