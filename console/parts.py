"""What the console is given (Services) and what it makes of it (Parts): the state behind every route."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from psycopg_pool import AsyncConnectionPool

from console.audit import Audit
from console.auth.account_keys import AccountKeys
from console.auth.accounts import Accounts
from console.auth.passwords import Attempts, Passwords
from console.auth.sessions import Sessions
from console.coverage.posts import MannedPosts
from console.device_doors import DeviceDoors
from console.field.officers import Field
from console.field.page_reports import PageReports
from console.field.ways import RoadWays
from console.flight.desk import FlightDesk
from console.geofence_desk import GeofenceDesk
from console.health import Health
from console.incidents.desk import IncidentDesk
from console.incidents.intake_keys import IntakeKeys
from console.incidents.nearest import NearestUnits
from console.incidents.past import PastIncidents
from console.orders import CommandDesk
from console.patrols.parts import Patrols, make_patrols
from console.planning.desk import PlanningDesk
from console.sources import CoverageSource, FieldBridge
from console.stream.commands import CommandFeed
from console.stream.feed import Feed
from console.stream.flights import FlightFeed
from console.stream.incidents import IncidentFeed
from console.stream.live import LiveStream, session_codes
from console.stream.tasks import TaskFeed
from console.stream.traffic import TrafficFeed
from console.webhooks.outbox import Webhooks
from infra.clock import Clock
from infra.settings import Settings
from telemetry.flight_log.log import FlightLog
from telemetry.links.link import trouble_of
from telemetry.model.errors import InputError
from telemetry.sources import find_sources

STATIC_DIR: Final = Path(__file__).parent / "static"
ORIGIN_FILE: Final = "console.origin"
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
ANY_ADDRESS: Final = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - named here so that they can be refused


@dataclass(frozen=True)
class Services:
    """What the console needs of the rest of the program. The pool is opened and closed by whoever makes it.

    `history_lag_s` tells how far the recorder is behind (None: it does not run), `journal_state` the journal's figures
    with `failed` as text when it no longer takes anything.
    """

    bridge: FieldBridge
    pool: AsyncConnectionPool
    clock: Clock
    settings: Settings
    city_dir: Path | None = None
    coverage: CoverageSource | None = None
    flight_log: FlightLog | None = None
    history_lag_s: Callable[[], float | None] = lambda: None
    journal_state: Callable[[], Mapping[str, Any]] = dict
    origins: frozenset[str] | None = None
    static_dir: Path = STATIC_DIR
    background: bool = True
    """Whether the app itself runs the stream, the watch over sessions and the health checks."""


@dataclass(frozen=True)
class Parts:
    """The console's own parts, one of each."""

    services: Services
    stream: LiveStream
    accounts: Accounts
    account_keys: AccountKeys
    sessions: Sessions
    audit: Audit
    health: Health
    desk: IncidentDesk
    nearest: NearestUnits
    intake_keys: IntakeKeys
    officers: Field
    tasks: TaskFeed
    reports: PageReports
    webhooks: Webhooks
    planning: PlanningDesk
    doors: DeviceDoors
    geofences: GeofenceDesk
    orders: CommandDesk
    flights: FlightDesk
    patrols: Patrols
    origins: frozenset[str]
    cookie_name: str
    passwords: Passwords = field(default_factory=Passwords)
    attempts: Attempts = field(default_factory=Attempts)

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach the console by TLS alone."""
        return self.cookie_name.startswith("__Host-")


def make_parts(services: Services) -> Parts:
    """Wire the console's parts."""
    find_sources()  # reads files: here once, and not while somebody waits
    settings, clock = services.settings, services.clock
    accounts, audit = Accounts(services.pool), Audit(services.pool, clock)
    sessions = Sessions(accounts, clock, idle_s=settings.session_idle_s, absolute_s=settings.session_absolute_s)
    stream = LiveStream(services.bridge, clock, coverage=services.coverage)
    sessions.on_change(lambda ended, changed: stream.close_sessions(session_codes(ended, changed)))
    health = Health(
        services.pool, clock, stream, history_lag_s=services.history_lag_s, journal_state=services.journal_state
    )
    origins = services.origins or allowed_origins(settings)
    desk = IncidentDesk(services.pool, clock, services.bridge)
    nearest = NearestUnits(services.bridge, desk.board, clock, services.coverage)
    desk.orders = nearest.orders
    orders = CommandDesk(services.bridge, clock)
    flights = _flights(services, accounts, orders)
    patrols = make_patrols(
        services.pool, services.bridge, clock, audit=audit, accounts=accounts, flights=flights, desk=desk,
        terrain=settings.terrain,
    )  # fmt: skip
    ways = None if services.city_dir is None else RoadWays(services.city_dir, services.bridge).find
    officers = Field(desk, services.bridge, services.pool, clock, find_way=ways, orders=orders)
    tasks = TaskFeed(officers, services.bridge, clock)
    incidents = IncidentFeed(desk.board, services.bridge, clock, epoch=stream.epoch)
    air: tuple[Feed, ...] = (FlightFeed(flights, services.bridge), TrafficFeed(services.bridge, clock), *patrols.feeds)
    stream.feeds += [incidents, CommandFeed(services.bridge), tasks, *air]
    past = PastIncidents(services.pool, clock)
    webhooks = Webhooks(services.pool, clock, settings.data_dir)
    health.further["webhooks"] = lambda: webhooks.trouble
    health.further["links"] = lambda: trouble_of(services.bridge.link_statuses())
    return Parts(
        services=services,
        stream=stream,
        accounts=accounts,
        account_keys=AccountKeys(services.pool, clock, audit),
        sessions=sessions,
        audit=audit,
        health=health,
        desk=desk,
        nearest=nearest,
        intake_keys=IntakeKeys(services.pool, clock, settings.data_dir),
        officers=officers,
        tasks=tasks,
        reports=PageReports(services.bridge, services.pool, clock),
        webhooks=webhooks,
        planning=PlanningDesk(
            services.city_dir, services.bridge, clock, past_incidents=past.told, posts=MannedPosts(services.pool).told
        ),
        geofences=GeofenceDesk(services.pool),
        doors=DeviceDoors(services.pool, clock, settings.data_dir),
        orders=orders,
        flights=flights,
        patrols=patrols,
        origins=origins,
        cookie_name="__Host-skybeat" if all(origin.startswith("https://") for origin in origins) else "skybeat",
    )


def _flights(services: Services, accounts: Accounts, orders: CommandDesk) -> FlightDesk:
    settings = services.settings
    return FlightDesk(
        services.bridge,
        services.clock,
        accounts,
        orders=orders,
        idle_s=settings.session_idle_s,
        briefs_dir=settings.data_dir / "briefs",
    )


def check_exposure(settings: Settings) -> None:
    """Raise InputError when the console would speak to other machines unprotected, or could not know its own origin."""
    if (settings.tls_cert is None) != (settings.tls_key is None):
        message = "SKYBEAT_TLS_CERT and SKYBEAT_TLS_KEY belong together: set both or neither"
        raise InputError(message)
    if settings.public_origin is not None:
        _check_origin(settings.public_origin)
    protected = settings.tls_cert is not None or settings.behind_proxy
    if settings.host not in LOOPBACK and not protected:
        message = (
            f"the console would listen on {settings.host} without encryption: set SKYBEAT_TLS_CERT and SKYBEAT_TLS_KEY, "
            "or give --behind-proxy when a proxy that speaks TLS stands before it, or listen on 127.0.0.1"
        )
        raise InputError(message)
    if settings.public_origin is None and (settings.behind_proxy or settings.host in ANY_ADDRESS):
        message = (
            f"with SKYBEAT_HOST={settings.host} the address that browsers use is not known: set SKYBEAT_PUBLIC_ORIGIN, "
            "such as https://console.example.org"
        )
        raise InputError(message)


def allowed_origins(settings: Settings, port: int | None = None) -> frozenset[str]:
    """Return the exact origins that may open the websocket and write; `port` is the bound one when the setting is 0."""
    if settings.public_origin is not None:
        return frozenset({settings.public_origin.rstrip("/").lower()})
    scheme = "http" if settings.tls_cert is None else "https"
    hosts = ("127.0.0.1", "localhost", "[::1]") if settings.host in LOOPBACK else (_bracketed(settings.host),)
    bound = port or settings.port
    standard = {"http": 80, "https": 443}[scheme]
    return frozenset(f"{scheme}://{host}" + ("" if bound == standard else f":{bound}") for host in hosts)


def tell_origin(settings: Settings, origins: frozenset[str]) -> None:
    """Write down where the running console is reached, for the commands of this machine that print its address."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    (settings.data_dir / ORIGIN_FILE).write_text(min(origins), encoding="utf-8")


def told_origin(settings: Settings) -> str:
    """Return where the console of this data folder is reached, or was last; else where it would be by its settings."""
    try:
        return (settings.data_dir / ORIGIN_FILE).read_text(encoding="utf-8").strip()
    except OSError:
        return min(allowed_origins(settings))


def sign_in_url(origin: str, token: str) -> str:
    """Return the address that signs in once; the token stands behind # and so is never sent to a server or logged."""
    return f"{origin}/sign-in#{token}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host.lower()


def _check_origin(origin: str) -> None:
    parts = urlsplit(origin)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path not in {"", "/"} or parts.query:
        message = f"SKYBEAT_PUBLIC_ORIGIN={origin!r}: write scheme and host alone, such as https://console.example.org"
        raise InputError(message)
