"""mqtt and mqtts: a session with a broker that outlives us; a message is acknowledged only once the journal has it on disk."""

import asyncio
import random
import ssl
from typing import Final

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from infra.logs import get_logger
from telemetry.links.explained import explained
from telemetry.links.hub import Hub
from telemetry.links.limits import limits_of
from telemetry.links.link import FIRST_DELAY_S, LONGEST_DELAY_S, LinkContext, LinkStatus, PeerStatus
from telemetry.links.mqtt_session import BrokerSpeaker
from telemetry.links.tls import tls_for
from telemetry.links.url import LinkUrl
from telemetry.model.commands import Command
from telemetry.model.errors import ConflictError, InputError
from telemetry.sources import find_sources

KEEP_ALIVE_S: Final = 60
CONNECT_WITHIN_S: Final = 10.0
_log: Final = get_logger("links")


class MqttLink:
    """One topic of one broker.

    The URL's options: `topic` (a filter; a room's own usual one if none is given), `user`, `password`, `client_id` (the name of
    our session with the broker, one for each link), and for mqtts `ca`, `cert`, `key`.
    """

    def __init__(self, url: LinkUrl, context: LinkContext) -> None:
        self._url = url
        self._context = context
        self._hub = Hub(url, context, limits_of(url.options), acknowledged=True)
        self._topic = _topic_of(url)
        self._speaker: BrokerSpeaker | None = None
        self._lost = asyncio.Event()
        self._may_read = asyncio.Event()
        self._may_read.set()
        self._last_error: str | None = None

    @property
    def url(self) -> LinkUrl:
        """What it was opened with."""
        return self._url

    async def open(self) -> None:
        """Connect and subscribe. Raises InputError when the broker does not answer, refuses us or is not who it should be."""
        tls = await asyncio.to_thread(tls_for, self._url, self._context)
        client = _client_of(self._url, tls)
        try:
            await asyncio.to_thread(client.connect, self._url.host, self._url.port, KEEP_ALIVE_S)
        except ssl.SSLError as error:
            raise InputError(
                f"{self._url} is not who it should be ({error}): check its certificate, or name ?ca="
            ) from error
        except OSError as error:
            raise explained(self._url, error) from error
        await self._begin(client)

    async def run(self) -> None:
        """Keep the session until cancelled: when its connection is lost, make another after a growing, jittered pause."""
        delay_s = FIRST_DELAY_S
        while True:
            try:
                if self._speaker is None:
                    await self.open()
                    self._note_recovery()
                speaker = self._speaker
                await self._lost.wait()
                delay_s = FIRST_DELAY_S if speaker is not None and speaker.has_acknowledged else delay_s
                self._note_loss(f"the connection to {self._url} was lost")
            except (ConflictError, InputError) as error:
                self._note_loss(str(error))
            await asyncio.sleep(delay_s * random.uniform(0.7, 1.3))  # noqa: S311 - jitter, not a secret
            delay_s = min(2 * delay_s, LONGEST_DELAY_S)
            await self._may_read.wait()

    def tick(self, now_us: int) -> None:
        """Keep the connection alive, and read again when the journal has room."""
        if self._speaker is not None:
            self._speaker.watch()
        self._hub.tick(now_us)
        if self._hub.is_paused:
            self._may_read.clear()
        else:
            self._may_read.set()

    def send(self, command: Command, now_us: int) -> None:
        """Send a command to a device heard here. Raises NotFoundError when it is not."""
        self._hub.send(command, now_us)

    def status(self) -> LinkStatus:
        """Return how it does."""
        is_heard = self._speaker is not None and self._speaker.is_ready
        return self._hub.status(state="open" if is_heard else "retrying", last_error=self._last_error)

    def peers(self) -> list[PeerStatus]:
        """Return the broker, when we are connected."""
        return self._hub.peers()

    def close(self) -> None:
        """Let go of the connection; the broker keeps our session."""
        if self._speaker is not None:
            self._speaker.hang_up()
        self._hub.close()

    async def _begin(self, client: Client) -> None:
        speaker = BrokerSpeaker(self._hub, client, topic=self._topic, when_lost=self._gone)
        self._lost.clear()
        self._speaker = speaker
        self._hub.join(speaker, speaker)
        speaker.begin()
        try:
            async with asyncio.timeout(CONNECT_WITHIN_S):
                await speaker.ready
        except TimeoutError as error:
            speaker.hang_up()
            message = f"{self._url} does not answer within {CONNECT_WITHIN_S:g} s: check host, port and the broker"
            raise InputError(message) from error
        except InputError:
            speaker.hang_up()
            raise

    def _gone(self, speaker: BrokerSpeaker) -> None:
        if self._speaker is speaker:
            self._speaker = None
            self._lost.set()

    def _note_loss(self, reason: str) -> None:
        if self._last_error is None:
            _log.warning("link_lost", link=str(self._url), reason=reason)
        self._last_error = reason

    def _note_recovery(self) -> None:
        if self._last_error is not None:
            _log.info("link_regained", link=str(self._url))
        self._last_error = None


class _ClosingSocket(ssl.SSLSocket):
    """Closes itself when the peer is not who it should be; paho lets go of it open."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - the standard library's own signature
        """Greet and verify the peer."""
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def _client_of(url: LinkUrl, tls: ssl.SSLContext | None) -> Client:
    name = url.options.get("client_id") or f"skybeat-{url.link_group}"
    client = Client(
        CallbackAPIVersion.VERSION2, client_id=name, clean_session=False, reconnect_on_failure=False, manual_ack=True
    )
    if "user" in url.options:
        client.username_pw_set(url.options["user"], url.options.get("password"))
    if tls is not None:
        tls.sslsocket_class = _ClosingSocket
        client.tls_set_context(tls)
    client.connect_timeout = CONNECT_WITHIN_S
    return client


def _topic_of(url: LinkUrl) -> str:
    """Return the filter of topics to hear. A level of a blank is a plus sign that the URL's writer did not write as %2B."""
    usual: str | None = getattr(find_sources().get(url.protocol), "TOPIC", None)
    topic = url.options.get("topic") or usual
    if not topic:
        raise InputError(f"{url} names no topic: give ?topic=.., with %2B for a plus sign")
    return "/".join("+" if level == " " else level for level in topic.split("/"))
