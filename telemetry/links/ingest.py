"""Opening the phones' listener as the settings say."""

from collections.abc import Awaitable, Callable

from infra.clock import Clock
from infra.settings import Settings
from telemetry.links.http import IngestApp, IngestListener
from telemetry.links.report_turns import TakeReports
from telemetry.links.tap import Tap
from telemetry.model.decoding import Registry
from telemetry.sources import find_phone_sources


def open_ingest(
    settings: Settings,
    registry: Registry,
    take: TakeReports,
    durable: Callable[[int], Awaitable[None]],
    clock: Clock,
    *,
    tap: Tap | None,
) -> IngestListener:
    """Return the phones' listener, its port bound. Raises ConflictError for a port in use, InputError for one left open."""
    behind_proxy = settings.behind_proxy
    app = IngestApp(registry, find_phone_sources(), take, durable, clock, behind_proxy=behind_proxy, tap=tap)
    listener = IngestListener(
        app,
        host=settings.ingest_host,
        port=settings.ingest_port,
        tls_cert=settings.tls_cert,
        tls_key=settings.tls_key,
        behind_proxy=behind_proxy,
    )
    listener.open()
    return listener
