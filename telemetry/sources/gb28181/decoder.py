"""One peer of the SIP server: its datagrams or its stream in, rows, events and messages for it out."""

from typing import Final

import msgspec

from telemetry.model.commands import Command
from telemetry.model.decoding import Output, Peer
from telemetry.model.errors import NotFoundError
from telemetry.model.events import DeviceAlarm
from telemetry.sources.gb28181.catalogue import tell_due
from telemetry.sources.gb28181.fixes import write_time
from telemetry.sources.gb28181.orders import ask, obey
from telemetry.sources.gb28181.registrar import FORBIDDEN, Answer, Registrar
from telemetry.sources.gb28181.reports import Reports
from telemetry.sources.gb28181.requests import Writer
from telemetry.sources.gb28181.session import (
    ALARMS,
    POSITIONS,
    Ending,
    Inviting,
    Purpose,
    Querying,
    Session,
    Subscribing,
)
from telemetry.sources.gb28181.sessions import Sessions
from telemetry.sources.gb28181.sip import Sip, SipError, parameter_of, parse, tag_of, uri_of, write_response
from telemetry.sources.gb28181.stream import MessageSplitter
from telemetry.sources.gb28181.subscriptions import (
    dialog_of,
    notified,
    open_subscription,
    subscribe_due,
    subscribed,
    whole_seconds,
)
from telemetry.sources.gb28181.transactions import INVITE, Answered, Answers, Asked, key_of
from telemetry.sources.gb28181.turn import Turn
from telemetry.sources.gb28181.video import Streams, acknowledge_again, hung_up, invited

SHORTEST_LIFE_S: Final = 60
USUAL_LIFE_S: Final = 3_600
LONGEST_LIFE_S: Final = 86_400
ALLOWED: Final = "REGISTER, MESSAGE, NOTIFY, BYE, ACK, OPTIONS"
OK: Final = Answer(200, "OK")
BAD_REQUEST: Final = Answer(400, "Bad Request")
NO_DIALOG: Final = Answer(481, "Call/Transaction Does Not Exist")
NOT_ALLOWED: Final = Answer(405, "Method Not Allowed", (("Allow", ALLOWED),))
REPORTS: Final = frozenset({"MESSAGE", "NOTIFY"})
KEEPS_OPEN: Final = b"\r\n\x00 "
"""What alone in a datagram only keeps a NAT's way open."""


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """What all peers of one link group share."""

    registrar: Registrar
    sessions: Sessions
    reports: Reports
    writer: Writer
    streams: Streams
    answers: Answers


class SipDecoder:
    """The decoder of one peer; what it learns lives at the desk, so that it may be made anew for the same peer."""

    def __init__(self, desk: Desk, peer: Peer) -> None:
        self._desk = desk
        self._peer = peer
        self._splitter = None if peer.transport == "udp" else MessageSplitter()
        self._proven: set[int] = set()

    @property
    def begun_bytes(self) -> int:
        """Return how many bytes of a message have come that has not ended; 0 between messages and on datagrams."""
        return 0 if self._splitter is None else self._splitter.begun_bytes

    def feed(self, data: bytes, now_us: int) -> Output:
        """Take a datagram, or a piece of a stream, that arrived at `now_us`."""
        turn = Turn()
        for message in self._messages(data, turn):
            try:
                sip = parse(message)
            except SipError:
                turn.bad["sip_bad"] += 1
                continue
            if sip.status:
                self._response(sip, now_us, turn)
            elif sip.method != "ACK":
                self._request(sip, now_us, turn)
        if self._peer.is_trusted:
            turn.replies.clear()
        return turn.output()

    def tick(self, now_us: int) -> Output:
        """Repeat what is not answered, subscribe, refresh, end what is over, for the devices that registered from here."""
        turn = Turn()
        for session in self._desk.sessions.at(self._peer):
            self._serve(session, now_us, turn)
        return turn.output()

    def send(self, command: Command, now_us: int) -> Output:
        """Turn a command into requests. Raises NotFoundError for a device not registered from here, InputError for a bad value."""
        session = self._desk.sessions.of_device(command.device_id)
        if session is None or not session.is_alive(now_us) or session not in self._desk.sessions.at(self._peer):
            raise NotFoundError(
                f"device {command.device_id} is not registered on this link: wait for its registration or use another link"
            )
        turn = Turn()
        obey(session, command, writer=self._desk.writer, streams=self._desk.streams, now_us=now_us, turn=turn)
        return turn.output()

    def _messages(self, data: bytes, turn: Turn) -> list[bytes]:
        splitter = self._splitter
        if splitter is None:
            return [data] if data.strip(KEEPS_OPEN) else []
        skipped, pings = splitter.bytes_skipped, splitter.pings
        messages = splitter.feed(data)
        if splitter.broken is not None:
            turn.bad["sip_bad"] += 1
            turn.close = splitter.broken
        if splitter.bytes_skipped != skipped:
            turn.bad["bytes_skipped"] += splitter.bytes_skipped - skipped
        if splitter.pings != pings:
            turn.say(b"\r\n")
        return messages

    def _request(self, request: Sip, now_us: int, turn: Turn) -> None:
        """Answer a request; one that comes again is answered the same, and says again what it was promised for."""
        key = key_of(request, host=self._peer.host, port=self._peer.port)
        before = self._desk.answers.get(key, now_us)
        if before is not None and not before.holds:
            turn.say(before.data)
            return
        held = turn.held
        at_us = now_us if before is None else before.first_us
        answer = self._answer(request, at_us, turn) if before is None else self._again(request, at_us, turn)
        data = self._write(request, answer)
        holds = turn.held > held
        if holds and answer.status == 200:
            turn.promise(data)
        else:
            turn.say(data)
        if answer.status == 200 and before is None and request.method != "OPTIONS":  # that a stranger may ask
            holds = holds and request.method in REPORTS
            self._desk.answers.put(key, Answered(b"" if holds else data, now_us, holds))

    def _answer(self, request: Sip, now_us: int, turn: Turn) -> Answer:
        if self._peer.is_trusted:
            return self._replay(request, now_us, turn)
        match request.method:
            case "REGISTER":
                return self._register(request, now_us, turn)
            case "MESSAGE":
                return self._message(request, now_us, turn)
            case "NOTIFY":
                return self._notify(request, now_us, turn)
            case "BYE":
                return self._bye(request, now_us, turn)
            case "OPTIONS":
                return Answer(200, "OK", NOT_ALLOWED.headers)
            case _:
                turn.bad["method_not_allowed"] += 1
                return NOT_ALLOWED

    def _write(self, request: Sip, answer: Answer) -> bytes:
        return write_response(
            request,
            answer.status,
            answer.reason,
            received_host=self._peer.host,
            received_port=self._peer.port,
            to_tag="" if tag_of(request.first("to")) else self._desk.writer.identifiers.make(),
            headers=answer.headers,
        )

    def _register(self, request: Sip, now_us: int, turn: Turn) -> Answer:
        device = self._desk.registrar.judge(request, self._peer, now_us, turn)
        if isinstance(device, Answer):
            return device
        contact = uri_of(request.first("contact"))
        life_s = _life_s(request)
        self._desk.sessions.register(
            device,
            request,
            self._peer,
            contact=contact,
            expires_us=now_us + life_s * 1_000_000 if life_s else 0,
            now_us=now_us,
            turn=turn,
        )
        self._proven.add(device.device_id)
        if life_s:
            turn.proven.append(device.device_id)
        date = write_time(now_us, utc_offset_s=device.options.utc_offset_s, digits="milliseconds")
        headers = [("Date", date), ("Expires", str(life_s))]
        if contact and contact != "*":
            headers.insert(0, ("Contact", f"<{contact}>;expires={life_s}"))
        if request.first("x-gb-ver"):
            headers.append(("X-GB-Ver", "3.0"))
        return Answer(200, "OK", tuple(headers))

    def _message(self, request: Sip, now_us: int, turn: Turn) -> Answer:
        session = self._speaker(request, now_us, turn)
        if session is None:
            return FORBIDDEN
        return OK if self._desk.reports.take(session, request, now_us, turn) else BAD_REQUEST

    def _notify(self, request: Sip, now_us: int, turn: Turn) -> Answer:
        session = self._speaker(request, now_us, turn)
        if session is None:
            return NO_DIALOG
        subscription = dialog_of(session, request)
        if subscription is None:
            turn.bad["notify_without_dialog"] += 1
            self._desk.reports.take_alarm(session, request, now_us, turn)
            return NO_DIALOG
        is_read = self._desk.reports.take(session, request, now_us, turn)
        notified(subscription, request, self._desk.writer.identifiers, now_us)
        return OK if is_read else BAD_REQUEST

    def _bye(self, request: Sip, now_us: int, turn: Turn) -> Answer:
        """End a call: it was made to a channel, so that From names that and not the device."""
        callers = [session for session in self._desk.sessions.at(self._peer) if session.is_alive(now_us)]
        return OK if any(hung_up(session, request, now_us, turn) for session in callers) else NO_DIALOG

    def _again(self, request: Sip, first_us: int, turn: Turn) -> Answer:
        """Say the rows and events of a request again, the very same ones: its first answer may have been lost or refused."""
        if self._peer.is_trusted:
            return self._replay(request, first_us, turn)
        session = self._speaker(request, first_us, turn)
        if session is None:
            return FORBIDDEN
        self._desk.reports.take(session, request, first_us, turn)
        return OK

    def _speaker(self, request: Sip, now_us: int, turn: Turn) -> Session | None:
        """Return the registration that a request speaks for, None when it does not come from there."""
        device = self._desk.registrar.enrolled(request.from_user, self._peer, now_us, turn)
        if device is None:
            return None
        session = self._desk.sessions.speaker(device, self._peer, now_us, turn)
        if session is None:
            turn.bad["not_registered"] += 1
        elif device.device_id not in self._proven:  # registered with us before this decoder was made
            self._proven.add(device.device_id)
            turn.proven.append(device.device_id)
        return session

    def _replay(self, request: Sip, now_us: int, turn: Turn) -> Answer:
        """Read a message of our own raw log again: who sent it was proved when it came."""
        if request.method not in REPORTS:
            return OK
        device = self._desk.registrar.enrolled(request.from_user, self._peer, now_us, turn)
        if device is not None:
            session = Session(device, self._peer, call_id="", secret=None, greet_us=now_us)
            self._desk.reports.take(session, request, now_us, turn)
        return OK

    def _response(self, response: Sip, now_us: int, turn: Turn) -> None:
        for session in self._desk.sessions.at(self._peer):
            asked = session.asking.answered(response)
            if asked is not None:
                self._answered(session, asked, response, now_us=now_us, turn=turn)
                return
            if response.cseq[1] == INVITE:
                acknowledge_again(session, response, self._desk.writer, turn)

    def _answered(
        self, session: Session, asked: Asked[Purpose], response: Sip | None, *, now_us: int, turn: Turn
    ) -> None:
        """Take the answer to a request of ours; None: there was none in 32 s."""
        match asked.purpose:
            case Subscribing() as subscribing:
                identifiers = self._desk.writer.identifiers
                subscribed(session, subscribing, response, identifiers=identifiers, now_us=now_us, turn=turn)
            case Inviting() as inviting:
                invited(session, inviting, response, writer=self._desk.writer, now_us=now_us, turn=turn)
            case Querying(command_id=command_id, resets=resets):
                is_done = response is not None and response.status < 300
                session.answer_command(command_id, turn, now_us, refused="" if is_done else _why(response))
                if is_done and resets is not None:
                    turn.events.append(
                        DeviceAlarm(
                            device_id=session.device.device_id,
                            observed_us=now_us,
                            received_us=now_us,
                            alarm=resets,
                            active=False,
                            code="gb28181:reset",
                        )
                    )
            case Ending(command_id=command_id):
                session.answer_command(command_id, turn, now_us)

    def _serve(self, session: Session, now_us: int, turn: Turn) -> None:
        if not session.is_alive(now_us):
            self._desk.sessions.end(session, now_us, turn)
            return
        again, lost = session.asking.due(now_us)
        for data in again:
            turn.say(data)
        for asked in lost:
            self._answered(session, asked, None, now_us=now_us, turn=turn)
        if session.greet_us is not None and now_us >= session.greet_us:
            session.greet_us = None
            self._greet(session, now_us, turn)
        subscribe_due(session, self._desk.writer, now_us, turn)
        tell_due(session, now_us, turn)

    def _greet(self, session: Session, now_us: int, turn: Turn) -> None:
        """Ask a device that has just registered who it is, and subscribe to its positions and alarms."""
        writer = self._desk.writer
        interval_s = whole_seconds(session.device.report_interval_s)
        for wanted in (POSITIONS, ALARMS):
            opened = open_subscription(wanted, interval_s, writer.identifiers, due_us=now_us)
            session.subscriptions.setdefault(wanted, opened)
        for command in ("DeviceInfo", "Catalog"):
            turn.say(ask(session, "Query", command, [], purpose=Querying(), writer=writer, now_us=now_us))


def _life_s(request: Sip) -> int:
    """Return for how long a registration holds: what the Contact or Expires asks for within 60 s .. 1 day, 0 to end it."""
    asked = parameter_of(request.first("contact"), "expires")
    asked_s = int(asked) if asked.isdecimal() and len(asked) < 10 else request.expires_s
    if asked_s is None:
        return USUAL_LIFE_S
    return min(max(asked_s, SHORTEST_LIFE_S), LONGEST_LIFE_S) if asked_s else 0


def _why(response: Sip | None) -> str:
    return "no answer in 32 s" if response is None else f"{response.status} {response.reason}"
