"""One connection to an MQTT broker: messages in, acknowledgements out when the journal has what they acknowledge."""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from typing import Any, Final

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from telemetry.links.hub import Hub
from telemetry.links.limits import FRAME_BYTES_AT_MOST
from telemetry.links.speaker import Speaker
from telemetry.model.errors import InputError
from telemetry.model.mqtt_packet import (
    PUBACK,
    PUBLISH,
    Publication,
    acknowledged_id,
    encode_publish,
    packet_kind,
    parse_publish,
)

MESSAGES_A_TURN: Final = 256
"""So many are read before the loop serves others again."""
AT_LEAST_ONCE: Final = 1


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

    @property
    def is_ready(self) -> bool:
        """Tell whether the broker took our subscription: from then on it keeps for us what is published."""
        return self.ready.done() and self.ready.exception() is None

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
