"""JT/T 808 terminals, a registry that knows them and a platform's end, for tests that need a vehicle on the air."""

from dataclasses import dataclass, field
from typing import Final

import msgspec
import numpy as np

from telemetry.model.batch import Batch, concatenate
from telemetry.model.decoding import Output, Peer, Promise, SourceContext
from telemetry.model.events import AnyEvent
from telemetry.model.unit import Device, DeviceOptions
from telemetry.registry.table import RegistryContents, RegistryTable
from telemetry.sources.jt808 import Jt808Decoder, Jt808Source
from telemetry.sources.jt808.frame import Frame, FrameReader, parse, unescape
from telemetry.sources.jt808.terminal import Edition, Heard, Terminal, TerminalFix

START_US: Final = 1_790_000_000_000_000
PHONE: Final = "13912345678"
CODE: Final = "0123456789abcdef0123456789abcdef"
DAY_US: Final = 86_400_000_000
PEER: Final = Peer(transport="tcp", host="10.1.2.3", port=40_000)


def device_of(
    device_id: int = 7,
    address: str = PHONE,
    *,
    options: DeviceOptions | None = None,
    pairs_until_us: int = START_US + DAY_US,
) -> Device:
    """An enrolled terminal."""
    return Device(
        device_id=device_id,
        protocol="jt808",
        address=address,
        options=options or DeviceOptions(),
        pairs_until_us=pairs_until_us,
    )


def registry_of(*devices: Device, code: str = CODE) -> RegistryTable:
    """A registry in which all these devices have the same code."""
    secrets = {device.device_id: code.encode() for device in devices}
    return RegistryTable(RegistryContents(devices=devices, secrets=secrets))


def with_options(**options: object) -> RegistryTable:
    """A registry of the one terminal, with options of its device."""
    return registry_of(device_of(options=msgspec.structs.replace(DeviceOptions(), **options)))


def fix_at(observed_us: int = START_US, **changes: object) -> TerminalFix:
    """A position in Chongqing, moving."""
    fix = TerminalFix(
        lat_deg=29.563012, lon_deg=106.551556, observed_us=observed_us, alt_msl_m=259, speed_mps=10.0, course_deg=90
    )
    return msgspec.structs.replace(fix, **changes)


def frames_in(data: bytes) -> list[Frame]:
    """The frames that these bytes hold."""
    reader = FrameReader()
    contents = reader.feed(data)
    frames = [parse(unescape(content, reader.flag), reader.flag) for content in contents]
    return [frame for frame in frames if frame is not None]


@dataclass
class Call:
    """A terminal and the platform's decoder of its connection; what the one says the other hears."""

    registry: RegistryTable = field(default_factory=lambda: registry_of(device_of()))
    edition: Edition = Edition.E2019
    code: str | None = CODE
    phone: str = PHONE
    peer: Peer = PEER
    options: dict[str, str] = field(default_factory=dict)
    now_us: int = START_US
    outputs: list[Output] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    source: Jt808Source | None = None

    def __post_init__(self) -> None:
        if self.source is None:
            context = SourceContext(registry=self.registry, link_group="main", options=self.options)
            self.source = Jt808Source(context)
        self.terminal = Terminal(self.phone, edition=self.edition, code=self.code, plate="渝A12345警")
        self.decoder = self._decoder()

    def _decoder(self) -> Jt808Decoder:
        assert self.source is not None
        decoder = self.source.decoder(self.peer)
        assert isinstance(decoder, Jt808Decoder)
        return decoder

    def say(self, data: bytes) -> Heard:
        """Let the platform hear these bytes, and the terminal what it answers, until both are silent."""
        acknowledged: list[int] = []
        refused: list[tuple[int, int]] = []
        while data:
            heard = self.hear(self.decoder.feed(data, self.now_us))
            acknowledged += heard.acknowledged
            refused += heard.refused
            data = heard.data
        return Heard(acknowledged=tuple(acknowledged), refused=tuple(refused))

    def hear(self, output: Output) -> Heard:
        """Let the terminal hear an output's replies; the journal's fact of it is remembered."""
        self.outputs.append(output)
        for fact in output.facts:
            self.registry.remember(fact)
        said = b"".join(reply.data for reply in output.replies)
        self.sent.append(said)
        return self.terminal.feed(said)

    def connect(self) -> "Call":
        """Connect (again): register if it must, authenticate."""
        self.decoder = self._decoder()
        self.say(self.terminal.connect())
        return self

    @property
    def batch(self) -> Batch:
        """All rows so far."""
        return concatenate([output.batch for output in self.outputs])

    @property
    def events(self) -> list[AnyEvent]:
        """All events so far."""
        return [event for output in self.outputs for event in output.events]

    @property
    def frames(self) -> list[Frame]:
        """All that the platform sent so far."""
        return [frame for data in self.sent for frame in frames_in(data)]

    def events_of(self, kind: type[AnyEvent]) -> list[AnyEvent]:
        """The events of one kind so far."""
        return [event for event in self.events if isinstance(event, kind)]

    def bad(self, name: str) -> int:
        """How often something bad was counted."""
        return sum(output.bad.get(name, 0) for output in self.outputs)


def promises_of(output: Output) -> list[Promise]:
    """When an output's replies leave."""
    return [reply.promise for reply in output.replies]


def same_rows(left: Batch, right: Batch) -> bool:
    """Whether two batches are equal, byte for byte."""
    return len(left) == len(right) and bool(np.array_equal(left, right))
