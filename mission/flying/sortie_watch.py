"""What a drone tells of the sortie that it flies: waypoints behind it, its mode, arming and landing, silence; and what follows of that."""

from enum import Enum
from typing import Any, Final, NamedTuple

import msgspec

from mission.flying.pilot_words import Cause, Reason, reason
from mission.formats.mavlink_items import LAND, PLACES, RETURN_TO_LAUNCH, MavlinkPlan
from telemetry.model.commands import Command
from telemetry.model.errors import ConflictError
from telemetry.model.events import (
    AnyEvent,
    ArmedChanged,
    LandedChanged,
    LandedState,
    LinkLost,
    LinkRegained,
    MissionProgress,
    ModeChanged,
    Rebooted,
)
from telemetry.model.flight_events import SortieMoved, SortieStep

MISSION_MODES: Final = frozenset({"AUTO", "AUTO.MISSION"})
HOMEWARD_MODES: Final = frozenset({"RTL", "SMART_RTL", "AUTO_RTL", "LAND", "QRTL", "QLAND", "AUTO.RTL", "AUTO.LAND"})
IN_AIR: Final = frozenset({SortieStep.FLYING, SortieStep.PAUSED, SortieStep.RETURNING})
LOST_FROM_S: Final = 10.0
STEPS_ZH: Final = {
    SortieStep.HANDED: "已交机组",
    SortieStep.UPLOADING: "上传中",
    SortieStep.READY: "待起飞",
    SortieStep.STARTING: "起飞中",
    SortieStep.FLYING: "执行中",
    SortieStep.PAUSED: "已暂停",
    SortieStep.RETURNING: "返航中",
    SortieStep.DONE: "已完成",
    SortieStep.FAILED: "中止",
}


class Brief(msgspec.Struct, frozen=True, kw_only=True):
    """What a pilot is given: the items, which waypoint each leads to, and how much battery (0..1) it takes to set out."""

    sortie_id: int
    plan: MavlinkPlan
    waypoint_count: int
    least_battery_ratio: float = 0.3
    plan_id: int | None = None
    account_id: int | None = None
    account_name: str = ""


class Purpose(Enum):
    """What the order that waits for an answer is for."""

    UPLOAD = "upload"
    READ_BACK = "read_back"
    """What is on board, before it flies."""
    ARM = "arm"
    START = "start"
    PAUSE = "pause"
    STAND = "stand"
    """So that another mission can be put on board in the air."""
    CONTINUE = "continue"
    RETURN = "return"
    DISARM = "disarm"


class Says(NamedTuple):
    """What the pilot wants now: a command to send (and to tell it by `sent` or `unsent`), and the state to keep in the journal."""

    command: Command | None = None
    moved: SortieMoved | None = None


NOTHING: Final = Says()


class Seen(NamedTuple):
    """What a drone's last word shows of it; None what it does not: one whose place is old may be in the air by now."""

    is_heard: bool | None = None
    is_armed: bool | None = None
    is_airborne: bool | None = None


UNSEEN: Final = Seen()


class SortieWatch:
    """The state of one sortie, and what of it follows from what the drone tells. Pure; times are UTC microseconds."""

    def __init__(self, device_id: int, brief: Brief, now_us: int, *, seen: Seen = UNSEEN) -> None:
        self.brief = brief
        self.state = SortieMoved(
            device_id=device_id,
            observed_us=now_us,
            received_us=now_us,
            sortie_id=brief.sortie_id,
            plan_id=brief.plan_id,
            step=SortieStep.HANDED,
            waypoint_count=brief.waypoint_count,
            account_id=brief.account_id,
            account_name=brief.account_name,
        )
        self._purpose: Purpose | None = None
        self._command_id: int | None = None
        self._again_us: int | None = None
        self._started_us = now_us
        self._mode: str | None = None
        self._mission_mode: str | None = None
        """The mode that it changed to when it was started, where its firmware's name of it is not known."""
        self._armed = seen.is_armed
        self._seen = seen
        self._heard_since_us = now_us

    @property
    def step(self) -> SortieStep:
        """Return how far the sortie has come."""
        return self.state.step

    def watch(self, event: AnyEvent, now_us: int) -> Says:
        """Take what the drone tells of itself."""
        match event:
            case MissionProgress():
                return self._take_item(event, now_us)
            case ModeChanged():
                return self._take_mode(event, now_us)
            case ArmedChanged():
                return self._take_arming(event, now_us)
            case LandedChanged():
                return self._take_landing(event, now_us)
            case Rebooted():
                return self._take_reboot(now_us)
            case LinkLost():
                return self._take_loss(event, now_us)
            case LinkRegained():
                return self._take_return_of_link(now_us)
            case _:
                return NOTHING

    def see(self, seen: Seen, now_us: int) -> Says:
        """Take what the drone's last word shows: a take-off of which it told while it was not heard counts too."""
        if seen.is_heard is False:
            self._heard_since_us = now_us
        self._seen = seen
        return self._take_off(now_us) if seen.is_airborne else NOTHING

    def call_off(self, found: Reason, now_us: int) -> Says:
        """End a sortie that waits on the ground, with why; nothing for one that has begun."""
        if self.step not in {SortieStep.HANDED, SortieStep.READY}:
            return NOTHING
        self._forget()
        return Says(None, self._move(now_us, SortieStep.FAILED, found))

    def arrive(self, now_us: int) -> Says:
        """Note that it is at its goal; the first time counts, though it may stay there for long."""
        if self.state.arrived_us is not None or not self.state.has_flown or self.step not in IN_AIR:
            return NOTHING
        self.state = msgspec.structs.replace(self.state, arrived_us=now_us)
        return Says(None, self._move(now_us, self.step, None, keeps_reason=True))

    def _is_down(self) -> bool:
        """Tell whether it is known to be on the ground now."""
        return self._seen.is_heard is True and self._seen.is_airborne is False

    def _demand(self, steps: set[SortieStep], said_en: str, said_zh: str) -> None:
        """Raise ConflictError for a sortie that is none of these steps, or whose mission is on its way."""
        if self.step not in steps:
            allowed = sorted(steps)
            raise ConflictError(
                f"a sortie that is {self.step.value} cannot be {said_en}: it must be {', '.join(allowed)}",
                f"架次处于“{STEPS_ZH[self.step]}”，不能{said_zh}：须为{'、'.join(STEPS_ZH[one] for one in allowed)}",
            )
        if self._purpose is Purpose.UPLOAD:
            raise ConflictError("its mission is on the way: wait until it is on board", "任务正在上传：请等待完成")

    def _forget(self) -> None:
        self._purpose = self._command_id = self._again_us = None

    def _has_flown_all(self) -> bool:
        return self.state.flown >= self.state.waypoint_count

    def _take_item(self, event: AnyEvent, now_us: int) -> Says:
        """Count the waypoints that lie behind: one that was reached, or all before the item that is flown to now."""
        assert isinstance(event, MissionProgress)
        state, plan = self.state, self.brief.plan
        index = event.item - state.first_item
        if self.step not in {SortieStep.FLYING, SortieStep.RETURNING} or not 0 <= index < len(plan.mission):
            return NOTHING
        behind = index + event.reached
        flown = max(state.flown, sum(place < behind for place in places_of(plan)))
        item = index if not event.reached else state.item
        has_flown = state.has_flown or flown > 0
        step = SortieStep.RETURNING if self._leads_home(index) else self.step
        if (item, flown, has_flown, step) == (state.item, state.flown, state.has_flown, state.step):
            return NOTHING
        self.state = msgspec.structs.replace(state, item=item, flown=flown, has_flown=has_flown)
        return Says(None, self._move(now_us, step, None, keeps_reason=True))

    def _leads_home(self, index: int) -> bool:
        mission = self.brief.plan.mission
        return index < len(mission) and mission[index].command in {RETURN_TO_LAUNCH, LAND}

    def _take_mode(self, event: ModeChanged, now_us: int) -> Says:
        self._mode = event.mode
        if self._purpose is Purpose.START or (self.step is SortieStep.FLYING and not self.state.has_flown):
            self._mission_mode = event.mode
        is_mission, is_homeward = self._is_mission(event.mode), event.mode in HOMEWARD_MODES
        if self.step is SortieStep.FLYING and is_homeward and self._purpose is not Purpose.RETURN:
            found = None if self._has_flown_all() else reason(Cause.RETURNED_BY_ITSELF, event.mode)
            return Says(None, self._move(now_us, SortieStep.RETURNING, found))
        if self.step is SortieStep.UPLOADING and self.state.has_flown and is_homeward:
            self._forget()  # what is on the way shall not be started any more
            return Says(None, self._move(now_us, SortieStep.RETURNING, reason(Cause.RETURNED_BY_ITSELF, event.mode)))
        is_ours = self._purpose in {Purpose.PAUSE, Purpose.RETURN, Purpose.STAND, Purpose.CONTINUE, Purpose.START}
        if self.step is SortieStep.FLYING and self.state.has_flown and not is_mission and not is_ours:
            return Says(None, self._move(now_us, SortieStep.PAUSED, reason(Cause.MODE, event.mode)))
        if self.step is SortieStep.PAUSED and is_homeward and not is_ours:
            return Says(None, self._move(now_us, SortieStep.RETURNING, reason(Cause.RETURNED_BY_ITSELF, event.mode)))
        if is_mission and self.state.digest and self._armed and not is_ours:
            return self._goes_on_by_others(now_us)
        return NOTHING

    def _is_mission(self, mode: str | None) -> bool:
        return mode in MISSION_MODES or (mode is not None and mode == self._mission_mode)

    def _goes_on_by_others(self, now_us: int) -> Says:
        """Note that somebody else, or a pilot before a restart, let the mission go on."""
        if self.step not in {SortieStep.READY, SortieStep.PAUSED}:
            return NOTHING
        self._started_us = now_us
        return Says(None, self._move(now_us, SortieStep.FLYING, None))

    def _take_arming(self, event: ArmedChanged, now_us: int) -> Says:
        self._armed = event.armed
        if event.armed:
            is_mission = self._is_mission(self._mode) and bool(self.state.digest)
            return self._goes_on_by_others(now_us) if is_mission else NOTHING
        return NOTHING if self.step not in IN_AIR and not self.state.has_flown else self._end(now_us)

    def _end(self, now_us: int) -> Says:
        """End the sortie of a drone that stands disarmed."""
        self._forget()
        if not self.state.has_flown:
            found = reason(Cause.NO_TAKE_OFF, waited_s=(now_us - self._started_us) / 1e6)
            is_told = bool(self.state.cause)
            return Says(None, self._move(now_us, SortieStep.FAILED, found, keeps_reason=is_told))
        return Says(None, self._land(now_us))

    def _land(self, now_us: int) -> SortieMoved:
        """End the sortie on the ground: well where all was flown, else with why it was broken off, or that it landed early."""
        if self._has_flown_all():
            return self._move(now_us, SortieStep.DONE, None)
        state = self.state
        if state.cause:
            return self._move(now_us, SortieStep.FAILED, None, keeps_reason=True)
        found = reason(Cause.LANDED_EARLY, done=state.flown, total=state.waypoint_count)
        return self._move(now_us, SortieStep.FAILED, found)

    def _take_landing(self, event: LandedChanged, now_us: int) -> Says:
        return self._take_off(now_us) if event.landed in {LandedState.IN_AIR, LandedState.TAKEOFF} else NOTHING

    def _take_off(self, now_us: int) -> Says:
        if self.state.has_flown or self.step not in IN_AIR:
            return NOTHING
        self.state = msgspec.structs.replace(self.state, has_flown=True)
        return Says(None, self._move(now_us, self.step, None, keeps_reason=True))

    def _take_reboot(self, now_us: int) -> Says:
        if not self.state.has_flown:
            return NOTHING
        self._forget()
        return Says(None, self._move(now_us, SortieStep.FAILED, reason(Cause.REBOOTED)))

    def _take_loss(self, event: LinkLost, now_us: int) -> Says:
        if event.silent_s < LOST_FROM_S or self.step not in IN_AIR or self.state.cause:
            return NOTHING
        return Says(None, self._move(now_us, self.step, reason(Cause.LOST, waited_s=event.silent_s)))

    def _take_return_of_link(self, now_us: int) -> Says:
        if self.state.cause != Cause.LOST:
            return NOTHING
        return Says(None, self._move(now_us, self.step, None))

    def _move(self, now_us: int, step: SortieStep, found: Reason | None, *, keeps_reason: bool = False) -> SortieMoved:
        said: dict[str, Any] = {}
        if not keeps_reason:
            cause, zh, en = ("", "", "") if found is None else (found.cause.value, found.zh, found.en)
            said = {"cause": cause, "reason_zh": zh, "reason_en": en}
        changes = {"observed_us": now_us, "received_us": now_us, "step": step, **said}
        self.state = msgspec.structs.replace(self.state, **changes)
        return self.state


def places_of(plan: MavlinkPlan) -> tuple[int, ...]:
    """Return for each waypoint the number of the item that flies to it; what is done on the way there and then leads nowhere."""
    places: dict[int, int] = {}
    for index, (item, number) in enumerate(zip(plan.mission, plan.waypoint_numbers, strict=False)):
        if number is not None and (item.command in PLACES or number not in places):
            places[number] = index
    return tuple(places.values())
