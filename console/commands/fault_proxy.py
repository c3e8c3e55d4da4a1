"""`skybeat fault-proxy`: a bad line between devices and server, for tests and for training."""

import asyncio
import contextlib
import json
import signal
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import click

from infra.fault_proxy import FaultProxy, Place
from infra.fault_proxy_plan import LONGEST_S, Faults, Line, Rate, parse_rate
from telemetry.model.errors import ConflictError

NARROWEST_BYTES_PER_S: Final = 1e9
PARTS: Final = ("loss", "doubling", "reordering", "corruption", "reset", "half_open")
ORDER_FAULTS: Final = ("doubling", "reordering")
Command = TypeVar("Command", bound=Callable[..., Any])


class _RateType(click.ParamType[str]):
    """One span of a fault: VALUE, VALUE@START-END or VALUE@START-END/EVERY."""

    name = "rate"

    def __init__(self, highest: float) -> None:
        self._highest = highest

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check the text; spans of one option are put together later."""
        try:
            parse_rate([value], highest=self._highest)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return value


class _PlaceType(click.ParamType[Place]):
    """HOST:PORT."""

    name = "host:port"

    def convert(self, value: str | Place, param: click.Parameter | None, ctx: click.Context | None) -> Place:
        """Take host and port apart."""
        if isinstance(value, Place):
            return value
        host, colon, port = value.rpartition(":")
        if not (colon and host and port.isdecimal() and int(port) <= 65_535):
            self.fail(f"{value!r}: give HOST:PORT, as 127.0.0.1:8808", param, ctx)
        return Place(host.strip("[]"), int(port))


def _rate_option(flag: str, said: str, *, highest: float = 1.0) -> Callable[[Command], Command]:
    return click.option(flag, multiple=True, type=_RateType(highest), help=said)


@click.command("fault-proxy")
@click.argument("line", type=click.Choice([line.value for line in Line]))
@click.argument("listen", type=_PlaceType())
@click.argument("target", type=_PlaceType())
@_rate_option("--loss", "Part of pieces that vanish.")
@_rate_option("--doubling", "Part of datagrams that come twice (udp).")
@_rate_option("--reordering", "Part of datagrams that later ones overtake (udp).")
@_rate_option("--corruption", "Part of pieces with one bit turned.")
@_rate_option(
    "--reset", "Part of pieces at which tcp is reset, and udp gets a new port (as behind an address translator)."
)
@_rate_option("--half-open", "Part of connections that fall silent without being closed.")
@_rate_option("--delay", "Seconds that every piece takes.", highest=LONGEST_S)
@_rate_option("--jitter", "Up to so many seconds more, by chance.", highest=LONGEST_S)
@_rate_option("--bandwidth", "Bytes a second and direction.", highest=NARROWEST_BYTES_PER_S)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed has the same faults.")
@click.option("--seconds", "duration_s", type=click.FloatRange(min=0.1), help="End by itself after so long.")
def command(
    line: str, listen: Place, target: Place, *, seed: int, duration_s: float | None, **rates: tuple[str, ...]
) -> None:
    """Listen at LISTEN and pass everything on to TARGET and back, over a line as bad as you wish.

    A fault's value is VALUE (always), VALUE@START-END (seconds since the start) or VALUE@START-END/EVERY (again and again);
    give an option several times for several spans. A piece is a datagram, or every 1,024 bytes of a tcp stream. Ctrl-C ends it and
    prints what it did. The same seed and the same traffic meet the same faults, so that a lesson or a test can be had again.

    \b
    Examples:
      a drone behind a hill, half a minute of each two:
        skybeat fault-proxy udp 127.0.0.1:24550 127.0.0.1:14550 --loss 0.05 --loss 0.9@60-90/120
      cars in a tunnel, whose connections stay open and say nothing:
        skybeat fault-proxy tcp 0.0.0.0:18808 127.0.0.1:8808 --half-open 0.5@20-60 --seed 7
      a narrow, late and dirty line for phones:
        skybeat fault-proxy tcp 0.0.0.0:18421 127.0.0.1:8421 --bandwidth 2000 --delay 0.6 --jitter 0.4 --corruption 0.01
    """  # noqa: D301 - \b is click's mark for "do not wrap"
    carried = Line(line)
    for name in ORDER_FAULTS:
        if carried is Line.TCP and rates[name]:
            raise click.UsageError(f"--{name} is for udp: a tcp stream keeps its order; use --delay, --loss or --reset")
    asyncio.run(_run(FaultProxy(carried, listen, target, _faults(rates), seed=seed), listen, target, duration_s))


def _faults(rates: Mapping[str, tuple[str, ...]]) -> Faults:
    def rate(name: str, *, highest: float) -> Rate:
        return parse_rate(rates[name], highest=highest)

    return Faults(
        **{name: rate(name, highest=1.0) for name in PARTS},
        delay_s=rate("delay", highest=LONGEST_S),
        jitter_s=rate("jitter", highest=LONGEST_S),
        bytes_per_s=rate("bandwidth", highest=NARROWEST_BYTES_PER_S),
    )


async def _run(proxy: FaultProxy, listen: Place, target: Place, duration_s: float | None) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    try:
        port = await proxy.open()
    except OSError as error:
        raise ConflictError(
            f"cannot listen at {listen} ({error.strerror}): end the program that uses that port, or give another"
        ) from error
    click.echo(f"{listen.host}:{port} -> {target}; Ctrl-C ends it")
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), duration_s)
    await proxy.close()
    click.echo(json.dumps(dict(proxy.counts)))
