"""An independent SIP user agent (aiosipua) as a camera, on real sockets: digests, refresh, video, end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
from aiosipua.auth import SipDigestAuth
from aiosipua.incoming_call import IncomingCall
from aiosipua.registration import Registration, RegistrationState
from aiosipua.sdp import SdpMessage
from aiosipua.transport import UdpSipTransport
from aiosipua.uac import SipUAC
from aiosipua.uas import SipUAS

from infra.clock import SYSTEM_CLOCK
from telemetry.model.commands import CloseVideo, OpenVideo
from telemetry.model.events import CommandAnswered, VideoChanged
from tests.gb28181_scene import CAMERA, PASSWORD, REALM, SERVER_ID
from tests.link_scene import FakeKeeper, eventually
from tests.sip_ground import free_port, server

HOST: Final = "127.0.0.1"


class Agent:
    """A user agent that registers as the first camera and takes calls for video."""

    def __init__(self, transport: UdpSipTransport, server_port: int) -> None:
        self.transport = transport
        self.caller = SipUAC(transport)
        self.agent = SipUAS(transport, uac=self.caller)
        self.calls: list[IncomingCall] = []
        self.ended = 0
        self.agent.on_invite = self._take
        self.agent.on_bye = self._end
        self.registration = Registration(
            self.caller,
            f"sip:{CAMERA}@{REALM}",
            (HOST, server_port),
            expires=3600,
            auth=SipDigestAuth(CAMERA, PASSWORD),
            registrar_uri=f"sip:{SERVER_ID}@{REALM}",
        )

    async def is_in(self, state: RegistrationState) -> None:
        """Wait until the registration has come to a state."""
        await eventually(lambda: self.registration.state is state)

    def _take(self, call: IncomingCall) -> None:
        self.calls.append(call)
        answer = call.sdp_offer
        assert isinstance(answer, SdpMessage)
        call.accept(answer)

    def _end(self, call: IncomingCall, *_: object) -> None:
        assert call in self.calls
        self.ended += 1


@asynccontextmanager
async def agent(server_port: int) -> AsyncIterator[Agent]:
    """Give a user agent on its own port."""
    here = (HOST, free_port())
    one = Agent(UdpSipTransport(local_addr=here), server_port)
    await one.agent.start()
    try:
        yield one
    finally:
        one.registration._cancel_timers()
        await one.agent.stop()


@pytest.mark.parametrize("digest", ["md5", "sha-256"])
async def test_it_registers_refreshes_by_the_same_call_and_leaves(digest: str) -> None:
    keeper = FakeKeeper()
    async with server("udp", keeper, digest=digest) as link, agent(link.port) as one:
        one.registration.register()
        await one.is_in(RegistrationState.REGISTERED)
        assert one.registration.granted_expires == 3600
        one.registration.register()
        await one.is_in(RegistrationState.REGISTERED)
        one.registration.unregister()
        await one.is_in(RegistrationState.UNREGISTERED)
        assert link.status().bad == {}
    lives = [fact.expires_us > 0 for turn in keeper.turns for fact in turn.facts]  # type: ignore[union-attr]
    assert lives == [True, True, False]


async def test_a_wrong_password_does_not_register_it() -> None:
    keeper = FakeKeeper()
    async with server("udp", keeper) as link, agent(link.port) as one:
        one.registration.auth = SipDigestAuth(CAMERA, "guessed")
        one.registration.register()
        await one.is_in(RegistrationState.FAILED)
    assert not [turn for turn in keeper.turns if turn.facts]


async def test_it_takes_a_call_for_video_and_its_end_from_either_side() -> None:
    keeper = FakeKeeper()
    async with server("udp", keeper, media="10.0.0.9:10000") as link, agent(link.port) as one:
        one.registration.register()
        await one.is_in(RegistrationState.REGISTERED)
        for is_ours in (True, False):
            before = len(urls(keeper))
            link.send(OpenVideo(device_id=1, command_id=1), SYSTEM_CLOCK.now_us())
            await has_told(keeper, before + 1)
            call = one.calls[-1]
            assert isinstance(call.sdp_offer, SdpMessage)
            assert call.sdp_offer.media[0].port == 10_000
            if is_ours:
                link.send(CloseVideo(device_id=1, command_id=2), SYSTEM_CLOCK.now_us())
            else:
                call.hangup()
            await has_told(keeper, before + 2)
        await eventually(lambda: one.ended == 1 and len(told(keeper)) == 3)
    assert [bool(url) for url in urls(keeper)] == [True, False, True, False]
    assert told(keeper) == [1, 2, 1]


async def has_told(keeper: FakeKeeper, count: int) -> None:
    """Wait until so many beginnings and ends of video were told."""
    await eventually(lambda: len(urls(keeper)) == count)


def urls(keeper: FakeKeeper) -> list[str]:
    """Return the addresses of video that were told, "" for its end."""
    return [event.url for turn in keeper.turns for event in turn.events if isinstance(event, VideoChanged)]


def told(keeper: FakeKeeper) -> list[int]:
    """Return the commands that the agent has answered."""
    events = [event for turn in keeper.turns for event in turn.events]
    return [event.command_id for event in events if isinstance(event, CommandAnswered)]
