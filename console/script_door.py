"""How commands of this machine speak to the running console: by a key that they are given, or one made for this one command."""

import asyncio
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import click

from console.audit import Audit
from console.auth.account_keys import AccountKeys
from console.parts import told_origin
from infra.clock import SYSTEM_CLOCK
from infra.database import app_pool, check_server
from infra.prepare import using_ready_urls
from infra.settings import load_settings
from mission.script import Console, connect
from telemetry.model.errors import InputError

LABEL: Final = "one command on this machine"
Command = TypeVar("Command", bound=Callable[..., Any])


def console_options(command: Command) -> Command:
    """Add --url, --key and --as to a command; they come as `url`, `key` and `account_name`."""
    options = (
        click.option(
            "--url", help="The console's address (with a key: SKYBEAT_URL); that of this machine's by default."
        ),
        click.option("--key", envvar="SKYBEAT_KEY", help="A key of `skybeat user key` (SKYBEAT_KEY)."),
        click.option("--as", "account_name", help="An account of this machine's console, instead of a key."),
    )
    for option in options:
        command = option(command)
    return command


@contextmanager
def open_console(url: str | None, key: str | None, account_name: str | None) -> Iterator[Console]:
    """Give the console, spoken to by a key or, on its own machine, as an account: whoever may run this may read its database.

    Raises InputError where neither is named, NotFoundError for an account that there is not.
    """
    settings = load_settings()
    origin = url or told_origin(settings)
    if key:
        with connect(url or os.environ.get("SKYBEAT_URL") or origin, key) as console:
            yield console
        return
    if not account_name:
        message = "who asks? give --as ACCOUNT on the console's own machine, or a key (--key, SKYBEAT_KEY)"
        raise InputError(message)
    with using_ready_urls(settings) as urls:
        check_server(urls.app, SYSTEM_CLOCK)
        label = f"{LABEL} ({secrets.token_hex(4)})"
        token = asyncio.run(_made(urls.app, account_name, label))
        try:
            with connect(origin, token) as console:
                yield console
        finally:
            asyncio.run(_revoked(urls.app, account_name, label))


async def _made(url: str, account_name: str, label: str) -> str:
    async with app_pool(url, max_size=1) as pool:
        return await AccountKeys(pool, SYSTEM_CLOCK, Audit(pool, SYSTEM_CLOCK)).make(account_name, label)


async def _revoked(url: str, account_name: str, label: str) -> None:
    async with app_pool(url, max_size=1) as pool:
        keys = AccountKeys(pool, SYSTEM_CLOCK, Audit(pool, SYSTEM_CLOCK))
        for one in await keys.all_of(account_name):
            if one.label == label:
                await keys.revoke(account_name, one.key_id)
