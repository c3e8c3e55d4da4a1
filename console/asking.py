"""How the console's desks ask the database: as who asks, so that row policies decide; what it refuses in words for people."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import psycopg
from psycopg_pool import AsyncConnectionPool

from console.auth.accounts import ANSWER_WITHIN_S, DATABASE_AWAY
from infra.database import Scope, scoped
from telemetry.model.errors import ConflictError, NotAllowedError, NotFoundError, UnavailableError

Said = tuple[str, str]
"""A sentence in English and in Chinese."""


class Words(NamedTuple):
    """What one desk says where a row lies outside the scope, refers to nothing, is there already, or the database is away."""

    outside: Said
    nothing: Said
    twice: Said
    away: Said


@asynccontextmanager
async def asking_as(
    pool: AsyncConnectionPool, scope: Scope, words: Words
) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """Give a connection in one transaction of the scope.

    Raises NotAllowedError, NotFoundError, ConflictError, or UnavailableError while the database is away.
    """
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S), scoped(pool, scope) as connection:
            yield connection
    except psycopg.errors.InsufficientPrivilege as error:
        raise NotAllowedError(*words.outside) from error
    except psycopg.errors.ForeignKeyViolation as error:
        raise NotFoundError(*words.nothing) from error
    except psycopg.errors.UniqueViolation as error:
        raise ConflictError(*words.twice) from error
    except DATABASE_AWAY as error:
        raise UnavailableError(*words.away) from error
