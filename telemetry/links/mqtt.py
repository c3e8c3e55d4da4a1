"""mqtt and mqtts: a session with a broker that outlives us; a message is acknowledged only once the journal has it on disk."""

import asyncio
import random
import ssl
from collections.abc import Callable, Sequence
from typing import Any, Final

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from infra.logs import get_logger
from telemetry.links.explained import explained
from telemetry.links.hub import Hub
from telemetry.links.limits import FRAME_BYTES_AT_MOST, limits_of
from telemetry.links.link import FIRST_DELAY_S, LONGEST_DELAY_S, LinkContext, LinkStatus, PeerStatus
from telemetry.links.speaker import Speaker
from telemetry.links.tls import tls_for
from telemetry.links.url import LinkUrl
from telemetry.model.commands import Command
from telemetry.model.errors import ConflictError, InputError
from telemetry.model.mqtt_packet import (
    PUBACK,
    PUBLISH,
    Publication,
    acknowledged_id,
    encode_publish,
    packet_kind,
    parse_publish,
)
from telemetry.sources import find_sources

KEEP_ALIVE_S: Final = 60
CONNECT_WITHIN_S: Final = 10.0
MESSAGES_A_TURN: Final = 256
"""So many are read before the loop serves others again."""
AT_LEAST_ONCE: Final = 1
_log: Final = get_logger("links")


class BrokerSpeaker(Speaker):
    """One connection to a broker; the client that speaks MQTT is driven by our loop.

    What is not acknowledged when a connection ends comes again by the next one, since the broker keeps our session. Bytes from
    the decoder that are neither PUBACK nor PUBLISH ask for that: they end the connection.
    """

    def __init__(self, hub: Hub, client: Client, *, topic: str, when_lost: Callable[["BrokerSpeaker"], None]) -> None:
        peer = hub.peer_at(hub.url.host, hub.url.port)
        super().__init__(peer, hub.decoder_for(peer), hub.clock.now_us())
        self.is_chosen = True
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the broker took our subscription; fails with InputError when it did not."""
        self.has_acknowledged = False
        self._hub = hub
        self._client = client
        self._topic = topic
        self._when_lost = when_lost
        self._loop = asyncio.get_running_loop()
        self._messages = 0
        self._is_over = False

    def begin(self) -> None:
        """Let the loop serve the client's connection, which is made."""
        client = self._client
        client.on_connect, client.on_subscribe = self._connected, self._subscribed
        client.on_message, client.on_disconnect = self._heard, self._disconnected
        client.on_socket_close = self._closing
        client.on_socket_register_write, client.on_socket_unregister_write = self._wants_to_write, self._has_written
        opened: Any = client.socket()
        self._loop.add_reader(opened, self._read)
        if client.want_write():
            client.loop_write()

    def watch(self) -> None:
        """Keep the connection alive; one that is paused says nothing, and the broker may end it."""
        if not self.is_paused:
            self._client.loop_misc()

    def write(self, replies: Sequence[bytes]) -> None:
        """Acknowledge or publish, packet by packet."""
        for packet in replies:
            if self._is_over:
                return
            kind = packet_kind(packet)
            if kind == PUBACK:
                self._client.ack(acknowledged_id(packet), AT_LEAST_ONCE)
                self.has_acknowledged = True
            elif kind == PUBLISH:
                told = parse_publish(packet)
                self._client.publish(told.topic, told.payload, qos=AT_LEAST_ONCE, retain=told.is_retained)
            else:
                self.hang_up()

    def cut(self, reason: str) -> None:
        """End the connection; a broker that another of our links knows the same device by stays."""
        if reason != "newer_connection":
            self._hub.refuse(reason)
            self.hang_up()

    def hang_up(self) -> None:
        """End the connection without counting it as anybody's fault; the broker keeps our session."""
        if not self._is_over:
            self._client.disconnect()
            self._client.loop_write()
            self._over("we hung up")

    def pause(self) -> None:
        """Stop reading: the broker stops sending once as many wait as it sends without an answer."""
        opened: Any = self._client.socket()
        if not self.is_paused and opened is not None:
            self.is_paused = True
            self._loop.remove_reader(opened)

    def resume(self) -> None:
        """Read again."""
        opened: Any = self._client.socket()
        if self.is_paused and opened is not None:
            self.is_paused = False
            self._loop.add_reader(opened, self._read)

    def _read(self) -> None:
        """Take the packets that wait; TLS may hold some that the socket does not tell of."""
        for _ in range(MESSAGES_A_TURN):
            before = self._messages
            self._client.loop_read()
            opened: Any = self._client.socket()
            if opened is None or self.is_paused:
                return
            if self._messages == before and not (isinstance(opened, ssl.SSLSocket) and opened.pending()):
                return
        self._loop.call_soon(self._read_on)

    def _read_on(self) -> None:
        if not self._is_over and not self.is_paused:
            self._read()

    def _connected(
        self, client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._fail(f"the broker {self._hub.url} refuses us ({reason}): check ?user= and ?password=")
        else:
            client.subscribe(self._topic, qos=AT_LEAST_ONCE)

    def _subscribed(
        self, _client: Client, _data: object, _mid: int, reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            self._fail(f"the broker {self._hub.url} lets us not read {self._topic!r}: allow it in its access list")
        elif not self.ready.done():
            self.ready.set_result(None)

    def _heard(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        self._messages += 1
        if self._is_over:
            return
        if len(message.payload) > FRAME_BYTES_AT_MOST:
            self._hub.bad["overlong"] += 1
            self._client.ack(message.mid, message.qos)  # it would come again for ever
            return
        packet = encode_publish(
            Publication(
                topic=message.topic,
                payload=bytes(message.payload),
                packet_id=message.mid if message.qos else 0,
                is_retained=message.retain,
            )
        )
        self._hub.hear(self, packet, self._hub.clock.now_us())

    def _disconnected(
        self,
        _client: Client,
        _data: object,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._over(str(reason))

    def _wants_to_write(self, _client: Client, _data: object, sock: Any) -> None:  # noqa: ANN401 - paho's own sockets
        self._loop.add_writer(sock, self._client.loop_write)

    def _has_written(self, _client: Client, _data: object, sock: Any) -> None:  # noqa: ANN401 - as above
        self._loop.remove_writer(sock)

    def _closing(self, _client: Client, _data: object, sock: Any) -> None:  # noqa: ANN401 - as above
        self._loop.remove_reader(sock)
        self._loop.remove_writer(sock)

    def _fail(self, message: str) -> None:
        if not self.ready.done():
            self.ready.set_exception(InputError(message))

    def _over(self, reason: str) -> None:
        if not self._is_over:
            self._is_over = True
            self._fail(f"the connection to {self._hub.url} ended ({reason}): look into the broker's log")
            self._hub.leave(self)
            self._when_lost(self)


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
        return self._hub.status(state="open" if self._speaker else "retrying", last_error=self._last_error)

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
