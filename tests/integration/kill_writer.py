"""The program that the kill -9 test kills: journals numbered rows, records them, prints each row once it is durable."""

import asyncio
import sys
from pathlib import Path

import numpy as np

from infra.clock import SYSTEM_CLOCK
from infra.journal import Journal
from infra.settings import Settings
from telemetry.model.batch import Batch, hash_fixes, new_batch
from telemetry.model.events import SosRaised, encode_event
from telemetry.recording.journal_records import KIND_BATCH, KIND_EVENT
from telemetry.recording.recorder import Recorder

EVENT_EVERY = 7


def rows_from(number: int, row_count: int, first_us: int) -> Batch:
    """Return rows whose lat_e7 is their number; one second apart, so that each is its own identity."""
    batch = new_batch(row_count)
    numbers = number + np.arange(row_count)
    batch["device_id"] = numbers % 50 + 1
    batch["observed_us"] = first_us + numbers
    batch["received_us"] = batch["observed_us"]
    batch["lat_e7"] = numbers
    batch["lon_e7"] = 1_038_000_000
    hash_fixes(batch)
    return batch


async def main(folder: Path, writer_url: str, first_number: int, first_us: int, seed: int) -> None:
    """Run until killed."""
    random = np.random.default_rng(seed)
    journal = Journal.open(folder, segment_bytes=20_000)
    recording = asyncio.create_task(Recorder(journal, writer_url, Settings(), SYSTEM_CLOCK).run())
    number = first_number
    while not recording.done():
        row_count = int(random.integers(1, 40))
        batch = rows_from(number, row_count, first_us)
        sequence = journal.append(KIND_BATCH, batch.tobytes(), acknowledged=True)
        if number % EVENT_EVERY == 0:
            event = SosRaised(device_id=1, observed_us=first_us + number, received_us=first_us, text=str(number))
            sequence = journal.append(KIND_EVENT, encode_event(event), acknowledged=True)
        await journal.durable(sequence)
        sys.stdout.write(f"durable {number} {row_count}\n")
        sys.stdout.flush()
        number += row_count
        if random.random() < 0.2:
            await asyncio.sleep(float(random.random()) * 0.02)
    await recording


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])))
