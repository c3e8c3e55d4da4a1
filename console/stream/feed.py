"""A further thing that browsers are told beside frames, alarms and statuses: what a feed must answer to the stream."""

from typing import Protocol

from console.stream.client import Client
from console.wire import Resume


class Feed(Protocol):
    """Messages that are numbered or pushed; the stream asks it in the same order for every browser.

    A feed keeps each browser's place itself (by the client) and forgets it in `leave`. Nothing here may wait.
    """

    def start(self, client: Client, resume: Resume | None) -> None:
        """Give a browser that joins its place: where it was, or the beginning."""

    def leave(self, client: Client) -> None:
        """Forget a browser."""

    def read(self) -> bool:
        """Take what is new as this turn's; tell whether browsers should look."""

    def due(self, client: Client) -> list[str]:
        """Return the texts that a browser has not been sent, oldest first, and move its place past them."""
