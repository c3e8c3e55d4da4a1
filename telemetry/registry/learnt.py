"""What sources learnt while running (signing timestamps, registrations, unknown names), saved soon and never lost by a failure."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import psycopg

from infra.logs import get_logger
from telemetry.model.decoding import Fact, key_of_fact
from telemetry.registry.table import Quarantined, RegistryTable

SAVE_EVERY_S: Final = 1.0
SAVE_AGAIN_S: Final = 15.0
_log: Final = get_logger("bridge")

Save = Callable[[Iterable[Quarantined], Iterable[Fact]], Awaitable[None]]
"""Writes down what was learnt (`RegistryStore.save`). Raises psycopg.Error when the database is away."""


class Learnt:
    """Facts since the last saving, the newest of each kind; known to the registry at once."""

    def __init__(self, registry: RegistryTable, save: Save | None) -> None:
        self._registry = registry
        self._save = save
        self._facts: dict[tuple[object, ...], Fact] = {}

    def remember(self, facts: Iterable[Fact]) -> None:
        """Take facts."""
        for fact in facts:
            self._registry.remember(fact)
            self._facts[key_of_fact(fact)] = fact

    async def save_forever(self) -> None:
        """Save what changed once a second, less often while the database is away."""
        while True:
            saved = await self.save()
            await asyncio.sleep(SAVE_EVERY_S if saved else SAVE_AGAIN_S * random.uniform(0.7, 1.3))  # noqa: S311 - jitter

    async def save(self) -> bool:
        """Save what changed; what could not be saved is kept for the next time. Tell whether all is saved."""
        facts, self._facts = self._facts, {}
        quarantined = self._registry.take_unsaved_quarantine()
        if self._save is None or (not facts and not quarantined):
            return True
        try:
            await self._save(quarantined, facts.values())
        except psycopg.Error as error:
            _log.warning("registry_not_saved", reason=type(error).__name__)
            self._facts = {**facts, **self._facts}
            self._registry.keep_unsaved_quarantine(quarantined)
            return False
        return True
