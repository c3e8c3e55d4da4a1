"""`skybeat user`: the accounts that may sign in, one-time sign-in links, and the keys of scripts."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

import click
import psycopg
from psycopg_pool import AsyncConnectionPool

from console.audit import Audit, AuditAction
from console.auth.account_keys import AccountKeys
from console.auth.accounts import LINK_LIFETIME_S, Account, Accounts
from console.parts import sign_in_url, told_origin
from console.wire import Role
from infra.clock import SYSTEM_CLOCK, utc_of
from infra.database import app_pool, check_server, owner_connection
from infra.prepare import using_ready_urls
from infra.settings import load_settings
from telemetry.model.errors import InputError, NotFoundError
from telemetry.registry.enrolment import find_stations, find_unit, station_numbers, unit_ids

Result = TypeVar("Result")


@click.group()
def command() -> None:
    """Add, list and disable accounts, make one-time sign-in links, and keys for scripts.

    \b
    Example:
      skybeat user add wang --role operator --stations 1,2
      skybeat user link wang
    """  # noqa: D301 - \b is click's mark for "do not wrap"


@command.command()
@click.argument("name")
@click.option(
    "--role", type=click.Choice([role.value for role in Role]), required=True, help="What the account may do."
)
@click.option("--stations", help="Numbers of the stations that it sees, comma-separated; without: all.")
@click.option("--unit", "call_sign", help="Call sign of an officer's own unit.")
def add(name: str, role: str, stations: str | None, call_sign: str | None) -> None:
    """Add an account and print its one-time sign-in link.

    \b
    Examples:
      skybeat user add wang --role operator --stations 1,2
      skybeat user add li --role officer --unit "Officer 7"
    """  # noqa: D301 - \b is click's mark for "do not wrap"
    numbers = [] if stations is None else parse_stations(stations)
    if stations is not None and not numbers:
        raise InputError(
            f"--stations {stations!r} names no station: leave the option out for all, or write numbers such as 1,2"
        )

    with _owner() as connection:
        station_ids = find_stations(connection, numbers)
        unit_id = None if call_sign is None else find_unit(connection, call_sign).unit_id

    async def work(accounts: Accounts) -> str:
        account = await accounts.add(name, Role(role), station_ids=station_ids, unit_id=unit_id)
        return await accounts.make_link(account.account_id, SYSTEM_CLOCK.now_us())

    _print_link(name, _run(work))


@command.command(name="list")
def list_accounts() -> None:
    """List all accounts.

    \b
    Example:
      skybeat user list
    """  # noqa: D301 - \b is click's mark for "do not wrap"
    with _owner() as connection:
        accounts = _run(lambda accounts: accounts.all())
        numbers = station_numbers(connection)
        call_signs = {unit_id: call_sign for call_sign, unit_id in unit_ids(connection).items()}
    for account in accounts:
        click.echo(describe(account, numbers, call_signs))
    click.echo(f"{len(accounts)} accounts")


@command.command()
@click.argument("name")
def disable(name: str) -> None:
    """Disable an account: its sessions and websockets end within five seconds.

    \b
    Example:
      skybeat user disable wang
    """  # noqa: D301 - \b is click's mark for "do not wrap"
    _run(lambda accounts: accounts.disable(name, SYSTEM_CLOCK.now_us()))
    click.echo(f"{name} is disabled; its sessions end within 5 seconds")


@command.command()
@click.argument("name")
def link(name: str) -> None:
    """Print a one-time sign-in link: good once, for 15 minutes. Also the way back for a lost administrator.

    \b
    Example:
      skybeat user link admin
    """  # noqa: D301 - \b is click's mark for "do not wrap"

    async def work(accounts: Accounts) -> str:
        account = await accounts.by_name(name)
        if account is None and name == "admin":
            account = await accounts.add(name, Role.ADMIN)
        if account is None or account.disabled:
            state = "is disabled" if account else "does not exist"
            message = f"the account {name!r} {state}: `skybeat user list` shows all, `skybeat user add` makes one"
            raise NotFoundError(message)
        return await accounts.make_link(account.account_id, SYSTEM_CLOCK.now_us())

    _print_link(name, _run(work))


@command.command()
@click.argument("name")
@click.option("--label", required=True, help="What the key is for; shown where keys are listed and in the audit.")
def key(name: str, label: str) -> None:
    """Print a new key by which scripts speak for an account: with its role and its stations. It is shown this once.

    \b
    Example:
      skybeat user key planner --label "night patrols"
      curl -H "Authorization: Bearer skbk_..." http://127.0.0.1:8080/api/programme
    """  # noqa: D301 - \b is click's mark for "do not wrap"

    async def work(pool: AsyncConnectionPool) -> str:
        audit = Audit(pool, SYSTEM_CLOCK)
        token = await AccountKeys(pool, SYSTEM_CLOCK, audit).make(name, label)
        await audit.write(await Accounts(pool).by_name(name), AuditAction.KEY_MADE, subject=label)
        return token

    click.echo(_run_in_pool(work))


@command.command()
@click.argument("name")
def keys(name: str) -> None:
    """List the keys of an account's scripts that work.

    \b
    Example:
      skybeat user keys planner
    """  # noqa: D301 - \b is click's mark for "do not wrap"
    found = _run_in_pool(lambda pool: AccountKeys(pool, SYSTEM_CLOCK, Audit(pool, SYSTEM_CLOCK)).all_of(name))
    for one in found:
        used = "never used" if one.used_us is None else f"used {utc_of(one.used_us):%Y-%m-%d %H:%M} UTC"
        click.echo(f"{one.key_id:>5}  {one.label:<32} made {utc_of(one.made_us):%Y-%m-%d}  {used}")
    click.echo(f"{len(found)} keys")


@command.command("revoke-key")
@click.argument("name")
@click.argument("key_id", type=int)
def revoke_key(name: str, key_id: int) -> None:
    """Let a script's key work no longer, from its next request on.

    \b
    Example:
      skybeat user revoke-key planner 3
    """  # noqa: D301 - \b is click's mark for "do not wrap"

    async def work(pool: AsyncConnectionPool) -> None:
        audit = Audit(pool, SYSTEM_CLOCK)
        await AccountKeys(pool, SYSTEM_CLOCK, audit).revoke(name, key_id)
        detail = {"key_id": key_id}
        await audit.write(await Accounts(pool).by_name(name), AuditAction.KEY_REVOKED, detail=detail)

    _run_in_pool(work)
    click.echo(f"key {key_id} of {name} works no longer")


def parse_stations(text: str) -> list[int]:
    """Return station numbers from "1,2". Raises InputError for anything else."""
    try:
        return sorted({int(part) for part in text.split(",") if part.strip()})
    except ValueError as error:
        message = f"--stations {text!r}: write station numbers separated by commas, such as 1,2"
        raise InputError(message) from error


def describe(account: Account, numbers: Mapping[int, int], call_signs: Mapping[int, str]) -> str:
    """Return one line about an account; `numbers` by station id, `call_signs` by unit id."""
    known = sorted(numbers.get(station_id, station_id) for station_id in account.station_ids)
    stations = "stations " + ",".join(map(str, known)) if known else "all stations"
    scope = stations if account.unit_id is None else f"unit {call_signs.get(account.unit_id, account.unit_id)}"
    marks = [
        mark for mark, stands in (("disabled", account.disabled), ("no password", not account.password_hash)) if stands
    ]
    return f"{account.account_id:>5}  {account.name:<24} {account.role.value:<11} {scope}  {' '.join(marks)}".rstrip()


@contextmanager
def _owner() -> Iterator[psycopg.Connection]:
    with using_ready_urls(load_settings()) as urls, owner_connection(urls.owner) as connection:
        yield connection


def _print_link(name: str, token: str) -> None:
    origin = told_origin(load_settings())
    click.echo(f"sign-in link for {name}, good once and for {LINK_LIFETIME_S // 60} minutes:")
    click.echo(sign_in_url(origin, token))


def _run(work: Callable[[Accounts], Awaitable[Result]]) -> Result:
    return _run_in_pool(lambda pool: work(Accounts(pool)))


def _run_in_pool(work: Callable[[AsyncConnectionPool], Awaitable[Result]]) -> Result:
    async def with_pool(url: str) -> Result:
        async with app_pool(url, max_size=1) as pool:
            return await work(pool)

    with using_ready_urls(load_settings()) as urls:
        check_server(urls.app, SYSTEM_CLOCK)  # one line now instead of the pool's tries
        return asyncio.run(with_pool(urls.app))
