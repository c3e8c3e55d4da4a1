"""Tells changes of incidents to the receivers that an administrator named: signed, at least once, in order within an incident."""

import asyncio
import random
import ssl
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Final

import msgspec
import psycopg
from psycopg_pool import AsyncConnectionPool

from console.auth.accounts import ANSWER_WITHIN_S, DATABASE_AWAY
from console.webhooks.post import Answered, Receiver, post, receiver_of
from console.webhooks.signature import signed_headers
from infra.clock import MICROSECONDS, Clock, us_of, utc_of
from infra.database import SERVICE, load_queries, scoped
from infra.errors import GroundError
from infra.logs import get_logger
from infra.vault import Vault
from telemetry.model.errors import InputError, UnavailableError

QUERIES: Final = load_queries(resources.files("console.webhooks") / "outbox.sql")
CHANNEL: Final = "skybeat_webhook"
POLL_S: Final = 2.0
FIRST_RETRY_S: Final = 5.0
LONGEST_RETRY_S: Final = 3600.0
GIVE_UP_S: Final = 24 * 3600.0
KEPT_DAYS: Final = 7
SWEEP_EVERY_S: Final = 3600.0
CHECK_EVERY_S: Final = 10.0
GONE: Final = 410
_log: Final = get_logger("webhooks")


class Hook(msgspec.Struct, frozen=True, kw_only=True):
    """A receiver that is told of changes, ready to be posted to."""

    webhook_id: int
    label: str
    receiver: Receiver
    secret: bytes


class _Due(msgspec.Struct, frozen=True, kw_only=True):
    """One message of the outbox that was claimed."""

    delivery_id: int
    message_id: str
    body: bytes
    queued_us: int
    attempt_count: int


def retry_after_s(attempt_count: int, *, jitter_ratio: float) -> float:
    """Return how long to wait after so many failures: 5 s, doubled each time, an hour at most; `jitter_ratio` 0..1 spreads it by a quarter."""
    doubled_s = FIRST_RETRY_S * 2.0 ** min(attempt_count - 1, 20)
    return min(doubled_s, LONGEST_RETRY_S) * (0.75 + 0.5 * jitter_ratio)


class Webhooks:
    """Empties the outbox. Several consoles on one database share the work: each message is claimed for 20 s by one.

    A receiver that does not answer is left alone for a growing while, and only its own messages wait.
    """

    def __init__(
        self, pool: AsyncConnectionPool, clock: Clock, data_dir: Path, *, trust: ssl.SSLContext | None = None
    ) -> None:
        self.trouble = "ok"
        """What an administrator should know, for /api/system."""
        self._pool = pool
        self._clock = clock
        self._data_dir = data_dir
        self._trust = trust
        self._vault: Vault | None = None
        self._hooks: dict[int, Hook] = {}
        self._unreadable: set[int] = set()
        self._drains: dict[int, asyncio.Task[None]] = {}
        self._pause_until_s: dict[int, float] = {}
        self._failures: dict[int, int] = {}
        self._swept_s = -SWEEP_EVERY_S
        self._checked_s = -CHECK_EVERY_S

    async def run(self) -> None:
        """Deliver for ever: at each notice of a change, and every two seconds; run it as a task."""
        try:
            while True:
                try:
                    await self._follow()
                except (*DATABASE_AWAY, UnavailableError) as error:
                    _log.warning("webhooks_wait", reason=type(error).__name__)
                await asyncio.sleep(POLL_S)
        finally:
            for drain in self._drains.values():
                drain.cancel()
            await asyncio.gather(*self._drains.values(), return_exceptions=True)

    async def _follow(self) -> None:
        url = self._pool.conninfo
        assert isinstance(url, str)
        connect = psycopg.AsyncConnection.connect(
            url, autocommit=True, application_name="skybeat webhooks", connect_timeout=5
        )
        async with await connect as connection:
            await connection.execute(f"listen {CHANNEL}")
            while True:
                await self.turn()
                async for _ in connection.notifies(timeout=POLL_S, stop_after=1):
                    pass

    async def turn(self) -> None:
        """Look once at the receivers and begin to empty each one's outbox that is not being emptied."""
        await self._read_hooks()
        for webhook_id in [webhook_id for webhook_id, drain in self._drains.items() if drain.done()]:
            self._drains.pop(webhook_id).result()  # what nobody foresaw ends this task too, and the supervisor tells it
        for webhook_id, hook in self._hooks.items():
            if webhook_id not in self._drains and not self._is_paused(webhook_id):
                self._drains[webhook_id] = asyncio.create_task(self._drain(hook), name=f"webhook {webhook_id}")
        await self._look_after()

    async def _drain(self, hook: Hook) -> None:
        """Deliver what is due to one receiver, one after another, until nothing is or it fails."""
        try:
            while not self._is_paused(hook.webhook_id):
                due = await self._claim(hook.webhook_id)
                if due is None:
                    return
                await self._deliver(hook, due)
        except UnavailableError as error:
            _log.warning("webhook_waits", webhook_id=hook.webhook_id, reason=str(error))

    async def _deliver(self, hook: Hook, due: _Due) -> None:
        timestamp_s = self._clock.now_us() // MICROSECONDS
        headers = signed_headers(hook.secret, message_id=due.message_id, timestamp_s=timestamp_s, body=due.body)
        assert self._trust is not None
        try:
            answered = await post(hook.receiver, due.body, headers, trust=self._trust)
        except UnavailableError as error:
            await self._note_failure(hook, due, str(error), wait_s=None, whole=True)
            return
        if 200 <= answered.status < 300:
            self._failures.pop(hook.webhook_id, None)
            await self._ask("delivered", delivery_id=due.delivery_id, now=self._now())
        elif answered.status == GONE:
            await self._ask(
                "disable", webhook_id=hook.webhook_id, now=self._now(), error="it answered 410: gone for good"
            )
            self._hooks.pop(hook.webhook_id, None)
            _log.warning("webhook_disabled", webhook_id=hook.webhook_id, label=hook.label)
        else:
            whole = answered.status >= 500 or answered.status == 429
            await self._note_failure(hook, due, _words(answered), wait_s=answered.retry_after_s, whole=whole)

    async def _note_failure(self, hook: Hook, due: _Due, words: str, *, wait_s: float | None, whole: bool) -> None:
        """Wait longer each time; `whole`: the receiver itself is ill, so that its other messages wait too."""
        dice = random.random()  # noqa: S311 - jitter, not a secret
        delay_s = max(wait_s or 0.0, retry_after_s(due.attempt_count, jitter_ratio=dice))
        if whole:
            self._failures[hook.webhook_id] = count = self._failures.get(hook.webhook_id, 0) + 1
            pause_s = max(wait_s or 0.0, retry_after_s(count, jitter_ratio=dice))
            self._pause_until_s[hook.webhook_id] = self._clock.monotonic_s() + pause_s
        now_us = self._clock.now_us()
        if now_us - due.queued_us > GIVE_UP_S * MICROSECONDS:
            await self._ask("give_up", delivery_id=due.delivery_id, now=self._now(), error=words)
            _log.error("webhook_given_up", webhook_id=hook.webhook_id, label=hook.label, reason=words)
            return
        next_at = utc_of(now_us + round(delay_s * MICROSECONDS))
        await self._ask("failed", delivery_id=due.delivery_id, next_at=next_at, error=words)
        if due.attempt_count == 1:
            _log.warning("webhook_fails", webhook_id=hook.webhook_id, label=hook.label, reason=words)

    def _is_paused(self, webhook_id: int) -> bool:
        return self._pause_until_s.get(webhook_id, 0.0) > self._clock.monotonic_s()

    async def _claim(self, webhook_id: int) -> _Due | None:
        rows = await self._ask("claim", webhook_id=webhook_id, now=self._now())
        if not rows:
            return None
        row = rows[0]
        return _Due(
            delivery_id=row["delivery_id"],
            message_id=row["message_id"],
            body=row["body"].encode(),
            queued_us=us_of(row["queued_at"]),
            attempt_count=row["attempt_count"],
        )

    async def _read_hooks(self) -> None:
        rows = await self._ask("enabled")
        if rows and self._vault is None:
            self._vault = await asyncio.to_thread(Vault.open, self._data_dir)
            self._trust = self._trust or await asyncio.to_thread(ssl.create_default_context)
        self._hooks = {row["webhook_id"]: hook for row in rows if (hook := self._hook_of(row)) is not None}

    def _hook_of(self, row: Mapping[str, Any]) -> Hook | None:
        """Return a receiver; None for one that another centre's vault sealed, which that centre serves."""
        webhook_id = row["webhook_id"]
        try:
            assert self._vault is not None
            secret = self._vault.unseal(bytes(row["secret_sealed"]))
            receiver = receiver_of(row["url"], inside=row["inside"])
        except (GroundError, InputError) as error:
            if webhook_id not in self._unreadable:
                _log.error("webhook_unreadable", webhook_id=webhook_id, reason=str(error))
            self._unreadable.add(webhook_id)
            return None
        return Hook(webhook_id=webhook_id, label=row["label"], receiver=receiver, secret=secret)

    async def _look_after(self) -> None:
        """Say what an administrator should know; forget old messages once an hour."""
        now_s = self._clock.monotonic_s()
        if now_s - self._checked_s >= CHECK_EVERY_S:
            self._checked_s = now_s
            self.trouble = trouble_of(await self._ask("troubles", now=self._now()))
        if now_s - self._swept_s >= SWEEP_EVERY_S:
            self._swept_s = now_s
            before = utc_of(self._clock.now_us() - KEPT_DAYS * 86_400 * MICROSECONDS)
            await self._ask("sweep", before=before)

    def _now(self) -> Any:  # noqa: ANN401 - a datetime for SQL
        return utc_of(self._clock.now_us())

    async def _ask(self, query: str, **values: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - SQL values
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S), scoped(self._pool, SERVICE) as connection:
                cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
                await cursor.execute(QUERIES[query], values)
                return await cursor.fetchall() if cursor.description else []
        except DATABASE_AWAY as error:
            message = "the database does not answer: the outbox waits in it"
            raise UnavailableError(message) from error


def trouble_of(rows: list[dict[str, Any]]) -> str:
    """Return in words what `troubles` found; "ok" for nothing."""
    words = []
    for row in rows:
        name = f"webhook {row['webhook_id']} {row['label']}".strip()
        if row["disabled_reason"]:
            words.append(f"{name} is off: {row['disabled_reason']}")
        elif row["given_up_count"] or row["late_count"]:
            counts = f"{row['late_count']} changes wait, {row['given_up_count']} were given up"
            words.append(f"{name}: {counts} ({row['last_error']})")
    return "; ".join(words) or "ok"


def _words(answered: Answered) -> str:
    redirect = ": redirects are not followed, name the final address" if 300 <= answered.status < 400 else ""
    return f"it answered {answered.status}{redirect}"
