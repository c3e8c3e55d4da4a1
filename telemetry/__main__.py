"""`python -m telemetry`: the bridge alone, for machines without the console; settings from SKYBEAT_* variables."""

import asyncio
import contextlib
import signal
import sys
from typing import Final

import uvloop

from infra.clock import SYSTEM_CLOCK
from infra.database import DatabaseUrls
from infra.errors import GroundError
from infra.logs import configure_logs
from infra.prepare import using_ready_urls
from infra.settings import Settings, check_certificate, load_settings
from telemetry.links.url import LinkUrl, parse_link_urls
from telemetry.model.errors import SkybeatError
from telemetry.service import BridgeService, open_service

LOOK_EVERY_S: Final = 0.05


def run_bridge(settings: Settings) -> None:
    """Run until SIGINT or SIGTERM. Raises SkybeatError or GroundError: what is wrong and what to do."""
    configure_logs(settings.log_level, for_people=sys.stderr.isatty())
    check_certificate(settings)
    links_of(settings)
    with using_ready_urls(settings) as urls:
        uvloop.run(_run(settings, urls))


def where_to_report(settings: Settings, service: BridgeService) -> list[str]:
    """Return a line on where phones report and one on the links of the settings, for a person."""
    scheme = "http" if settings.tls_cert is None else "https"
    host = f"[{settings.ingest_host}]" if ":" in settings.ingest_host else settings.ingest_host
    links = ", ".join(map(str, links_of(settings))) or "none (SKYBEAT_MAVLINK_LINKS, SKYBEAT_LINKS)"
    return [f"phones report to {scheme}://{host}:{service.bridge.ingest_port}/", f"links: {links}"]


def links_of(settings: Settings) -> list[LinkUrl]:
    """Return the links that the settings ask for. Raises InputError."""
    return [*parse_link_urls(settings.mavlink_links), *parse_link_urls(settings.links)]


async def _tell_when_open(settings: Settings, service: BridgeService) -> None:
    while not service.bridge.ingest_port:  # noqa: ASYNC110 - it opens without telling anybody
        await asyncio.sleep(LOOK_EVERY_S)
    sys.stdout.write("\n".join([*where_to_report(settings, service), "Ctrl-C ends it"]) + "\n")
    sys.stdout.flush()


async def _run(settings: Settings, urls: DatabaseUrls) -> None:
    loop = asyncio.get_running_loop()
    async with open_service(settings, urls, SYSTEM_CLOCK) as service:
        running = asyncio.create_task(service.run())
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, running.cancel)
        telling = asyncio.create_task(_tell_when_open(settings, service))
        with contextlib.suppress(asyncio.CancelledError):
            await running
        telling.cancel()


def main() -> None:
    """Run the bridge; an error of ours is one line and exit status 1."""
    try:
        run_bridge(load_settings())
    except (SkybeatError, GroundError) as error:
        sys.stderr.write(f"skybeat: {error}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
