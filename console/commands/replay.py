"""`skybeat replay`: flies a recorded flight on the live map."""

import asyncio
import contextlib
from pathlib import Path
from typing import Final

import click

from console.app import House, handle_control, serve
from console.commands.serve import announce
from console.control import Answer, OpenReplay, ReplayState, ask, is_running
from infra.logs import configure_logs
from infra.settings import Settings, load_settings

LOOK_EVERY_S: Final = 1.0


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))
@click.option("--speed", type=click.FloatRange(0.1, 100), default=1.0, show_default=True, help="Times its own speed.")
@click.option("--keep-time", is_flag=True, help="Keep the recording's times instead of moving them to now.")
def command(file: Path, speed: float, keep_time: bool) -> None:  # noqa: FBT001 - click passes flags so
    """Let the running `serve` play FILE.tlog as a link in link group "replay"; starts one when none runs.

    Its rows bear the quality bit `replayed`.

    \b
    Example:
      skybeat replay flight.tlog --speed 10
    """  # noqa: D301 - \b is click's mark for "do not wrap"
    settings = load_settings()
    configure_logs(settings.log_level)
    request = OpenReplay(path=str(file.resolve()), speed=speed, keep_time=keep_time)
    if is_running(settings.data_dir):
        asyncio.run(_in_running(settings, request))
    else:
        serve(settings, lambda house: _in_own(house, request))


async def _in_running(settings: Settings, request: OpenReplay) -> None:
    answer = await ask(settings.data_dir, request)
    click.echo(f"playing {answer.link}")
    while answer.state == "playing":
        await asyncio.sleep(LOOK_EVERY_S)
        answer = await ask(settings.data_dir, ReplayState(link=answer.link))
    _tell_end(answer)


async def _in_own(house: House, request: OpenReplay) -> None:
    answer = await handle_control(house.service, request)
    announce(house)
    click.echo(f"playing {answer.link}")
    while answer.state == "playing" and not house.stopping.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(house.stopping.wait(), LOOK_EVERY_S)
        answer = await handle_control(house.service, ReplayState(link=answer.link))
    _tell_end(answer)
    await house.stopping.wait()


def _tell_end(answer: Answer) -> None:
    reason = f" ({answer.error})" if answer.error else ""
    click.echo(f"{answer.link} {answer.state}: {answer.positions} positions{reason}")
