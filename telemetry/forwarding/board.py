"""Which drones go to which ground station, without their signatures; each frame once to each station, however many there are."""

from collections.abc import Callable, Sequence

from infra.clock import Clock
from telemetry.flight.control import ControlBoard
from telemetry.forwarding.gate import Standing
from telemetry.forwarding.pace import AskingPace
from telemetry.forwarding.setting import ForwardUrl
from telemetry.forwarding.station import StationLink
from telemetry.model.commands import Command, RelayFrames
from telemetry.model.control_events import HolderKind, StationOrdered
from telemetry.model.decoding import Output
from telemetry.model.errors import SkybeatError
from telemetry.model.vehicle_frames import VehicleFrame
from telemetry.registry.table import RegistryTable
from telemetry.sources.mavlink.frame import SIGNED_FLAG, FrameReader, enframe
from telemetry.sources.mavlink.relay import payload_of

PROTOCOL = "mavlink"
SEQUENCE_AT = 4


class ForwardBoard:
    """The stations of the setting; a drone's frames cost one send for each station that watches it.

    `transferring` tells with which devices a transfer of ours runs; `keep` journals what stations order.
    """

    def __init__(
        self,
        urls: Sequence[ForwardUrl],
        registry: RegistryTable,
        control: ControlBoard,
        send: Callable[[Command, int], None],
        clock: Clock,
        *,
        transferring: Callable[[], frozenset[int]],
        keep: Callable[[Output, int], object],
    ) -> None:
        self.pace = AskingPace()
        self._registry = registry
        self._control = control
        self._send = send
        self._clock = clock
        self._transferring = transferring
        self._keep = keep
        self._read = -1
        self._systems: dict[str, dict[int, list[int]]] = {}
        self._watchers: dict[int, list[StationLink]] = {}
        self.stations = [StationLink(url, self, self._relay, clock) for url in urls]

    def names(self) -> Sequence[str]:
        """Return how the stations are called."""
        return [station.forward.name for station in self.stations]

    def heard_us(self, name: str) -> int | None:
        """Return when a station spoke last, None for one that never did."""
        return next((station.heard_us for station in self.stations if station.forward.name == name), None)

    def take(self, heard: Sequence[VehicleFrame], now_us: int) -> None:
        """Take drones' frames as they came and forward them to those who watch."""
        del now_us
        self._refresh()
        waiting: dict[StationLink, list[bytes]] = {}
        for device_id, _, frame in heard:
            watchers = self._watchers.get(device_id)
            if watchers:
                data = unsigned(frame)
                for station in watchers:
                    waiting.setdefault(station, []).append(data)
        for station, frames in waiting.items():
            station.forward_frames(frames)

    def standing(self, station: str) -> Standing:
        """Return what a station may do now: what it watches, what it was handed, and where a transfer of ours runs."""
        self._refresh()
        held = frozenset(
            control.device_id
            for control in self._control.held()
            if control.holder.kind is HolderKind.GROUND_STATION and control.holder.name == station
        )
        return Standing(self._systems.get(station, {}), held, self._transferring())

    def ordered(self, station: str, device_id: int, order: str) -> None:
        """Have it kept what a station ordered a device, with the account that lent it control."""
        now_us, by = self._clock.now_us(), self._control.of(device_id).by
        event = StationOrdered(
            device_id=device_id,
            observed_us=now_us,
            received_us=now_us,
            station=station,
            order=order,
            lent_by_id=by.holder_id,
            lent_by_name=by.name,
        )
        self._keep(Output(events=(event,)), now_us)

    def _relay(self, device_id: int, data: bytes) -> bool:
        try:
            self._send(RelayFrames(device_id=device_id, data=data), self._clock.now_us())
        except SkybeatError:
            return False
        return True

    def _refresh(self) -> None:
        """Read the registry again when it is another one."""
        if self._read == self._registry.version:
            return
        self._read = self._registry.version
        self._systems = {station.forward.name: {} for station in self.stations}
        self._watchers = {}
        for device in self._registry.devices.values():
            system_id = device.address.rpartition("/")[2]
            if device.protocol != PROTOCOL or device.revoked or not system_id.isdigit():
                continue
            for station in self.stations:
                if not station.forward.devices or device.address in station.forward.devices:
                    self._watchers.setdefault(device.device_id, []).append(station)
                    self._systems[station.forward.name].setdefault(int(system_id), []).append(device.device_id)


def unsigned(data: bytes) -> bytes:
    """Return a frame without its signature: who watches has no key, and what it is shown it cannot send on as the drone's own."""
    if data[0] != 0xFD or not data[2] & SIGNED_FLAG:
        return data
    (frame,) = FrameReader().feed(data)
    return enframe(frame, payload_of(frame), data[SEQUENCE_AT], None)
