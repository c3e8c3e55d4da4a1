"""What the console asks of the rest of the house: the picture, the alarms, the registry, the bridge, the coverage."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from numpy.typing import NDArray

from console.coverage.protocol import Answer, Leaving, Question, ScopeCover
from console.wire_coverage import Contour, CoverageChanged
from telemetry.alarms.decisions import AlarmDecision
from telemetry.flight.control import Control
from telemetry.flight.traffic import Hazard
from telemetry.geofences.stays import Stay
from telemetry.links.link import LinkStatus, PeerStatus
from telemetry.model.alarm import Alarm
from telemetry.model.commands import Command
from telemetry.model.decoding import Output, RegistrationFact
from telemetry.model.events import AnyEvent
from telemetry.model.flight_events import SortieMoved
from telemetry.model.link_ways import LinkWay
from telemetry.model.unit import Device, LinkState, Station, Unit
from telemetry.model.unit_state import UnitStates
from telemetry.model.vehicle_frames import VehicleFrame
from telemetry.orders import Order
from telemetry.picture.device_book import DeviceSaid
from telemetry.picture.devices import DeviceState
from telemetry.picture.status import UnitStatus
from telemetry.registry.table import Quarantined


class PictureSource(Protocol):
    """The live picture (telemetry/picture/live.py)."""

    @property
    def units(self) -> UnitStates:
        """One row a unit."""

    @property
    def version(self) -> int:
        """Grows with every change."""

    def changed_since(self, version: int) -> NDArray[Any]:
        """Return the indexes of rows that changed after `version`."""

    def trail(self, unit_id: int) -> NDArray[Any]:
        """Return observed_us, lat_e7, lon_e7 of the last 10 minutes, oldest first. Raises NotFoundError."""

    def devices_of(self, unit_id: int, now_us: int) -> list[DeviceState]:
        """Return the unit's devices, the one that speaks for it first. Raises NotFoundError."""

    def device_links(self, now_us: int) -> Mapping[int, tuple[LinkState, int]]:
        """Return of every device how it is heard and when it was last (UTC microseconds, 0: never)."""


class AlarmSource(Protocol):
    """The alarm board (telemetry/alarms/board.py)."""

    def open(self) -> list[Alarm]:
        """Return the alarms that are not over and done."""

    def get(self, alarm_id: str) -> Alarm | None:
        """Return one alarm, closed ones that are still remembered too."""

    def changes_since(self, seq: int) -> list[tuple[int, Alarm]]:
        """Return what changed after number `seq`, oldest first; at most the last 10,000."""


class StatusSource(Protocol):
    """What units' vehicles said last (telemetry/picture/status.py)."""

    @property
    def version(self) -> int:
        """Grows with every change."""

    def changed_since(self, version: int) -> list[UnitStatus]:
        """Return the statuses that changed after `version`."""


class RegistrySource(Protocol):
    """The registry in memory (telemetry/registry/table.py)."""

    version: int
    duty_version: int
    units: Mapping[int, Unit]
    devices: Mapping[int, Device]
    stations: Mapping[int, Station]

    def unit_of(self, device_id: int, at_us: int) -> int | None:
        """Return the unit that the device speaks for."""

    def signing_key(self, device_id: int) -> bytes | None:
        """Return the device's MAVLink key."""

    def may_pair(self, device_id: int, now_us: int) -> bool:
        """Tell whether the device may be told its secret over the air."""

    def registration(self, device_id: int) -> RegistrationFact | None:
        """Return the device's last SIP registration."""

    def device(self, protocol: str, address: str) -> Device | None:
        """Return the device that bears this name, None when nobody does."""

    def quarantined(self) -> Iterable[Quarantined]:
        """Return the names that spoke without being known."""

    def dismiss(self, protocol: str, address: str) -> None:
        """Forget a name in quarantine."""


class OrderSource(Protocol):
    """Commands to devices and what became of them (telemetry/orders.py)."""

    @property
    def version(self) -> int:
        """Grows with every change."""

    def next_id(self, now_us: int) -> int:
        """Return a number that no command has or had."""

    def of(self, command_id: int) -> Order | None:
        """Return a command."""

    def of_unit(self, unit_id: int) -> list[Order]:
        """Return a unit's commands, the newest first."""

    def queued(self) -> list[Order]:
        """Return the commands that wait for their device."""

    def changed_since(self, version: int) -> list[Order]:
        """Return the commands that changed after `version`."""


class ControlSource(Protocol):
    """Who is in control of each drone (telemetry/flight/control.py)."""

    @property
    def version(self) -> int:
        """Grows with every change."""

    def of(self, device_id: int) -> Control:
        """Return who is in control of a device."""

    def held(self) -> list[Control]:
        """Return the controls that somebody has."""

    def changed_since(self, version: int) -> list[Control]:
        """Return the controls that changed after `version`."""


class SortieSource(Protocol):
    """How far the drones' sorties have come (telemetry/flight/sorties.py)."""

    @property
    def version(self) -> int:
        """Grows with every change."""

    def of(self, device_id: int) -> SortieMoved | None:
        """Return how far a device's last sortie has come."""

    def all(self) -> list[SortieMoved]:
        """Return the last state of every device."""


class TrafficSource(Protocol):
    """Who else is in the air (telemetry/flight/traffic.py)."""

    @property
    def version(self) -> int:
        """Grows with every change."""

    def hazards(self) -> list[Hazard]:
        """Return who is in the air, those who come nearest first."""


class GroundStations(Protocol):
    """The ground stations that drones are forwarded to (telemetry/forwarding/board.py)."""

    def names(self) -> Sequence[str]:
        """Return how they are called."""

    def heard_us(self, name: str) -> int | None:
        """Return when a ground station spoke last, None for one that never did."""


class DeviceWords(Protocol):
    """What devices said of themselves (telemetry/picture/device_book.py)."""

    def of(self, device_id: int) -> DeviceSaid:
        """Return what a device said."""


class GeofenceSource(Protocol):
    """The watch over geofences (telemetry/geofences/watch.py)."""

    def all_stays(self) -> list[tuple[int, Stay]]:
        """Return every stay that lasts, with its device_id."""


class LiveSource(Protocol):
    """What the stream shows of the bridge (telemetry/bridge.py)."""

    @property
    def picture(self) -> PictureSource:
        """The live picture."""

    @property
    def alarms(self) -> AlarmSource:
        """The alarm board."""

    @property
    def statuses(self) -> StatusSource:
        """Mode, mission and text of units."""

    @property
    def registry(self) -> RegistrySource:
        """The registry."""

    def link_statuses(self) -> Sequence[LinkStatus]:
        """Return how each link does."""


class BridgeSource(LiveSource, Protocol):
    """The bridge (telemetry/bridge.py): everything live in one loop, and what people decide."""

    @property
    def geofences(self) -> GeofenceSource:
        """Who is in which geofence."""

    async def acknowledge_alarm(self, alarm_id: str, account_id: int, account_name: str, now_us: int) -> Alarm:
        """Take an alarm upon an account and return once that is safe; raises NotFoundError, ConflictError or UnavailableError."""

    async def decide_alarm(self, decision: AlarmDecision) -> Alarm:
        """Hand an alarm over or close it, and return once that is safe; raises as `acknowledge_alarm` does."""


class FieldRegistry(RegistrySource, Protocol):
    """The registry as far as phone pages need it."""

    def device(self, protocol: str, address: str) -> Device | None:
        """Return the device that bears this name, revoked ones too."""

    def register(self, device: Device, unit: Unit | None, now_us: int) -> None:
        """Take a device that was just enrolled, with its unit, ahead of the registry's next loading."""


class FieldBridge(BridgeSource, Protocol):
    """The bridge as far as officers and devices in the field need it: it takes reports, keeps them, and speaks to devices."""

    @property
    def orders(self) -> OrderSource:
        """Commands and what became of them."""

    @property
    def control(self) -> ControlSource:
        """Who is in control of each drone."""

    @property
    def sorties(self) -> SortieSource:
        """The sortie that each drone was given last."""

    @property
    def traffic(self) -> TrafficSource:
        """Who else is in the air."""

    @property
    def stations(self) -> GroundStations:
        """The ground stations that watch beside us."""

    @property
    def listeners(self) -> list[Callable[[AnyEvent, int], None]]:
        """Who is told of every event, with the time, in the turn that brought it."""

    @property
    def said(self) -> DeviceWords:
        """What devices said of themselves."""

    @property
    def registry(self) -> FieldRegistry:
        """The registry."""

    def take(self, output: Output, now_us: int, *, protocol: str = ..., acknowledged: bool = ...) -> int | None:
        """Take a report; return the journal's sequence to wait for. Raises JournalError when an acknowledged one cannot be kept."""

    async def durable(self, sequence: int) -> None:
        """Return when that is on the disk. Raises JournalError."""

    def send(self, command: Command, now_us: int) -> None:
        """Send a command to a device. Raises NotFoundError when no link hears it."""

    def link_peers(self, url: str) -> list[PeerStatus]:
        """Return who is at the other end of a link. Raises NotFoundError."""

    def ways_of(self, device_id: int) -> list[LinkWay]:
        """Return the links by which a device is heard."""

    def tap_frames(self, tap: Callable[[Sequence[VehicleFrame], int], None]) -> None:
        """Let `tap` have the frames of every vehicle from now on, with the time."""


class CoverageSource(Protocol):
    """Where the live coverage comes from (console/coverage/worker.py)."""

    @property
    def contours_version(self) -> int:
        """Grows whenever contours changed."""

    def latest(self) -> CoverageChanged | None:
        """Return the newest result, None before the first."""

    def scope(self, station_ids: frozenset[int]) -> ScopeCover | None:
        """Return what is cut to the zones of these stations; None until a tick was asked for them."""

    def contours(self, station_ids: frozenset[int]) -> Sequence[Contour] | None:
        """Return the newest contours (of all where no station is named); None where a scope is not reckoned yet."""

    def watch(self, scopes: Iterable[frozenset[int]]) -> None:
        """Say which sets of stations look on."""

    def losses(self) -> Sequence[Leaving]:
        """Return what each available unit's leaving uncovers, by the last tick."""

    def trend(self) -> Sequence[tuple[float, list[float]]]:
        """Return times (ms) and shares of the last hour, oldest first."""

    async def leaving(self, unit_ids: Sequence[int]) -> list[Leaving]:
        """Return what these units' leaving uncovers. Raises UnavailableError."""

    async def planned(self) -> bytes:
        """Return the planned contours as GeoJSON. Raises UnavailableError."""

    async def ring_ways(self) -> bytes:
        """Return the ways of the ring's links as GeoJSON. Raises UnavailableError."""

    async def ask(self, question: Question) -> Answer:
        """Return the process's answer. Raises UnavailableError."""
