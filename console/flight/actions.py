"""Orders to drones in flight: prepared with what they cost and what speaks against them, then confirmed, each kept with its person."""

import secrets
from collections.abc import Callable
from typing import Final

import msgspec

from console.api.models_flights import ActionPrepared, WantAction
from console.auth.accounts import Account
from console.flight.carrying import BY_MAVSDK, Carrier
from console.flight.control import ControlDesk
from console.flight.drones import Drones, Place
from console.flight.engine import MavsdkEngine
from console.flight.homes import Homes
from console.flight.rules import NoRules, RulesNow
from console.orders import CommandDesk
from console.sources import FieldBridge
from infra.clock import Clock
from mission.plan import Refusal
from telemetry.model.commands import FlightAction, FlightCommand
from telemetry.model.errors import ConflictError, InputError, UnavailableError
from telemetry.model.geodesy import distance_m
from telemetry.orders import Order

CONFIRMED_WITHIN_S: Final = 15.0
SENT_WITHIN_S: Final = 5.0
"""An order of a person in flight is worth nothing later."""
PREPARED_AT_MOST: Final = 1_000
PREPARED_OF_ONE: Final = 100
"""Of one account, so that nobody keeps others from their orders."""
USUAL_SPEED_MPS: Final = 10.0
LOW_BATTERY_RATIO: Final = 0.25
FARTHEST_M: Final = 10_000.0
HIGHEST_TAKE_OFF_M: Final = 1_000.0
BREAKS_OFF: Final = frozenset(
    {FlightAction.PAUSE, FlightAction.HOLD, FlightAction.GO_TO, FlightAction.RETURN_HOME, FlightAction.LAND}
)


class _Prepared(msgspec.Struct, frozen=True):
    """An action that its person may confirm until `until_s` of the monotonic clock."""

    account_id: int
    unit_id: int
    wanted: WantAction
    until_s: float


class ActionDesk:
    """What people order drones in the air. One who is not in control is refused, with who is."""

    def __init__(
        self,
        bridge: FieldBridge,
        clock: Clock,
        *,
        orders: CommandDesk,
        control: ControlDesk,
        drones: Drones,
        engine: MavsdkEngine,
        on_change: Callable[[int], None],
    ) -> None:
        self.homes = Homes()
        self.rules: RulesNow = NoRules()
        """What is asked before a drone is sent somewhere."""
        self.carrier = Carrier(bridge, clock, orders=orders, drones=drones, engine=engine, on_change=on_change)
        self._clock = clock
        self._orders = orders
        self._control = control
        self._drones = drones
        self._engine = engine
        self._prepared: dict[str, _Prepared] = {}

    async def prepare(
        self,
        unit_id: int,
        wanted: WantAction,
        account: Account,
        *,
        has_sortie: bool,
        said: tuple[Refusal, ...] = (),
    ) -> ActionPrepared:
        """Return what an action costs, what speaks against it, and the token that confirms it within 15 s; none where it is refused.

        `said` is what is known to speak against it already; where it flies to is asked of the rules here.
        Raises ConflictError for one who is not in control, InputError for an action that lacks what it needs.
        """
        device_id = self._drones.device_of(unit_id)
        self._control.demand(device_id, account)
        check_action(wanted)
        if wanted.action in BY_MAVSDK:
            self._engine.expect(device_id)
        now_s = self._clock.monotonic_s()
        self._prepared = {token: held for token, held in self._prepared.items() if held.until_s > now_s}
        mine = [held for held in self._prepared.values() if held.account_id == account.account_id]
        if len(mine) >= PREPARED_OF_ONE or len(self._prepared) >= PREPARED_AT_MOST:
            message = f"{len(mine)} actions of yours of {len(self._prepared)} wait for their confirmation: order it again in {CONFIRMED_WITHIN_S:g} s"
            raise UnavailableError(message, f"您有 {len(mine)} 个命令等待确认：{CONFIRMED_WITHIN_S:g} 秒后再下达")
        place, home = self._drones.place_of(unit_id), self.homes.get(device_id)
        if place is not None:
            said += await self.rules.of_order(unit_id, wanted, place=place, home=home)
        token = ""
        if all(one.is_warning for one in said):
            token, plain = secrets.token_urlsafe(16), msgspec.structs.replace(wanted, token="")
            until_s = self._clock.monotonic_s() + CONFIRMED_WITHIN_S
            self._prepared[token] = _Prepared(account.account_id, unit_id, plain, until_s)
        costs = costs_of(wanted, place, home)
        return msgspec.structs.replace(
            costs,
            token=token,
            valid_until_ms=self._clock.now_us() / 1000 + 1000 * CONFIRMED_WITHIN_S,
            breaks_off_sortie=has_sortie and wanted.action in BREAKS_OFF,
            refusals=list(said),
        )

    async def give(self, unit_id: int, command: FlightCommand, account: Account, *, by_pilot: bool = False) -> Order:
        """Carry out a command upon an account that is in control; return it once it is on the disk.

        `by_pilot`: the account gave the drone a sortie, and may have handed control on since.
        """
        if not by_pilot:
            self._control.demand(command.device_id, account)
        order = await self._orders.begin(command, account, unit_id, within_s=SENT_WITHIN_S, by_pilot=by_pilot)
        self.carrier.carry(order, command)
        return order

    async def stop(self) -> None:
        """Give up what is being carried out."""
        await self.carrier.stop()

    def confirm(self, unit_id: int, wanted: WantAction, account: Account) -> None:
        """Use up the token of a prepared action.

        Raises ConflictError for one who is not in control, or a token that is none of this action, person and drone, or too old.
        """
        self._control.demand(self._drones.device_of(unit_id), account)
        held = self._prepared.pop(wanted.token, None)
        plain = msgspec.structs.replace(wanted, token="")
        is_this = held is not None and (held.account_id, held.unit_id, held.wanted) == (
            account.account_id,
            unit_id,
            plain,
        )
        if held is None or not is_this or held.until_s <= self._clock.monotonic_s():
            message = (
                f"{wanted.action} of unit {unit_id} is not confirmed: prepare it (POST .../actions/prepare), look at what it costs, "
                f"and send it with its token within {CONFIRMED_WITHIN_S:g} s"
            )
            raise ConflictError(message, f"命令未经确认：先查看代价，{CONFIRMED_WITHIN_S:g} 秒内再次确认")


def check_action(wanted: WantAction) -> None:
    """Raise InputError for an action that lacks what it needs."""
    if wanted.action is FlightAction.GO_TO and (wanted.lat_deg is None or wanted.lon_deg is None):
        message = "go_to without a place: give lat_deg and lon_deg"
        raise InputError(message, "没有目的地：在地图上选一处")
    if wanted.action is FlightAction.TAKE_OFF and not 1.0 <= (wanted.alt_home_m or 0.0) <= HIGHEST_TAKE_OFF_M:
        said = "without a height" if wanted.alt_home_m is None else f"to {wanted.alt_home_m:g} m"
        message = f"take_off {said}: give alt_home_m, 1 .. {HIGHEST_TAKE_OFF_M:g} m above where it stands"
        raise InputError(message, f"起飞高度须为 1 至 {HIGHEST_TAKE_OFF_M:g} m（相对起飞点）")
    if wanted.action is FlightAction.SET_CURRENT and wanted.item is None:
        message = "set_current without an item: give item, counted from 0"
        raise InputError(message, "没有任务项：给出任务项编号，从 0 起")


def command_of(wanted: WantAction, device_id: int) -> FlightCommand:
    """Return the command that a person asks for."""
    return FlightCommand(
        device_id=device_id,
        action=wanted.action,
        lat_e7=None if wanted.lat_deg is None else round(wanted.lat_deg * 1e7),
        lon_e7=None if wanted.lon_deg is None else round(wanted.lon_deg * 1e7),
        alt_home_m=wanted.alt_home_m,
        speed_mps=wanted.speed_mps,
        item=wanted.item,
    )


def costs_of(wanted: WantAction, place: Place | None, home: Place | None) -> ActionPrepared:
    """Return what an action costs, as far as it is known; without token."""
    to = (wanted.lat_deg, wanted.lon_deg) if wanted.action is FlightAction.GO_TO else None
    if wanted.action is FlightAction.RETURN_HOME and home is not None:
        to = (home.lat_deg, home.lon_deg)
    way_m = None if place is None or to is None or to[0] is None or to[1] is None else _way_m(place, to[0], to[1])
    home_m = None if place is None or home is None else _way_m(place, home.lat_deg, home.lon_deg)
    speed_mps = wanted.speed_mps or USUAL_SPEED_MPS
    return ActionPrepared(
        token="",
        valid_until_ms=0.0,
        distance_m=way_m,
        home_distance_m=home_m,
        duration_s=None if way_m is None else way_m / speed_mps,
        battery_ratio=None if place is None else place.battery_ratio,
        breaks_off_sortie=False,
        warnings=_warnings(wanted, place, home, way_m),
    )


def _warnings(wanted: WantAction, place: Place | None, home: Place | None, way_m: float | None) -> list[str]:
    if place is None:
        return ["no_position"]
    asked = {
        "not_heard": not place.is_heard,
        "low_battery": place.battery_ratio is not None and place.battery_ratio < LOW_BATTERY_RATIO,
        "no_home": wanted.action is FlightAction.RETURN_HOME and home is None,
        "beyond_reach": way_m is not None and way_m > FARTHEST_M,
    }
    return [word for word, is_so in asked.items() if is_so]


def _way_m(place: Place, lat_deg: float, lon_deg: float) -> float:
    return float(distance_m(place.lat_deg, place.lon_deg, lat_deg, lon_deg))
