"""A sortie flown: checked, sent and read back, armed, started, watched to its end; paused, continued, given another task in the air."""

from typing import Final

import msgspec

from mission.flying.other_task import in_the_air
from mission.flying.pilot_words import Cause, Reason, reason
from mission.flying.preflight import Readiness, in_the_way, joined, warned
from mission.flying.sortie_watch import IN_AIR, NOTHING, UNSEEN, Brief, Purpose, Says, Seen, SortieWatch
from telemetry.model.commands import CommandState, DownloadMission, FlightAction, FlightCommand, UploadMission
from telemetry.model.errors import ConflictError
from telemetry.model.events import AnyEvent, CommandAnswered, CommandMoved
from telemetry.model.flight_events import (
    MissionTransferred,
    OnBoard,
    SortieMoved,
    SortieStep,
    TransferKind,
    TransferProgress,
)
from telemetry.model.mission_items import MissionItem, MissionList

__all__ = ["Brief", "Pilot", "Says", "Seen"]

OVER: Final = frozenset({SortieStep.DONE, SortieStep.FAILED})
ARM_AGAIN_US: Final = 5_000_000
ARM_TRIES: Final = 12
"""A position estimate takes up to a minute to settle: so long a refusal to arm is tried again."""
START_AGAIN_US: Final = 3_000_000
START_TRIES: Final = 4
SETTLES_US: Final = 5_000_000
TAKES_OFF_WITHIN_US: Final = 45_000_000
ANSWERED_WITHIN_US: Final = 150_000_000
SENT_WITHIN_US: Final = 2_400_000_000
READ_BACK_AFTER_US: Final = 30_000_000
"""What was read back longer ago may have been overwritten since, by another ground station: it is read again before it flies."""
_CHECKED_LISTS: Final = (MissionList.FENCE, MissionList.MISSION)


class Pilot(SortieWatch):
    """One drone's sortie. Pure: told events, the time and what people want; it answers with one command at a time.

    `state` is all that must survive a restart; `restored` goes on from it. Whoever drives it numbers and sends each command,
    then says `sent` with its number, or `unsent` with why it could not be sent.
    """

    def __init__(self, device_id: int, brief: Brief, now_us: int, *, seen: Seen = UNSEEN) -> None:
        super().__init__(device_id, brief, now_us, seen=seen)
        self.sent_items = 0
        self.item_count: int | None = None
        self._said_us = 0
        self._tries = 0
        self._on_board: dict[MissionList, str] = {}
        """The digests of what was read back of this sortie in this run."""
        self._read_us: int | None = None
        self._differs = self._starts_after = False
        self._deprived: Reason | None = None

    @classmethod
    def restored(cls, state: SortieMoved, brief: Brief, now_us: int, *, seen: Seen = UNSEEN) -> "Pilot":
        """Return a pilot that goes on after a restart from the last state that was kept; what it waited for is asked anew."""
        pilot = cls(state.device_id, brief, now_us, seen=seen)
        step, found = state.step, None
        if step is SortieStep.UPLOADING:
            step = SortieStep.PAUSED if state.has_flown else SortieStep.HANDED
            found = reason(Cause.UPLOAD, "interrupted") if state.has_flown else None
        elif step is SortieStep.STARTING:
            step = SortieStep.READY
        pilot.state = state
        pilot._move(now_us, step, found, keeps_reason=found is None)
        return pilot

    # --- what people want ----------------------------------------------------------------------------------------

    def begin(self, readiness: Readiness, now_us: int) -> Says:
        """Check, and send fence, rally points and mission; also again, after an upload that failed.

        Raises ConflictError for a sortie that flies or is over.
        """
        self._demand({SortieStep.HANDED, SortieStep.READY, SortieStep.FAILED}, "sent", "上传")
        if self.state.has_flown:
            raise ConflictError("this sortie has flown already: plan another one", "本架次已飞过：请另行规划")
        found = in_the_way(readiness, least_battery_ratio=self.brief.least_battery_ratio)
        if not self.brief.plan.mission:
            found = (reason(Cause.EMPTY), *found)
        if found:
            return Says(None, self._move(now_us, SortieStep.HANDED, joined(found)))
        return self._upload(self.brief.plan.mission, now_us)

    def look(self, readiness: Readiness, now_us: int) -> Says:
        """Say of a sortie that is ready what stands in its way by now, or what the rules warn of; nothing where that is said."""
        if self.step is not SortieStep.READY or self._purpose is not None:
            return NOTHING
        against = in_the_way(readiness, least_battery_ratio=self.brief.least_battery_ratio)
        found = joined(against) if against else warned(readiness)
        if found is None and self.state.cause == Cause.READ_BACK:
            return NOTHING  # only another start settles that
        if (self.state.cause, self.state.reason_en) == (("", "") if found is None else (found.cause.value, found.en)):
            return NOTHING
        return Says(None, self._move(now_us, SortieStep.READY, found))

    def start(self, readiness: Readiness, now_us: int) -> Says:
        """Check once more, read back what is on board where that was long ago, arm and start.

        What is on board by now and is not this sortie's is uploaded anew, and it starts then. Raises ConflictError unless the
        mission was put on board.
        """
        self._demand({SortieStep.READY}, "started", "起飞")
        found = in_the_way(readiness, least_battery_ratio=self.brief.least_battery_ratio)
        if found:
            return Says(None, self._move(now_us, SortieStep.READY, joined(found)))
        self._tries, self._starts_after = 0, False
        if self._read_us is None or now_us - self._read_us > READ_BACK_AFTER_US:
            return self._read_back(now_us)
        return Says(self._order(Purpose.ARM, FlightAction.ARM, now_us), self._move(now_us, SortieStep.STARTING, None))

    def pause(self, now_us: int) -> Says:
        """Stand still in the air. Raises ConflictError for one that does not fly."""
        self._demand({SortieStep.FLYING, SortieStep.RETURNING}, "paused", "暂停")
        return Says(self._order(Purpose.PAUSE, FlightAction.PAUSE, now_us))

    def go_on(self, now_us: int) -> Says:
        """Continue where it was paused. Raises ConflictError for one that is not, or whose mission on board is not ours."""
        self._demand({SortieStep.PAUSED}, "continued", "继续")
        if not self.state.digest:
            message = "what it has on board is not this sortie's mission: let it return, or give it the task again"
            raise ConflictError(message, "机上任务不是本架次的：令其返航，或重新下达任务")
        return Says(self._order(Purpose.CONTINUE, FlightAction.CONTINUE, now_us))

    def come_home(self, now_us: int) -> Says:
        """Break off and return; on the ground: give up."""
        if self.step in OVER:
            raise ConflictError("this sortie is over already", "本架次已结束")
        stopped = reason(Cause.STOPPED)
        if self.step in {SortieStep.HANDED, SortieStep.READY} or (
            self.step is SortieStep.UPLOADING and not self.state.has_flown
        ):
            self._forget()
            return Says(None, self._move(now_us, SortieStep.FAILED, stopped))
        is_unarmed = self._armed is False or self._purpose is Purpose.READ_BACK
        if self.step is SortieStep.STARTING and is_unarmed:
            self._forget()
            return Says(None, self._move(now_us, SortieStep.FAILED, stopped))
        return Says(self._order(Purpose.RETURN, FlightAction.RETURN_HOME, now_us))

    def give_another(self, brief: Brief, now_us: int) -> Says:
        """Put another mission in the place of what is left, in the air from where it is; what was flown is kept.

        It first stands still. Raises ConflictError for one that is over or just starting.
        """
        self._demand({SortieStep.HANDED, SortieStep.READY, *IN_AIR}, "given another task", "改派")
        state = self.state
        if self.step in IN_AIR and not state.has_flown:
            message = "it is just taking off: give it another task when it is in the air"
            raise ConflictError(message, "正在起飞：升空后再下达新任务")
        flown_before = state.flown_before + state.flown
        self.brief = brief
        self.state = msgspec.structs.replace(
            state,
            sortie_id=brief.sortie_id,
            plan_id=brief.plan_id,
            part=state.part + state.has_flown,
            item=None,
            flown=0,
            flown_before=flown_before,
            waypoint_count=brief.waypoint_count,
            digest="",
            arrived_us=None,
        )
        if not state.has_flown:
            return Says(None, self._move(now_us, SortieStep.HANDED, None))
        moved = self._move(now_us, SortieStep.UPLOADING, None)
        return Says(self._order(Purpose.STAND, FlightAction.HOLD, now_us), moved)

    def lose_control(self, holder: str, now_us: int) -> Says:
        """Give no order any more of its own: somebody else is in control by now.

        A start is called off. A mission on its way comes on board, but is not started then.
        """
        found = reason(Cause.CONTROL, holder)
        if self._purpose is Purpose.UPLOAD:
            self._deprived, self._starts_after = found, False
            return NOTHING if self.state.cause == found.cause else Says(None, self._move(now_us, self.step, found))
        self._forget()
        if self.step is SortieStep.STARTING:
            return Says(None, self._move(now_us, SortieStep.READY, found))
        is_standing = self.step is SortieStep.UPLOADING
        return Says(None, self._move(now_us, SortieStep.PAUSED, found)) if is_standing else NOTHING

    # --- what becomes of a command -------------------------------------------------------------------------------

    def sent(self, command_id: int) -> None:
        """Note the number of the command that was just sent: its answer comes by it."""
        self._command_id = command_id

    def unsent(self, why: str, now_us: int) -> Says:
        """Note that the command could not be sent."""
        return self._answered(why or "it could not be sent", now_us)

    def take(self, event: AnyEvent, now_us: int) -> Says:
        """Take an event of this drone; those of others and replayed ones are passed over."""
        if event.device_id != self.state.device_id or event.replayed or self.step in OVER:
            return NOTHING
        match event:
            case CommandAnswered() | CommandMoved():
                return self._take_answer(event, now_us)
            case MissionTransferred():
                return self._take_transfer(event, now_us)
            case TransferProgress():
                self._take_progress(event)
                return NOTHING
            case _:
                return self.watch(event, now_us)

    def tick(self, now_us: int, seen: Seen = UNSEEN) -> Says:
        """Try again what is to be tried again, and notice what does not come. Call it each second with what is seen of the drone.

        A drone that is not heard, or of which nobody knows whether it flies, is neither given up nor disarmed.
        """
        noticed = self.see(seen, now_us)
        if noticed.moved is not None:
            return noticed
        if self._again_us is not None and now_us >= self._again_us and self.step is SortieStep.STARTING:
            self._again_us = None
            return Says(self._arm_or_start(now_us))
        waited_us = now_us - self._said_us
        limit_us = SENT_WITHIN_US if self._purpose is Purpose.UPLOAD else ANSWERED_WITHIN_US
        if self._purpose is not None and waited_us > limit_us:
            return self._answered(reason(Cause.NO_ANSWER, waited_s=waited_us / 1e6).en, now_us)
        is_disarmed = (seen.is_heard and seen.is_armed is False) or self._armed is False
        if self.step in IN_AIR and is_disarmed and waited_us > SETTLES_US:
            return self._end(now_us)  # it was on the ground again before we heard that it had set out
        waited_us = now_us - max(self._started_us, self._heard_since_us)
        is_expected = self.step is SortieStep.FLYING and not self.state.has_flown
        if is_expected and self._is_down() and waited_us > TAKES_OFF_WITHIN_US:
            moved = self._move(now_us, SortieStep.FAILED, reason(Cause.NO_TAKE_OFF, waited_s=TAKES_OFF_WITHIN_US / 1e6))
            return Says(self._order(Purpose.DISARM, FlightAction.DISARM, now_us), moved)
        return NOTHING

    # -------------------------------------------------------------------------------------------------------------

    def _upload(self, mission: tuple[MissionItem, ...], now_us: int) -> Says:
        plan = self.brief.plan
        self._begin_waiting(Purpose.UPLOAD, now_us)
        self.sent_items, self.item_count, self._deprived = 0, None, None
        self.state = msgspec.structs.replace(self.state, digest="")
        device_id = self.state.device_id
        command = UploadMission(device_id=device_id, mission=mission, fence=plan.fence, rally=plan.rally)
        return Says(command, self._move(now_us, SortieStep.UPLOADING, None))

    def _read_back(self, now_us: int) -> Says:
        self._begin_waiting(Purpose.READ_BACK, now_us)
        self._differs = False
        lists = tuple(one for one in _CHECKED_LISTS if one is MissionList.MISSION or self.brief.plan.fence)
        command = DownloadMission(device_id=self.state.device_id, lists=lists)
        return Says(command, self._move(now_us, SortieStep.STARTING, None))

    def _order(self, purpose: Purpose, action: FlightAction, now_us: int) -> FlightCommand:
        self._begin_waiting(purpose, now_us)
        return FlightCommand(device_id=self.state.device_id, action=action)

    def _begin_waiting(self, purpose: Purpose, now_us: int) -> None:
        self._purpose, self._command_id, self._said_us, self._again_us = purpose, None, now_us, None

    def _arm_or_start(self, now_us: int) -> FlightCommand:
        if not self._armed or (self._seen.is_heard and self._seen.is_armed is False):
            return self._order(Purpose.ARM, FlightAction.ARM, now_us)
        return self._order(Purpose.START, FlightAction.START, now_us)

    def _take_answer(self, event: CommandAnswered | CommandMoved, now_us: int) -> Says:
        if self._purpose is None or event.command_id != self._command_id:
            return NOTHING
        if event.state == CommandState.DELIVERED:
            return self._answered("", now_us)
        if event.state in {CommandState.REFUSED, CommandState.EXPIRED}:
            return self._answered(event.text or event.state, now_us)
        return NOTHING

    def _answered(self, problem: str, now_us: int) -> Says:
        purpose = self._purpose
        self._forget()
        match purpose:
            case None | Purpose.DISARM:
                return NOTHING
            case Purpose.UPLOAD:
                return self._uploaded(problem, now_us)
            case Purpose.READ_BACK:
                return self._read_again(problem, now_us)
            case Purpose.ARM:
                return self._armed_answered(problem, now_us)
            case Purpose.START:
                return self._start_answered(problem, now_us)
            case Purpose.STAND:
                return self._stands(problem, now_us)
            case _:
                return self._order_answered(purpose, problem, now_us)

    def _uploaded(self, problem: str, now_us: int) -> Says:
        is_in_air, starts_after = self.state.has_flown, self._starts_after
        deprived, self._deprived, self._starts_after = self._deprived, None, False
        if problem:
            failed = SortieStep.PAUSED if is_in_air else SortieStep.FAILED
            return Says(None, self._move(now_us, failed, reason(Cause.UPLOAD, problem)))
        if is_in_air and deprived:
            return Says(None, self._move(now_us, SortieStep.PAUSED, deprived))
        if is_in_air:
            return Says(self._order(Purpose.START, FlightAction.START, now_us))
        self._read_us = now_us
        if starts_after:
            moved = self._move(now_us, SortieStep.STARTING, None)
            return Says(self._order(Purpose.ARM, FlightAction.ARM, now_us), moved)
        return Says(None, self._move(now_us, SortieStep.READY, deprived))

    def _read_again(self, problem: str, now_us: int) -> Says:
        """Arm where what is on board is this sortie's; put it there again where it is not."""
        if problem:
            return Says(None, self._move(now_us, SortieStep.READY, reason(Cause.READ_BACK, problem)))
        if self._differs:
            self._starts_after = True
            says = self._upload(self.brief.plan.mission, now_us)
            return Says(says.command, self._move(now_us, SortieStep.UPLOADING, reason(Cause.UPLOADED_ANEW)))
        self._read_us = now_us
        return Says(self._order(Purpose.ARM, FlightAction.ARM, now_us))

    def _armed_answered(self, problem: str, now_us: int) -> Says:
        if not problem:
            self._armed, self._tries = True, 0
            return Says(self._order(Purpose.START, FlightAction.START, now_us))
        return self._try_again(reason(Cause.ARM, problem), now_us, after_us=ARM_AGAIN_US, tries=ARM_TRIES)

    def _start_answered(self, problem: str, now_us: int) -> Says:
        is_up = self._seen.is_airborne and not self.state.has_flown
        if not problem or (is_up and self._is_mission(self._mode)):  # only its answer was lost
            self._started_us = now_us
            return Says(None, self._move(now_us, SortieStep.FLYING, None))
        found = reason(Cause.START, problem)
        if self.state.has_flown:
            return Says(None, self._move(now_us, SortieStep.PAUSED, found))
        says = self._try_again(found, now_us, after_us=START_AGAIN_US, tries=START_TRIES)
        if self.step is SortieStep.FAILED and self._is_down():
            return Says(self._order(Purpose.DISARM, FlightAction.DISARM, now_us), says.moved)
        return says

    def _try_again(self, found: Reason, now_us: int, *, after_us: int, tries: int) -> Says:
        self._tries += 1
        if self._tries >= tries:
            return Says(None, self._move(now_us, SortieStep.FAILED, found))
        self._again_us = now_us + after_us
        return Says(None, self._move(now_us, SortieStep.STARTING, found))

    def _stands(self, problem: str, now_us: int) -> Says:
        """Send the other task now that it stands still; a take-off has no place in it."""
        if problem:
            return Says(None, self._move(now_us, SortieStep.PAUSED, reason(Cause.ORDER, problem)))
        return self._upload(in_the_air(self.brief.plan.mission), now_us)

    def _order_answered(self, purpose: Purpose, problem: str, now_us: int) -> Says:
        if problem:
            return Says(None, self._move(now_us, self.step, reason(Cause.ORDER, problem)))
        if purpose is Purpose.RETURN:
            found = None if self._has_flown_all() else reason(Cause.STOPPED)
            return Says(None, self._move(now_us, SortieStep.RETURNING, found))
        step = SortieStep.PAUSED if purpose is Purpose.PAUSE else SortieStep.FLYING
        return Says(None, self._move(now_us, step, None))

    def _take_progress(self, event: TransferProgress) -> None:
        if event.command_id == self._command_id and event.mission_list is MissionList.MISSION:
            self.sent_items, self.item_count = event.done, event.total

    def _take_transfer(self, event: MissionTransferred, now_us: int) -> Says:
        is_ours = event.command_id == self._command_id
        if event.transfer is TransferKind.DOWNLOAD:
            if is_ours and self._purpose is Purpose.READ_BACK and not event.problem:
                self._differs = self._differs or event.digest != self._expected(event.mission_list)
            return NOTHING
        if is_ours and self._purpose is Purpose.UPLOAD:
            digest = event.digest if event.on_board is OnBoard.AS_ASKED else ""
            self._on_board[event.mission_list] = digest
            if event.mission_list is MissionList.MISSION:
                self.state = msgspec.structs.replace(self.state, digest=digest, first_item=event.first_item)
            return NOTHING
        if event.mission_list is not MissionList.MISSION:
            return NOTHING
        if event.on_board is OnBoard.AS_BEFORE or event.digest == self.state.digest or not self.state.digest:
            return NOTHING
        self.state = msgspec.structs.replace(self.state, digest="")
        step = self.step if self.state.has_flown else SortieStep.FAILED
        return Says(None, self._move(now_us, step, reason(Cause.CHANGED)))

    def _expected(self, which: MissionList) -> str:
        """Return the digest of a list as it was put on board; a fence's is not known any more after a restart."""
        return self.state.digest if which is MissionList.MISSION else self._on_board.get(which, "")
