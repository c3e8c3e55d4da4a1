"""Flights as people are shown them."""

from collections.abc import Set

from console.auth.policy import Scope
from console.flight.control import account_of_holder
from console.sources import FieldBridge
from console.wire_flight import (
    ActionView,
    ActionWay,
    ApproachView,
    ControlView,
    HazardView,
    HolderView,
    LinkWayView,
    SortieView,
)
from mission.pilot import Pilot
from telemetry.flight.control import Control, Holder
from telemetry.flight.traffic import Hazard
from telemetry.model.commands import CommandState, FlightCommand
from telemetry.model.flight_events import SortieMoved
from telemetry.model.link_ways import LinkWay
from telemetry.orders import Order


def view_of_control(control: Control) -> ControlView:
    """Return who is in control."""
    return ControlView(
        holder=view_of_holder(control.holder),
        offered=view_of_holder(control.offered),
        by=view_of_holder(control.by),
        change=control.change,
        since_ms=control.since_us / 1000 if control.since_us else None,
        reason=control.reason,
    )


def view_of_holder(holder: Holder) -> HolderView:
    """Return somebody who may be in control."""
    return HolderView(kind=holder.kind, account_id=account_of_holder(holder), name=holder.name)


def view_of_action(order: Order, command: FlightCommand, way: tuple[ActionWay, str] | None) -> ActionView:
    """Return an order to fly; `way`: how it was carried out and why not by MAVSDK, None for one of an earlier run."""
    used, why = way or (ActionWay.OWN, "")
    return ActionView(
        command_id=order.command_id,
        action=command.action,
        way=ActionWay.MAVSDK if order.answer.startswith("MAVSDK") else used,
        state=order.state,
        ordered_by=order.ordered_by,
        at_ms=order.queued_us / 1000,
        ended_ms=None if order.ended_us is None else order.ended_us / 1000,
        answer="; ".join(word for word in (why, order.answer) if word),
        lat_deg=None if command.lat_e7 is None else command.lat_e7 / 1e7,
        lon_deg=None if command.lon_e7 is None else command.lon_e7 / 1e7,
        alt_home_m=command.alt_home_m,
        item=command.item,
    )


def view_of_sortie(
    moved: SortieMoved, pilot: Pilot | None, left: tuple[float, float] | None, now_us: int
) -> SortieView:
    """Return how far a sortie has come; `left` are the metres and seconds to its goal, None where that is not known."""
    return SortieView(
        plan_id=moved.plan_id,
        sortie_id=moved.sortie_id,
        step=moved.step,
        given_by=moved.account_name,
        moved_ms=moved.received_us / 1000,
        sent_items=0 if pilot is None else pilot.sent_items,
        item_count=None if pilot is None else pilot.item_count,
        flown=moved.flown,
        waypoint_count=moved.waypoint_count,
        left_m=None if left is None else left[0],
        arrive_ms=None if left is None else now_us / 1000 + 1000 * left[1],
        arrived_ms=None if moved.arrived_us is None else moved.arrived_us / 1000,
        cause=moved.cause,
        reason_zh=moved.reason_zh,
        reason_en=moved.reason_en,
    )


def hazards_seen(bridge: FieldBridge, scope: Scope) -> list[HazardView]:
    """Return who else is in the air, with how near each comes to the drones of a scope."""
    units = bridge.registry.units
    seen = {unit_id for unit_id, unit in units.items() if scope.sees(unit)}
    return [_view_of_hazard(hazard, seen) for hazard in bridge.traffic.hazards()]


def _view_of_hazard(hazard: Hazard, seen: Set[int]) -> HazardView:
    sighting = hazard.sighting
    return HazardView(
        hazard_id=hazard.hazard_id,
        source=sighting.source,
        lat_deg=sighting.lat_deg,
        lon_deg=sighting.lon_deg,
        alt_msl_m=sighting.alt_msl_m,
        speed_mps=sighting.speed_mps,
        climb_mps=sighting.climb_mps,
        course_deg=sighting.course_deg,
        seen_ms=sighting.seen_us / 1000,
        approaches=[
            ApproachView(
                unit_id=approach.unit_id,
                in_s=approach.in_s,
                distance_m=approach.distance_m,
                height_apart_m=approach.height_apart_m,
                is_near=approach.is_near,
            )
            for approach in hazard.approaches
            if approach.unit_id in seen
        ],
    )


def view_of_way(way: LinkWay) -> LinkWayView:
    """Return one of the links by which a drone is heard."""
    return LinkWayView(
        link=f"{way.transport} {way.peer}".strip(),
        peer=way.peer,
        loss_ratio=way.loss_ratio,
        rtt_ms=None if way.rtt_us is None else way.rtt_us / 1000,
        heard_ms=way.heard_us / 1000,
        duplicates=way.duplicates,
        is_best=way.is_best,
    )


def rounded(way: LinkWay) -> tuple[object, ...]:
    """Return what of a link is worth telling when it changes: not each hundredth, and not that it was heard again."""
    loss = None if way.loss_ratio is None else round(20 * way.loss_ratio)
    rtt = None if way.rtt_us is None else way.rtt_us // 50_000
    return (way.transport, way.peer, loss, rtt, way.is_best)


def is_open(order: Order) -> bool:
    """Tell whether an order is still under way."""
    return order.state in (CommandState.QUEUED, CommandState.SENT)
