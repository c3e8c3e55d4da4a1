"""Bad lines: a seeded fault proxy between devices and server, over TCP and UDP."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.chaos.ground import HERE, ground
from tests.chaos.trial import IS_LONG, SEED, Trial, observed
from tests.conftest import PROJECT

pytestmark = [pytest.mark.chaos, pytest.mark.database]
LASTS_S: Final = 120.0 if IS_LONG else 8.0
PIECES_AT_LEAST: Final = 100


@contextmanager
def bad_line(line: str, target_port: int, *faults: str) -> Iterator[tuple[int, dict[str, int]]]:
    """Run `skybeat fault-proxy` in front of a port; give its own port, and what it did once it has ended."""
    command = [sys.executable, "-m", "console.cli", "fault-proxy", line, f"{HERE}:0", f"{HERE}:{target_port}"]
    counts: dict[str, int] = {}
    with subprocess.Popen(
        [*command, "--seed", str(SEED), *faults], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    ) as proxy:
        assert proxy.stdout is not None
        try:
            yield int(proxy.stdout.readline().split()[0].rpartition(":")[2]), counts
        finally:
            proxy.send_signal(signal.SIGINT)
            counts.update(json.loads(proxy.stdout.readline()))


def hold_out(one: Trial, seconds: float) -> None:
    """Let the line be bad for so long, then note that the fault ended."""
    one.pause(seconds, seconds)
    one.note_end()


def test_phones_and_terminals_over_tcp_lines_that_delay_break_and_fall_silent(force_folder: Path) -> None:
    faults = (
        *("--delay", "0.02", "--jitter", "0.1", "--reset", "0.1", "--bandwidth", "20000"),
        *("--half-open", "0.5@2-4/8"),
    )
    with (
        ground(force_folder) as program,
        bad_line("tcp", program.ports.osmand, *faults) as (phones, phones_met),
        bad_line("tcp", program.ports.jt808, *faults, "--corruption", "0.05") as (terminals, terminals_met),
    ):
        members = program.force.mixed({"osmand": 16, "jt808": 24})
        ports = {"osmand": phones, "jt808": terminals}
        with observed("TCP: delay, reset, half-open, corruption", program, members, ports=ports) as one:
            hold_out(one, LASTS_S)
            one.wait_for_words(20)
            result = one.verdict()
    for met in (phones_met, terminals_met):
        assert met["reset"] > 0
        assert met["silences"] > 0
    assert terminals_met["corruption"] > 0
    assert result.recovery_s is not None
    assert result.recovery_s < 10


def test_vehicles_terminals_and_cameras_over_udp_lines_that_lose_double_and_reorder(force_folder: Path) -> None:
    faults = (
        *("--loss", "0.1", "--doubling", "0.1", "--reordering", "0.1", "--delay", "0.02", "--jitter", "0.05"),
        *("--reset", "0.005", "--half-open", "0.5@3-5/8"),
    )
    with (
        ground(force_folder) as program,
        bad_line("udp", program.ports.mavlink, *faults, "--corruption", "0.02") as (vehicles, vehicles_met),
        bad_line("udp", program.ports.jt808_udp, *faults, "--corruption", "0.02") as (terminals, terminals_met),
        bad_line("udp", program.ports.gb28181, *faults) as (cameras, cameras_met),
    ):
        members = program.force.mixed({"mavlink": 8, "jt808_udp": 16, "gb28181": 6})
        ports = {"mavlink": vehicles, "jt808_udp": terminals, "gb28181": cameras}
        with observed("UDP: loss, doubling, reordering, corruption", program, members, ports=ports) as one:
            hold_out(one, LASTS_S)
            one.wait_for_words(20)
            result = one.verdict()
    for met in (vehicles_met, terminals_met, cameras_met):
        assert met["pieces"] > PIECES_AT_LEAST
        assert met["loss"] > 0
        assert met["doubling"] > 0
        assert met["reordering"] > 0
    assert result.recovery_s is not None
    assert result.recovery_s < 10
