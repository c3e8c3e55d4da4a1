"""What the console's health says of links."""

import pytest

from telemetry.links.link import LinkStatus, trouble_of


@pytest.mark.parametrize(
    ("states", "says"),
    [
        ((), "ok"),
        (("open", "playing", "finished", "failed"), "ok"),
        (("open", "retrying", "retrying"), "2 of 3 links are down, first udpin:127.0.0.1:1#main: port 1 is in use"),
    ],
)
def test_links_that_are_down_are_told_with_the_first_ones_reason(states: tuple[str, ...], says: str) -> None:
    statuses = [
        LinkStatus(url=f"udpin:127.0.0.1:{number}#main", link_group="main", state=state, last_error="port 1 is in use")
        for number, state in enumerate(states)
    ]
    assert trouble_of(statuses) == says


def test_links_that_wait_for_the_journal_are_told() -> None:
    statuses = [LinkStatus(url="tcpin:127.0.0.1:1#main", link_group="main", state="open", paused=True)]
    assert trouble_of(statuses) == "1 links wait until the journal has room"
