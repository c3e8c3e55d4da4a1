"""`skybeat serve`: bridge and console on this machine."""

import click

from console.app import House, serve
from infra.logs import configure_logs
from infra.settings import Settings, load_settings
from telemetry.__main__ import where_to_report


@click.command()
@click.option(
    "--host", help="Where browsers reach the console (SKYBEAT_HOST); beyond loopback it needs TLS or --behind-proxy."
)
@click.option("--port", type=click.IntRange(0, 65535), help="The console's port (SKYBEAT_PORT); 0 takes a free one.")
@click.option("--behind-proxy", is_flag=True, help="A proxy before us speaks TLS (SKYBEAT_BEHIND_PROXY).")
def command(host: str | None, port: int | None, behind_proxy: bool) -> None:  # noqa: FBT001 - click passes flags so
    """Run links, picture, journal, recorder and console in one process until Ctrl-C.

    \b
    Example:
      SKYBEAT_MAVLINK_LINKS=udpin:127.0.0.1:14550 skybeat serve
    """  # noqa: D301 - \b is click's mark for "do not wrap"
    settings = settings_with(load_settings(), host=host, port=port, behind_proxy=behind_proxy or None)
    configure_logs(settings.log_level)
    serve(settings, _until_stopped)


def settings_with(settings: Settings, **changes: object) -> Settings:
    """Return the settings with what was given on the command line; None leaves one as it is."""
    given = {name: value for name, value in changes.items() if value is not None}
    return Settings.model_validate(settings.model_dump() | given)


async def _until_stopped(house: House) -> None:
    announce(house)
    await house.stopping.wait()


def announce(house: House) -> None:
    """Tell a person where the console is and, at the first start, how to get in."""
    click.echo(f"skybeat console: {house.origin}")
    if house.sign_in_url:
        click.echo(f"sign in once within 15 minutes: {house.sign_in_url}")
    else:
        click.echo("lost your way in? `skybeat user link admin` prints a new sign-in link")
    click.echo(f"terrain: {house.settings.terrain or 'flat'}")
    for line in where_to_report(house.settings, house.service):
        click.echo(line)
    click.echo("Ctrl-C ends it")
