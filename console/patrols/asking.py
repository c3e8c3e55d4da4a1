"""How patrols' desks ask the database: as who asks, so that row policies decide; what it refuses in words for people."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool

from console.auth.accounts import ANSWER_WITHIN_S, DATABASE_AWAY
from infra.database import Scope, scoped
from telemetry.model.errors import ConflictError, NotAllowedError, NotFoundError, UnavailableError


@asynccontextmanager
async def asking(pool: AsyncConnectionPool, scope: Scope) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """Give a connection in one transaction of the scope.

    Raises NotAllowedError, NotFoundError, ConflictError, or UnavailableError while the database is away.
    """
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S), scoped(pool, scope) as connection:
            yield connection
    except psycopg.errors.InsufficientPrivilege as error:
        message = "that is outside your scope: what is the whole force's is changed with the whole force in scope, else name your station_id"
        raise NotAllowedError(message) from error
    except psycopg.errors.ForeignKeyViolation as error:
        message = "there is no such station: read the lists again"
        raise NotFoundError(message) from error
    except psycopg.errors.UniqueViolation as error:
        message = "somebody brought the same at this moment: read it again"
        raise ConflictError(message) from error
    except DATABASE_AWAY as error:
        message = "the database does not answer: patrols that fly go on, changing them must wait"
        raise UnavailableError(message) from error
