"""The people of the demo at their screens: officers' and the dispatcher's accounts, their one-time links, the call centre's key."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, Protocol

import msgspec

from console.auth.accounts import Account, Accounts
from console.demo.api_client import ApiClient
from console.demo.call_centre import CallOrders
from console.demo.crews import Watch
from console.demo.desk import DISPATCHER
from console.demo.force_plan import ForcePlan
from console.demo.officer_pages import PageSignIn
from console.incidents.intake_keys import add_key, revoke_key
from console.wire import Role
from infra.clock import SYSTEM_CLOCK, utc_of
from infra.database import owner_connection

OURS: Final = "demo "
"""What the names of the demo's officers' accounts begin with."""
ENDS_WITHIN_S: Final = 8.0
KEY_LABEL: Final = "demo call centre"
MOST_PAGES: Final = 120
"""Of a large force so many officers have their page open; the others are called by radio."""
AGENCIES: Final = (
    ("城市管理", "Urban management", "12319", ["service"]),
    ("消防救援", "Fire and rescue", "119", ["fire"]),
    ("急救中心", "Ambulance", "120", ["help"]),
)
_AGENCY: Final = (
    "insert into public.agency (name_zh, name_en, phone, categories) values (%s, %s, %s, %s)"
    " on conflict (name_zh, name_en) do nothing"
)
_OWN_KEYS: Final = "select label from public.intake_key where label like %s and revoked_at is null"


class Pipe(Protocol):
    """The force's standard input."""

    def write(self, data: bytes) -> None:
        """Write bytes."""

    async def drain(self) -> None:
        """Wait until there is room again."""


class Staff:
    """Gives people their accounts and links."""

    def __init__(self, accounts: Accounts, origin: str) -> None:
        self._accounts, self._origin = accounts, origin

    async def open_pages(self, plan: ForcePlan, unit_ids: Mapping[str, int], pipe: Pipe) -> None:
        """Tell the force's process each officer's one-time link, the day's first; a unit that a person serves is left to them."""
        people = {
            one.unit_id for one in await self._accounts.all() if not one.name.startswith(OURS) and not one.disabled
        }
        units = [unit for unit in plan.units if unit.answers and unit_ids[unit.call_sign] not in people]
        for unit in sorted(units, key=lambda unit: Watch.DAY not in unit.watches)[:MOST_PAGES]:
            unit_id = unit_ids[unit.call_sign]
            account = await self._account(f"{OURS}{unit.call_sign}", Role.OFFICER, unit_id=unit_id)
            token = await self._accounts.make_link(account.account_id, SYSTEM_CLOCK.now_us())
            page = PageSignIn(call_sign=unit.call_sign, token=token, origin=self._origin)
            pipe.write(msgspec.json.encode(page) + b"\n")
            await pipe.drain()

    async def orders(self, owner_url: str, tiers: Path, *, seed: int, per_minute: int) -> CallOrders:
        """Return what the call centre's process is told."""
        account = await self._account(DISPATCHER, Role.OPERATOR)
        return CallOrders(
            origin=self._origin,
            intake_key=await asyncio.to_thread(_fresh_key, owner_url),
            token=await self._accounts.make_link(account.account_id, SYSTEM_CLOCK.now_us()),
            tiers=str(tiers),
            seed=seed,
            per_minute=per_minute,
        )

    async def signed_in(self, name: str, role: Role) -> ApiClient:
        """Return a person of the demo at a screen. Raises UnavailableError when the link is refused."""
        account = await self._account(name, role)
        client = ApiClient(self._origin)
        await client.sign_in(await self._accounts.make_link(account.account_id, SYSTEM_CLOCK.now_us()))
        return client

    async def _account(self, name: str, role: Role, *, unit_id: int | None = None) -> Account:
        found = await self._accounts.by_name(name)
        return found or await self._accounts.add(name, role, unit_id=unit_id)


def _fresh_key(owner_url: str) -> str:
    """Give the call centre's program a new key, refuse those of earlier demos, and name the agencies that take what is theirs."""
    now_us = SYSTEM_CLOCK.now_us()
    with owner_connection(owner_url) as connection:
        for agency in AGENCIES:
            connection.execute(_AGENCY, agency)
        for (label,) in connection.execute(_OWN_KEYS, (f"{KEY_LABEL}%",)).fetchall():
            revoke_key(connection, label, now_us=now_us)
        return add_key(connection, f"{KEY_LABEL} {utc_of(now_us):%Y-%m-%d %H:%M:%S}", vault=None, now_us=now_us)[1]


@asynccontextmanager
async def calling(orders: CallOrders, say: Callable[[str], None]) -> AsyncIterator[None]:
    """Run the call centre's process for the time of the block; `say` is told when it ends by itself."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "console.demo.call_centre"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
    )
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(orders) + b"\n")
    await process.stdin.drain()
    waiting = asyncio.create_task(_tell_end(process, say))
    try:
        yield
    finally:
        waiting.cancel()
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), ENDS_WITHIN_S)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _tell_end(process: asyncio.subprocess.Process, say: Callable[[str], None]) -> None:
    await process.wait()
    say("the call centre's process ended by itself: see the lines above")
