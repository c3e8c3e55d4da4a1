"""How long to wait for an answer on one way to one vehicle: learnt from the answers that came."""

from typing import Final

FIRST_WAIT_US: Final = 1_500_000
SHORTEST_WAIT_US: Final = 400_000
LONGEST_WAIT_US: Final = 5_000_000
"""A wait doubles with each attempt up to this; a longer one than a way's own round trip asks for helps nobody."""


class Patience:
    """The smoothed round trip and its spread (RFC 6298, without jitter); `wait_us` doubles with each attempt.

    Only an answer to something that was sent once may be learnt from: of a repetition nobody knows which one it answers.
    """

    __slots__ = ("_spread_us", "_trip_us")

    def __init__(self) -> None:
        self._trip_us = 0
        self._spread_us = 0

    @property
    def trip_us(self) -> int:
        """Return the smoothed round trip, 0 while nothing was learnt."""
        return self._trip_us

    def learn(self, trip_us: int) -> None:
        """Take the round trip of one answer."""
        if trip_us < 0:
            return
        if not self._trip_us:
            self._trip_us, self._spread_us = trip_us, trip_us // 2
            return
        self._spread_us += (abs(trip_us - self._trip_us) - self._spread_us) // 4
        self._trip_us += (trip_us - self._trip_us) // 8

    def wait_us(self, attempt: int) -> int:
        """Return how long to wait for an answer to the attempt of this number, counted from 0."""
        base_us = self._trip_us + 4 * self._spread_us if self._trip_us else FIRST_WAIT_US
        base_us = max(base_us, SHORTEST_WAIT_US)
        return max(base_us, min(base_us << min(attempt, 10), LONGEST_WAIT_US))
