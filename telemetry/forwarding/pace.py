"""How often ground stations may ask: a bucket for each station and drone, and a drone's parameters for all stations together."""

from typing import Final

from telemetry.rate_limit import RateLimit

ASKS_PER_S: Final = 25.0
ASKS_AT_ONCE: Final = 100
"""A mission is read item by item: this reads one of 500 items in 20 s, and is half of what a slow radio carries."""
PARAMETERS_EVERY_S: Final = 10.0
"""All parameters are a thousand frames: a station that asks again while they come asks for no more of them by that."""
TOLD_EVERY_S: Final = 60.0
ORDERS_AT_ONCE: Final = 5
ORDERS_EVERY_S: Final = 30.0
"""The same order again and again, as by a stick: the first ones are kept, then one in so many seconds."""


class AskingPace:
    """One for all stations; times are seconds of any one clock."""

    def __init__(self) -> None:
        self._asks = RateLimit(ASKS_PER_S, ASKS_AT_ONCE)
        self._answers = RateLimit(ASKS_PER_S, ASKS_AT_ONCE)
        self._parameters = RateLimit(1 / PARAMETERS_EVERY_S, 1)
        self._texts = RateLimit(1 / TOLD_EVERY_S, 1)
        self._orders = RateLimit(1 / ORDERS_EVERY_S, ORDERS_AT_ONCE)

    def may_ask(self, station: str, device_id: int, now_s: float) -> bool:
        """Count one thing that a station asks of a drone; tell whether it may."""
        return self._asks.take(f"{station}/{device_id}", now_s)

    def may_list_parameters(self, device_id: int, now_s: float) -> bool:
        """Count a question for all parameters of a drone; its answer goes to every station that watches it."""
        return self._parameters.take(str(device_id), now_s)

    def may_be_answered(self, station: str, device_id: int, now_s: float) -> bool:
        """Count one answer to what was not heeded: a flood is not worth one each."""
        return self._answers.take(f"{station}/{device_id}", now_s)

    def may_be_told(self, station: str, device_id: int, reason: str, now_s: float) -> bool:
        """Tell whether it is time to say once more in words why a station is not heeded."""
        return self._texts.take(f"{station}/{device_id}/{reason}", now_s)

    def may_be_kept(self, station: str, device_id: int, order: str, now_s: float) -> bool:
        """Tell whether an order of a station is written down, or is one of a stream of which enough are."""
        return self._orders.take(f"{station}/{device_id}/{order}", now_s)
