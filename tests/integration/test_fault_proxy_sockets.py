"""The fault proxy on real sockets: it passes on, loses, cuts, stays silent; and its command says what it did."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from infra.fault_proxy import FaultProxy, Place
from infra.fault_proxy_plan import Faults, Line, always, parse_rate

HERE = "127.0.0.1"


class Echo(asyncio.DatagramProtocol):
    """Sends every datagram back."""

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - uvloop's is no DatagramTransport
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._transport.sendto(data, addr)


class Client(asyncio.DatagramProtocol):
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        del addr
        self.heard.put_nowait(data)


@asynccontextmanager
async def udp_line(faults: Faults) -> AsyncIterator[tuple[FaultProxy, asyncio.DatagramTransport, Client]]:
    loop = asyncio.get_running_loop()
    echo, _ = await loop.create_datagram_endpoint(Echo, local_addr=(HERE, 0))
    target = Place(HERE, echo.get_extra_info("sockname")[1])
    proxy = FaultProxy(Line.UDP, Place(HERE, 0), target, faults, seed=5)
    port = await proxy.open()
    transport, client = await loop.create_datagram_endpoint(Client, remote_addr=(HERE, port))
    try:
        yield proxy, transport, client
    finally:
        transport.close()
        await proxy.close()
        echo.close()
        await asyncio.sleep(0)


@asynccontextmanager
async def tcp_line(
    faults: Faults,
) -> AsyncIterator[tuple[FaultProxy, asyncio.StreamReader, asyncio.StreamWriter]]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(echo, HERE, 0)
    proxy = FaultProxy(Line.TCP, Place(HERE, 0), Place(HERE, server.sockets[0].getsockname()[1]), faults, seed=5)
    reader, writer = await asyncio.open_connection(HERE, await proxy.open())
    try:
        yield proxy, reader, writer
    finally:
        writer.transport.abort()
        await proxy.close()
        server.close()
        await asyncio.sleep(0.01)


async def test_datagrams_cross_both_ways_and_answers_find_their_client() -> None:
    async with udp_line(Faults(delay_s=always(0.01))) as (proxy, transport, client):
        for number in range(20):
            transport.sendto(b"%d" % number)
        heard = [await asyncio.wait_for(client.heard.get(), 5) for _ in range(20)]
        assert sorted(heard) == sorted(b"%d" % number for number in range(20))
        assert proxy.counts["connections"] == 1
        assert proxy.counts["pieces"] == 40


async def test_lost_datagrams_do_not_arrive_and_doubled_ones_come_twice() -> None:
    async with udp_line(Faults(loss=always(0.3), doubling=always(0.3))) as (proxy, transport, client):
        for number in range(200):
            transport.sendto(b"%d" % number)
        transport.sendto(b"end")
        while proxy.counts["pieces"] < 250:
            await asyncio.wait_for(client.heard.get(), 5)
        assert proxy.counts["loss"] > 60
        assert proxy.counts["doubling"] > 40


async def test_a_target_that_is_away_costs_datagrams_and_no_error() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind((HERE, 0))
        target = Place(HERE, closed.getsockname()[1])
    proxy = FaultProxy(Line.UDP, Place(HERE, 0), target, Faults(reset=always(0.5)), seed=5)
    port = await proxy.open()
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Client, remote_addr=(HERE, port))
    for number in range(50):
        transport.sendto(b"%d" % number)
        await asyncio.sleep(0)
    while proxy.counts["pieces"] < 50:  # noqa: ASYNC110 - the proxy tells nobody
        await asyncio.sleep(0.01)
    transport.close()
    await proxy.close()


async def test_a_stream_crosses_whole_and_its_end_too() -> None:
    async with tcp_line(Faults(delay_s=always(0.02), jitter_s=always(0.05))) as (_, reader, writer):
        sent = bytes(range(256)) * 400
        writer.write(sent)
        assert await asyncio.wait_for(reader.readexactly(len(sent)), 10) == sent


async def test_a_reset_is_felt_by_the_client() -> None:
    async with tcp_line(Faults(reset=always(1.0))) as (proxy, reader, writer):
        writer.write(b"hello")
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(reader.read(), 5)
        assert proxy.counts["reset"] == 1


async def test_a_half_open_connection_says_nothing_until_the_silence_ends() -> None:
    async with tcp_line(Faults(half_open=parse_rate(["1@0-0.4"], highest=1))) as (proxy, reader, writer):
        writer.write(b"hello")
        assert await asyncio.wait_for(reader.readexactly(5), 5) == b"hello"
        assert proxy.elapsed_s() >= 0.4
        assert proxy.counts["silences"] >= 1


async def test_a_target_that_is_away_cuts_the_client_off() -> None:
    with socket.socket() as closed:
        closed.bind((HERE, 0))
        target = Place(HERE, closed.getsockname()[1])
    proxy = FaultProxy(Line.TCP, Place(HERE, 0), target, Faults())
    reader, writer = await asyncio.open_connection(HERE, await proxy.open())
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(reader.read(), 5)
    writer.transport.abort()
    await proxy.close()
    assert proxy.counts["target_away"] == 1
    await asyncio.sleep(0)


def test_the_command_tells_where_it_listens_and_in_the_end_what_it_did() -> None:
    command = [sys.executable, "-m", "console.cli", "fault-proxy", "udp", f"{HERE}:0", f"{HERE}:9", "--loss", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        place = process.stdout.readline().split()[0]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(b"hello", (HERE, int(place.rpartition(":")[2])))
            client.sendto(b"hello", (HERE, int(place.rpartition(":")[2])))
        process.send_signal(signal.SIGINT)
        counts = json.loads(process.stdout.readline())
    assert process.returncode == 0
    assert counts["loss"] == counts["pieces"]
