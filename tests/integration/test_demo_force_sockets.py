"""The demo force speaks through real sockets: signed MAVLink, JT/T 808 of vehicles, GB/T 28181 of bodycams, phones by HTTP."""

import asyncio
import json
import secrets
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import msgspec
import pytest

from console.demo.city import City, prepare_city
from console.demo.force_config import SIP_ID, SIP_REALM, Doors, config_of, start_force
from console.demo.force_plan import ForcePlan
from console.demo.seed_force import plan_force
from infra.clock import SYSTEM_CLOCK
from telemetry.model.decoding import Decoder, Output, Peer, Source, SourceContext
from telemetry.model.phone import PhoneFix, PhoneRequest
from telemetry.model.unit import Device
from telemetry.registry.force_file import DeviceLine
from telemetry.registry.table import RegistryContents, RegistryTable
from telemetry.sources import gb28181, jt808, osmand, traccar
from telemetry.sources.mavlink.frame import FrameReader, encode, values
from telemetry.sources.mavlink.signing import Signer, Verdict, Verifier


class KeyRing(RegistryTable):
    """A registry that knows one key."""

    def __init__(self, key: bytes) -> None:
        super().__init__()
        self.key = key

    def device(self, _protocol: str, _address: str) -> Device | None:
        return None

    def signing_key(self, _device_id: int) -> bytes | None:
        return self.key

    def signing_timestamp(self, _device_id: int, _link_id: int, _component_id: int) -> int:
        return 0

    def quarantine(self, _protocol: str, _address: str, _now_us: int, _reason: str) -> None:
        raise AssertionError


class Ground(asyncio.DatagramProtocol):
    """A receiver that verifies every frame and asks each drone for 5 positions a second."""

    def __init__(self, keys: dict[int, bytes]) -> None:
        self.keys = keys
        self.verifiers = {system_id: Verifier(system_id, KeyRing(key)) for system_id, key in keys.items()}
        self.readers: dict[Any, FrameReader] = {}
        self.seen: dict[int, Counter[int]] = {}
        self.positions: dict[int, list[dict[str, Any]]] = {}
        self.acknowledged: set[int] = set()
        self.verdicts: Counter[Verdict] = Counter()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        for frame in self.readers.setdefault(addr, FrameReader()).feed(data):
            self.verdicts[self.verifiers[frame.system_id].verify(frame, SYSTEM_CLOCK.now_us())] += 1
            seen = self.seen.setdefault(frame.system_id, Counter())
            if not seen:
                self.ask(frame.system_id, addr)
            seen[frame.msg_id] += 1
            if frame.msg_id == 33:
                self.positions.setdefault(frame.system_id, []).append(values(frame))
            if frame.msg_id == 77 and values(frame)["result"] == 0:
                self.acknowledged.add(frame.system_id)

    def ask(self, system_id: int, addr: tuple[str, int]) -> None:
        signer = Signer(self.keys[system_id], 0)
        signer.advance(SYSTEM_CLOCK.now_us())
        fields: dict[str, Any] = {"command": 511, "param1": 33.0, "param2": 200_000.0, "target_system": system_id}
        self.transport.sendto(
            encode("COMMAND_LONG", fields, system_id=255, component_id=190, sequence=0, signer=signer), addr
        )


class Phones:
    """An HTTP server that decodes what phones send with the project's own sources; the first request is told to come again."""

    def __init__(self) -> None:
        self.fixes: list[PhoneFix] = []
        self.dialects: Counter[str] = Counter()
        self.connections = 0
        self.refused_once = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                fields = dict(line.lower().split(": ", 1) for line in head[1:] if line)
                body = await reader.readexactly(int(fields.get("content-length", 0)))
                self.take(head[0], fields.get("content-type", ""), body)
                status = b"200 OK" if self.refused_once else b"503 Service Unavailable"
                self.refused_once = True
                writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\nok")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def take(self, line: str, content_type: str, body: bytes) -> None:
        method, target, _ = line.split(" ")
        request = PhoneRequest(method=method, query=target.partition("?")[2], content_type=content_type, body=body)
        source = traccar if traccar.recognises(request) else osmand
        self.dialects[source.__name__] += 1
        self.fixes += source.decode_request(request)


class Post(asyncio.Protocol, asyncio.DatagramProtocol):
    """The other end of vehicles and bodycams: the project's own decoder of one protocol, which believes and answers at once."""

    def __init__(self, source: Source, outputs: list[Output]) -> None:
        self.source, self.outputs = source, outputs
        self.transport: Any = None
        self.decoders: dict[object, Decoder] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.hear(self.transport.get_extra_info("peername"), data, self.transport.write)

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self.hear(addr, data, lambda answer: self.transport.sendto(answer, addr))

    def hear(self, addr: tuple[Any, ...], data: bytes, say: Callable[[bytes], None]) -> None:
        local_host, local_port = self.transport.get_extra_info("sockname")[:2]
        if addr not in self.decoders:
            transport = "udp" if hasattr(self.transport, "sendto") else "tcp"
            peer = Peer(transport=transport, host=addr[0], port=addr[1], local_host=local_host, local_port=local_port)
            self.decoders[addr] = self.source.decoder(peer)
        decoder, now_us = self.decoders[addr], SYSTEM_CLOCK.now_us()
        self.answer(decoder.feed(data, now_us), say)

    def answer(self, output: Output, say: Callable[[bytes], None]) -> None:
        self.outputs.append(output)
        for reply in output.replies:
            say(reply.data)

    async def tick(self) -> None:
        while True:
            for addr, decoder in self.decoders.items():
                self.answer(decoder.tick(SYSTEM_CLOCK.now_us()), partial(self.transport.sendto, addr=addr))
            await asyncio.sleep(0.25)


def registry_of(plan: ForcePlan, given: dict[str, str]) -> RegistryTable:
    lines = [line for line in plan.lines if isinstance(line, DeviceLine) and line.address]
    pairs_until_us = SYSTEM_CLOCK.now_us() + 3_600_000_000
    devices = tuple(
        Device(
            device_id=number,
            protocol=line.protocol,
            address=line.address,
            report_interval_s=line.report_interval_s,
            pairs_until_us=pairs_until_us,
        )
        for number, line in enumerate(lines, 1)
    )
    passwords = {number: given[line.label].encode() for number, line in enumerate(lines, 1)}
    return RegistryTable(RegistryContents(devices=devices, secrets=passwords))


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    return prepare_city(tmp_path_factory.mktemp("data"), 3)


def secrets_of(plan: ForcePlan) -> dict[str, str]:
    lines = [line for line in plan.lines if isinstance(line, DeviceLine)]
    return {
        line.label: secrets.token_hex(32) if line.protocol == "mavlink" else secrets.token_urlsafe(24) for line in lines
    }


async def test_the_force_flies_signed_and_walks_through_real_sockets(city: City) -> None:
    plan = plan_force(city, unit_count=60, seed=3)
    given = secrets_of(plan)
    keys = {unit.system_id: bytes.fromhex(given[unit.call_sign]) for unit in plan.units if unit.system_id}
    registry, loop = registry_of(plan, given), asyncio.get_running_loop()
    driven: list[Output] = []
    worn: list[Output] = []
    context = SourceContext(registry=registry, link_group="main", process_secret=secrets.token_bytes(32))
    vehicles = await loop.create_server(lambda: Post(jt808.open_source(context), driven), "127.0.0.1", 0)
    sip = msgspec.structs.replace(context, options={"realm": SIP_REALM, "id": SIP_ID})
    bodycams, post = await loop.create_datagram_endpoint(
        lambda: Post(gb28181.open_source(sip), worn), local_addr=("127.0.0.1", 0)
    )
    ticking = asyncio.create_task(post.tick())
    phones = Phones()
    server = await asyncio.start_server(phones.serve, "127.0.0.1", 0)
    transport, ground = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Ground(keys), local_addr=("127.0.0.1", 0)
    )
    config = config_of(
        plan,
        given,
        seed=3,
        roads=city.directory / "roads.npz",
        doors=Doors(
            mavlink=transport.get_extra_info("sockname")[:2],
            ingest=server.sockets[0].getsockname()[:2],
            jt808=vehicles.sockets[0].getsockname()[:2],
            sip=bodycams.get_extra_info("sockname")[:2],
        ),
    )
    process = await start_force(config)
    assert process.stdout is not None
    assert process.stdin is not None
    async with asyncio.timeout(40):
        for _ in range(7):
            told = json.loads(await process.stdout.readline())
        process.stdin.close()
        lines = (await process.stdout.read()).splitlines()
        assert await process.wait() == 0
    final = json.loads(lines[-1])
    ticking.cancel()
    for listener in (server, vehicles, transport, bodycams):
        listener.close()
    assert told["elapsed_s"] > 6
    assert final["final"] is True
    assert ground.verdicts == Counter({Verdict.GENUINE: sum(ground.verdicts.values())})
    assert final["drone_positions"] == sum(len(rows) for rows in ground.positions.values())
    assert set(ground.seen) == ground.acknowledged == set(keys)
    assert {0, 1, 2, 24, 30, 33, 42, 74, 147, 242, 245} <= set(ground.seen[1])
    assert all(20 <= len(rows) <= 45 for rows in ground.positions.values())
    assert final["phone_reports"] == final["phone_accepted"] == len(phones.fixes) - 1
    assert final["retries"] == 1
    assert final["errors"] == 0
    ground_positions = final["vehicle_positions"] + final["bodycam_positions"]
    assert final["positions_sent"] == final["phone_reports"] + final["drone_positions"] + ground_positions
    for name, outputs in (("vehicle", driven), ("bodycam", worn)):
        answered = final["vehicle_acknowledged" if name == "vehicle" else "bodycam_accepted"]
        assert 0 < final[f"{name}_positions"] == answered == sum(len(output.batch) for output in outputs)
        assert not any(output.bad for output in outputs)
    assert phones.dialects.keys() == {"telemetry.sources.osmand", "telemetry.sources.traccar"}
    assert phones.connections <= 4
    assert {fix.token for fix in phones.fixes} <= set(given.values())
    assert not any(fix.ignored for fix in phones.fixes)
    assert all(fix.lat_deg and 35.9 < fix.lat_deg < 36.2 for fix in phones.fixes)


async def test_the_force_ends_when_its_parent_closes_the_pipe_and_nobody_listens(city: City) -> None:
    plan = plan_force(city, unit_count=4, seed=3)
    given = secrets_of(plan)
    roads = city.directory / "roads.npz"
    nobody = ("127.0.0.1", 9)
    doors = Doors(mavlink=nobody, ingest=nobody, jt808=nobody, sip=nobody)
    config = config_of(plan, given, seed=3, roads=roads, doors=doors)
    assert not any(secret in repr(config) for secret in given.values())
    process = await start_force(config)
    assert process.stdout is not None
    assert process.stdin is not None
    async with asyncio.timeout(30):
        await process.stdout.readline()
        process.stdin.close()
        lines = (await process.stdout.read()).splitlines()
        assert await process.wait() == 0
    assert json.loads(lines[-1])["final"] is True
