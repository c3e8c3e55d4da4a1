"""What a pilot asks of a drone, as the commands that its autopilot understands: each firmware has its own way."""

from collections.abc import Callable
from typing import Final

from telemetry.model.commands import FlightAction, FlightCommand
from telemetry.model.errors import InputError
from telemetry.sources.mavlink.commanding import Flying, Step
from telemetry.sources.mavlink.modes import ARDUPILOT, COPTERS, PX4, mode_number
from telemetry.sources.mavlink.requests import Ask

DO_SET_MODE: Final = 176
ARM_DISARM: Final = 400
TAKE_OFF: Final = 22
LAND: Final = 21
RETURN: Final = 20
REPOSITION: Final = 192
PAUSE_CONTINUE: Final = 193
SET_MISSION_CURRENT: Final = 224
MISSION_START: Final = 300
SET_CURRENT_MESSAGE: Final = 41
CUSTOM_MODE: Final = 1.0
CHANGE_MODE: Final = 1.0
RELATIVE_INT: Final = 6
GLOBAL_INT: Final = 5
NOT_ARMABLE: Final = frozenset({"AUTO", "BRAKE", "RTL", "LAND", "CIRCLE", "SMART_RTL", "AUTO_RTL", "THROW", "FLIP"})
"""In these an ArduCopter does not arm."""
HIGHEST_M: Final = 10_000.0
FENCE_ON: Final = Step("switching the fence on", 207, (1.0,), may_fail=True, only_unknown=True)
"""DO_FENCE_ENABLE: an ArduPilot does not heed a fence that it only has; one that does not know the command heeds it."""


def steps_of(order: FlightCommand, vehicle: Flying, *, first_item: int) -> tuple[Step, ...]:
    """Return the commands of an order. Raises InputError for a value that is missing or no vehicle can take."""
    return _STEPS[order.action](order, vehicle, first_item)


def _mode(vehicle: Flying, name: str, *, said: str, instead: Step | None = None) -> Step:
    """Return the change to a mode by its name on this firmware; others than ArduPilot are spoken to as to a PX4."""
    main, sub = mode_number(vehicle.autopilot, vehicle.vehicle_type, name)
    params = (CUSTOM_MODE, float(main), float(sub))

    def is_there(now: Flying) -> bool:
        return now.mode == name

    return Step(said, DO_SET_MODE, params, reached=is_there, instead=instead)


def _is_ardupilot(vehicle: Flying) -> bool:
    return vehicle.autopilot == ARDUPILOT


def _is_copter(vehicle: Flying) -> bool:
    return vehicle.vehicle_type in COPTERS


def _mission_mode(vehicle: Flying, *, said: str) -> Step:
    return _mode(vehicle, "AUTO" if _is_ardupilot(vehicle) else "AUTO.MISSION", said=said)


def _standing(vehicle: Flying, *, said: str) -> Step:
    """Return the mode in which it stands still in the air and takes the next order; a rover's is HOLD."""
    if not _is_ardupilot(vehicle):
        return _mode(vehicle, "AUTO.LOITER", said=said)
    ways = ("GUIDED",) if _is_copter(vehicle) else ("LOITER", "HOLD", "POSHOLD")
    known = next((name for name in ways if _has_mode(vehicle, name)), ways[0])
    return _mode(vehicle, known, said=said)


def _has_mode(vehicle: Flying, name: str) -> bool:
    try:
        mode_number(vehicle.autopilot, vehicle.vehicle_type, name)
    except InputError:
        return False
    return True


def _armable(vehicle: Flying) -> tuple[Step, ...]:
    if _is_ardupilot(vehicle) and _is_copter(vehicle) and not vehicle.armed and vehicle.mode in NOT_ARMABLE:
        return (_mode(vehicle, "GUIDED", said="a mode in which it can be armed"),)
    return ()


def _arm(order: FlightCommand, vehicle: Flying, first_item: int) -> tuple[Step, ...]:
    del order, first_item
    return (*_armable(vehicle), Step("arming", ARM_DISARM, (1.0,), reached=lambda now: bool(now.armed)))


def _disarm(order: FlightCommand, vehicle: Flying, first_item: int) -> tuple[Step, ...]:
    del order, vehicle, first_item
    return (Step("disarming", ARM_DISARM, (0.0,), reached=lambda now: now.armed is False),)


def _take_off(order: FlightCommand, vehicle: Flying, first_item: int) -> tuple[Step, ...]:
    alt_m = _height(order, vehicle, what="take off")
    if alt_m is None and _is_ardupilot(vehicle):
        raise InputError(f"this vehicle must be told how high to take off: give alt_home_m, 1 .. {HIGHEST_M:g} m")
    before: tuple[Step, ...] = ()
    if _is_ardupilot(vehicle) and _has_mode(vehicle, "GUIDED"):
        before = (_mode(vehicle, "GUIDED", said="the mode for taking off"),)
    climb = Step("taking off", TAKE_OFF, (0.0, 0.0, 0.0, None, None, None, alt_m))
    if _is_ardupilot(vehicle):
        climb = climb._replace(params=(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, alt_m))
    return (*before, *_arm(order, vehicle, first_item)[-1:], climb)


def _start(order: FlightCommand, vehicle: Flying, first_item: int) -> tuple[Step, ...]:
    del order
    to_first = _going_on_with(vehicle, first_item, params=(float(first_item), 1.0))
    mode = _mission_mode(vehicle, said="the mode for the mission")
    if not _is_ardupilot(vehicle):
        return (to_first, mode)
    return (to_first, Step("starting the mission", MISSION_START, (0.0, 0.0), instead=mode, only_unknown=True))


def _pause(order: FlightCommand, vehicle: Flying, first_item: int) -> tuple[Step, ...]:
    del order, first_item
    if not _is_ardupilot(vehicle):
        return (_standing(vehicle, said="pausing"),)
    brake = _mode(vehicle, "BRAKE", said="braking") if _has_mode(vehicle, "BRAKE") else None
    stand = brake or _standing(vehicle, said="standing still")
    return (Step("pausing", PAUSE_CONTINUE, (0.0,), instead=stand),)


def _continue(order: FlightCommand, vehicle: Flying, first_item: int) -> tuple[Step, ...]:
    del order, first_item
    mode = _mission_mode(vehicle, said="the mode for the mission")
    if not _is_ardupilot(vehicle) or vehicle.mode != "AUTO":
        return (mode,)
    return (Step("continuing", PAUSE_CONTINUE, (1.0,), instead=mode),)


def _return_home(order: FlightCommand, vehicle: Flying, first_item: int) -> tuple[Step, ...]:
    del order, first_item
    name = "RTL" if _is_ardupilot(vehicle) else "AUTO.RTL"
    mode = _mode(vehicle, name, said="the mode for returning")
    return (Step("returning home", RETURN, reached=mode.reached, instead=mode),)


def _hold(order: FlightCommand, vehicle: Flying, first_item: int) -> tuple[Step, ...]:
    del order, first_item
    return (_standing(vehicle, said="holding"),)


def _land(order: FlightCommand, vehicle: Flying, first_item: int) -> tuple[Step, ...]:
    del order, first_item
    name = ("LAND" if _has_mode(vehicle, "LAND") else "RTL") if _is_ardupilot(vehicle) else "AUTO.LAND"
    here: tuple[float | None, ...] = (0.0, 0.0, 0.0, None, None, None, None)
    params = (0.0,) if _is_ardupilot(vehicle) else here
    mode = _mode(vehicle, name, said="the mode for landing")
    return (Step("landing", LAND, params, reached=mode.reached, instead=mode),)


def _go_to(order: FlightCommand, vehicle: Flying, first_item: int) -> tuple[Step, ...]:
    del first_item
    if (
        order.lat_e7 is None
        or order.lon_e7 is None
        or abs(order.lat_e7) > 900_000_000
        or abs(order.lon_e7) > 1_800_000_000
    ):
        raise InputError(f"no place to go to: ({order.lat_e7}, {order.lon_e7}): give lat_e7 and lon_e7 in 1e-7 degree")
    alt_m = _height(order, vehicle, what="go there")
    if alt_m is None and _is_ardupilot(vehicle):
        if vehicle.relative_mm is None:
            raise InputError(
                "its height is not known yet: give alt_home_m, the height above the take-off place in metres"
            )
        alt_m = vehicle.relative_mm / 1000.0
    speed_mps = -1.0 if order.speed_mps is None else order.speed_mps
    frame = GLOBAL_INT if vehicle.autopilot == PX4 else RELATIVE_INT
    place = (float(order.lat_e7), float(order.lon_e7))
    yaw = 0.0 if _is_ardupilot(vehicle) else None
    return (Step("going there", REPOSITION, (speed_mps, CHANGE_MODE, 0.0, yaw, *place, alt_m), frame=frame),)


def _set_current(order: FlightCommand, vehicle: Flying, first_item: int) -> tuple[Step, ...]:
    if order.item is None or not 0 <= order.item < 65_535:
        raise InputError(f"no item to go on with: {order.item}: give its number, 0 for the first")
    seq = order.item + first_item
    return (_going_on_with(vehicle, seq, params=(float(seq),)),)


def _going_on_with(vehicle: Flying, seq: int, *, params: tuple[float, ...]) -> Step:
    """Return the step to an item by the vehicle's number of it: the command, or the message that was before there was one.

    Of others than ArduPilot and PX4 the message is the one that all know.
    """
    target = {"target_system": vehicle.system_id, "target_component": vehicle.component_id}

    def is_current(now: Flying) -> bool:
        return now.current_item == seq

    said = f"going on with item {seq} of the vehicle's mission"
    message = Ask(SET_CURRENT_MESSAGE, {"seq": seq, **target})
    old_way = Step(said, message=message, reached=is_current)
    if vehicle.autopilot not in {ARDUPILOT, PX4}:
        return old_way
    return Step(said, SET_MISSION_CURRENT, params, instead=old_way, only_unknown=True)


def _height(order: FlightCommand, vehicle: Flying, *, what: str) -> float | None:
    """Return the height as the firmware counts it: a PX4 above the sea, others above the take-off place."""
    alt_m = order.alt_home_m
    if alt_m is None:
        return None
    if not 0 < alt_m <= HIGHEST_M:
        raise InputError(f"alt_home_m {alt_m:g} m to {what}: give 0 .. {HIGHEST_M:g} m above the take-off place")
    if vehicle.autopilot != PX4:
        return alt_m
    if vehicle.home_msl_mm is None:
        raise InputError("the height of its take-off place is not known yet: wait for a position, then try again")
    return vehicle.home_msl_mm / 1000.0 + alt_m


_STEPS: Final[dict[FlightAction, Callable[[FlightCommand, Flying, int], tuple[Step, ...]]]] = {
    FlightAction.ARM: _arm,
    FlightAction.DISARM: _disarm,
    FlightAction.TAKE_OFF: _take_off,
    FlightAction.START: _start,
    FlightAction.PAUSE: _pause,
    FlightAction.CONTINUE: _continue,
    FlightAction.RETURN_HOME: _return_home,
    FlightAction.HOLD: _hold,
    FlightAction.GO_TO: _go_to,
    FlightAction.LAND: _land,
    FlightAction.SET_CURRENT: _set_current,
}
