"""The board of who is in control of each drone: nobody, an account or a ground station; a pure fold over events, versioned."""

from typing import Final

import msgspec

from telemetry.model.control_events import ControlChange, ControlChanged, HolderKind
from telemetry.model.errors import ConflictError, InputError, NotAllowedError
from telemetry.model.events import AnyEvent

LONGEST_REASON_CHARACTERS: Final = 300


class Holder(msgspec.Struct, frozen=True):
    """Who may be in control: `holder_id` is an account's number, 0 for a ground station, which goes by its name."""

    kind: HolderKind = HolderKind.NOBODY
    holder_id: int = 0
    name: str = ""

    def __str__(self) -> str:
        """Return how messages call it."""
        return f"the ground station {self.name}" if self.kind is HolderKind.GROUND_STATION else self.name or "nobody"


NOBODY: Final = Holder()


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """Who is in control of a device since `since_us` (UTC microseconds), and to whom it is offered.

    `by` is the account that brought it about: whoever lent it to a ground station may take it back. `change` and `reason` say how
    it came.
    """

    device_id: int
    holder: Holder = NOBODY
    offered: Holder = NOBODY
    by: Holder = NOBODY
    since_us: int = 0
    change: ControlChange = ControlChange.RELEASED
    reason: str = ""


class ControlBoard:
    """One state a device, of those that anybody ever was in control of; every change raises `version`."""

    def __init__(self) -> None:
        self.version = 0
        self._controls: dict[int, tuple[int, Control]] = {}

    def of(self, device_id: int) -> Control:
        """Return who is in control of a device; nobody of one that was never taken."""
        held = self._controls.get(device_id)
        return Control(device_id=device_id) if held is None else held[1]

    def held(self) -> list[Control]:
        """Return the controls that somebody has."""
        return [control for _, control in self._controls.values() if control.holder != NOBODY]

    def changed_since(self, version: int) -> list[Control]:
        """Return the controls that changed after `version`, the one that changed last at the end."""
        changed = [held for held in self._controls.values() if held[0] > version]
        return [control for _, control in sorted(changed, key=lambda held: held[0])]

    def apply(self, event: AnyEvent) -> None:
        """Take what an event says of control; other events are passed over."""
        if not isinstance(event, ControlChanged) or event.replayed:
            return
        control = control_after(self.of(event.device_id), event)
        if control != self.of(event.device_id):
            self.version += 1
            self._controls[event.device_id] = (self.version, control)


def control_after(control: Control, event: ControlChanged) -> Control:
    """Return the control after an event, which holds the whole state; an offer does not change since when it is held."""
    holder = Holder(event.holder, event.holder_id, event.holder_name)
    return Control(
        device_id=event.device_id,
        holder=holder,
        offered=Holder(event.offered, event.offered_id, event.offered_name),
        by=control.by if holder == control.holder else Holder(_kind_of(event.by_id), event.by_id, event.by_name),
        since_us=control.since_us if holder == control.holder else event.received_us,
        change=event.change,
        reason=event.reason,
    )


def demand_control(control: Control, who: Holder, *, name: str = "") -> None:
    """Raise ConflictError, saying who has it, unless `who` is in control; `name` is the drone's, empty: its device's number."""
    if control.holder == who:
        return
    called, called_zh = name or f"device {control.device_id}", name or f"设备 {control.device_id}"
    if control.holder == NOBODY:
        message = f"nobody is in control of {called}: take control, then order it again"
        raise ConflictError(message, f"{called_zh}无人控制：先接管，再下达命令")
    message = f"{control.holder} is in control of {called}: ask for it to be handed over, or let a supervisor take it"
    raise ConflictError(message, f"{control.holder}正在控制{called_zh}：请对方移交，或由主管接管")


def take(control: Control, who: Holder, now_us: int, *, name: str = "") -> ControlChanged:
    """Let somebody take what nobody has, or take back what they lent to a ground station. Raises ConflictError."""
    lent = control.holder.kind is HolderKind.GROUND_STATION and control.by == who
    if control.holder not in (NOBODY, who) and not lent:
        demand_control(control, who, name=name)
    return _changed(control, ControlChange.TAKEN, now_us, holder=who, by=who)


def force(control: Control, who: Holder, reason: str, now_us: int) -> ControlChanged:
    """Let a superior take it from whoever has it. Raises InputError without a reason."""
    words = reason.strip()
    if not words or len(words) > LONGEST_REASON_CHARACTERS:
        message = (
            f"the reason has {len(words)} characters: say in 1 .. {LONGEST_REASON_CHARACTERS} why control is taken"
        )
        raise InputError(message, f"理由为 {len(words)} 字：用 1 至 {LONGEST_REASON_CHARACTERS} 字说明为何接管")
    return _changed(control, ControlChange.FORCED, now_us, holder=who, by=who, reason=words)


def offer(control: Control, who: Holder, to: Holder, now_us: int, *, name: str = "") -> ControlChanged:
    """Let the holder offer it to another account, or lend it to a ground station, which has it at once.

    Raises ConflictError for one who is not in control, InputError for an offer to nobody or to themselves.
    """
    demand_control(control, who, name=name)
    if to in (NOBODY, who):
        message = f"control is offered to {to}: name another account or ground station, or release it"
        raise InputError(message, f"控制权不能移交给{to}：选择其他账号或地面站，或直接释放")
    if to.kind is HolderKind.GROUND_STATION:
        return _changed(control, ControlChange.ACCEPTED, now_us, holder=to, by=who)
    return _changed(control, ControlChange.OFFERED, now_us, holder=who, offered=to, by=who)


def accept(control: Control, who: Holder, now_us: int, *, name: str = "") -> ControlChanged:
    """Let the one it is offered to have it. Raises NotAllowedError for others."""
    _demand_offer(control, who, name=name)
    return _changed(control, ControlChange.ACCEPTED, now_us, holder=who, by=who)


def decline(control: Control, who: Holder, now_us: int, *, name: str = "") -> ControlChanged:
    """Let the one it is offered to refuse, or the holder take the offer back. Raises NotAllowedError for others."""
    if who != control.holder or control.offered == NOBODY:
        _demand_offer(control, who, name=name)
    return _changed(control, ControlChange.DECLINED, now_us, holder=control.holder, by=who)


def release(control: Control, who: Holder, now_us: int, *, name: str = "") -> ControlChanged:
    """Let the holder let go of it. Raises ConflictError for others."""
    demand_control(control, who, name=name)
    return _changed(control, ControlChange.RELEASED, now_us, by=who)


def lapse(control: Control, reason: str, now_us: int) -> ControlChanged:
    """Take it from a holder who is gone; whoever it was offered to must take it."""
    return _changed(control, ControlChange.LAPSED, now_us, reason=reason)


def _demand_offer(control: Control, who: Holder, *, name: str) -> None:
    if control.offered != who or who == NOBODY:
        called, called_zh = name or f"device {control.device_id}", name or f"设备 {control.device_id}"
        message = f"control of {called} is not offered to {who}: it is offered to {control.offered}"
        raise NotAllowedError(message, f"{called_zh}的控制权没有移交给{who}，而是移交给{control.offered}")


def _changed(
    control: Control,
    change: ControlChange,
    now_us: int,
    *,
    holder: Holder = NOBODY,
    offered: Holder = NOBODY,
    by: Holder = NOBODY,
    reason: str = "",
) -> ControlChanged:
    return ControlChanged(
        device_id=control.device_id,
        observed_us=now_us,
        received_us=now_us,
        change=change,
        holder=holder.kind,
        holder_id=holder.holder_id,
        holder_name=holder.name,
        offered=offered.kind,
        offered_id=offered.holder_id,
        offered_name=offered.name,
        by_id=by.holder_id,
        by_name=by.name,
        reason=reason,
    )


def _kind_of(account_id: int) -> HolderKind:
    return HolderKind.ACCOUNT if account_id else HolderKind.NOBODY
