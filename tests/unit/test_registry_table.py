"""The registry's table answers by name, time and stream."""

from telemetry.model.decoding import Registry, SigningFact
from telemetry.model.unit import Assignment, Device, Service, Unit, UnitKind
from telemetry.registry.table import QUARANTINE_LIMIT, RegistryContents, RegistryTable

DRONE = Unit(unit_id=7, call_sign="Hawk 1", kind=UnitKind.DRONE, service=Service.AIR)
CAR = Unit(unit_id=8, call_sign="Car 8", kind=UnitKind.CAR, service=Service.PATROL)
AUTOPILOT = Device(device_id=1, protocol="mavlink", address="main/1")


def table() -> RegistryTable:
    periods = (
        Assignment(device_id=1, unit_id=8, started_us=200, ended_us=None),
        Assignment(device_id=1, unit_id=7, started_us=100, ended_us=200),
    )
    return RegistryTable(
        RegistryContents(
            units=(DRONE, CAR),
            devices=(AUTOPILOT,),
            assignments=periods,
            signing_keys={1: b"k" * 32},
            signing_timestamps={(1, 2, 3): 50},
        )
    )


def test_a_table_is_a_registry() -> None:
    registry: Registry = table()
    assert registry.device("mavlink", "main/1") == AUTOPILOT
    assert registry.device("mavlink", "main/2") is None
    assert registry.signing_key(1) == b"k" * 32
    assert registry.signing_key(2) is None


def test_a_device_speaks_for_the_unit_of_the_period() -> None:
    registry = table()
    assert [registry.unit_of(1, at_us) for at_us in (99, 100, 199, 200, 10_000)] == [None, 7, 7, 8, 8]
    assert registry.assigned(150) == {1: 7}


def test_a_signing_timestamp_never_falls() -> None:
    registry = table()
    registry.remember(SigningFact(device_id=1, link_id=2, component_id=3, timestamp=90))
    registry.remember(SigningFact(device_id=1, link_id=2, component_id=3, timestamp=60))
    registry.replace(RegistryContents(signing_timestamps={(1, 2, 3): 70}))
    assert registry.signing_timestamp(1, 2, 3) == 90
    assert registry.signing_timestamp(9, 9, 9) == 0


def test_quarantine_counts_and_forgets_the_one_silent_for_longest() -> None:
    registry = table()
    registry.quarantine("mavlink", "main/9", 10, "unknown device")
    registry.quarantine("mavlink", "main/9", 20, "unknown device")
    assert registry.quarantined()[0].seen_count == 2
    assert registry.quarantined()[0].first_seen_us == 10
    for number in range(QUARANTINE_LIMIT):
        registry.quarantine("osmand", f"{number:08x}", 30 + number, "unknown token")
    assert len(registry.quarantined()) == QUARANTINE_LIMIT
    assert all(entry.protocol == "osmand" for entry in registry.quarantined())


def test_what_changed_in_quarantine_is_given_out_once() -> None:
    registry = table()
    registry.quarantine("mavlink", "main/9", 10, "unknown device")
    assert [entry.address for entry in registry.take_unsaved_quarantine()] == ["main/9"]
    assert registry.take_unsaved_quarantine() == []


def test_a_name_that_became_known_leaves_quarantine() -> None:
    registry = table()
    registry.quarantine("osmand", "abcdef01", 10, "unknown token")
    device = Device(device_id=5, protocol="osmand", address="abcdef01" + "0" * 56)
    registry.replace(RegistryContents(devices=(device,)))
    assert registry.quarantined() == []


def test_each_change_of_contents_is_a_new_version() -> None:
    registry = table()
    before = registry.version
    registry.register(Device(device_id=2, protocol="mavlink", address="replay/1"), DRONE, 500)
    assert registry.version == before + 1
    assert registry.unit_of(2, 500) == 7
