"""Passwords, attempts and where the console may listen."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from console.api.live import cookie_of
from console.auth.accounts import Account
from console.auth.passwords import Attempts, Passwords
from console.auth.policy import TooManyAttemptsError
from console.commands.user import describe, parse_stations
from console.parts import allowed_origins, check_exposure, sign_in_url, tell_origin, told_origin
from console.wire import Role
from infra.settings import Settings
from telemetry.model.errors import InputError

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


async def test_a_password_matches_its_own_hash_alone() -> None:
    passwords = Passwords(CHEAP)
    kept = await passwords.hash("correct horse")
    assert "argon2id" in kept
    assert await passwords.matches(kept, "correct horse")
    assert not await passwords.matches(kept, "wrong horse")
    assert not await passwords.matches(None, "nobody's password")
    assert not await passwords.matches("not a hash", "x")


async def test_at_most_two_checks_run_at_once_and_a_crowd_is_sent_away() -> None:
    running, most, gate = 0, 0, threading.Event()

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]  # noqa: A002, ARG002 - argon2's names
            nonlocal running, most
            running += 1
            most = max(most, running)
            gate.wait(5)
            running -= 1
            return True

    passwords = Passwords(Counting())
    crowd = [asyncio.create_task(passwords.matches("hash", "x")) for _ in range(16)]
    await asyncio.sleep(0.05)
    with pytest.raises(TooManyAttemptsError):
        await passwords.matches("hash", "x")
    gate.set()
    assert all(await asyncio.gather(*crowd))
    assert most == 2


def test_five_failures_from_one_place_lock_that_place_out_of_the_account_for_five_minutes() -> None:
    attempts = Attempts()
    for _ in range(5):
        attempts.demand_room("1.2.3.4", "wang", 0.0)
        attempts.failed("1.2.3.4", "wang", 0.0)
    with pytest.raises(TooManyAttemptsError, match="wait 200 s"):
        attempts.demand_room("1.2.3.4", "wang", 100.0)
    attempts.demand_room("5.6.7.8", "wang", 100.0)
    attempts.demand_room("1.2.3.4", "wang", 301.0)


def test_one_place_may_not_try_many_names() -> None:
    attempts = Attempts()
    for number in range(30):
        attempts.failed("1.2.3.4", f"name{number}", 0.0)
    with pytest.raises(TooManyAttemptsError):
        attempts.demand_room("1.2.3.4", "fresh", 1.0)


def test_success_forgives_and_memory_is_bounded() -> None:
    attempts = Attempts()
    for _ in range(4):
        attempts.failed("1.2.3.4", "wang", 0.0)
    attempts.succeeded("1.2.3.4", "wang")
    attempts.failed("1.2.3.4", "wang", 0.0)
    attempts.demand_room("1.2.3.4", "wang", 0.0)
    for number in range(8_000):
        attempts.failed(f"10.0.{number // 250}.{number % 250}", "x", 0.0)
    assert len(attempts._failed) <= 10_000


def settings(**values: Any) -> Settings:  # noqa: ANN401 - Settings checks them
    return Settings(data_dir=Path("/nonexistent"), **values)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"host": "192.0.2.7"}, "without encryption"),
        ({"host": "0.0.0.0"}, "SKYBEAT_TLS_CERT"),
        ({"host": "0.0.0.0", "behind_proxy": True}, "SKYBEAT_PUBLIC_ORIGIN"),
        ({"tls_cert": Path("/cert")}, "belong together"),
        ({"public_origin": "console.example.org"}, "scheme and host"),
        ({"public_origin": "https://console.example.org/map"}, "scheme and host"),
    ],
)
def test_an_address_open_to_others_without_protection_is_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        check_exposure(settings(**values))


@pytest.mark.parametrize(
    ("values", "origins"),
    [
        ({}, {"http://127.0.0.1:8420", "http://localhost:8420", "http://[::1]:8420"}),
        ({"host": "0.0.0.0", "behind_proxy": True, "public_origin": "https://c.example/"}, {"https://c.example"}),
        ({"host": "c.example", "port": 443, "tls_cert": Path("/c"), "tls_key": Path("/k")}, {"https://c.example"}),
    ],
)
def test_the_allowed_origins_are_exact(values: dict[str, Any], origins: set[str]) -> None:
    check_exposure(settings(**values))
    assert allowed_origins(settings(**values)) == origins


def test_a_link_names_the_port_of_the_console_that_runs(tmp_path: Path) -> None:
    wanted = Settings(data_dir=tmp_path / "data")
    assert told_origin(wanted) == "http://127.0.0.1:8420"
    tell_origin(wanted, allowed_origins(wanted, 19_420))
    assert told_origin(wanted) == "http://127.0.0.1:19420"


def test_a_cookie_is_found_and_nonsense_is_none() -> None:
    assert cookie_of("a=1; skybeat=abc; b=2", "skybeat") == "abc"
    assert cookie_of("", "skybeat") is None
    assert cookie_of("\x00=;;;=", "skybeat") is None


def test_the_token_of_a_link_stands_behind_the_hash_sign() -> None:
    assert sign_in_url("http://127.0.0.1:8420", "tok") == "http://127.0.0.1:8420/sign-in#tok"


def test_stations_are_read_and_an_account_is_described_in_a_line() -> None:
    assert parse_stations("2, 1,,2") == [1, 2]
    with pytest.raises(InputError, match="commas"):
        parse_stations("one")
    wang = Account(account_id=3, name="wang", role=Role.OPERATOR, station_ids=(11, 12), disabled=True)
    line = describe(wang, {11: 1, 12: 2}, {})
    assert line.split() == ["3", "wang", "operator", "stations", "1,2", "disabled", "no", "password"]
    li = Account(account_id=4, name="li", role=Role.OFFICER, unit_id=7)
    assert "unit Officer 7" in describe(li, {}, {7: "Officer 7"})
