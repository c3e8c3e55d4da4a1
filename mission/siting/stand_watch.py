"""How long units stand where they are, and how often each changed its place in a shift: what move-up advice must respect."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from telemetry.model.geodesy import Floats

STAND_M: Final = 150.0
"""Whoever stays within so much of a place stands there."""
PAUSE_S: Final = 60.0
"""Shorter halts are traffic, not standing."""
SETTLED_S: Final = 600.0
"""So long a stand is a post."""
OTHER_PLACE_M: Final = 300.0
SHIFT_S: Final = 8 * 3600.0
_M_PER_DEG: Final = 111_195.0


@dataclass
class _Stand:
    """Where a unit is anchored and since when, where it last settled, and when it settled elsewhere (us)."""

    lat_deg: float
    lon_deg: float
    since_us: int
    settled_lat_deg: float | None = None
    settled_lon_deg: float | None = None
    moved_us: list[int] = field(default_factory=list)


class StandWatch:
    """Folds positions into stands; in memory, so it knows nothing from before the program started.

    A unit that never stood longer than a traffic light's time is on patrol: it has no dwell to keep.
    """

    def __init__(self) -> None:
        self._stands: dict[int, _Stand] = {}

    def see(self, unit_ids: Sequence[int], lat_deg: Floats, lon_deg: Floats, now_us: int) -> None:
        """Take where units are (n,); call it every few seconds. About 1 ms for 500 units."""
        for unit_id, lat, lon in zip(unit_ids, lat_deg.tolist(), lon_deg.tolist(), strict=True):
            stand = self._stands.get(unit_id)
            if stand is None:
                self._stands[unit_id] = _Stand(lat, lon, now_us)
            elif _away_m(stand.lat_deg, stand.lon_deg, lat, lon) > STAND_M or now_us < stand.since_us:
                stand.lat_deg, stand.lon_deg, stand.since_us = lat, lon, now_us
            elif now_us - stand.since_us >= SETTLED_S * 1e6:
                _settle(stand, now_us)

    def stood_s(self, unit_ids: Sequence[int], now_us: int) -> list[float | None]:
        """Return for each unit how long it has stood where it is; None while it moves or was never seen."""
        return [self._stood_s(unit_id, now_us) for unit_id in unit_ids]

    def move_count(self, unit_ids: Sequence[int], now_us: int) -> list[int]:
        """Return for each unit how often it settled at another place within the last shift (eight hours)."""
        counts = []
        for unit_id in unit_ids:
            stand = self._stands.get(unit_id)
            moved = [] if stand is None else stand.moved_us
            counts.append(sum(0 <= now_us - at_us <= SHIFT_S * 1e6 for at_us in moved))
        return counts

    def _stood_s(self, unit_id: int, now_us: int) -> float | None:
        stand = self._stands.get(unit_id)
        if stand is None:
            return None
        stood_s = (now_us - stand.since_us) / 1e6
        return stood_s if stood_s >= PAUSE_S else None


def _settle(stand: _Stand, now_us: int) -> None:
    known = stand.settled_lat_deg is not None and stand.settled_lon_deg is not None
    if known:
        assert stand.settled_lat_deg is not None
        assert stand.settled_lon_deg is not None
        if _away_m(stand.settled_lat_deg, stand.settled_lon_deg, stand.lat_deg, stand.lon_deg) < OTHER_PLACE_M:
            return
        stand.moved_us = [at_us for at_us in stand.moved_us if 0 <= now_us - at_us <= SHIFT_S * 1e6]
        stand.moved_us.append(stand.since_us)
    stand.settled_lat_deg, stand.settled_lon_deg = stand.lat_deg, stand.lon_deg


def _away_m(lat_deg: float, lon_deg: float, other_lat_deg: float, other_lon_deg: float) -> float:
    east_m = (other_lon_deg - lon_deg) * np.cos(np.radians(lat_deg)) * _M_PER_DEG
    return float(np.hypot(east_m, (other_lat_deg - lat_deg) * _M_PER_DEG))
