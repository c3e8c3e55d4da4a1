"""Migration files: numbered without a gap, checked by checksum, split where they run without a transaction."""

import pytest

from infra.migrate import (
    MigrationError,
    load_migrations,
    parse_migration,
    require_timescale,
    server_complaint,
    split_statements,
)


def test_the_program_carries_its_migrations_numbered_without_a_gap() -> None:
    steps = load_migrations()
    assert [step.version for step in steps] == list(range(1, len(steps) + 1))
    assert all(len(step.sha256) == 64 for step in steps)


@pytest.mark.parametrize("name", ["1_a.sql", "0001-a.sql", "0001_A.sql", "0001_a.txt", "0001_.sql"])
def test_a_file_with_another_name_is_refused(name: str) -> None:
    with pytest.raises(MigrationError, match=r"0007_what_it_does\.sql"):
        parse_migration(name, b"select 1")


def test_a_byte_more_is_another_checksum() -> None:
    assert parse_migration("0001_a.sql", b"select 1").sha256 != parse_migration("0001_a.sql", b"select 1 ").sha256


def test_only_the_header_takes_a_file_out_of_its_transaction() -> None:
    assert parse_migration("0001_a.sql", b"select 1; -- no-transaction").in_transaction
    assert not parse_migration("0001_a.sql", b"-- no-transaction\nselect 1;").in_transaction


def test_statements_end_with_a_semicolon_at_the_end_of_a_line() -> None:
    assert split_statements("-- no-transaction\nselect ';';\n\n-- why\nselect 2\n  + 1;\n") == [
        "select ';'",
        "select 2\n  + 1",
    ]


@pytest.mark.parametrize(
    ("version", "is_enough"),
    [("2.29.2", True), ("2.29.1", False), ("2.30.0", True), ("3.0.0", True), ("2.23.0-dev", False), ("2.9.9", False)],
)
def test_production_takes_timescaledb_from_2_29_2_on(version: str, *, is_enough: bool) -> None:
    if is_enough:
        require_timescale(version)
        return
    with pytest.raises(MigrationError, match=f"TimescaleDB {version} is older than"):
        require_timescale(version)


def test_a_server_older_than_15_is_named_with_what_is_needed() -> None:
    assert server_complaint(140_022) == (
        "the server is PostgreSQL 14; skybeat needs 15 or newer: upgrade it, or use the embedded one"
    )
    assert server_complaint(150_000) is None
    assert server_complaint(180_006) is None
