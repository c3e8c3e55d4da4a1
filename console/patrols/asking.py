"""How patrols' desks ask the database: as who asks; what it refuses in words for people who plan."""

from contextlib import AbstractAsyncContextManager
from typing import Any, Final

import psycopg
from psycopg_pool import AsyncConnectionPool

from console.asking import Words, asking_as
from infra.database import Scope

_WORDS: Final = Words(
    outside="that is outside your scope: what is the whole force's is changed with the whole force in scope, else name your station_id",
    nothing="there is no such station: read the lists again",
    twice="somebody brought the same at this moment: read it again",
    away="the database does not answer: patrols that fly go on, changing them must wait",
)


def asking(pool: AsyncConnectionPool, scope: Scope) -> AbstractAsyncContextManager[psycopg.AsyncConnection[Any]]:
    """Give a connection in one transaction of the scope; raises as `asking_as` does."""
    return asking_as(pool, scope, _WORDS)
