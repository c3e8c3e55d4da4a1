"""The pages of the demo's officers: each signs in by a one-time link, keeps its websocket, hears its tasks and answers them."""

import asyncio
import contextlib
from collections.abc import Coroutine, Mapping
from typing import Any, Final

import msgspec
import numpy as np
from websockets.exceptions import WebSocketException

from console.demo.api_client import ApiClient, say_hello
from console.demo.http_answer import HTTP_CONFLICT
from console.demo.officer import Body, Officer, Saying, TaskMessage
from infra.clock import Clock
from telemetry.model.errors import UnavailableError

RATE_HZ: Final = 0.5
AGAIN_S: Final = (3.0, 8.0)
TASK: Final = '{"type":"task"'
MOST_AT_ONCE: Final = 4
"""So many pages sign in at the same time: a hundred at once would be a rush that no station has."""


class PageSignIn(msgspec.Struct, frozen=True, kw_only=True):
    """A one-time link's token for the officer of a unit; one line on the force's standard input."""

    call_sign: str
    token: str
    origin: str

    def __repr__(self) -> str:
        """Hide the token."""
        return f"PageSignIn(call_sign={self.call_sign!r})"


class OfficerPages:
    """All officers' pages of one force. Counters: `signed_in`, `tasks`, `answers`, `refused`."""

    def __init__(self, clock: Clock, seed: int) -> None:
        self._clock, self._seed = clock, seed
        self._officers: dict[str, tuple[ApiClient, Officer]] = {}
        self._room = asyncio.Semaphore(MOST_AT_ONCE)
        self._running: set[asyncio.Task[None]] = set()
        self.signed_in = self.tasks = self.answers = self.refused = 0

    def open(self, sign_in: PageSignIn, body: Body) -> None:
        """Open the page of a unit's officer."""
        random = np.random.default_rng([self._seed, 97, len(self._officers)])
        client, officer = ApiClient(sign_in.origin), Officer(body, random)
        self._officers[sign_in.call_sign] = client, officer
        self._start(self._keep_open(client, officer, sign_in.token, random))

    async def run(self) -> None:
        """Let every officer act, once a second, for ever."""
        while True:
            for client, officer in self._officers.values():
                for saying in officer.due(self._clock.monotonic_s()):
                    self._start(self._answer(client, officer, saying))
            await asyncio.sleep(1.0)

    def counts(self) -> Mapping[str, int]:
        """Return the figures so far."""
        return {
            "pages": self.signed_in,
            "tasks": self.tasks,
            "task_answers": self.answers,
            "task_answers_refused": self.refused,
        }

    async def close(self) -> None:
        """Close all pages."""
        for task in list(self._running):
            task.cancel()
        if self._running:
            await asyncio.wait(self._running)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _keep_open(self, client: ApiClient, officer: Officer, token: str, random: np.random.Generator) -> None:
        try:
            async with self._room:
                await client.sign_in(token)
        except UnavailableError:
            self.refused += 1
            return
        self.signed_in += 1
        while True:
            with contextlib.suppress(OSError, WebSocketException):  # the console is away: as any page, come again
                await self._listen(client, officer)
            await asyncio.sleep(float(random.uniform(*AGAIN_S)))

    async def _listen(self, client: ApiClient, officer: Officer) -> None:
        async with client.socket() as socket:
            await say_hello(socket, rate_hz=RATE_HZ)
            async for message in socket:
                if isinstance(message, str) and message.startswith(TASK):
                    self.tasks += 1
                    officer.hear(msgspec.json.decode(message, type=TaskMessage).task, self._clock.monotonic_s())

    async def _answer(self, client: ApiClient, officer: Officer, saying: Saying) -> None:
        body = {"answer": saying.answer, "answered_ms": self._clock.now_us() / 1000.0, "reason": saying.reason}
        answer = await client.ask("POST", f"/api/me/tasks/{saying.dispatch_id}", body)
        if answer.ok:
            self.answers += 1
            officer.taken(saying)
        elif answer.status:
            self.refused += 1
            if answer.status == HTTP_CONFLICT:
                officer.drop(saying.dispatch_id)
