"""`skybeat bridge`: receive, show to nobody, record: the bridge without the console."""

from typing import Any

import click

from infra.settings import load_settings
from telemetry.__main__ import run_bridge


@click.command("bridge")
@click.option("--link", "links", multiple=True, help="Link to open, as udpin:0.0.0.0:14550#main; again for more.")
@click.option("--ingest-host", help="Address that phones report to.")
@click.option("--ingest-port", type=click.IntRange(0, 65535), help="Port that phones report to.")
@click.option("--behind-proxy", is_flag=True, help="A proxy before the ingest listener does TLS.")
def command(links: tuple[str, ...], behind_proxy: bool, **listener: Any) -> None:  # noqa: ANN401, FBT001 - click's way
    """Receive vehicles and phones and record them, without the console.

    \b
    Examples:
      skybeat bridge
      skybeat bridge --link udpin:0.0.0.0:14550 --link "udpout:10.0.0.7:14550#north"
    """  # noqa: D301 - \b is click's mark for "do not wrap"
    changes: dict[str, Any] = {name: value for name, value in listener.items() if value is not None}
    if links:
        changes["mavlink_links"] = ",".join(links)
    if behind_proxy:
        changes["behind_proxy"] = True
    run_bridge(load_settings().model_copy(update=changes))
