"""`skybeat demo`: the made-up city and its force on a live map."""

import os
import time
from pathlib import Path
from typing import Final

import click

from console.demo.force_config import DEMO_LINKS
from console.demo.run import DemoOptions, run_demo
from infra.disk import explained
from infra.logs import configure_logs
from infra.settings import load_settings

HIGHEST_PORT: Final = 65_535
DEMO_SETTINGS: Final = {
    "host": "127.0.0.1",
    "tls_cert": None,
    "tls_key": None,
    "behind_proxy": False,
    "public_origin": None,
    "database_url": None,
    "ingest_host": "127.0.0.1",
    "ingest_port": 0,
    "links": DEMO_LINKS,
    "mavlink_links": "udpin:127.0.0.1:0",
}
"""On loopback alone, on free ports beside the console's, on a database of its own."""


@click.command()
@click.option("--units", type=click.IntRange(2, 20_000), default=212, show_default=True, help="Units, all in all.")
@click.option("--for", "duration_s", type=click.FloatRange(1), help="Stop after so many seconds.")
@click.option("--port", type=click.IntRange(0, 65535), help="The console's port; 0 takes a free one.")
@click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True, help="Another seed, another city."
)
@click.option(
    "--calls",
    "calls_per_minute",
    type=click.IntRange(0, 60),
    default=1,
    show_default=True,
    help="Calls a minute; 0 for none.",
)
@click.option(
    "--hour",
    type=click.IntRange(0, 23),
    help=(
        "Let the crews' day begin at this hour: 7 a station by day, 4 from 21 to 7. It moves who is on duty and nothing else:"
        " driving times and past calls go by the real hour.  [default: the machine's hour, in China's time]"
    ),
)
@click.option(
    "--practice",
    metavar="HOST:PORT",
    callback=lambda _context, _option, value: _address(value),
    help=(
        "Let one more drone, without a key, call the ground station that listens there, and obey it: QGroundControl on this"
        " machine is 127.0.0.1:14550."
    ),
)
@click.option("--report", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write figures as JSON.")
def command(
    units: int,
    duration_s: float | None,
    port: int | None,
    seed: int,
    calls_per_minute: int,
    hour: int | None,
    practice: tuple[str, int] | None,
    report: Path | None,
) -> None:
    """Start database, bridge, console and a force that exists only in software but speaks through the real sockets.

    Crews of 4 patrol, 2 traffic and 1 special serve by day and of 4 patrol by night. Calls come in from a call centre; what
    nobody at the screens dispatches within some seconds its dispatcher does, to the most urgent with a drone. Officers, and the
    pilots of the drones, answer on their pages and go.

    It keeps its own data folder "demo" below SKYBEAT_DATA_DIR and listens on loopback alone.

    \b
    Example:
      skybeat demo --units 500 --for 60 --report report.json
    """  # noqa: D301 - \b is click's mark for "do not wrap"
    base = load_settings()
    if report is not None:
        _check_report(report)
    settings = base.model_copy(
        update=DEMO_SETTINGS | {"data_dir": base.data_dir / "demo", "port": base.port if port is None else port}
    )
    configure_logs("warning" if base.log_level == "info" else base.log_level, for_people=True)
    options = DemoOptions(
        unit_count=units,
        seed=seed,
        duration_s=duration_s,
        report=report,
        process_started_s=process_started_s(),
        hour=hour,
        calls_per_minute=calls_per_minute,
        practice=practice,
    )
    run_demo(settings, options, click.echo)


def _address(value: str | None) -> tuple[str, int] | None:
    if value is None:
        return None
    host, colon, port = value.rpartition(":")
    if not (colon and host and port.isdecimal() and 0 < int(port) <= HIGHEST_PORT):
        raise click.BadParameter(f"{value!r}: give HOST:PORT, as 127.0.0.1:14550")
    return host.strip("[]"), int(port)


def _check_report(path: Path) -> None:
    """Raise DiskError now rather than after the run when the figures could not be written."""
    with explained("the report", path, other="name a file in a folder that this account may write to"):
        path.touch()


def process_started_s() -> float:
    """Return when this process was started, on CLOCK_BOOTTIME (s)."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    started_s = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return min(started_s, time.clock_gettime(time.CLOCK_BOOTTIME))
