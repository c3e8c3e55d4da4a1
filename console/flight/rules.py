"""What the desk of flights asks of the rules at the moment of flying, and who answers; patrols do (console/patrols/rules_now.py)."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from console.api.models_flights import WantAction
from console.flight.briefs import Given
from console.flight.drones import Place
from mission.plan import Refusal


class Aloft(NamedTuple):
    """A sortie that is flown now, and how much later than planned it left."""

    given: Given
    later_us: int


class RulesNow(Protocol):
    """The rules with the zones, the weather and the sorties of now. Nothing is raised: what cannot be asked is said as a warning."""

    async def of_takeoff(
        self, given: Given, *, takeoff_us: int, aloft: Sequence[Aloft], battery_ratio: float | None
    ) -> tuple[Refusal, ...]:
        """Return what speaks against a sortie that would take off then, refusals before warnings."""

    async def of_order(
        self, unit_id: int, wanted: WantAction, *, place: Place, home: Place | None
    ) -> tuple[Refusal, ...]:
        """Return what speaks against an order of the moment, refusals before warnings; nothing that must not wait is refused."""


class NoRules:
    """Asks nobody: of a desk that is wired without a programme."""

    async def of_takeoff(
        self, given: Given, *, takeoff_us: int, aloft: Sequence[Aloft], battery_ratio: float | None
    ) -> tuple[Refusal, ...]:
        """Return nothing."""
        del given, takeoff_us, aloft, battery_ratio
        return ()

    async def of_order(
        self, unit_id: int, wanted: WantAction, *, place: Place, home: Place | None
    ) -> tuple[Refusal, ...]:
        """Return nothing."""
        del unit_id, wanted, place, home
        return ()
