"""Coverage on the stream: newest figures, contours as changes, and for limited accounts their own zones alone."""

import msgspec
import pytest

from console.auth.policy import Scope
from console.coverage.protocol import ScopeCover
from console.stream.client import Client
from console.stream.coverage import CoverageFeed, contour_change, within
from console.wire import Role
from console.wire_coverage import Contour, CoverageChanged, Gap, RingLink, RingState, StationShares, TierShares
from tests.console_house import FixedCoverage

ADMIN = Scope(Role.ADMIN)
LIMITED = Scope(Role.SUPERVISOR, frozenset({2}))


def contour(name: str, minutes: int = 3) -> Contour:
    return Contour(
        contour_id=name, minutes=minutes, polygon=[[[103.8, 36.0], [103.9, 36.0], [103.8, 36.1], [103.8, 36.0]]]
    )


def gap(label: str) -> Gap:
    return Gap(
        label=label,
        area_km2=0.5,
        road_km=3.0,
        people_ratio=None,
        worst_s=None,
        lat_deg=36.0,
        lon_deg=103.8,
        station_id=2,
        polygon=[],
        closers=[],
    )


def link(one: int, other: int, *, closed: bool) -> RingLink:
    return RingLink(
        from_station_id=one,
        to_station_id=other,
        closed=closed,
        overlap_ratio=1.0 if closed else 0.5,
        missing_s=None if closed else 52.0,
        worst_lat_deg=None,
        worst_lon_deg=None,
    )


WHOLE = CoverageChanged(
    at_ms=5.0,
    shares=[0.1, 0.2, 0.3],
    stations=[StationShares(station_id=n, shares=[0.1, 0.2, 0.3], missing_unit_ids=[n]) for n in (1, 2, 3)],
    available_count=3,
    computed_ms=2.0,
    tiers=[TierShares(minutes=1, total=9, met=8, misses_zh=["市政府"], misses_en=["City Hall"])],
    gaps=[gap("A"), gap("B")],
    ring=RingState(
        closed=False, limit_s=300.0, links=[link(1, 2, closed=True), link(2, 3, closed=True), link(3, 1, closed=False)]
    ),
)
PART = ScopeCover([2], None, [gap("B")], [TierShares(minutes=1, total=2, met=2, misses_zh=[], misses_en=[])])


class Screen:
    """A browser on the feed and the contours that it would draw."""

    def __init__(self, feed: CoverageFeed, scope: Scope) -> None:
        self.client = Client(scope, b"")
        self.feed = feed
        self.drawn: set[str] = set()
        self.resets = 0
        feed.start(self.client, None)

    def look(self) -> list[dict[str, object]]:
        """Take what is due, draw it, and return the figures."""
        figures = []
        for text in self.feed.due(self.client):
            message = msgspec.json.decode(text)
            if message["type"] != "contours":
                figures.append(message)
                continue
            if message["reset"]:
                self.drawn.clear()
                self.resets += 1
            assert set(message["gone"]) <= self.drawn
            self.drawn -= set(message["gone"])
            self.drawn |= {added["contour_id"] for added in message["added"]}
        return figures


@pytest.fixture
def coverage() -> FixedCoverage:
    source = FixedCoverage()
    source.changed = WHOLE
    source.contours_of = {frozenset(): [contour("a"), contour("b")]}
    return source


def renew(coverage: FixedCoverage, feed: CoverageFeed, *names: str) -> None:
    """Let another result come, with these contours."""
    coverage.contours_of[frozenset()] = [contour(name) for name in names]
    coverage.contours_version += 1
    assert feed.read()


def test_a_browser_gets_figures_and_all_contours_first_and_then_what_changed(coverage: FixedCoverage) -> None:
    feed = CoverageFeed(coverage)
    screen = Screen(feed, ADMIN)
    assert [figures["available_count"] for figures in screen.look()] == [3]
    assert (screen.drawn, screen.resets) == ({"a", "b"}, 1)
    assert screen.look() == [], "nothing twice"
    renew(coverage, feed, "b", "c")
    screen.look()
    assert (screen.drawn, screen.resets) == ({"b", "c"}, 1)


def test_a_browser_that_missed_some_results_ends_with_the_newest_contours(coverage: FixedCoverage) -> None:
    feed = CoverageFeed(coverage)
    early, late = Screen(feed, ADMIN), Screen(feed, ADMIN)
    late.look()
    for names in (("b", "c"), ("d",), ("d", "e", "b")):
        renew(coverage, feed, *names)
        early.look()
    late.look()
    assert early.drawn == late.drawn == {"b", "d", "e"}
    assert (early.resets, late.resets) == (1, 1)


def test_browsers_of_one_scope_share_one_text(coverage: FixedCoverage) -> None:
    feed = CoverageFeed(coverage)
    one, two = Client(ADMIN, b""), Client(ADMIN, b"")
    feed.start(one, None)
    feed.start(two, None)
    assert [id(text) for text in feed.due(one)] == [id(text) for text in feed.due(two)]


def test_an_officer_is_told_nothing_and_who_left_is_forgotten(coverage: FixedCoverage) -> None:
    feed = CoverageFeed(coverage)
    officer = Client(Scope(Role.OFFICER, frozenset(), 7), b"")
    feed.start(officer, None)
    assert feed.due(officer) == []
    limited = Client(LIMITED, b"")
    feed.start(limited, None)
    assert coverage.watched == {frozenset({2})}
    feed.leave(limited)
    feed.leave(officer)
    assert coverage.watched == frozenset()
    assert feed.due(limited) == []


def test_a_limited_account_sees_its_own_zones_alone_and_nothing_of_others_before_they_are_cut(
    coverage: FixedCoverage,
) -> None:
    feed = CoverageFeed(coverage)
    screen = Screen(feed, LIMITED)
    (figures,) = screen.look()
    assert figures["gaps"] == figures["tiers"] == []
    assert screen.resets == 0, "its contours are not reckoned yet"
    coverage.scopes[frozenset({2})] = PART
    coverage.contours_of[frozenset({2})] = [contour("cut")]
    renew(coverage, feed, "a")
    (figures,) = screen.look()
    assert [found["label"] for found in figures["gaps"]] == ["B"]  # type: ignore[attr-defined]
    assert screen.drawn == {"cut"}


def test_within_keeps_the_forces_shares_and_leaves_out_other_stations_links_and_places() -> None:
    seen = within(WHOLE, LIMITED, PART)
    assert seen.shares == WHOLE.shares
    assert [station.station_id for station in seen.stations] == [2]
    assert seen.ring is not None
    assert [(found.from_station_id, found.to_station_id) for found in seen.ring.links] == [(1, 2), (2, 3)]
    assert seen.tiers == PART.tiers
    assert within(WHOLE, ADMIN, None) is WHOLE


def test_a_change_from_nothing_resets_and_a_change_to_nothing_takes_all_away() -> None:
    first = contour_change(None, [contour("a")], at_ms=1.0)
    assert (first.reset, first.gone, [added.contour_id for added in first.added]) == (True, [], ["a"])
    last = contour_change(frozenset({"a", "b"}), [], at_ms=2.0)
    assert (last.reset, last.gone, last.added) == (False, ["a", "b"], [])
