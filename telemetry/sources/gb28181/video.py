"""Live video, the signalling only: INVITE names the media server, ACK and BYE; no picture ever comes through here."""

from typing import Final

from telemetry.model.errors import InputError
from telemetry.model.events import VideoChanged
from telemetry.sources.gb28181.domain import EXAMPLE, Domain
from telemetry.sources.gb28181.requests import Request, Writer
from telemetry.sources.gb28181.session import Call, Ending, Inviting, Session
from telemetry.sources.gb28181.sip import Sip, tag_of, uri_of
from telemetry.sources.gb28181.transactions import INVITE
from telemetry.sources.gb28181.turn import Turn

SDP: Final = "application/sdp"
HIGHEST_STREAM: Final = 9_999
MOST_CALLS: Final = 16


class Streams:
    """Numbers the live streams of a domain: an SSRC is 0, five digits of the realm and four of its own."""

    def __init__(self, domain: Domain) -> None:
        digits = "".join(letter for letter in domain.realm if letter.isdigit()) or domain.server_id
        self._area = digits[3:8].ljust(5, "0")
        self._number = 0

    def next_ssrc(self) -> str:
        """Return the ten digits of the next stream."""
        self._number = self._number % HIGHEST_STREAM + 1
        return f"0{self._area}{self._number:04d}"


def open_video(
    session: Session, channel: str, command_id: int, *, writer: Writer, streams: Streams, now_us: int
) -> bytes:
    """Return the INVITE for a channel ("": the device's own). Raises InputError: no media server, too many calls."""
    domain = writer.domain
    if domain.media is None:
        raise InputError(
            f"no media server takes GB/T 28181 video: set media=HOST:PORT in the link's URL, as {EXAMPLE}&media=10.0.0.5:10000"
        )
    channel = channel or _own_channel(session)
    if not channel.isdigit() or len(channel) > 20:
        raise InputError(f"video channel {channel[:40]!r}: give the channel's id, at most 20 digits, or nothing")
    if channel in session.calls or len(session.calls) >= MOST_CALLS:
        raise InputError(f"video of channel {channel} is open already: close it first (at most {MOST_CALLS} at once)")
    ssrc = streams.next_ssrc()
    call_id, tag = writer.identifiers.make(), writer.identifiers.make()
    request = Request(
        method=INVITE,
        to=writer.to_of(channel),
        from_tag=tag,
        call_id=call_id,
        cseq=1,
        target=writer.uri_of(session, channel),
        headers=(("Subject", f"{channel}:{ssrc},{domain.server_id}:0"),),
        body=_offer(domain, ssrc),
        content_type=SDP,
    )
    branch, data = writer.write(session, request)
    session.calls[channel] = Call(
        channel=channel,
        call_id=call_id,
        local_tag=tag,
        branch=branch,
        ssrc=ssrc,
        url=_watched_at(session, channel, ssrc, domain),
        invite_uri=writer.uri_of(session, channel),
        command_ids=(command_id,),
    )
    purpose = Inviting(channel=channel, call_id=call_id)
    return session.asking.start(branch, data, method=INVITE, purpose=purpose, now_us=now_us)


def close_video(
    session: Session, channel: str, command_id: int, *, writer: Writer, now_us: int, turn: Turn
) -> bytes | None:
    """Return the BYE for a channel's video, None while its INVITE is not answered (the BYE follows the answer).

    Raises InputError when there is none: waiting for one would help nobody.
    """
    channel = channel or _own_channel(session)
    call = session.calls.get(channel)
    if call is None:
        raise InputError(f"no video of channel {channel[:20]} is open")
    if not call.remote:
        call.is_unwanted = True
        call.command_ids += (command_id,)
        return None
    del session.calls[channel]
    turn.events.append(_changed(session, channel, now_us))
    return _bye(session, call, command_id, writer=writer, now_us=now_us)


def invited(
    session: Session, purpose: Inviting, response: Sip | None, *, writer: Writer, now_us: int, turn: Turn
) -> None:
    """Take the answer to an INVITE; None: there was none in 32 s."""
    call = session.calls.get(purpose.channel)
    if call is None or call.call_id != purpose.call_id:
        return
    if response is None or response.status >= 300:
        del session.calls[purpose.channel]
        if response is not None:
            turn.say(_acknowledge(session, call, response, writer, branch=call.branch))
        why = "no answer in 32 s" if response is None else f"{response.status} {response.reason}"
        for command_id in call.command_ids:
            session.answer_command(command_id, turn, now_us, refused=why)
        return
    call.remote = response.first("to")
    call.target = uri_of(response.first("contact"))
    turn.say(_acknowledge(session, call, response, writer))
    for command_id in call.command_ids:
        session.answer_command(command_id, turn, now_us)
    call.command_ids = ()
    if call.is_unwanted:
        del session.calls[purpose.channel]
        turn.say(_bye(session, call, 0, writer=writer, now_us=now_us))
        return
    turn.events.append(_changed(session, call.channel, now_us, url=call.url))


def acknowledge_again(session: Session, response: Sip, writer: Writer, turn: Turn) -> None:
    """Answer a 200 that comes again with the ACK again."""
    call = call_of(session, response.call_id)
    if call is not None and call.remote and response.status < 300:
        turn.say(_acknowledge(session, call, response, writer))


def hung_up(session: Session, request: Sip, now_us: int, turn: Turn) -> bool:
    """Take a device's BYE; tell whether it belongs to a call of ours."""
    call = call_of(session, request.call_id)
    if call is None or tag_of(request.first("to")) != call.local_tag:
        return False
    del session.calls[call.channel]
    turn.events.append(_changed(session, call.channel, now_us))
    return True


def end_calls(session: Session, now_us: int, turn: Turn) -> None:
    """Say that the video of a device that is gone is over."""
    for call in session.calls.values():
        for command_id in call.command_ids:
            session.answer_command(command_id, turn, now_us, refused="the device is gone")
        if call.remote:
            turn.events.append(_changed(session, call.channel, now_us))
    session.calls.clear()


def call_of(session: Session, call_id: str) -> Call | None:
    """Return the device's call of this Call-ID."""
    return next((call for call in session.calls.values() if call.call_id == call_id), None)


def _own_channel(session: Session) -> str:
    """Return the channel that is meant when none is named: the first that the device told of, else the device itself."""
    return session.first_channel or session.device.address


def _changed(session: Session, channel: str, now_us: int, *, url: str = "") -> VideoChanged:
    return VideoChanged(
        device_id=session.device.device_id, observed_us=now_us, received_us=now_us, channel=channel, url=url
    )


def _offer(domain: Domain, ssrc: str) -> bytes:
    """Return the SDP that asks for a programme stream (or bare H.264) by UDP at the media server."""
    assert domain.media is not None
    host, port = domain.media.host, domain.media.port
    family = "IP6" if host.startswith("[") else "IP4"
    lines = [
        "v=0",
        f"o={domain.server_id} 0 0 IN {family} {host.strip('[]')}",
        "s=Play",
        f"c=IN {family} {host.strip('[]')}",
        "t=0 0",
        f"m=video {port} RTP/AVP 96 98 97",
        "a=recvonly",
        "a=rtpmap:96 PS/90000",
        "a=rtpmap:98 H264/90000",
        "a=rtpmap:97 MPEG4/90000",
        f"y={ssrc}",
        "",
    ]
    return "\r\n".join(lines).encode()


def _watched_at(session: Session, channel: str, ssrc: str, domain: Domain) -> str:
    assert domain.media is not None
    return domain.watch.format(
        host=domain.media.host,
        ssrc=ssrc,
        ssrc_hex=f"{int(ssrc):08X}",
        device=session.device.address,
        channel=channel,
    )


def _acknowledge(session: Session, call: Call, response: Sip, writer: Writer, *, branch: str = "") -> bytes:
    """Return the ACK: within the dialog for a 200, in the INVITE's transaction for a refusal."""
    request = Request(
        method="ACK",
        to=response.first("to"),
        from_tag=call.local_tag,
        call_id=call.call_id,
        cseq=1,
        target=call.invite_uri if branch else call.target or call.invite_uri,
    )
    return writer.write(session, request, branch=branch)[1]


def _bye(session: Session, call: Call, command_id: int, *, writer: Writer, now_us: int) -> bytes:
    call.cseq += 1
    request = Request(
        method="BYE",
        to=call.remote,
        from_tag=call.local_tag,
        call_id=call.call_id,
        cseq=call.cseq,
        target=call.target or call.invite_uri,
    )
    branch, data = writer.write(session, request)
    purpose = Ending(command_id=command_id)
    return session.asking.start(branch, data, method="BYE", purpose=purpose, now_us=now_us)
