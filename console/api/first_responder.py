"""A drone is wanted at a place, at once: the one that is there soonest is chosen, told its way, and launched."""

from typing import Final

from fastapi import Request, Response

from console.api.contract import account_of, database_scope, parts_of, read_body, reply, router, says
from console.api.models_responder import CandidateFlight, FlyToReply, FlyToWish
from console.api.while_asked import while_asked
from console.auth.policy import Policy, policy
from mission.flying.responder import Candidate
from mission.flying.responder_trip import STAY_S, Errand
from mission.schedule.scene import TRANSIT_ALT_M
from telemetry.model.datum import to_wgs84

ROUTER: Final = router("flights")


@ROUTER.post("/api/flights/to", **says(FlyToReply, takes=FlyToWish))
@policy(Policy.FLY)
async def fly_to(request: Request) -> Response:
    """Send the drone that is there soonest, or only say who would go (`dry_run`). Whoever asks is in control of it."""
    parts, account = parts_of(request), account_of(request)
    wish = await read_body(request, FlyToWish)
    responder, errand = parts.patrols.responder, errand_of(wish)
    question = responder.candidates(errand, account, database_scope(account), unit_id=wish.unit_id)
    found, programme = await while_asked(request, question)
    chosen = next((one for one in found if one.can_go), None)
    now_ms = parts.services.clock.now_us() / 1000
    sent = None
    if chosen is not None and not wish.dry_run:
        sent = await responder.send(chosen, programme, account, errand=errand, incident_id=wish.incident_id)
    return reply(
        FlyToReply(
            candidates=[view_of_candidate(one) for one in found],
            chosen=None if chosen is None else chosen.airframe_id,
            sent_unit_id=sent,
            arrive_ms=None if chosen is None or chosen.arrive_s is None else now_ms + chosen.arrive_s * 1000,
        )
    )


def errand_of(wish: FlyToWish) -> Errand:
    """Return where somebody is wanted, in WGS-84."""
    lat, lon = to_wgs84([wish.lat_deg], [wish.lon_deg], crs=wish.crs)
    return Errand(
        lat_deg=float(lat[0]),
        lon_deg=float(lon[0]),
        alt_agl_m=TRANSIT_ALT_M if wish.alt_agl_m is None else wish.alt_agl_m,
        stay_s=STAY_S if wish.stay_s is None else wish.stay_s,
        search_radius_m=wish.search_radius_m,
    )


def view_of_candidate(one: Candidate) -> CandidateFlight:
    """Return a candidate as it is shown."""
    return CandidateFlight(
        airframe_id=one.airframe_id,
        unit_id=one.unit_id,
        name=one.name,
        arrive_s=one.arrive_s,
        battery_at_scene_ratio=one.battery_at_scene_ratio,
        return_ratio=one.return_ratio,
        way=one.way,
        refusals=list(one.refusals),
        detection_ratio=one.detection_ratio,
    )
