"""Heavy questions that are given up when the one who asked is gone; an account has a few at once at most."""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from fastapi import Request

from console.api.contract import account_of, parts_of
from telemetry.model.errors import UnavailableError

GONE_LOOKED_FOR_EVERY_S: Final = 0.5
Answer = TypeVar("Answer")


async def while_asked(request: Request, question: Coroutine[Any, Any, Answer]) -> Answer:
    """Return the answer, or give the question up when its asker is gone. Raises UnavailableError for too many at once."""
    try:
        with parts_of(request).planning.asking(account_of(request).account_id):
            return await _answered(request, question)
    finally:
        question.close()


async def _answered(request: Request, question: Coroutine[Any, Any, Answer]) -> Answer:
    answer = asyncio.create_task(question)
    try:
        while not answer.done():
            await asyncio.wait((answer,), timeout=GONE_LOOKED_FOR_EVERY_S)
            if not answer.done() and await request.is_disconnected():
                message = "the one who asked is gone"
                raise UnavailableError(message)
        return answer.result()
    finally:
        answer.cancel()
        with contextlib.suppress(asyncio.CancelledError, UnavailableError):
            await asyncio.wait((answer,))
