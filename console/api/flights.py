"""Flights: who is in control of each drone, and what it is ordered; every order is prepared first and then confirmed."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

import msgspec
from fastapi import Path, Request, Response

from console.api.contract import account_of, database_scope, parts_of, read_body, reply, router, says
from console.api.models_flights import (
    ActionPrepared,
    FlightReply,
    FlightsReply,
    ForceControl,
    GiveSortie,
    OfferControl,
    PilotsReply,
    PilotView,
    SortieReply,
    TrafficReply,
    WantAction,
)
from console.audit import AuditAction
from console.auth.accounts import Account
from console.auth.policy import ALLOWED, Policy, policy
from console.flight.views import hazards_seen
from console.parts import Parts
from console.wire import Role
from infra.clock import MICROSECONDS
from mission.model import Airframe, Dock
from mission.plan import PlanState, Sortie, SortieState
from mission.plan_store import KeptPlan
from telemetry.flight.control import Control, Holder
from telemetry.model.control_events import HolderKind
from telemetry.model.datum import Crs, to_wgs84
from telemetry.model.errors import ConflictError, InputError, NotFoundError
from telemetry.model.unit import Unit

ROUTER: Final = router("flights")
UnitId = Annotated[int, Path(ge=1, le=2**31 - 1)]


@ROUTER.get("/api/flights", **says(FlightsReply))
@policy(Policy.SEE_FLIGHTS)
async def list_flights(request: Request) -> Response:
    """Return the drones of the scope: who is in control of each, its last orders, its sortie and its links."""
    parts, account = parts_of(request), account_of(request)
    flights = [parts.flights.view(unit_id) for unit_id in parts.flights.seen(account.scope)]
    stations = parts.flights.control.stations.names()
    return reply(FlightsReply(flights=flights, ground_stations=list(stations)))


@ROUTER.get("/api/flights/{unit_id}", **says(FlightReply))
@policy(Policy.SEE_FLIGHTS)
async def show_flight(request: Request, unit_id: UnitId) -> Response:
    """Return one drone's flight."""
    parts, _, _ = drone_of(request, unit_id)
    return reply(FlightReply(flight=parts.flights.view(unit_id)))


@ROUTER.post("/api/flights/{unit_id}/control/take", **says(FlightReply))
@policy(Policy.FLY)
async def take_control(request: Request, unit_id: UnitId) -> Response:
    """Take control of a drone that nobody controls, or back from a ground station that it was lent to; 409 says who has it."""
    return await _change(request, unit_id, lambda parts, device_id, who: parts.flights.control.take(device_id, who))


@ROUTER.post("/api/flights/{unit_id}/control/release", **says(FlightReply))
@policy(Policy.FLY)
async def release_control(request: Request, unit_id: UnitId) -> Response:
    """Let go of a drone; it goes on with what it was ordered."""
    return await _change(request, unit_id, lambda parts, device_id, who: parts.flights.control.release(device_id, who))


@ROUTER.post("/api/flights/{unit_id}/control/accept", **says(FlightReply))
@policy(Policy.FLY)
async def accept_control(request: Request, unit_id: UnitId) -> Response:
    """Take the control that is offered to the one who asks."""
    return await _change(request, unit_id, lambda parts, device_id, who: parts.flights.control.accept(device_id, who))


@ROUTER.post("/api/flights/{unit_id}/control/decline", **says(FlightReply))
@policy(Policy.FLY)
async def decline_control(request: Request, unit_id: UnitId) -> Response:
    """Refuse the control that is offered, or take one's own offer back."""
    return await _change(request, unit_id, lambda parts, device_id, who: parts.flights.control.decline(device_id, who))


@ROUTER.post("/api/flights/{unit_id}/control/offer", **says(FlightReply, takes=OfferControl))
@policy(Policy.FLY)
async def offer_control(request: Request, unit_id: UnitId) -> Response:
    """Offer control to another account, which must accept, or lend it to a ground station, which has it at once."""
    parts, _, unit = drone_of(request, unit_id)
    wanted = await read_body(request, OfferControl)
    to = await _offered(parts, unit, wanted)
    return await _change(
        request, unit_id, lambda parts, device_id, who: parts.flights.control.offer(device_id, who, to)
    )


@ROUTER.post("/api/flights/{unit_id}/control/force", **says(FlightReply, takes=ForceControl))
@policy(Policy.OVERRULE)
async def force_control(request: Request, unit_id: UnitId) -> Response:
    """Take control from whoever has it; the reason is shown to everybody and written down."""
    wanted = await read_body(request, ForceControl)
    return await _change(
        request, unit_id, lambda parts, device_id, who: parts.flights.control.force(device_id, who, wanted.reason)
    )


@ROUTER.post("/api/flights/{unit_id}/actions/prepare", **says(ActionPrepared, takes=WantAction))
@policy(Policy.FLY)
async def prepare_action(request: Request, unit_id: UnitId) -> Response:
    """Return what an action costs, what the rules say to it, and the token that confirms it within 15 s; nothing is ordered yet.

    An action that the rules refuse has no token.
    """
    parts, account, _ = drone_of(request, unit_id)
    wanted = in_wgs84(await read_body(request, WantAction))
    return reply(await parts.flights.prepare(unit_id, wanted, account))


@ROUTER.post("/api/flights/{unit_id}/actions", **says(FlightReply, takes=WantAction, status=201))
@policy(Policy.FLY)
async def order_action(request: Request, unit_id: UnitId) -> Response:
    """Order a prepared action; answered once it is on the disk, and told on the websocket as it goes on.

    409 for one who is not in control, or a token that is none of this action.
    """
    parts, account, unit = drone_of(request, unit_id)
    wanted = in_wgs84(await read_body(request, WantAction))
    await parts.flights.order(unit_id, wanted, account)
    detail: dict[str, Any] = msgspec.to_builtins(msgspec.structs.replace(wanted, token=""))
    detail |= {"unit_id": unit_id}
    await parts.audit.write_soon(account, AuditAction.FLIGHT_ORDERED, subject=unit.call_sign, detail=detail)
    return reply(FlightReply(flight=parts.flights.view(unit_id)), status=201)


@ROUTER.get("/api/flights/{unit_id}/sortie", **says(SortieReply))
@policy(Policy.SEE_FLIGHTS)
async def show_sortie(request: Request, unit_id: UnitId) -> Response:
    """Return the sortie that a drone was given last, with its waypoints."""
    parts, _, _ = drone_of(request, unit_id)
    given = parts.flights.sorties.given(parts.flights.drones.device_of(unit_id))
    return reply(SortieReply(sortie=None if given is None else given.sortie))


@ROUTER.post("/api/flights/{unit_id}/sortie", **says(FlightReply, takes=GiveSortie, status=201))
@policy(Policy.FLY)
async def give_sortie(request: Request, unit_id: UnitId) -> Response:
    """Give a drone a sortie of an approved plan: control is taken where nobody has it, and the mission put on board.

    409 for one who is not in control, a plan that nobody approved, a sortie of another drone, or one that is over.
    """
    parts, account, unit = drone_of(request, unit_id)
    wanted = await read_body(request, GiveSortie)
    kept = await parts.patrols.plans.find(database_scope(account), wanted.plan_id)
    sortie, airframe, dock = _sortie_of(kept, wanted.sortie_id, unit)
    _demand_ahead(sortie, kept.plan.plan_id, parts.services.clock.now_us())
    flight = await parts.flights.hand(
        unit_id, sortie, airframe, dock, account, zones=kept.programme.zones, plan_id=wanted.plan_id
    )
    detail = {"unit_id": unit_id, "plan_id": wanted.plan_id, "sortie_id": wanted.sortie_id}
    await parts.audit.write_soon(account, AuditAction.SORTIE_GIVEN, subject=unit.call_sign, detail=detail)
    return reply(FlightReply(flight=flight), status=201)


@ROUTER.delete("/api/flights/{unit_id}/sortie", **says(FlightReply))
@policy(Policy.FLY)
async def give_sortie_back(request: Request, unit_id: UnitId) -> Response:
    """Give back a sortie that has not left: it is planned again, and may be given again. 409 for one that flies, or none."""
    parts, account, unit = drone_of(request, unit_id)
    flight = await parts.flights.give_back(unit_id, account)
    given = flight.sortie
    detail = {"unit_id": unit_id} | ({} if given is None else {"plan_id": given.plan_id, "sortie_id": given.sortie_id})
    await parts.audit.write_soon(account, AuditAction.SORTIE_GIVEN_BACK, subject=unit.call_sign, detail=detail)
    return reply(FlightReply(flight=flight))


@ROUTER.get("/api/flights/{unit_id}/pilots", **says(PilotsReply))
@policy(Policy.FLY)
async def list_pilots(request: Request, unit_id: UnitId) -> Response:
    """Return the accounts that control of a drone may be offered to, those who are signed in first."""
    parts, account, unit = drone_of(request, unit_id)
    able = [one for one in await parts.accounts.all() if not one.disabled and _may_fly(one, unit)]
    here = await parts.accounts.signed_in(
        [one.account_id for one in able],
        now_us=parts.services.clock.now_us(),
        idle_us=parts.services.settings.session_idle_s * MICROSECONDS,
    )
    views = [
        PilotView(account_id=one.account_id, name=one.name, is_signed_in=one.account_id in here)
        for one in able
        if one.account_id != account.account_id
    ]
    return reply(PilotsReply(pilots=sorted(views, key=lambda view: (not view.is_signed_in, view.name))))


@ROUTER.get("/api/traffic", **says(TrafficReply))
@policy(Policy.SEE_FLIGHTS)
async def list_traffic(request: Request) -> Response:
    """Return who else is in the air, without names, and how near each comes to the drones of the scope."""
    parts = parts_of(request)
    hazards = hazards_seen(parts.services.bridge, account_of(request).scope)
    return reply(TrafficReply(at_ms=parts.services.clock.now_us() / 1000, hazards=hazards))


def drone_of(request: Request, unit_id: int) -> tuple[Parts, Account, Unit]:
    """Return a drone of the account's scope. Raises NotFoundError: what is outside is not there."""
    parts, account = parts_of(request), account_of(request)
    unit = parts.services.bridge.registry.units.get(unit_id)
    if unit is None or not account.scope.sees(unit) or unit_id not in parts.flights.drones.by_unit():
        message = f"there is no drone {unit_id} in your scope: GET /api/flights lists yours"
        raise NotFoundError(message, f"您的范围内没有无人机 {unit_id}")
    parts.flights.control.note(account)
    return parts, account, unit


def _sortie_of(kept: KeptPlan, sortie_id: int, unit: Unit) -> tuple[Sortie, Airframe, Dock]:
    """Return a sortie of a plan with its airframe and dock. Raises NotFoundError, ConflictError."""
    plan, programme = kept.plan, kept.programme
    sortie = next((one for one in plan.sorties if one.sortie_id == sortie_id), None)
    if sortie is None:
        message = f"plan {plan.plan_id} has no sortie {sortie_id}: GET /api/plans/{plan.plan_id} lists its sorties"
        raise NotFoundError(message, f"方案 {plan.plan_id} 没有架次 {sortie_id}")
    if plan.state not in (PlanState.APPROVED, PlanState.PUBLISHED):
        message = f"plan {plan.plan_id} is {plan.state}: only an approved or published plan is flown"
        raise ConflictError(message, f"方案 {plan.plan_id} 尚未批准：只执行已批准或已发布的方案")
    airframe = next(one for one in programme.airframes if one.airframe_id == sortie.airframe_id)
    if airframe.unit_id != unit.unit_id:
        message = (
            f"sortie {sortie_id} is planned for {airframe.name} (unit {airframe.unit_id}), not for {unit.call_sign}"
        )
        raise ConflictError(message, f"架次 {sortie_id} 安排给 {airframe.name}，不是 {unit.call_sign}")
    return sortie, airframe, next(one for one in programme.docks if one.dock_id == sortie.dock_id)


def _demand_ahead(sortie: Sortie, plan_id: int, now_us: int) -> None:
    """Raise ConflictError for a sortie that is flown or cancelled, or whose time is over: its air was asked for then, not now."""
    if sortie.state in (SortieState.FLOWN, SortieState.CANCELLED):
        message = f"sortie {sortie.sortie_id} of plan {plan_id} is {sortie.state.value} already: give another one"
        raise ConflictError(message, f"方案 {plan_id} 的架次 {sortie.sortie_id} 已飞完或取消：换一个架次")
    if sortie.landing_us <= now_us:
        late_min = (now_us - sortie.landing_us) / 60 / MICROSECONDS
        message = (
            f"sortie {sortie.sortie_id} of plan {plan_id} was to land {late_min:.0f} min ago: its zones, weather and distances were "
            "checked for then; repair the plan, or plan anew"
        )
        raise ConflictError(
            message, f"方案 {plan_id} 的架次 {sortie.sortie_id} 应在 {late_min:.0f} 分钟前降落：修补方案，或重新规划"
        )


async def _change(
    request: Request, unit_id: int, change: Callable[[Parts, int, Account], Awaitable[Control]]
) -> Response:
    parts, account, unit = drone_of(request, unit_id)
    control = await change(parts, parts.flights.drones.device_of(unit_id), account)
    detail = {
        "unit_id": unit_id,
        "change": control.change.value,
        "holder": control.holder.name,
        "offered": control.offered.name,
        "reason": control.reason,
    }
    await parts.audit.write_soon(account, AuditAction.CONTROL_CHANGED, subject=unit.call_sign, detail=detail)
    return reply(FlightReply(flight=parts.flights.view(unit_id)))


async def _offered(parts: Parts, unit: Unit, wanted: OfferControl) -> Holder:
    """Return whom control is offered to. Raises InputError for none or two, NotFoundError for one who may not fly the unit."""
    if (wanted.account_id is None) == (not wanted.ground_station):
        message = "an offer needs account_id or ground_station, one of the two"
        raise InputError(message, "移交控制权须选一个账号或一个地面站")
    if wanted.account_id is None:
        return Holder(HolderKind.GROUND_STATION, 0, wanted.ground_station)
    accounts = await parts.accounts.all()
    found = next((account for account in accounts if account.account_id == wanted.account_id), None)
    if found is None or found.disabled or not _may_fly(found, unit):
        message = f"account {wanted.account_id} may not fly {unit.call_sign}: offer it to an operator or supervisor of its station"
        raise NotFoundError(message, f"账号 {wanted.account_id} 无权操控 {unit.call_sign}：移交给所属站的操作员或主管")
    return Holder(HolderKind.ACCOUNT, found.account_id, found.name)


def _may_fly(account: Account, unit: Unit) -> bool:
    return Role(account.role) in ALLOWED[Policy.FLY] and account.scope.sees(unit)


def in_wgs84(wanted: WantAction) -> WantAction:
    """Return an action whose place is in WGS-84. Raises InputError for a place that its datum does not know."""
    if wanted.crs is Crs.WGS84 or wanted.lat_deg is None or wanted.lon_deg is None:
        return msgspec.structs.replace(wanted, crs=Crs.WGS84)
    lat, lon = to_wgs84([wanted.lat_deg], [wanted.lon_deg], crs=wanted.crs)
    return msgspec.structs.replace(wanted, lat_deg=float(lat[0]), lon_deg=float(lon[0]), crs=Crs.WGS84)
