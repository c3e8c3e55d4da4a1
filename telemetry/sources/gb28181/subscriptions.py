"""Our subscriptions: asked for after the registration, refreshed at half of their life, made anew when the device lost them."""

from typing import Final

from telemetry.sources.gb28181.identifiers import Identifiers
from telemetry.sources.gb28181.manscdp import write_document
from telemetry.sources.gb28181.requests import Request, Writer
from telemetry.sources.gb28181.session import ALARMS, POSITIONS, Session, Subscribing, Subscription
from telemetry.sources.gb28181.sip import Sip, tag_of, uri_of
from telemetry.sources.gb28181.turn import Turn
from telemetry.sources.gb28181.video import end_calls

LIFE_S: Final = 3_600
SHORTEST_LIFE_S: Final = 30
AGAIN_US: Final = 5_000_000
RETRY_US: Final = 60_000_000
LONGEST_RETRY_US: Final = 600_000_000
SILENT_INTERVALS: Final = 3
SHORTEST_SILENCE_US: Final = 120_000_000
"""A device that is subscribed and says nothing for so long (and three intervals) is asked again: it may have lost it."""
NO_DIALOG: Final = frozenset({481, 404})
FAILURES_SURVIVED: Final = 3
LONGEST_INTERVAL_S: Final = 3_600
NEVER_US: Final = 1 << 62
"""The refresh of a subscription whose SUBSCRIBE waits for its answer."""


def whole_seconds(interval_s: float) -> int:
    """Return an interval as the standard says it: whole seconds, 1 to 3600."""
    return min(max(round(interval_s), 1), LONGEST_INTERVAL_S)


def open_subscription(wanted: str, interval_s: int, identifiers: Identifiers, *, due_us: int) -> Subscription:
    """Return a subscription whose first SUBSCRIBE is due."""
    return Subscription(
        wanted=wanted,
        interval_s=interval_s,
        base_s=interval_s,
        call_id=identifiers.make(),
        local_tag=identifiers.make(),
        event_id=str(int(identifiers.make()[:4], 16)),
        refresh_us=due_us,
        heard_us=due_us,
    )


def doubt(session: Session) -> None:
    """Ask for each dialog of a camera that may have been started anew: who does not know it any more gets another."""
    for subscription in session.subscriptions.values():
        subscription.is_doubted = True
        if not subscription.is_waiting:
            subscription.refresh_us = 0


def subscribe_due(session: Session, writer: Writer, now_us: int, turn: Turn) -> None:
    """Send the SUBSCRIBEs that are due."""
    for subscription in session.subscriptions.values():
        if subscription.faster_until_us and now_us >= subscription.faster_until_us:
            subscription.faster_until_us = 0
            subscription.interval_s = subscription.base_s
            subscription.refresh_us = now_us
        if _is_silent(subscription, now_us):
            subscription.heard_us = subscription.refresh_us = now_us
        if not subscription.is_waiting and now_us >= subscription.refresh_us:
            turn.say(_subscribe(session, subscription, writer, now_us))


def _is_silent(subscription: Subscription, now_us: int) -> bool:
    if subscription.wanted != POSITIONS or not subscription.remote:
        return False
    silent_us = max(SILENT_INTERVALS * subscription.interval_s * 1_000_000, SHORTEST_SILENCE_US)
    return now_us - subscription.heard_us >= silent_us


def _subscribe(session: Session, subscription: Subscription, writer: Writer, now_us: int) -> bytes:
    subscription.cseq += 1
    subscription.is_waiting = True
    subscription.refresh_us = NEVER_US
    purpose = Subscribing(
        wanted=subscription.wanted, call_id=subscription.call_id, command_ids=subscription.command_ids
    )
    subscription.command_ids = ()
    request = Request(
        method="SUBSCRIBE",
        to=subscription.remote or writer.to_of(session.device.address),
        from_tag=subscription.local_tag,
        call_id=subscription.call_id,
        cseq=subscription.cseq,
        target=subscription.target,
        headers=(("Event", f"presence;id={subscription.event_id}"), ("Expires", str(LIFE_S))),
        body=write_document("Query", _asked(session, subscription)),
    )
    branch, data = writer.write(session, request)
    return session.asking.start(branch, data, method="SUBSCRIBE", purpose=purpose, now_us=now_us)


def _asked(session: Session, subscription: Subscription) -> list[tuple[str, str]]:
    head = [("CmdType", subscription.wanted), ("SN", session.next_sn()), ("DeviceID", session.device.address)]
    if subscription.wanted == ALARMS:
        return [*head, ("StartAlarmPriority", "1"), ("EndAlarmPriority", "4"), ("AlarmMethod", "0")]
    return [*head, ("Interval", str(subscription.interval_s))]


def subscribed(
    session: Session, purpose: Subscribing, response: Sip | None, *, identifiers: Identifiers, now_us: int, turn: Turn
) -> None:
    """Take the answer to a SUBSCRIBE; None: there was none in 32 s."""
    subscription = session.subscriptions.get(purpose.wanted)
    is_current = subscription is not None and subscription.call_id == purpose.call_id
    if response is not None and response.status < 300:
        if subscription is not None and is_current:
            _accepted(subscription, response, now_us)
        _tell(session, purpose, "", now_us, turn)
    elif response is not None and response.status in NO_DIALOG and subscription is not None and subscription.remote:
        if subscription.is_doubted:
            end_calls(session, now_us, turn)
        subscription.command_ids = purpose.command_ids + subscription.command_ids
        if is_current:
            forget_dialog(subscription, identifiers, due_us=now_us)
    else:
        turn.bad["subscribe_refused" if response is not None else "subscribe_unanswered"] += 1
        if subscription is not None and is_current:
            _refused(subscription, identifiers, now_us)
        why = "no answer in 32 s" if response is None else f"{response.status} {response.reason}"
        _tell(session, purpose, why, now_us, turn)


def _tell(session: Session, purpose: Subscribing, why: str, now_us: int, turn: Turn) -> None:
    for command_id in purpose.command_ids:
        session.answer_command(command_id, turn, now_us, refused=why)


def _refused(subscription: Subscription, identifiers: Identifiers, now_us: int) -> None:
    """Try again ever more rarely; a dialog that lived before lives on through some refusals, and its NOTIFYs are taken."""
    wait_us = 0 if subscription.is_doubted else min(RETRY_US << min(subscription.failures, 4), LONGEST_RETRY_US)
    subscription.failures += 1
    if subscription.remote and subscription.failures < FAILURES_SURVIVED and not subscription.is_doubted:
        subscription.is_waiting = False
        subscription.refresh_us = now_us + wait_us
    else:
        forget_dialog(subscription, identifiers, due_us=now_us + wait_us)


def _accepted(subscription: Subscription, response: Sip, now_us: int) -> None:
    subscription.failures = 0
    subscription.is_waiting = subscription.is_doubted = False
    if tag_of(response.first("to")):
        subscription.remote = response.first("to")
    subscription.target = uri_of(response.first("contact")) or subscription.target
    granted_s = response.expires_s if response.expires_s is not None else LIFE_S
    life_s = max(min(granted_s, LIFE_S), SHORTEST_LIFE_S)
    if subscription.refresh_us == NEVER_US:
        subscription.refresh_us = now_us + life_s * 500_000


def forget_dialog(subscription: Subscription, identifiers: Identifiers, *, due_us: int) -> None:
    """Begin anew: the next SUBSCRIBE opens another dialog."""
    subscription.call_id = identifiers.make()
    subscription.local_tag = identifiers.make()
    subscription.remote = subscription.target = ""
    subscription.cseq = 0
    subscription.is_waiting = subscription.is_doubted = False
    subscription.refresh_us = due_us


def dialog_of(session: Session, notify: Sip) -> Subscription | None:
    """Return the subscription in whose dialog a NOTIFY comes; one that comes before the 200 opens it. None: not ours.

    Our Call-ID and tag are known to the camera alone, which is pinned to its address: its own tag proves nothing more, and there
    are cameras whose NOTIFYs bear another than their 200.
    """
    tag = tag_of(notify.first("to"))
    for subscription in session.subscriptions.values():
        if subscription.call_id != notify.call_id or subscription.local_tag != tag:
            continue
        remote_tag = tag_of(notify.first("from"))
        if not subscription.remote and remote_tag:
            subscription.remote = notify.first("from")
            subscription.target = uri_of(notify.first("contact"))
        return subscription
    return None


def notified(subscription: Subscription, notify: Sip, identifiers: Identifiers, now_us: int) -> None:
    """Take what a NOTIFY says of its subscription: that it lives, or that it ends (then we subscribe again)."""
    subscription.heard_us = now_us
    state = notify.first("subscription-state").lower()
    if not state.startswith("terminated"):
        return
    is_refused = "rejected" in state or "noresource" in state
    forget_dialog(subscription, identifiers, due_us=now_us + (LONGEST_RETRY_US if is_refused else AGAIN_US))
