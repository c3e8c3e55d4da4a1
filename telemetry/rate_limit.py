"""Token buckets by name, bounded in number: how often somebody may ask."""

from collections import OrderedDict
from typing import Final

NAMES_AT_MOST: Final = 20_000


class RateLimit:
    """Lets each name do `burst` things at once and `rate_per_s` in the long run. The name unused longest is forgotten."""

    def __init__(self, rate_per_s: float, burst: int) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allows(self, name: str, now_s: float) -> bool:
        """Tell whether `name` may do one more thing now, without doing it."""
        return self._left(name, now_s) >= 1

    def take(self, name: str, now_s: float) -> bool:
        """Do one thing if `name` may; tell whether it might."""
        left = self._left(name, now_s)
        granted = left >= 1
        self._buckets[name] = (left - 1 if granted else left, now_s)
        self._buckets.move_to_end(name)
        if len(self._buckets) > NAMES_AT_MOST:
            self._buckets.popitem(last=False)
        return granted

    def _left(self, name: str, now_s: float) -> float:
        left, at_s = self._buckets.get(name, (self._burst, now_s))
        return min(self._burst, left + max(0.0, now_s - at_s) * self._rate_per_s)
