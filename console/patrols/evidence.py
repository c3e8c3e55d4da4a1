"""What drones really flew in the sorties of a plan: read from history as who asks, each in the time of its sortie."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from psycopg_pool import AsyncConnectionPool

from console.patrols.asking import asking
from infra.clock import MICROSECONDS
from infra.database import Scope
from mission.model import Airframe, Programme, Window
from mission.plan import Plan, Sortie
from mission.proof.flown import Track, hidden_track, no_track
from telemetry.history import questions as history
from telemetry.model.batch import Batch, unknown_of
from telemetry.model.errors import NotAllowedError

BEFORE_S: Final = 300
AFTER_S: Final = 600
POSITIONS: Final = 20_000


async def tracks_of(pool: AsyncConnectionPool, scope: Scope, plan: Plan, programme: Programme) -> list[Track]:
    """Return the track of each sortie that flies: empty where nothing was recorded, hidden where the scope does not see the drone."""
    airframes = {airframe.airframe_id: airframe for airframe in programme.airframes}
    found = []
    for sortie in plan.sorties:
        airframe = airframes.get(sortie.airframe_id)
        if not sortie.is_standby:
            found.append(
                no_track(sortie.sortie_id)
                if airframe is None
                else await _track(pool, scope, sortie, airframe, time_of(sortie, plan))
            )
    return found


def time_of(sortie: Sortie, plan: Plan) -> Window:
    """Return the time in which a drone's positions are a sortie's: from when its flight was begun until it was over.

    Where that is not known: as planned, minutes more on both sides, nothing of its other sorties.
    """
    late_us = 0 if sortie.started_us is None else max(sortie.started_us - sortie.takeoff_us, 0)
    start_us = sortie.takeoff_us - BEFORE_S * MICROSECONDS
    end_us = sortie.landing_us + late_us + AFTER_S * MICROSECONDS
    for other in plan.sorties:
        if other.airframe_id != sortie.airframe_id or other.is_standby:
            continue
        if other.landing_us <= sortie.takeoff_us:
            start_us = max(start_us, (other.landing_us + sortie.takeoff_us) // 2)
        elif other.takeoff_us >= sortie.landing_us:
            end_us = min(end_us, (sortie.landing_us + other.takeoff_us) // 2)
    start_us = start_us if sortie.started_us is None else sortie.started_us
    end_us = end_us if sortie.ended_us is None else sortie.ended_us
    return Window(start_us, max(start_us, end_us))


async def _track(pool: AsyncConnectionPool, scope: Scope, sortie: Sortie, airframe: Airframe, within: Window) -> Track:
    if airframe.unit_id is None:
        return no_track(sortie.sortie_id)
    try:
        async with asking(pool, scope) as connection:
            batch = await history.track(
                connection, airframe.unit_id, from_us=within.start_us, to_us=within.end_us, limit=POSITIONS
            )
    except NotAllowedError:
        return hidden_track(sortie.sortie_id)
    return _of_batch(batch, sortie)


def _of_batch(batch: Batch, sortie: Sortie) -> Track:
    return Track(
        sortie_id=sortie.sortie_id,
        at_us=batch["observed_us"].astype(np.int64),
        lat_deg=batch["lat_e7"] / 1e7,
        lon_deg=batch["lon_e7"] / 1e7,
        alt_home_m=_above_home_m(batch),
    )


def _above_home_m(batch: Batch) -> NDArray[np.float64]:
    """Return heights above take-off; where the drone told only that above the sea, above the lowest of the track."""
    home, sea = batch["alt_home_dm"], batch["alt_msl_dm"]
    knows_sea = sea != unknown_of("alt_msl_dm")
    ground_dm = sea[knows_sea].min() if knows_sea.any() else 0
    other = np.where(knows_sea, sea.astype(np.float64) - ground_dm, 0.0)
    return np.where(home != unknown_of("alt_home_dm"), home.astype(np.float64), other) / 10.0
