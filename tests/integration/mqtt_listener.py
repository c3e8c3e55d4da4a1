"""The program that the broker's kill -9 test kills: a bridge that hears OwnTracks and keeps it in a journal."""

import asyncio
import sys
from pathlib import Path

from infra.clock import SYSTEM_CLOCK
from infra.journal import Journal
from infra.settings import Settings
from telemetry.bridge import Bridge
from telemetry.model.decoding import Output
from telemetry.model.unit import Device
from telemetry.registry.table import RegistryContents, RegistryTable


class Telling(Bridge):
    """A bridge that tells the newest time that is on the disk, second by second of the phone's clock."""

    newest_us = 0
    stalls = False
    """Whether it stands still once it has told that something is on the disk, before it acknowledges."""

    def keep_turn(self, output: Output, now_us: int, *, protocol: str, acknowledged: bool) -> int | None:
        """Keep a turn, and remember its newest time."""
        sequence = super().keep_turn(output, now_us, protocol=protocol, acknowledged=acknowledged)
        self.newest_us = max([self.newest_us, *output.batch["observed_us"].tolist()])
        return sequence

    async def durable(self, sequence: int) -> None:
        """Wait for the disk, and tell."""
        newest_us = self.newest_us
        await super().durable(sequence)
        sys.stdout.write(f"durable {newest_us // 1_000_000}\n")
        sys.stdout.flush()
        if self.stalls:
            await asyncio.Event().wait()


async def main(folder: Path, broker_port: int, mode: str) -> None:
    """Run until killed."""
    device = Device(device_id=7, protocol="owntracks", address="lihua/phone")
    registry = RegistryTable(RegistryContents(devices=(device,)))
    settings = Settings(
        data_dir=folder,
        ingest_port=0,
        mavlink_links="",
        links=f"owntracks+mqtt:127.0.0.1:{broker_port}?client_id=ours#city",
    )
    journal = Journal.open(folder / "journal")
    bridge = Telling(registry, journal, SYSTEM_CLOCK, settings)
    bridge.stalls = mode == "stall"
    await bridge.start()
    sys.stdout.write("open\n")
    sys.stdout.flush()
    await bridge.run()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
