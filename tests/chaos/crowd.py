"""The clients of a fault test, in a process of their own that nobody kills: each tells its fixes until they are acknowledged."""

import asyncio
import contextlib
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import uvloop
from numpy.typing import NDArray

from infra.clock import SYSTEM_CLOCK
from tests.chaos.clients import CLIENTS, Client
from tests.chaos.diary import Diary, Fix, read_diary
from tests.chaos.ground import Member
from tests.conftest import PROJECT

TRY_AGAIN_S: Final = 0.05
STEP_E7: Final = 300
"""A fix is some 3 m north of the one before it."""


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """What a crowd does: who its members are, where the server is by protocol, and how long each waits between two fixes."""

    members: tuple[Member, ...]
    ports: dict[str, int]
    interval_s: float
    diary: str
    seed: int


class Crowd:
    """A running crowd; `stop` it and read what it wrote."""

    def __init__(
        self, folder: Path, members: list[Member], ports: dict[str, int], *, interval_s: float, seed: int
    ) -> None:
        self.path = folder / f"diary-{time.monotonic_ns()}"
        orders = Orders(members=tuple(members), ports=ports, interval_s=interval_s, diary=str(self.path), seed=seed)
        self.path.touch()
        written = self.path.with_suffix(".orders")
        written.write_bytes(msgspec.json.encode(orders))
        self._process = subprocess.Popen([sys.executable, "-m", "tests.chaos.crowd", str(written)], cwd=PROJECT)

    def diary(self) -> NDArray[Any]:
        """Return what was written until now."""
        return read_diary(self.path)

    def acknowledged(self) -> int:
        """Return how many fixes were acknowledged until now."""
        return int((self.diary()["what"] == 1).sum())

    def stop(self) -> NDArray[Any]:
        """Let no client begin a further fix, end, and return the diary."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(30) == 0, "the crowd ended badly: see its words above"
        return self.diary()

    def end(self) -> None:
        """Leave nothing behind."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def fixes_of(client: Client, number: int, now_us: int) -> Iterator[Fix]:
    """Yield one place after another, each once; the time of each is set when it is sent."""
    lat_e7, lon_e7 = 360_000_000 + number * 1_000_000 % 400_000_000, 1_038_300_000
    while True:
        lat_e7 += STEP_E7
        yield Fix(client.member.device_id, now_us, lat_e7, lon_e7)


async def live(client: Client, diary: Diary, orders: Orders, number: int) -> None:
    """Be one device until cancelled."""
    chance = random.Random(f"{orders.seed}/{number}")
    await asyncio.sleep(chance.random() * orders.interval_s)
    second_us, step_us = 1_000_000, 1_000
    last_us = 0
    for fix in fixes_of(client, number, 0):
        grain_us = second_us if client.keeps_whole_seconds else step_us
        last_us = max(SYSTEM_CLOCK.now_us() // grain_us * grain_us, last_us + grain_us)
        now = fix._replace(observed_us=last_us)
        diary.sent(now)
        is_told = await client.report(now)
        while client.is_acknowledged and not is_told:
            await asyncio.sleep(TRY_AGAIN_S * (1 + chance.random()))
            is_told = await client.report(now)
        if is_told:
            diary.acknowledged(now)
        await asyncio.sleep(max(orders.interval_s, 1.0 if client.keeps_whole_seconds else 0.0))


async def main(orders: Orders) -> None:
    """Run all clients until SIGTERM; one that failed is told."""
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    diary = Diary(Path(orders.diary))
    clients = [CLIENTS[member.protocol](member, orders.ports[member.protocol]) for member in orders.members]
    lives = [asyncio.create_task(live(client, diary, orders, number)) for number, client in enumerate(clients, start=1)]
    waiting = asyncio.ensure_future(stopping.wait())
    await asyncio.wait({waiting, *lives}, return_when=asyncio.FIRST_COMPLETED)
    failed = [task for task in lives if task.done()]
    for task in (*lives, waiting):
        task.cancel()
    await asyncio.gather(*lives, waiting, return_exceptions=True)
    for task in failed:
        task.result()


def run(path: Path) -> None:
    """Read the orders and do them."""
    orders = msgspec.json.decode(path.read_bytes(), type=Orders)
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(main(orders))


if __name__ == "__main__":
    run(Path(sys.argv[1]))
