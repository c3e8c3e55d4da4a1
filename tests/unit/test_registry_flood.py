"""Names made up without end neither push the real unknown ones out of quarantine for ever nor grow the database."""

from telemetry.registry.table import NEW_NAMES_AT_ONCE, QUARANTINE_LIMIT, RegistryTable

NOW_US = 1_790_000_000_000_000


def test_a_flood_of_made_up_names_is_bounded_in_what_is_saved_and_a_known_stranger_goes_on_counting() -> None:
    registry, saved = RegistryTable(), 0
    for number in range(20 * NEW_NAMES_AT_ONCE):
        registry.quarantine("osmand", f"{number:08x}", NOW_US + number * 1000, "unknown token")
        if number % 500 == 499:
            saved += len(registry.take_unsaved_quarantine())
    assert saved < NEW_NAMES_AT_ONCE + 100
    assert len(registry.quarantined()) == QUARANTINE_LIMIT
    newest = registry.quarantined()[0]
    registry.quarantine("osmand", newest.address, NOW_US, "unknown token")
    assert registry.quarantined()[0].seen_count == newest.seen_count + 1


def test_after_the_flood_a_real_stranger_is_seen_again() -> None:
    registry = RegistryTable()
    for number in range(2 * NEW_NAMES_AT_ONCE):
        registry.quarantine("osmand", f"{number:08x}", NOW_US, "unknown token")
    registry.quarantine("osmand", "0badc0de", NOW_US + 10_000_000, "unknown token")
    assert registry.quarantined()[0].address == "0badc0de"
