"""One trial: a force reports, a browser looks on, something is broken on purpose, and the oracle gives its verdict."""

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tests.chaos.crowd import Crowd
from tests.chaos.ground import Member, Program, ground
from tests.chaos.oracle import Verdict, doubled, foreign, missing, recovery_s, stored_rows, wrongly_shown
from tests.chaos.watcher import Watcher

SEED: Final = int(os.environ.get("SKYBEAT_TEST_SEED", "7"))
IS_LONG: Final = "SKYBEAT_TEST_KILLS" in os.environ
"""The long form (`make chaos`) takes minutes where the short one takes seconds."""
DRAINED_WITHIN_S: Final = 120.0 if IS_LONG else 40.0
FIRST_WORD_WITHIN_S: Final = 30.0


class Trial:
    """A program with its crowd and its watcher; break it between `began` and `verdict`, and note when each fault ended."""

    def __init__(self, fault: str, program: Program, crowd: Crowd, watcher: Watcher) -> None:
        self.program = program
        self.crowd = crowd
        self.random = np.random.default_rng(SEED)
        self._fault = fault
        self._watcher = watcher
        self._ends_us: list[int] = []
        self._outages_us: list[tuple[int, int]] = []

    def pause(self, shortest_s: float, longest_s: float) -> None:
        """Let time pass, by chance."""
        time.sleep(float(self.random.uniform(shortest_s, longest_s)))

    def note_end(self) -> None:
        """Remember that a fault ended now."""
        self._ends_us.append(time.monotonic_ns() // 1000)

    def freeze(self, duration_s: float) -> None:
        """Stop the program by SIGSTOP for so long."""
        begin_us = time.monotonic_ns() // 1000
        self.program.send(signal.SIGSTOP)
        time.sleep(duration_s)
        self.program.send(signal.SIGCONT)
        self.note_end()
        self._outages_us.append((begin_us, self._ends_us[-1]))

    def wait_for_words(self, count: int, *, within_s: float = FIRST_WORD_WITHIN_S) -> None:
        """Return when so many further fixes were acknowledged."""
        wanted = self.crowd.acknowledged() + count
        self.wait(lambda: self.crowd.acknowledged() >= wanted, within_s, f"{count} further acknowledgements")

    def wait(self, is_so: Callable[[], bool], within_s: float, said: str) -> None:
        """Return when something is so; fail after `within_s`."""
        end_s = time.monotonic() + within_s
        while not is_so():
            assert time.monotonic() < end_s, f"{said}: not within {within_s:.0f} s; {self.program.last_words()}"
            time.sleep(0.05)

    def verdict(self) -> Verdict:
        """Let the crowd stop and the table fill, stop the program, and judge. Prints and returns the verdict."""
        diary = self.crowd.stop()
        stored, drained_s = self._stored(diary)
        time.sleep(0.5)  # the browser's last frames
        shown = self._watcher.stop()
        self.program.look_at_memory()
        self.program.stop()
        wrong, twice = wrongly_shown(diary, shown, self._outages_us), doubled(stored)
        sent, acknowledged = (int((diary["what"] == what).sum()) for what in (0, 1))
        result = Verdict(
            fault=self._fault,
            form="long" if IS_LONG else "short",
            seed=SEED,
            times=len(self._ends_us),
            sent=sent,
            acknowledged=acknowledged,
            stored=len(stored),
            unknown=sent - acknowledged,
            lost=len(missing(diary, stored)),
            doubled=len(twice),
            foreign=len(foreign(diary, stored)),
            wrong_shown=len(wrong),
            shown=len(shown),
            recovery_s=recovery_s(diary, self._ends_us) if acknowledged else None,
            drained_s=drained_s,
            memory_mib=self.program.memory_mib,
        ).publish()
        assert not wrong, f"{len(wrong)} wrong on the map: {wrong[:10]}"
        assert not len(twice), f"twice in the table: {twice[:10]}"
        assert result.is_clean, result
        return result

    def _stored(self, diary: NDArray[Any]) -> tuple[NDArray[Any], float | None]:
        """Return the table's rows once all that was acknowledged is there, and how long that took; or what is there at last."""
        started_s = time.monotonic()
        device_ids = [member.device_id for member in self.program.force.members]
        while True:
            stored = stored_rows(self.program.owner_url, device_ids)
            if not len(missing(diary, stored)):
                return stored, round(time.monotonic() - started_s, 2)
            if time.monotonic() - started_s > DRAINED_WITHIN_S:
                return stored, None
            time.sleep(0.2)


@contextmanager
def trial(
    fault: str,
    source: Path,
    choose: Callable[[Program], list[Member]],
    *,
    interval_s: float = 0.05,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Trial]:
    """Give a trial that runs over a copy of the template `source`, once the first fixes were told."""
    with (
        ground(source, environment=environment) as program,
        observed(fault, program, choose(program), interval_s=interval_s) as running,
    ):
        yield running


@contextmanager
def observed(
    fault: str,
    program: Program,
    members: list[Member],
    *,
    interval_s: float = 0.05,
    ports: Mapping[str, int] | None = None,
) -> Iterator[Trial]:
    """Let members report to a program and a browser look on. `ports` says where the crowd believes the server to be."""
    own = {name: getattr(program.ports, name) for name in program.ports.__struct_fields__}
    crowd = Crowd(program.folder, members, own | dict(ports or {}), interval_s=interval_s, seed=SEED)
    watcher = Watcher(program)
    try:
        running = Trial(fault, program, crowd, watcher)
        running.wait(lambda: len(crowd.diary()) > 20, FIRST_WORD_WITHIN_S, "the crowd's first words")
        yield running
    finally:
        crowd.end()
        watcher.stop()
