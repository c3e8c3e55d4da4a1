"""A SIP server with enrolled cameras, and twins of them at the other end: for tests of GB/T 28181."""

import itertools
from typing import Final

from telemetry.model.commands import Command
from telemetry.model.decoding import Output, Peer, Promise, SourceContext
from telemetry.model.events import CommandAnswered
from telemetry.model.unit import Device, DeviceOptions
from telemetry.registry.table import RegistryContents, RegistryTable
from telemetry.sources.gb28181 import SipSource, open_source
from telemetry.sources.gb28181.camera import Camera, CameraFix, CameraPlan
from telemetry.sources.gb28181.decoder import SipDecoder
from telemetry.sources.gb28181.sip import Sip, parse, write

SERVER_ID: Final = "44010200492000000001"
REALM: Final = "4401020049"
CAMERA: Final = "44010200491320000001"
OTHER: Final = "44010200491320000002"
PASSWORD: Final = "correct-horse"
NOW_US: Final = 1_790_000_000_000_000
OPTIONS: Final = {"id": SERVER_ID, "realm": REALM}
SECRET: Final = b"a secret of this process: 32 byt"
_NUMBERS: Final = itertools.count(1)
PEER: Final = Peer(transport="udp", host="10.1.2.3", port=5060, local_host="10.0.0.1", local_port=5060)


def device(number: int = 1, address: str = CAMERA, **options: object) -> Device:
    """Return an enrolled camera that reports each 5 s."""
    return Device(
        device_id=number,
        protocol="gb28181",
        address=address,
        report_interval_s=5.0,
        options=DeviceOptions(**options),  # type: ignore[arg-type]
    )


def registry(*devices: Device, password: str = PASSWORD) -> RegistryTable:
    """Return a registry in which every camera has its password: the given one and its number from the second on."""
    listed = devices or (device(),)
    secrets = {
        one.device_id: (password if one.device_id == 1 else f"{password}{one.device_id}").encode() for one in listed
    }
    return RegistryTable(RegistryContents(devices=listed, secrets=secrets))


def source(table: RegistryTable | None = None, **options: str) -> SipSource:
    """Return a SIP server."""
    context = SourceContext(
        registry=table or registry(), link_group="main", options=OPTIONS | options, process_secret=SECRET
    )
    return open_source(context)


def plan(**changes: object) -> CameraPlan:
    """Return the plan of the first camera, with changes."""
    fields: dict[str, object] = {
        "address": CAMERA,
        "password": PASSWORD,
        "server_id": SERVER_ID,
        "realm": REALM,
        "local_host": PEER.host,
        "local_port": PEER.port,
    }
    return CameraPlan(**(fields | changes))  # type: ignore[arg-type]


def fix(at_us: int = NOW_US, lat_deg: float = 36.06, lon_deg: float = 103.83) -> CameraFix:
    """Return a position of a camera."""
    return CameraFix(
        observed_us=at_us, lat_deg=lat_deg, lon_deg=lon_deg, speed_mps=5.0, course_deg=90.0, alt_msl_m=1500
    )


def message(
    body: bytes = b"",
    *,
    method: str = "MESSAGE",
    user: str = CAMERA,
    branch: str = "",
    call_id: str = "",
    headers: tuple[tuple[str, str], ...] = (),
    to: str = "",
) -> bytes:
    """Return a request of a camera, each time another transaction unless a branch is given."""
    number = next(_NUMBERS)
    said = [
        ("Via", f"SIP/2.0/UDP {PEER.host}:{PEER.port};rport;branch={branch or f'z9hG4bKtest{number}'}"),
        ("From", f"<sip:{user}@{REALM}>;tag=test"),
        ("To", to or f"<sip:{SERVER_ID}@{REALM}>"),
        ("Call-ID", call_id or f"call{number}"),
        ("CSeq", f"1 {method}"),
        *headers,
        ("Content-Type", "Application/MANSCDP+xml"),
    ]
    return write(f"{method} sip:{SERVER_ID}@{REALM} SIP/2.0", said, body)


class Scene:
    """A camera and the server, without a network: what one says the other hears at once; `now_us` moves by `run`.

    `is_journal_full` refuses what is promised, as the link does.
    """

    def __init__(
        self,
        server: SipSource | None = None,
        camera: Camera | None = None,
        *,
        peer: Peer = PEER,
        table: RegistryTable | None = None,
    ) -> None:
        self.registry = table or registry()
        self.server = server or source(self.registry)
        self.camera = camera or Camera(plan(transport=peer.transport))
        self.peer = peer
        self.decoder: SipDecoder = self.server.decoder(peer)
        self.now_us = NOW_US
        self.outputs: list[Output] = []
        self.is_journal_full = False
        self.heard: list[bytes] = []
        self.said: list[bytes] = []

    def start(self) -> None:
        """Register, subscribe and settle."""
        self.deliver(self.camera.start(self.now_us))
        self.run(2)

    def deliver(self, messages: list[bytes]) -> None:
        """Carry the camera's messages to the server, and what follows from them, until all is said."""
        while messages:
            again: list[bytes] = []
            for message in messages:
                self.heard.append(message)
                again += self.take(self.decoder.feed(message, self.now_us))
            messages = again

    def take(self, output: Output) -> list[bytes]:
        """Carry the server's messages to the camera; return what it says to them."""
        self.outputs.append(output)
        for fact in output.facts:
            self.registry.remember(fact)
        said: list[bytes] = []
        for reply in output.replies:
            refused = reply.promise is Promise.DURABLE and self.is_journal_full
            data = reply.refusal if refused else reply.data
            if data:
                self.said.append(data)
                said += self.camera.feed(data, self.now_us)
        return said

    def run(self, duration_s: float, step_s: float = 0.5) -> None:
        """Let time pass for both."""
        for _ in range(round(duration_s / step_s)):
            self.now_us += round(step_s * 1e6)
            self.deliver(self.take(self.decoder.tick(self.now_us)))
            self.deliver(self.camera.tick(self.now_us))

    def tell(self, body: bytes, *, user: str = "", branch: str = "") -> bytes:
        """Let the camera say a body in a MESSAGE; return the answer's first line, as "200 OK"."""
        return self.ask(message(body, user=user or self.camera.plan.address, branch=branch))

    def ask(self, request: bytes, decoder: SipDecoder | None = None) -> bytes:
        """Give the server a request; return the answer's first line without the protocol."""
        output = (decoder or self.decoder).feed(request, self.now_us)
        first = len(self.said)
        self.take(output)
        answers = [data for data in self.said[first:] if data.startswith(b"SIP/2.0 ")]
        return answers[-1].split(b"\r\n")[0].removeprefix(b"SIP/2.0 ") if answers else b""

    def command(self, command: Command) -> None:
        """Give the camera a command, and let it answer."""
        self.deliver(self.take(self.decoder.send(command, self.now_us)))

    def asked(self, method: str) -> list[Sip]:
        """Return the server's own requests of a method so far."""
        return [sip for sip in map(parse, self.said) if sip.method == method]

    def answers(self) -> list[tuple[int, str, str]]:
        """Return what became of commands: their numbers, states and why."""
        told = [event for event in self.events() if isinstance(event, CommandAnswered)]
        return [(event.command_id, event.state, event.text) for event in told]

    def rows(self) -> list[tuple[int, ...]]:
        """Return the rows so far."""
        return [row.item() for output in self.outputs for row in output.batch]

    def events(self) -> list[object]:
        """Return the events so far."""
        return [event for output in self.outputs for event in output.events]

    def bad(self) -> dict[str, int]:
        """Return what was counted as bad."""
        total: dict[str, int] = {}
        for output in self.outputs:
            for name, count in output.bad.items():
                total[name] = total.get(name, 0) + count
        return total
