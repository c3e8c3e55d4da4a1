"""A whole console with its bridge, its database and demo drones that fly: what scripts and commands are tried against."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from console.app import House, running_house
from console.audit import Audit
from console.auth.account_keys import AccountKeys
from console.auth.accounts import Accounts
from console.wire import Role
from infra.clock import SYSTEM_CLOCK
from infra.database import DatabaseUrls, owner_connection
from infra.settings import Settings
from infra.vault import Vault
from telemetry.model.unit import DutyStatus, Service, UnitKind
from telemetry.registry.enrolment import NewDevice, NewUnit, add_device, assign_device, save_unit
from tests.conftest import TestDatabase
from tests.demo_drone import BY_ITSELF_S, DroneOnPort, demo_drone

LOOPBACK = "127.0.0.1"


@dataclass
class FlyingHouse:
    """A running console and its drones, by their units."""

    house: House
    settings: Settings
    drones: dict[int, DroneOnPort]

    async def key(self, role: Role = Role.ADMIN) -> str:
        """Return a script's key of a new account."""
        accounts = Accounts(self.house.pool)
        account = await accounts.add(f"script {role.value} {len(await accounts.all())}", role)
        return await AccountKeys(self.house.pool, SYSTEM_CLOCK, Audit(self.house.pool, SYSTEM_CLOCK)).make(
            account.name, "test"
        )


@contextlib.asynccontextmanager
async def flying(
    database: TestDatabase, tmp_path: Path, *, drone_count: int = 1, speed_up: int = 20
) -> AsyncIterator[FlyingHouse]:
    """Start a console with demo drones on their pads, signed, each a unit of its own."""
    urls = DatabaseUrls(owner=database.owner_url, writer=database.writer_url, app=database.app_url)
    port = _free_port()
    settings = Settings(data_dir=tmp_path, port=0, ingest_port=0, mavlink_links=f"udpin:{LOOPBACK}:{port}")
    keys = await asyncio.to_thread(_enrol, urls, settings, drone_count)
    async with running_house(settings, urls) as house:
        with contextlib.ExitStack() as flown:
            drones = {
                unit_id: flown.enter_context(
                    demo_drone(
                        (LOOPBACK, port),
                        key=key,
                        system_id=number,
                        speed_up=speed_up,
                        streams=BY_ITSELF_S,
                        parameters={"DISARM_DELAY": 127.0},
                    )
                )
                for number, (unit_id, key) in enumerate(keys, 1)
            }
            await until(lambda: _heard(house, drones))
            yield FlyingHouse(house, settings, drones)


async def until(condition: Callable[[], bool], *, within_s: float = 60.0) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - a drone offers no event
            await asyncio.sleep(0.05)


def _heard(house: House, drones: dict[int, DroneOnPort]) -> bool:
    units = house.service.bridge.picture.units
    return sum(bool(row["observed_us"]) for row in units if int(row["unit_id"]) in drones) == len(drones)


def _enrol(urls: DatabaseUrls, settings: Settings, count: int) -> list[tuple[int, bytes]]:
    vault, found = Vault.open(settings.data_dir), []
    with owner_connection(urls.owner) as connection:
        for number in range(1, count + 1):
            now_us = SYSTEM_CLOCK.now_us()
            new = NewDevice(protocol="mavlink", address=f"main/{number}")
            issued = add_device(connection, new, vault=vault, now_us=now_us)
            hawk = NewUnit(
                call_sign=f"Hawk {number}", kind=UnitKind.DRONE, service=Service.AIR, duty_status=DutyStatus.FREE
            )
            unit = save_unit(connection, hawk)
            assign_device(connection, issued.device.device_id, unit.unit_id, now_us=now_us)
            assert issued.secret is not None
            found.append((unit.unit_id, bytes.fromhex(issued.secret)))
    return found


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
