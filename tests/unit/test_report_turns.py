"""Phones' reports of one turn of the loop are taken together, and answered together."""

import asyncio

import pytest

from infra.journal import JournalFailedError, JournalFullError
from telemetry.links.report_turns import FIXES_A_TURN, ReportTurns
from telemetry.model.decoding import Output
from telemetry.model.phone import PhoneFix

NOW_US = 1_790_000_000_000_000


class FakeClock:
    def now_us(self) -> int:
        return NOW_US

    def monotonic_s(self) -> float:
        return 0.0


class FakeBridge:
    """Numbers what it takes; the disk is done when `written` is set."""

    def __init__(self) -> None:
        self.outputs: list[Output] = []
        self.waited_for: list[int] = []
        self.written = asyncio.Event()
        self.refuses: Exception | None = None
        self.fails: Exception | None = None

    def take(self, output: Output, now_us: int) -> int | None:
        assert now_us == NOW_US
        if self.refuses is not None:
            raise self.refuses
        self.outputs.append(output)
        return len(self.outputs)

    async def durable(self, sequence: int) -> None:
        self.waited_for.append(sequence)
        await self.written.wait()
        if self.fails is not None:
            raise self.fails


def fix_at(lat_deg: float, alarm: str | None = None) -> PhoneFix:
    return PhoneFix(lat_deg=lat_deg, lon_deg=103.8, observed_us=NOW_US, alarm=alarm)


async def spoken(turns: ReportTurns, count: int) -> list[asyncio.Task[None]]:
    tasks = [asyncio.create_task(turns.keep(number, [fix_at(number)])) for number in range(1, count + 1)]
    for _ in range(5):
        await asyncio.sleep(0)
    return tasks


async def test_what_many_phones_say_in_one_turn_is_one_batch_and_one_wait() -> None:
    bridge = FakeBridge()
    turns = ReportTurns(bridge.take, bridge.durable, FakeClock())
    tasks = await spoken(turns, 50)
    assert [output.batch["device_id"].tolist() for output in bridge.outputs] == [list(range(1, 51))]
    assert bridge.outputs[0].batch["lat_e7"].tolist() == [number * 10_000_000 for number in range(1, 51)]
    assert bridge.waited_for == [1]
    assert not any(task.done() for task in tasks)
    bridge.written.set()
    await asyncio.gather(*tasks)


async def test_a_later_turn_does_not_wait_for_the_disk_of_the_one_before() -> None:
    bridge = FakeBridge()
    turns = ReportTurns(bridge.take, bridge.durable, FakeClock())
    first, second = await spoken(turns, 2), await spoken(turns, 3)
    assert [len(output.batch) for output in bridge.outputs] == [2, 3]
    assert bridge.waited_for == [1, 2]
    bridge.written.set()
    await asyncio.gather(*first, *second)


async def test_alarms_keep_their_device_and_order_among_others() -> None:
    bridge = FakeBridge()
    bridge.written.set()
    turns = ReportTurns(bridge.take, bridge.durable, FakeClock())
    await asyncio.gather(
        turns.keep(1, [fix_at(36.0)]),
        turns.keep(2, [fix_at(36.1, "sos")]),
        turns.keep(3, [PhoneFix(alarm="sos_cleared")]),
    )
    (output,) = bridge.outputs
    assert [(type(event).__name__, event.device_id) for event in output.events] == [("SosRaised", 2), ("SosCleared", 3)]
    assert output.batch["device_id"].tolist() == [1, 2]


@pytest.mark.parametrize("error", [JournalFullError("full"), JournalFailedError("failed")])
async def test_a_journal_that_refuses_is_told_to_every_phone_of_the_turn(error: Exception) -> None:
    bridge = FakeBridge()
    bridge.refuses = error
    tasks = await spoken(ReportTurns(bridge.take, bridge.durable, FakeClock()), 3)
    assert await asyncio.gather(*tasks, return_exceptions=True) == [error] * 3


async def test_a_disk_that_fails_is_told_to_every_phone_and_the_next_turn_is_another() -> None:
    bridge = FakeBridge()
    bridge.fails = JournalFailedError("failed")
    bridge.written.set()
    turns = ReportTurns(bridge.take, bridge.durable, FakeClock())
    assert all(await asyncio.gather(*await spoken(turns, 3), return_exceptions=True))
    bridge.fails = None
    await turns.keep(1, [fix_at(36.0)])


async def test_a_phone_that_hangs_up_takes_nothing_from_the_others() -> None:
    bridge = FakeBridge()
    turns = ReportTurns(bridge.take, bridge.durable, FakeClock())
    tasks = await spoken(turns, 3)
    tasks[0].cancel()
    await asyncio.wait(tasks[:1])
    bridge.written.set()
    await asyncio.gather(*tasks[1:])
    assert tasks[0].cancelled()


async def test_a_flood_in_one_turn_becomes_several_records() -> None:
    bridge = FakeBridge()
    bridge.written.set()
    turns = ReportTurns(bridge.take, bridge.durable, FakeClock())
    fixes = [fix_at(36.0)] * (FIXES_A_TURN // 2)
    await asyncio.gather(*(turns.keep(number, fixes) for number in range(1, 6)))
    assert [len(output.batch) for output in bridge.outputs] == [FIXES_A_TURN, FIXES_A_TURN, FIXES_A_TURN // 2]
