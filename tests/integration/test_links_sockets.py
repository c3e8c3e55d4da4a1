"""UDP links on real sockets with a decoder that only listens: peers, policies, drops, loss and recovery."""

import asyncio
import contextlib
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from infra.clock import SYSTEM_CLOCK
from telemetry.links.datagrams import Arrived, ManyReceiver, SingleReceiver
from telemetry.links.http import IngestApp, IngestListener
from telemetry.links.link import Answers
from telemetry.links.turns import merge
from telemetry.links.udp import UdpLink
from telemetry.links.url import parse_link_url
from telemetry.model.commands import Command, RequestPosition
from telemetry.model.decoding import NOTHING, Output, Peer, Reply
from telemetry.model.errors import ConflictError, InputError, NotFoundError
from telemetry.registry.table import RegistryTable
from tests.link_scene import FakeKeeper, LineDecoder, context_of


class EchoDecoder:
    """Answers each datagram with itself and counts; knows the device of its first byte."""

    def __init__(self, allow_unsigned: bool) -> None:
        self.allow_unsigned = allow_unsigned
        self.heard: list[bytes] = []

    def feed(self, data: bytes, now_us: int) -> Output:
        assert now_us > 0
        self.heard.append(data)
        return Output(replies=(Reply(b"echo " + data),), bad={"heard": 1})

    def tick(self, now_us: int) -> Output:
        assert now_us > 0
        return Output(replies=(Reply(b"tick"),)) if self.heard else NOTHING

    def send(self, command: Command, now_us: int) -> Output:
        assert now_us > 0
        if not self.heard or self.heard[0][0] != command.device_id:
            raise NotFoundError("not here")
        return Output(replies=(Reply(b"sent"),))


class Scene:
    """A link under test, the decoders that it made and the outputs that it handed over."""

    def __init__(self, url: str) -> None:
        self.decoders: list[EchoDecoder] = []
        self.link = UdpLink(parse_link_url(url), context_of(FakeKeeper(), self.make))

    def make(self, peer: Peer) -> EchoDecoder:
        self.decoders.append(EchoDecoder(peer.allow_unsigned))
        return self.decoders[-1]


async def eventually(condition: Callable[[], bool], *, within_s: float = 5.0) -> None:
    end_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end_s, "it did not come true in time"
        await asyncio.sleep(0.01)


def sender(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)
    made.connect(("127.0.0.1", port))
    return made


async def test_each_peer_has_its_own_decoder_and_gets_its_own_answers() -> None:
    scene = Scene("udpin:127.0.0.1:0")
    await scene.link.open()
    loop = asyncio.get_running_loop()
    with contextlib.closing(scene.link), sender(scene.link.port) as first, sender(scene.link.port) as second:
        first.send(b"\x01one")
        second.send(b"\x02two")
        assert await asyncio.wait_for(loop.sock_recv(first, 100), 3) == b"echo \x01one"
        assert await asyncio.wait_for(loop.sock_recv(second, 100), 3) == b"echo \x02two"
        scene.link.send(RequestPosition(device_id=2), 1)
        assert await asyncio.wait_for(loop.sock_recv(second, 100), 3) == b"sent"
        scene.link.tick(SYSTEM_CLOCK.now_us())
        assert await asyncio.wait_for(loop.sock_recv(first, 100), 3) == b"tick"
        with pytest.raises(NotFoundError, match="device 9 was not heard"):
            scene.link.send(RequestPosition(device_id=9), 1)
    assert [decoder.heard for decoder in scene.decoders] == [[b"\x01one"], [b"\x02two"]]
    assert scene.link.status().bad == {"heard": 2}


@pytest.mark.parametrize(
    ("url", "allowed"),
    [("udpin:127.0.0.1:0", True), ("udpin:0.0.0.0:0?unsigned=allow", True), ("udpin:0.0.0.0:0", True)],
)
async def test_a_peer_on_this_machine_may_speak_unsigned(url: str, allowed: bool) -> None:
    scene = Scene(url)
    await scene.link.open()
    with contextlib.closing(scene.link), sender(scene.link.port) as drone:
        drone.send(b"\x01")
        await eventually(lambda: bool(scene.decoders))
    assert scene.decoders[0].allow_unsigned is allowed


def test_a_peer_elsewhere_may_not_speak_unsigned_unless_the_link_says_so() -> None:
    strict, lax = Scene("udpin:0.0.0.0:0"), Scene("udpin:0.0.0.0:0?unsigned=allow")
    for scene in (strict, lax):
        scene.link._speaker(("192.0.2.7", 14550), 1)
    assert not strict.decoders[0].allow_unsigned
    assert lax.decoders[0].allow_unsigned


async def test_what_the_kernel_drops_is_counted() -> None:
    scene = Scene("udpin:127.0.0.1:0")
    await scene.link.open()
    with contextlib.closing(scene.link), sender(scene.link.port) as drone:
        assert scene.link._socket is not None
        scene.link._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sent = 0
        for _ in range(500):
            with contextlib.suppress(BlockingIOError):
                drone.send(bytes(500))
                sent += 1
        await asyncio.sleep(0.1)
        drone.send(b"\x01")
        await eventually(lambda: scene.link.status().datagrams_dropped > 0)
        status = scene.link.status()
    assert status.datagrams + status.datagrams_dropped == sent + 1


async def test_many_strangers_do_not_fill_the_memory() -> None:
    scene = Scene("udpin:127.0.0.1:0")
    for number in range(1000):
        scene.link._speaker(("192.0.2.7", number), number)
    assert scene.link.status().strangers == 256


async def test_a_port_that_is_taken_is_opened_when_it_is_free_again() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        scene = Scene(f"udpin:127.0.0.1:{holder.getsockname()[1]}")
        with pytest.raises(ConflictError, match="in use"):
            await scene.link.open()
        running = asyncio.create_task(scene.link.run())
        await eventually(lambda: scene.link.status().last_error is not None)
        assert scene.link.status().state == "retrying"
    await eventually(lambda: scene.link.status().state == "open")
    assert scene.link.status().last_error is None
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    scene.link.close()


async def test_a_host_that_there_is_not_is_said_clearly() -> None:
    with pytest.raises(InputError, match=r"the host 'no-such-host\.invalid'"):
        await Scene("udpout:no-such-host.invalid:14550").link.open()


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for this machine with the openssl that Debian has."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    make = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    subprocess.run([*make, "-addext", names, "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True)
    return cert, key


def app(*, behind_proxy: bool = False) -> IngestApp:
    async def durable(sequence: int) -> None:
        assert sequence

    return IngestApp(
        RegistryTable(), [], lambda _output, _now_us: None, durable, SYSTEM_CLOCK, behind_proxy=behind_proxy
    )


async def test_behind_a_proxy_wrong_requests_are_counted_by_the_address_that_the_proxy_saw() -> None:
    listener = IngestListener(app(behind_proxy=True), host="127.0.0.1", port=0, behind_proxy=True)
    listener.open()
    running = asyncio.create_task(listener.run())
    async with httpx.AsyncClient() as client:
        url = f"http://127.0.0.1:{listener.port}/?id=1"
        bad = {"X-Forwarded-For": "198.51.100.1, 203.0.113.5"}
        codes = [(await client.get(url, headers=bad)).status_code]
        while codes[-1] != 429 and len(codes) < 1000:
            codes.append((await client.get(url, headers=bad)).status_code)
        other = await client.get(url, headers={"X-Forwarded-For": "203.0.113.5, 203.0.113.6"})
    assert (codes[0], codes[-1], other.status_code) == (400, 429, 400)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_the_listener_speaks_tls_where_others_can_hear(tmp_path: Path) -> None:
    cert, key = await asyncio.to_thread(certificate, tmp_path)
    listener = IngestListener(app(), host="0.0.0.0", port=0, tls_cert=cert, tls_key=key)
    listener.open()
    running = asyncio.create_task(listener.run())
    trusted = ssl.create_default_context(cafile=str(cert))
    async with httpx.AsyncClient(verify=trusted) as client:
        answer = await client.get(f"https://127.0.0.1:{listener.port}/?id=1")
    assert answer.status_code == 400
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert listener.port == 0


def test_the_listener_is_not_open_to_others_without_encryption() -> None:
    with pytest.raises(InputError, match="SKYBEAT_TLS_CERT"):
        IngestListener(app(), host="0.0.0.0", port=0)
    IngestListener(app(), host="0.0.0.0", port=0, behind_proxy=True)
    IngestListener(app(), host="::1", port=0)


def test_a_certificate_that_is_not_there_is_said_clearly(tmp_path: Path) -> None:
    missing = tmp_path / "none.pem"
    with pytest.raises(InputError, match="SKYBEAT_TLS_CERT"):
        IngestListener(app(), host="127.0.0.1", port=0, tls_cert=missing, tls_key=missing).open()


def test_a_listeners_port_in_use_is_said_clearly() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        with pytest.raises(ConflictError, match="ingest listener is in use"):
            IngestListener(app(), host="127.0.0.1", port=holder.getsockname()[1]).open()


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6], ids=["v4", "v6"])
@pytest.mark.parametrize("receiver", [SingleReceiver, ManyReceiver])
async def test_datagrams_come_whole_in_order_and_with_their_address_however_they_are_read(
    family: socket.AddressFamily, receiver: type[SingleReceiver | ManyReceiver]
) -> None:
    place = ("::1", 0) if family is socket.AF_INET6 else ("127.0.0.1", 0)
    with (
        socket.socket(family, socket.SOCK_DGRAM) as ours,
        socket.socket(family, socket.SOCK_DGRAM) as first,
        socket.socket(family, socket.SOCK_DGRAM) as second,
    ):
        ours.setblocking(False)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        for opened in (ours, first, second):
            opened.bind(place)
        sent = []
        for number in range(600):
            sender = (first, second)[number % 2]
            data = bytes([number % 256]) * (number * 37 % 3_000 if number % 100 else 60_000)
            sender.sendto(data, ours.getsockname())
            sent.append((sender.getsockname(), data))
        reading, heard, is_more = receiver(ours), [], True
        while is_more:
            arrived, dropped, is_more = reading.receive()
            heard += [tuple(one) for one in arrived]
            assert dropped == 0
        assert heard == sent
        assert reading.receive() == ([], 0, False)


async def test_a_datagram_that_makes_us_fail_costs_no_other_one() -> None:
    keeper = FakeKeeper()

    def feed_many(
        pieces: Sequence[tuple[LineDecoder, bytes]], now_us: int
    ) -> tuple[Output, list[int], list[int], Answers]:
        outputs = [decoder.feed(data, now_us) for decoder, data in pieces]
        return merge(outputs), [len(output.batch) for output in outputs], [0] * len(outputs), []

    context = replace(context_of(keeper), feed_many=feed_many)
    link = UdpLink(parse_link_url("lines+udpin:127.0.0.1:0"), context)
    await link.open()
    with contextlib.closing(link):
        for number in range(1, 61):
            link.hear([Arrived(("192.0.2.7", number), b"i am %d\n" % number)], 1)
        said = [Arrived(("192.0.2.7", number), b"crash\n" if number == 30 else b"at 1\n") for number in range(1, 61)]
        link.hear(said, 2)
        await eventually(lambda: len(keeper.rows) == 59)
        assert link.status().refused == {"decoder_failed": 1}
        assert link.status().peers == 59


async def test_one_that_proves_nothing_cannot_flood_a_link_and_others_are_heard() -> None:
    scene = Scene("udpin:0.0.0.0:0")
    flood = [Arrived(("192.0.2.66", 4_000 + number % 9), b"\x09nonsense") for number in range(5_000)]
    scene.link.hear(flood, 1_790_000_000_000_000)
    scene.link.hear([Arrived(("192.0.2.7", 14_550), b"\x07hello")], 1_790_000_000_000_000)
    assert scene.link.status().refused == {"stranger_rate": 3_000}
    assert scene.decoders[-1].heard == [b"\x07hello"]


async def test_a_peer_is_told_by_which_address_of_ours_it_reaches_us() -> None:
    told: list[Peer] = []
    scene = Scene("udpin:0.0.0.0:0")

    def make(peer: Peer) -> EchoDecoder:
        told.append(peer)
        return scene.make(peer)

    link = UdpLink(parse_link_url("udpin:0.0.0.0:0"), context_of(FakeKeeper(), make))
    await link.open()
    with contextlib.closing(link), sender(link.port) as drone:
        drone.send(b"\x01")
        await eventually(lambda: bool(told))
        assert (told[0].local_host, told[0].local_port) == ("127.0.0.1", link.port)
