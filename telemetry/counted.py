"""Counts of what came: positions taken and refused, and what was bad, said once a second."""

import asyncio
from collections import Counter
from typing import Final

from infra.logs import get_logger
from infra.metrics import BAD_INPUT, POSITIONS_RECEIVED, POSITIONS_REFUSED
from telemetry.model.decoding import Output

REPORT_EVERY_S: Final = 1.0
_log: Final = get_logger("bridge")


class InputCounts:
    """Puts what each turn gave into the metrics, and keeps what was bad until it is said."""

    def __init__(self) -> None:
        self._bad: Counter[tuple[str, str]] = Counter()

    def count(self, output: Output, placeless_count: int, row_count: int, protocol: str) -> None:
        """Count one turn: rows that were taken, rows without a place, and what was bad."""
        if row_count:
            POSITIONS_RECEIVED.labels(protocol=protocol).inc(row_count)
        if placeless_count:
            POSITIONS_REFUSED.labels(reason="no_place").inc(placeless_count)
        for reason, count in output.bad.items():
            BAD_INPUT.labels(protocol=protocol, reason=reason).inc(count)
            self._bad[protocol, reason] += count

    async def report_forever(self) -> None:
        """Say once a second what was bad, with its counts."""
        while True:
            await asyncio.sleep(REPORT_EVERY_S)
            for (protocol, reason), count in self._bad.items():
                _log.warning("bad_input", protocol=protocol, reason=reason, count=count)
            self._bad.clear()
