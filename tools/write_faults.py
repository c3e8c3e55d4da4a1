"""Writes docs/faults.md from what the long fault tests found (a line of JSON for each); `make chaos` runs it."""

import json
import os
import platform
import sys
from pathlib import Path
from typing import Any, Final

PROJECT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = PROJECT / "docs" / "faults.md"
COLUMNS: Final = (
    ("fault", "fault"),
    ("times", "times"),
    ("acknowledged", "acknowledged"),
    ("stored", "stored"),
    ("lost", "**lost**"),
    ("doubled", "**doubled**"),
    ("foreign", "**made up**"),
    ("wrong_shown", "**wrong shown**"),
    ("shown", "shown"),
    ("recovery_s", "recovery s"),
    ("drained_s", "all stored after s"),
    ("memory_mib", "memory MiB"),
)
TEXT: Final = """\
# Faults, and what became of the positions

What a device was told we have is in the database exactly once, whatever dies. `make chaos` breaks things on purpose and judges; this
page is what it printed last. `make test` runs the short form of the same tests (`tests/chaos/`).

A force of phones (HTTP), JT/T 808 terminals (TCP and UDP), GB/T 28181 cameras (SIP over UDP) and MAVLink vehicles (UDP) reports to a
real `skybeat serve` from a process that is never harmed. It writes down every fix that it sends and every one that is acknowledged. A browser's
websocket looks on. Then something is broken. In the end one oracle (`tests/chaos/oracle.py`) compares:

- **lost**: acknowledged and not in the table. **doubled**: there more than once. **made up**: there and never sent (damaged on the way and
  believed). All must be 0. What was sent and not acknowledged may be there or not.
- **wrong shown**: the map showed what no device had sent, went back, stood still, or stayed behind what was acknowledged. Must be 0.
- **recovery**: the longest time from the end of a fault (for a kill: from the kill) until a device was acknowledged again; **all stored**: from the
  last acknowledgement until the table had everything; **memory**: the largest resident memory of `skybeat serve`.

| {head} |
|{rule}|
{rows}

{how}

## What each fault is

- **kill -9** at random moments: of the whole program; of PostgreSQL's first process and of any of its others. The program starts its embedded database again.
- **stopped / frozen**: PostgreSQL is shut down at full load, or stopped by SIGSTOP; devices are acknowledged all the while, since the journal has
  what they said. The program itself is stopped by SIGSTOP.
- **disk full**: the journal lies on a small disk in memory, which is filled: devices are refused (503, or no answer) until there is room.
- **fsync fails**: `strace` lets every `fsync` and `fdatasync` fail with EIO: nothing is acknowledged any more, also when the disk seems well again, until
  the program is started anew; the console says so.
- **wall clock jumps**: `libfaketime` moves the program's clock by hours, forward and back.
- **lines**: `skybeat fault-proxy` stands between: delay, jitter, resets, silence without an end, turned bits, and over UDP loss, doubling and changed order.
- **1,000 connections at once**, and **clients that never read**: browsers and terminals that ask and never take an answer.
"""


def main(report: Path, note: str) -> None:
    """Write the page from a report; `note` is a sentence on the run, as that the machine was busy."""
    verdicts = [json.loads(line) for line in report.read_text().splitlines()]
    if not verdicts:
        sys.exit(f"{report} holds no verdict: run `make chaos`")
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(_page(verdicts, note))
    print(f"{PAGE.relative_to(PROJECT)}: {len(verdicts)} verdicts")


def _page(verdicts: list[dict[str, Any]], note: str) -> str:
    verdicts = sorted(verdicts, key=lambda verdict: str(verdict["fault"]).lower())
    rows = "\n".join(f"| {' | '.join(_cell(verdict[name]) for name, _ in COLUMNS)} |" for verdict in verdicts)
    forms = " and ".join(sorted({verdict["form"] for verdict in verdicts}))
    seeds = ", ".join(sorted({str(verdict["seed"]) for verdict in verdicts}))
    processor = platform.machine()
    how = f"The {forms} form, seed {seeds}, {os.cpu_count()} cores ({processor}), Python {platform.python_version()}. {note}"
    return TEXT.format(
        head=" | ".join(title for _, title in COLUMNS),
        rule="|".join("---" if name == "fault" else "---:" for name, _ in COLUMNS),
        rows=rows,
        how=how.strip(),
    )


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    main(Path(sys.argv[1]), " ".join(sys.argv[2:]))
