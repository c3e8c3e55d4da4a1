"""What browsers are told of coverage: the newest figures once a second, and contours as polygons that come and go."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from console.auth.policy import MESSAGE_POLICIES, Scope, allows
from console.coverage.protocol import ScopeCover
from console.sources import CoverageSource
from console.stream.client import Client
from console.wire import Resume, encode_message
from console.wire_coverage import Contour, ContoursChanged, CoverageChanged, RingState

KEPT_DELTAS: Final = 256


class CoverageFeed:
    """Tells each browser the newest coverage of its scope; one that is late skips what was between.

    A browser's contours are a set of polygons by their ids: it is told which of those that it has are gone and which are
    new, whatever it missed. Whoever is limited to stations sees contours, gaps, places and units of their zones alone.
    """

    def __init__(self, coverage: CoverageSource) -> None:
        self._coverage = coverage
        self._shown: CoverageChanged | None = None
        self._has: dict[Client, frozenset[str] | None] = {}
        self._told: dict[Client, CoverageChanged] = {}
        self._texts: dict[frozenset[int], str] = {}
        self._contours: dict[frozenset[int], _Contours] = {}
        self._deltas: OrderedDict[tuple[frozenset[int], frozenset[str] | None, int], str] = OrderedDict()

    def start(self, client: Client, resume: Resume | None) -> None:  # noqa: ARG002 - what is newest is told in any case
        """Begin to tell a browser, if its account may know."""
        if allows(MESSAGE_POLICIES["coverage"], client.scope.role):
            self._has[client] = None
            self._watch()
            self.read()

    def leave(self, client: Client) -> None:
        """Forget a browser."""
        if client in self._has:
            del self._has[client]
            self._told.pop(client, None)
            self._watch()

    def read(self) -> bool:
        """Take the newest coverage; tell whether it is another one."""
        newest = self._coverage.latest()
        if newest is None or newest is self._shown:
            return False
        self._shown = newest
        self._texts.clear()
        self._contours.clear()
        return True

    def due(self, client: Client) -> list[str]:
        """Return the newest figures and the change of contours that a browser has not been sent."""
        if self._shown is None or client not in self._has:
            return []
        texts = []
        if self._told.get(client) is not self._shown:
            self._told[client] = self._shown
            texts.append(self._figures(client.scope, self._shown))
        change = self._change(client)
        return texts if change is None else [*texts, change]

    # --- figures ---------------------------------------------------------------------------------------------------

    def _figures(self, scope: Scope, whole: CoverageChanged) -> str:
        text = self._texts.get(scope.station_ids)
        if text is None:
            part = self._coverage.scope(scope.station_ids)
            text = self._texts[scope.station_ids] = encode_message(within(whole, scope, part))
        return text

    def _watch(self) -> None:
        self._coverage.watch({client.scope.station_ids for client in self._has})

    # --- contours --------------------------------------------------------------------------------------------------

    def _change(self, client: Client) -> str | None:
        newest = self._newest(client.scope.station_ids)
        had = self._has[client]
        if newest is None or newest.ids == had:
            return None
        self._has[client] = newest.ids
        assert self._shown is not None
        key = (client.scope.station_ids, had, newest.version)
        if key not in self._deltas:
            self._deltas[key] = encode_message(contour_change(had, newest.contours, at_ms=self._shown.at_ms))
            while len(self._deltas) > KEPT_DELTAS:
                self._deltas.popitem(last=False)
        return self._deltas[key]

    def _newest(self, station_ids: frozenset[int]) -> "_Contours | None":
        found = self._contours.get(station_ids)
        if found is None:
            contours = self._coverage.contours(station_ids)
            if contours is None:
                return None
            found = self._contours[station_ids] = _Contours(contours, self._coverage.contours_version)
        return found


class _Contours:
    """The contours of a scope at one version, and their ids."""

    def __init__(self, contours: Sequence[Contour], version: int) -> None:
        self.contours = contours
        self.version = version
        self.ids = frozenset(contour.contour_id for contour in contours)


def contour_change(had: frozenset[str] | None, newest: Iterable[Contour], *, at_ms: float) -> ContoursChanged:
    """Return what leads from the polygons that a browser has (None: it has none yet) to the newest."""
    contours = list(newest)
    ids = {contour.contour_id for contour in contours}
    known = frozenset() if had is None else had
    return ContoursChanged(
        at_ms=at_ms,
        reset=had is None,
        gone=sorted(known - ids),
        added=[contour for contour in contours if contour.contour_id not in known],
    )


def within(coverage: CoverageChanged, scope: Scope, part: ScopeCover | None) -> CoverageChanged:
    """Return the coverage with the zones of a scope alone; the force's own shares stay.

    `part` is what was cut to the scope's zones; None: it is not reckoned yet, then neither gaps nor places are told.
    """
    if not scope.station_ids:
        return coverage
    return msgspec.structs.replace(
        coverage,
        stations=[station for station in coverage.stations if scope.sees_station(station.station_id)],
        tiers=[] if part is None else part.tiers,
        gaps=[] if part is None else part.gaps,
        ring=None if coverage.ring is None else _links_within(coverage.ring, scope),
    )


def _links_within(ring: RingState, scope: Scope) -> RingState:
    links = [
        link
        for link in ring.links
        if scope.sees_station(link.from_station_id) or scope.sees_station(link.to_station_id)
    ]
    return msgspec.structs.replace(ring, links=links)
