"""How an order reaches its drone: by MAVSDK, by our own command in its place, seen by its mode, ended by a newer one."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from console.flight.carrying import URGENT_WITHIN_S, Carrier
from console.flight.drones import Drones
from console.flight.engine import MavsdkEngine
from console.flight.protocol import Acted
from console.orders import CommandDesk
from console.sources import FieldBridge
from infra.clock import SYSTEM_CLOCK
from telemetry.model.commands import Command, CommandState, FlightAction, FlightCommand
from telemetry.model.errors import UnavailableError
from telemetry.model.events import ModeChanged
from telemetry.orders import Order

DRONE, HAWK = 1, 7


class Cabin:
    """An engine, a bridge and a desk of orders that write down what they are asked."""

    def __init__(self) -> None:
        self.acting: list[asyncio.Future[Acted]] = []
        self.started = asyncio.Event()
        self.started.set()
        self.within_s: list[float | None] = []
        self.sent: list[FlightAction] = []
        self.said: list[tuple[int, CommandState, str]] = []
        self.told: list[int] = []
        self.carrier = Carrier(
            cast("FieldBridge", self),
            SYSTEM_CLOCK,
            orders=cast("CommandDesk", self),
            drones=cast("Drones", self),
            engine=cast("MavsdkEngine", self),
            on_change=self.told.append,
        )

    async def act(self, device_id: int, action: FlightAction, *, within_s: float | None, **_: object) -> Acted:
        assert (device_id, action) in {(DRONE, one) for one in FlightAction}
        self.within_s.append(within_s)
        await self.started.wait()
        self.acting.append(asyncio.get_running_loop().create_future())
        return await self.acting[-1]

    def give_up(self, device_id: int) -> None:
        for one in self.acting:
            if not one.done():
                one.set_exception(UnavailableError(f"given up for device {device_id}"))

    def place_of(self, unit_id: int) -> None:
        assert unit_id == HAWK

    def send(self, command: Command, now_us: int) -> None:
        assert now_us
        self.sent.append(cast("FlightCommand", command).action)

    def move(self, order: Order, state: CommandState, text: str = "") -> None:
        self.said.append((order.command_id, state, text))

    answer: Callable[..., None] = move

    async def carry(self, number: int, action: FlightAction) -> None:
        self.begin(number, action)
        await self.turn()

    def begin(self, number: int, action: FlightAction) -> None:
        command = FlightCommand(device_id=DRONE, action=action)
        order: Any = Order(
            command_id=number,
            device_id=DRONE,
            unit_id=HAWK,
            command=command,
            ordered_by="wang",
            queued_us=0,
            expires_us=1,
        )
        self.carrier.carry(order, command)

    async def turn(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)


def mode(name: str, device_id: int = DRONE) -> ModeChanged:
    return ModeChanged(device_id=device_id, observed_us=1, received_us=1, mode=name, previous="GUIDED")


async def test_a_drone_that_is_seen_on_its_way_home_has_its_order_whatever_mavsdk_says_of_it() -> None:
    cabin = Cabin()
    await cabin.carry(1, FlightAction.RETURN_HOME)
    for other in (mode("LAND"), mode("RTL", device_id=2)):
        cabin.carrier.hear(other)
    assert cabin.said == [(1, CommandState.SENT, "")]
    cabin.carrier.hear(mode("RTL"))
    cabin.carrier.hear(mode("RTL"))
    await cabin.turn()
    assert cabin.said[1:] == [(1, CommandState.DELIVERED, "MAVSDK: done, seen by its mode RTL")]
    assert cabin.sent == []
    await cabin.carrier.stop()


@pytest.mark.parametrize("action", [FlightAction.RETURN_HOME, FlightAction.PAUSE, FlightAction.LAND])
async def test_what_is_urgent_is_done_by_our_own_command_where_mavsdk_is_late_and_its_way_is_told(
    action: FlightAction,
) -> None:
    cabin = Cabin()
    await cabin.carry(1, action)
    assert cabin.within_s == [URGENT_WITHIN_S]
    cabin.acting[0].set_exception(UnavailableError("MAVSDK did not answer"))
    told = len(cabin.told)
    await cabin.turn()
    assert cabin.sent == [action]
    assert cabin.told[told:] == [HAWK]
    assert cabin.carrier.ways[1][1] == "MAVSDK did not answer"


@pytest.mark.parametrize("turns", [0, 1])
async def test_an_order_that_waits_for_mavsdk_to_start_is_not_asked_of_it_after_a_newer_one(turns: int) -> None:
    cabin = Cabin()
    cabin.started.clear()
    cabin.begin(1, FlightAction.GO_TO)
    for _ in range(turns):
        await cabin.turn()
    cabin.begin(2, FlightAction.HOLD)
    await cabin.turn()
    cabin.started.set()
    await cabin.turn()
    assert (cabin.acting, cabin.sent) == ([], [FlightAction.HOLD])
    assert (1, CommandState.REFUSED, "given up for a newer order: hold") in cabin.said


async def test_an_order_that_mavsdk_is_at_is_not_done_by_anybody_once_a_newer_one_is_given() -> None:
    cabin = Cabin()
    await cabin.carry(1, FlightAction.GO_TO)
    await cabin.carry(2, FlightAction.HOLD)
    assert cabin.sent == [FlightAction.HOLD]
    assert (1, CommandState.REFUSED, "given up for a newer order: hold") in cabin.said
    await cabin.carry(3, FlightAction.START)
    await cabin.carry(4, FlightAction.ARM)  # arming is no order that another one is given up for
    cabin.acting[-1].set_result(Acted(1, is_done=True, result="SUCCESS"))
    await cabin.turn()
    assert cabin.said[-1] == (3, CommandState.DELIVERED, "MAVSDK: done")
