"""`skybeat user`: the accounts that may sign in, and one-time sign-in links."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

import click
import psycopg

from console.auth.accounts import LINK_LIFETIME_S, Account, Accounts
from console.parts import sign_in_url, told_origin
from console.wire import Role
from infra.clock import SYSTEM_CLOCK
from infra.database import app_pool, check_server, owner_connection
from infra.prepare import using_ready_urls
from infra.settings import load_settings
from telemetry.model.errors import InputError, NotFoundError
from telemetry.registry.enrolment import find_stations, find_unit, station_numbers, unit_ids

Result = TypeVar("Result")


@click.group()
def command() -> None:
    """Add, list and disable accounts, and make one-time sign-in links.

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
    async def with_pool(url: str) -> Result:
        async with app_pool(url, max_size=1) as pool:
            return await work(Accounts(pool))

    with using_ready_urls(load_settings()) as urls:
        check_server(urls.app, SYSTEM_CLOCK)  # one line now instead of the pool's tries
        return asyncio.run(with_pool(urls.app))
