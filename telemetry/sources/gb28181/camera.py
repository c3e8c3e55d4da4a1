"""A camera at the other end, as a pure state machine: for the demo, benches and tests of the whole way."""

from collections import deque
from collections.abc import Sequence
from typing import Final

import msgspec

from telemetry.sources.gb28181.camera_bodies import (
    SOS_METHOD,
    CameraFix,
    CameraPlan,
    alarm_body,
    answer_body,
    answer_sdp,
    keepalive_body,
    media_of,
    position_body,
)
from telemetry.sources.gb28181.camera_requests import CameraWriter, Dialog
from telemetry.sources.gb28181.digest import read_challenge
from telemetry.sources.gb28181.identifiers import Identifiers
from telemetry.sources.gb28181.manscdp import XmlError, read_document
from telemetry.sources.gb28181.sip import Sip, SipError, parse, tag_of, uri_of, write_response
from telemetry.sources.gb28181.stream import MessageSplitter
from telemetry.sources.gb28181.transactions import Answered, Answers, Asked, Asking, key_of

AGAIN_US: Final = 5_000_000
"""So long after a refused or unanswered registration the next one is tried."""
LONGEST_LIST: Final = 100
IN_FLIGHT: Final = 64
BACKLOG: Final = 100_000
DEFAULT_RETRY_S: Final = 5
EVENTS: Final = frozenset({"presence", "Catalog"})
"""Event packages that platforms subscribe by; what they want stands in the body."""

__all__ = ["Camera", "CameraFix", "CameraPlan"]


class _Purpose(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer will be for."""

    name: str
    fixes: tuple[CameraFix, ...] = ()


class Camera:
    """One camera. `start`, `feed`, `tick` and the verbs return the messages to send to the server, in order.

    Give it positions by `report`; each is kept until the server has answered it with 200, also over registrations
    and subscriptions that end. `take_acknowledged` tells which those were. Its clock is the `now_us` that it is given.
    """

    def __init__(self, plan: CameraPlan) -> None:
        self.plan = plan
        self.video: dict[str, str] = {}
        """Where the server wants video, by Call-ID: host:port of the media server."""
        self.alarms_answered = 0
        self.registrations = 0
        self.refused: list[int] = []
        self._identifiers = Identifiers(f"{plan.address}|{plan.seed}".encode())
        self._splitter = MessageSplitter()
        self._asking: Asking[_Purpose] = Asking(is_reliable=plan.transport != "udp")
        self._answers = Answers()
        self._call_id = self._identifiers.make()
        self._writer = CameraWriter(plan, self._identifiers)
        self._sn = 0
        self._registered_until_us = 0
        self._register_due_us: int | None = None
        self._keepalive_due_us = 0
        self._subscription: Dialog | None = None
        self._backlog: deque[CameraFix] = deque(maxlen=BACKLOG)
        self._hold_until_us = 0
        self._acknowledged: list[CameraFix] = []

    @property
    def is_registered(self) -> bool:
        """Tell whether the server has taken its registration."""
        return self._registered_until_us > 0

    @property
    def is_subscribed(self) -> bool:
        """Tell whether the server wants its positions."""
        return self._subscription is not None

    @property
    def interval_us(self) -> int | None:
        """Return how often the server wants a position, None while it wants none."""
        return self._subscription.interval_us if self._subscription else None

    @property
    def unsaid(self) -> int:
        """Return how many positions wait to be sent or answered."""
        in_flight = sum(len(asked.purpose.fixes) for asked in self._asking.waiting())
        return len(self._backlog) + in_flight

    def start(self, now_us: int) -> list[bytes]:
        """Register; call it again after a connection was lost (what waited for an answer is sent again)."""
        self._splitter = MessageSplitter()
        self._give_back(self._asking.forget())
        self._registered_until_us = 0
        self._subscription = None
        self._register_due_us = now_us + AGAIN_US
        return [self._register(now_us)]

    def leave(self, now_us: int) -> list[bytes]:
        """Unregister."""
        self._register_due_us = None
        self._registered_until_us = 0
        return [self._register(now_us, expires_s=0)]

    def report(self, fixes: Sequence[CameraFix], now_us: int) -> list[bytes]:
        """Say positions, at once if the server has subscribed, else as soon as it does."""
        self._backlog.extend(fixes)
        return self._flush(now_us)

    def press_sos(self, fix: CameraFix, now_us: int, *, method: str = SOS_METHOD, kind: str = "") -> list[bytes]:
        """Raise an alarm: by default that of the SOS key; `kind` is its AlarmType."""
        body = alarm_body(self.plan, self._next_sn(), fix, method=method, kind=kind)
        return [self._message(body, _Purpose(name="alarm"), now_us)]

    def take_acknowledged(self) -> list[CameraFix]:
        """Return the positions that the server has answered with 200 since the last call."""
        taken, self._acknowledged = self._acknowledged, []
        return taken

    def feed(self, data: bytes, now_us: int) -> list[bytes]:
        """Take a datagram or a piece of the stream."""
        messages = [data] if self.plan.transport == "udp" else self._splitter.feed(data)
        replies: list[bytes] = []
        for message in messages:
            try:
                sip = parse(message)
            except SipError:
                continue
            replies += self._hear(sip, now_us) if sip.status else self._obey(sip, now_us)
        return replies

    def tick(self, now_us: int) -> list[bytes]:
        """Repeat, keep alive, register again; call it some times a second."""
        again, lost = self._asking.due(now_us)
        self._give_back(lost)
        if self._register_due_us is not None and now_us >= self._register_due_us:
            self._register_due_us = now_us + AGAIN_US
            return [*again, self._register(now_us)]
        if self.is_registered and now_us >= self._keepalive_due_us:
            self._keepalive_due_us = now_us + round(self.plan.keepalive_s * 1e6)
            again.append(self._message(keepalive_body(self.plan, self._next_sn()), _Purpose(name="keepalive"), now_us))
        if self._subscription is not None and now_us >= self._subscription.until_us:
            self._subscription = None
        return [*again, *self._flush(now_us)]

    def _flush(self, now_us: int) -> list[bytes]:
        """Send what waits, as far as the server lets."""
        sent: list[bytes] = []
        wanted = self._subscription is not None or self.plan.is_unsolicited
        if not (wanted and self.is_registered) or now_us < self._hold_until_us:
            return sent
        at_once = LONGEST_LIST if self.plan.uses_list else 1
        while self._backlog and len(self._asking) < IN_FLIGHT:
            fixes = tuple(self._backlog.popleft() for _ in range(min(at_once, len(self._backlog))))
            body = position_body(self.plan, self._next_sn(), fixes)
            purpose = _Purpose(name="position", fixes=fixes)
            dialog = self._subscription
            message = (
                self._message(body, purpose, now_us)
                if dialog is None
                else self._notify(dialog, purpose, now_us, body=body)
            )
            sent.append(message)
        return sent

    def _hear(self, response: Sip, now_us: int) -> list[bytes]:
        asked = self._asking.answered(response)
        if asked is None:
            return []
        purpose = asked.purpose
        if purpose.name.startswith("register"):
            return self._registered(response, purpose, now_us)
        if response.status < 300:
            self._acknowledged += purpose.fixes
            return self._flush(now_us)
        self.refused.append(response.status)
        self._backlog.extendleft(reversed(purpose.fixes))
        if response.status == 481:
            self._subscription = None
        elif response.status == 503:
            retry = response.first("retry-after")
            self._hold_until_us = now_us + (int(retry) if retry.isdigit() else DEFAULT_RETRY_S) * 1_000_000
        elif response.status == 403:
            return self.start(now_us)
        return []

    def _registered(self, response: Sip, purpose: _Purpose, now_us: int) -> list[bytes]:
        challenge = read_challenge(response.first("www-authenticate"))
        is_new = purpose.name == "register" or "stale" in (challenge or {})
        if response.status == 401 and challenge is not None and is_new:
            expires_s = 0 if self._register_due_us is None else self.plan.expires_s
            return [self._register(now_us, challenge=challenge, expires_s=expires_s)]
        if response.status != 200:
            self.refused.append(response.status)
            return []
        expires_s = response.expires_s if response.expires_s is not None else self.plan.expires_s
        if expires_s == 0 or self._register_due_us is None:
            return []
        self.registrations += 1
        self._registered_until_us = now_us + expires_s * 1_000_000
        self._register_due_us = now_us + expires_s * 500_000
        self._keepalive_due_us = now_us + round(self.plan.keepalive_s * 1e6)
        return self._flush(now_us)

    def _obey(self, request: Sip, now_us: int) -> list[bytes]:
        if request.method == "ACK":
            return []
        key = key_of(request, host="", port=0)
        before = self._answers.get(key, now_us)
        if before is not None:
            return [before.data]
        answer, more = self._answer(request, now_us)
        self._answers.put(key, Answered(answer, now_us, holds=False))
        return [answer, *more]

    def _answer(self, request: Sip, now_us: int) -> tuple[bytes, list[bytes]]:
        match request.method:
            case "SUBSCRIBE":
                return self._subscribed(request, now_us)
            case "MESSAGE":
                return write_response(request, 200, "OK", to_tag=self._identifiers.make()), self._told(request, now_us)
            case "INVITE":
                return self._invited(request), []
            case "BYE":
                self.video.pop(request.call_id, None)
                return write_response(request, 200, "OK"), []
            case _:
                return write_response(request, 405, "Method Not Allowed"), []

    def _subscribed(self, request: Sip, now_us: int) -> tuple[bytes, list[bytes]]:
        command, interval_s = _asked_for(request)
        tag = tag_of(request.first("to")) or self._identifiers.make()
        expires_s = request.expires_s if request.expires_s is not None else 3600
        known = self._subscription
        is_known = known is not None and known.call_id == request.call_id
        refreshes = bool(tag_of(request.first("to"))) and command == "MobilePosition"
        if request.first("event").partition(";")[0].strip() not in EVENTS:
            return write_response(request, 489, "Bad Event", to_tag=tag), []
        if (refreshes or expires_s == 0) and not is_known:
            return write_response(request, 481, "Subscription Does Not Exist", to_tag=tag), []
        headers = (("Expires", str(expires_s)), ("Contact", f"<{self._writer.contact}>"))
        answer = write_response(request, 200, "OK", to_tag=tag, headers=headers)
        if command != "MobilePosition":
            return answer, []
        if expires_s == 0:
            self._subscription = None
            return answer, []
        dialog = self._subscription = Dialog(
            call_id=request.call_id,
            local=f"<sip:{self.plan.address}@{self.plan.realm}>;tag={tag}",
            remote=request.first("from"),
            target=uri_of(request.first("contact")) or uri_of(request.first("from")),
            event=request.first("event") or "presence",
            cseq=known.cseq if known is not None and is_known else 0,
            until_us=now_us + expires_s * 1_000_000,
            interval_us=interval_s * 1_000_000,
        )
        return answer, self._flush(now_us) or [self._notify(dialog, _Purpose(name="state"), now_us)]

    def _told(self, request: Sip, now_us: int) -> list[bytes]:
        try:
            document = read_document(request.body)
        except XmlError:
            return []
        if document.root == "Response":
            self.alarms_answered += document.command == "Alarm"
            return []
        body = answer_body(self.plan, document)
        return [self._message(body, _Purpose(name="response"), now_us)] if body is not None else []

    def _invited(self, request: Sip) -> bytes:
        wanted = media_of(request.body)
        tag = self._identifiers.make()
        if wanted is None:
            return write_response(request, 488, "Not Acceptable Here", to_tag=tag)
        self.video[request.call_id] = wanted
        headers = (("Contact", f"<{self._writer.contact}>"), ("Content-Type", "application/sdp"))
        return write_response(request, 200, "OK", to_tag=tag, headers=headers, body=answer_sdp(self.plan, request.body))

    def _register(self, now_us: int, *, challenge: dict[str, str] | None = None, expires_s: int | None = None) -> bytes:
        expires_s = self.plan.expires_s if expires_s is None else expires_s
        name = "register" if challenge is None else "register again"
        branch, data = self._writer.register(self._call_id, challenge, expires_s=expires_s)
        return self._ask(branch, data, "REGISTER", purpose=_Purpose(name=name), now_us=now_us)

    def _message(self, body: bytes, purpose: _Purpose, now_us: int) -> bytes:
        branch, data = self._writer.message(body)
        return self._ask(branch, data, "MESSAGE", purpose=purpose, now_us=now_us)

    def _notify(self, dialog: Dialog, purpose: _Purpose, now_us: int, *, body: bytes = b"") -> bytes:
        branch, data = self._writer.notify(dialog, body, now_us)
        return self._ask(branch, data, "NOTIFY", purpose=purpose, now_us=now_us)

    def _ask(self, branch: str, data: bytes, method: str, *, purpose: _Purpose, now_us: int) -> bytes:
        return self._asking.start(branch, data, method=method, purpose=purpose, now_us=now_us)

    def _give_back(self, lost: list[Asked[_Purpose]]) -> None:
        for asked in reversed(lost):
            self._backlog.extendleft(reversed(asked.purpose.fixes))

    def _next_sn(self) -> int:
        self._sn += 1
        return self._sn


def _asked_for(request: Sip) -> tuple[str, int]:
    """Return what a SUBSCRIBE asks for and how often, in seconds."""
    try:
        document = read_document(request.body)
    except XmlError:
        return "", 0
    interval = document.text("Interval")
    return document.command, int(interval) if interval.isdigit() else 5
