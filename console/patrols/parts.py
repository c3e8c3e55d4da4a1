"""The parts of patrols, one of each: the programme, plans, who flies first, what is due, and what browsers are told."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from psycopg_pool import AsyncConnectionPool

from console.audit import Audit
from console.auth.accounts import Accounts
from console.flight.desk import FlightDesk
from console.incidents.desk import IncidentDesk
from console.patrols.call_flights import CallFlights
from console.patrols.due import DueSorties
from console.patrols.first_responder import FirstResponder
from console.patrols.follower import PlanFollower
from console.patrols.plan_desk import PlanDesk
from console.patrols.programme_desk import ProgrammeDesk
from console.patrols.rules_now import RulesDesk
from console.sources import FieldBridge
from console.stream.due import DueFeed
from console.stream.feed import Feed
from console.stream.plans import PlanFeed
from infra.clock import Clock


@dataclass(frozen=True)
class Patrols:
    """What the console has for patrols."""

    programme: ProgrammeDesk
    plans: PlanDesk
    responder: FirstResponder
    call_flights: CallFlights
    due: DueSorties
    feed: PlanFeed
    follower: PlanFollower
    due_feed: DueFeed

    @property
    def feeds(self) -> tuple[Feed, ...]:
        """What browsers are told."""
        return (self.feed, self.due_feed)

    @property
    def tasks(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """What runs for ever, by its name."""
        return {
            "plans": self.follower.run,
            "call flights": self.call_flights.run,
            "due sorties": self.due.run,
            "launches": self.responder.launches.run,
        }


def make_patrols(
    pool: AsyncConnectionPool,
    bridge: FieldBridge,
    clock: Clock,
    *,
    audit: Audit,
    accounts: Accounts,
    flights: FlightDesk,
    desk: IncidentDesk,
    terrain: Path | None = None,
) -> Patrols:
    """Wire the parts of patrols; `terrain` is the raster of heights that is planned over."""
    feed, programme, plans = PlanFeed(), ProgrammeDesk(pool), PlanDesk(pool, clock, terrain=terrain)
    flights.ask_rules(RulesDesk(clock, programme=programme, plans=plans, feed=feed, terrain=terrain))
    responder = FirstResponder(bridge, clock, audit, programme=programme, plans=plans, flights=flights)
    due = DueSorties(plans, feed, flights, responder.launches, accounts, clock)
    return Patrols(
        programme=programme,
        plans=plans,
        responder=responder,
        call_flights=CallFlights(desk, responder, flights),
        due=due,
        feed=feed,
        follower=PlanFollower(pool, bridge, feed),
        due_feed=DueFeed(due, bridge),
    )
