"""The registry in memory: units, devices, assignments, stations, keys and quarantine; its shell loads and saves it."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from telemetry.model.decoding import Fact, PairedFact, RegistrationFact, SigningFact
from telemetry.model.unit import Assignment, Device, DutyStatus, Station, Unit, UnitKind
from telemetry.rate_limit import RateLimit

QUARANTINE_LIMIT: Final = 1_000
"""Unknown names remembered at once; the one silent for longest makes room."""
NEW_NAMES_AT_ONCE: Final = 2 * QUARANTINE_LIMIT
NEW_NAMES_PER_S: Final = 0.2
"""In the long run: whoever makes up names neither pushes the real ones out for ever nor fills the database with them."""

_DIGEST: Final = re.compile("[0-9a-f]{64}")
SHOWN_DIGEST_DIGITS: Final = 8
"""How much of an unknown token's SHA-256 the quarantine shows."""


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """An unknown or refused name that spoke; times are UTC microseconds."""

    protocol: str
    address: str
    reason: str
    first_seen_us: int
    last_seen_us: int
    seen_count: int


class RegistryContents(msgspec.Struct, frozen=True, kw_only=True):
    """All that the registry's shell loads at once.

    `signing_keys` is device_id -> 32 bytes; `signing_timestamps` is (device_id, link_id, component_id) -> newest
    accepted timestamp in 10 us units since 2015. `secrets` is device_id -> what it and we share (not for MAVLink).
    """

    units: tuple[Unit, ...] = ()
    devices: tuple[Device, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    stations: tuple[Station, ...] = ()
    signing_keys: Mapping[int, bytes] = msgspec.field(default_factory=dict)
    signing_timestamps: Mapping[tuple[int, int, int], int] = msgspec.field(default_factory=dict)
    secrets: Mapping[int, bytes] = msgspec.field(default_factory=dict)
    registrations: Mapping[int, RegistrationFact] = msgspec.field(default_factory=dict)


class RegistryTable:
    """What decoders, picture and alarms ask of the world (the kernel's Registry protocol), from memory.

    `version` grows with every change of contents, so that whoever derives something from them knows when to do it again;
    `duty_version` when duty statuses alone changed, which happens with every call and concerns few.
    """

    def __init__(self, contents: RegistryContents | None = None) -> None:
        self.version = 0
        self.duty_version = 0
        self.units: Mapping[int, Unit] = {}
        self.devices: Mapping[int, Device] = {}
        self.stations: Mapping[int, Station] = {}
        self._by_name: dict[tuple[str, str], Device] = {}
        self._periods: dict[int, list[Assignment]] = {}
        self._signing_keys: Mapping[int, bytes] = {}
        self._signing_timestamps: dict[tuple[int, int, int], int] = {}
        self._secrets: Mapping[int, bytes] = {}
        self._registrations: dict[int, RegistrationFact] = {}
        self._paired: set[int] = set()
        self._quarantine: dict[tuple[str, str], Quarantined] = {}
        self._unsaved: set[tuple[str, str]] = set()
        self._new_names = RateLimit(NEW_NAMES_PER_S, NEW_NAMES_AT_ONCE)
        self.replace(contents or RegistryContents())

    def replace(self, contents: RegistryContents) -> None:
        """Take new contents as a whole; a signing timestamp never falls, known names leave quarantine."""
        self.units = {unit.unit_id: unit for unit in contents.units}
        self.stations = {station.station_id: station for station in contents.stations}
        self.devices = {device.device_id: device for device in contents.devices}
        self._by_name = {(device.protocol, device.address): device for device in contents.devices}
        self._periods = _periods_by_device(contents.assignments)
        self._signing_keys = dict(contents.signing_keys)
        for stream, timestamp in contents.signing_timestamps.items():
            self._signing_timestamps[stream] = max(timestamp, self._signing_timestamps.get(stream, 0))
        rotated = {
            device_id for device_id, secret in self._secrets.items() if contents.secrets.get(device_id) != secret
        }
        self._paired -= rotated
        self._secrets = dict(contents.secrets)
        self._registrations = {**contents.registrations, **self._registrations}
        for device_id in rotated:
            self._registrations.pop(device_id, None)
        self._leave_quarantine()
        self.version += 1

    def set_duty(self, statuses: Mapping[int, DutyStatus]) -> None:
        """Take other duty statuses by unit_id; units that nobody knows and statuses that stand already change nothing."""
        moved = {
            unit_id: msgspec.structs.replace(unit, duty_status=status)
            for unit_id, status in statuses.items()
            if (unit := self.units.get(unit_id)) is not None and unit.duty_status is not status
        }
        if moved:
            self.units = {**self.units, **moved}
            self.duty_version += 1

    def register(self, device: Device, unit: Unit | None, now_us: int) -> None:
        """Add or replace one device and, when given, its unit with an open assignment from `now_us`.

        For what is learnt while running, such as the vehicles of a replayed recording.
        """
        self.devices = {**self.devices, device.device_id: device}
        self._by_name[device.protocol, device.address] = device
        if unit is not None:
            self.units = {**self.units, unit.unit_id: unit}
            period = Assignment(device_id=device.device_id, unit_id=unit.unit_id, started_us=now_us)
            self._periods.setdefault(device.device_id, []).append(period)
        self._quarantine.pop((device.protocol, device.address), None)
        self.version += 1

    def device(self, protocol: str, address: str) -> Device | None:
        """Return the device that bears this name, revoked ones too; None when nobody does."""
        return self._by_name.get((protocol, address))

    def unit_of(self, device_id: int, at_us: int) -> int | None:
        """Return the unit that the device spoke for at `at_us`, None when for nobody."""
        periods = self._periods.get(device_id, [])
        place = bisect_right(periods, at_us, key=lambda period: period.started_us)
        for period in reversed(periods[:place]):
            if period.ended_us is None or at_us < period.ended_us:
                return period.unit_id
        return None

    def unit_at(self, device_id: int, at_us: int) -> Unit | None:
        """Return the unit for which the device spoke at that time, None for nobody."""
        return self.units.get(self.unit_of(device_id, at_us) or 0)

    def assigned(self, at_us: int) -> dict[int, int]:
        """Return device_id -> unit_id of all assignments that hold at `at_us`."""
        found = {device_id: self.unit_of(device_id, at_us) for device_id in self._periods}
        return {device_id: unit_id for device_id, unit_id in found.items() if unit_id is not None}

    def signing_key(self, device_id: int) -> bytes | None:
        """Return the device's 32-byte MAVLink key, None when it has none."""
        return self._signing_keys.get(device_id)

    def signing_timestamp(self, device_id: int, link_id: int, component_id: int) -> int:
        """Return the newest timestamp ever accepted of this stream (0 when none): survives restarts."""
        return self._signing_timestamps.get((device_id, link_id, component_id), 0)

    def secret(self, device_id: int) -> bytes | None:
        """Return the secret that the device and we share (a password, an authentication code), None when it has none."""
        return self._secrets.get(device_id)

    def may_pair(self, device_id: int, now_us: int) -> bool:
        """Tell whether the device may be told its secret over the air: only in the hours after enrolment, until it used it."""
        device = self.devices.get(device_id)
        return device is not None and device_id not in self._paired and now_us < device.pairs_until_us

    def registration(self, device_id: int) -> RegistrationFact | None:
        """Return the device's last SIP registration, expired ones too; None when it never registered."""
        return self._registrations.get(device_id)

    def kind_of(self, device_id: int, at_us: int) -> UnitKind | None:
        """Return what kind of unit the device spoke for at that time, None when for nobody."""
        unit = self.units.get(self.unit_of(device_id, at_us) or 0)
        return None if unit is None else unit.kind

    def remember(self, fact: Fact) -> None:
        """Take what a decoder learnt, so that the next decoder of the same device knows it too."""
        match fact:
            case SigningFact():
                stream = (fact.device_id, fact.link_id, fact.component_id)
                self._signing_timestamps[stream] = max(fact.timestamp, self._signing_timestamps.get(stream, 0))
            case RegistrationFact():
                self._registrations[fact.device_id] = fact
            case PairedFact():
                self._paired.add(fact.device_id)

    def quarantine(self, protocol: str, address: str, now_us: int, reason: str) -> None:
        """Remember that an unknown or refused name spoke; at most QUARANTINE_LIMIT names, new ones at a bounded rate."""
        name = (protocol, address)
        if name not in self._quarantine and not self._new_names.take(protocol, now_us / 1e6):
            return
        before = self._quarantine.pop(name, None)
        if before is None and len(self._quarantine) >= QUARANTINE_LIMIT:
            oldest = next(iter(self._quarantine))
            del self._quarantine[oldest]
            self._unsaved.discard(oldest)
        self._quarantine[name] = Quarantined(
            protocol=protocol,
            address=address,
            reason=reason,
            first_seen_us=before.first_seen_us if before else now_us,
            last_seen_us=now_us,
            seen_count=before.seen_count + 1 if before else 1,
        )
        self._unsaved.add(name)

    def dismiss(self, protocol: str, address: str) -> None:
        """Forget a name in quarantine; one that speaks again comes back."""
        self._quarantine.pop((protocol, address), None)
        self._unsaved.discard((protocol, address))

    def quarantined(self) -> list[Quarantined]:
        """Return the names in quarantine, the one heard last first."""
        return list(reversed(self._quarantine.values()))

    def take_unsaved_quarantine(self) -> list[Quarantined]:
        """Return what changed in quarantine since the last call, for the shell to save."""
        changed = [self._quarantine[name] for name in self._unsaved if name in self._quarantine]
        self._unsaved.clear()
        return changed

    def keep_unsaved_quarantine(self, entries: Iterable[Quarantined]) -> None:
        """Give back what could not be saved, for the next time."""
        self._unsaved |= {(entry.protocol, entry.address) for entry in entries}

    def _leave_quarantine(self) -> None:
        known = {(protocol, shown_address(address)) for protocol, address in self._by_name}
        self._quarantine = {name: entry for name, entry in self._quarantine.items() if not _is_solved(entry, known)}


def shown_address(address: str) -> str:
    """Return the name by which quarantine shows a device: of a token's digest only its first digits."""
    return address[:SHOWN_DIGEST_DIGITS] if _DIGEST.fullmatch(address) else address


def _is_solved(entry: Quarantined, known: set[tuple[str, str]]) -> bool:
    return entry.reason.startswith("unknown") and (entry.protocol, entry.address) in known


def _periods_by_device(assignments: Iterable[Assignment]) -> dict[int, list[Assignment]]:
    periods: dict[int, list[Assignment]] = {}
    for assignment in sorted(assignments, key=lambda period: period.started_us):
        periods.setdefault(assignment.device_id, []).append(assignment)
    return periods
