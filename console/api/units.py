"""Units of the scope and their tracks."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Annotated, Final, NamedTuple, TypeVar

import msgspec
import psycopg
from fastapi import Path, Query, Request, Response
from psycopg import AsyncConnection
from pydantic import BaseModel, Field

from console.api.contract import account_of, database_scope, json_response, parts_of, router, says, tagged_reply
from console.api.models import TrackReply, UnitsReply
from console.api.models_history import MovementsReply, StepsReply, movement_view, steps_reply
from console.api.track_files import csv_of, geojson_of
from console.audit import AuditAction
from console.auth.accounts import DATABASE_AWAY, Account
from console.auth.policy import Policy, policy
from console.parts import Parts
from console.wire import Role
from infra.clock import MICROSECONDS, us_of, utc_of
from infra.database import scoped
from telemetry.history import questions as history
from telemetry.model.batch import Batch, as_columns
from telemetry.model.errors import InputError, NotFoundError, UnavailableError
from telemetry.model.unit import Unit, UnitKind

ROUTER: Final = router("units")
DEFAULT_PERIOD_US: Final = 3600 * MICROSECONDS
DAY_US: Final = 86_400 * MICROSECONDS
LONGEST_PERIOD_US: Final = 31 * DAY_US
LONGEST_STEPS_US: Final = 3_660 * DAY_US
TRACK_WITHIN_S: Final = 15.0
LATEST_US: Final = 253_402_300_799 * MICROSECONDS
REASON_CHARS: Final = (3, 200)
T = TypeVar("T")


@ROUTER.get("/api/units", **says(UnitsReply))
@policy(Policy.SIGNED_IN)
async def list_units(request: Request) -> Response:
    """Return the units of the account's scope with the devices that speak for them."""
    metas = parts_of(request).stream.unit_metas(account_of(request).scope)
    return tagged_reply(request, UnitsReply(units=metas))


class PeriodQuery(BaseModel):
    """Which period of a unit's history is wanted, and why."""

    from_at: datetime | None = Field(
        None, alias="from", description="RFC 3339 with a zone; an hour before `to` if left out"
    )
    to_at: datetime | None = Field(None, alias="to", description="RFC 3339 with a zone; now if left out")
    reason: str = Field("", description="why, for an officer's track: 3 to 200 characters")


class TrackQuery(PeriodQuery):
    """Which part of a track is wanted, and why."""

    limit: int = Field(5_000, ge=1, le=history.TRACK_LIMIT)


class StepsQuery(PeriodQuery):
    """Which part of a track is wanted in steps, and why."""

    step_s: int = Field(
        900, ge=1, le=86_400, description="whole minutes that begin on one are read from roll-ups: fast"
    )


class TrackForm(StrEnum):
    """The kinds of file that a track is exported as."""

    CSV = "csv"
    GEOJSON = "geojson"


@ROUTER.get("/api/units/{unit_id}/track", **says(TrackReply))
@policy(Policy.SEE_TRACKS)
async def show_track(
    request: Request, unit_id: Annotated[int, Path(ge=1)], query: Annotated[TrackQuery, Query()]
) -> Response:
    """Return where a unit was, WGS-84, oldest first: the last hour by default; of more than `limit` points the newest."""
    _, batch = await _track(request, unit_id, query, AuditAction.TRAIL_VIEWED)
    return json_response(await asyncio.to_thread(_encode, unit_id, batch, query.limit))


@ROUTER.get("/api/units/{unit_id}/track.{form}", response_class=Response)
@policy(Policy.SEE_TRACKS)
async def export_track(
    request: Request, unit_id: Annotated[int, Path(ge=1)], form: TrackForm, query: Annotated[TrackQuery, Query()]
) -> Response:
    """Return the same as a file to keep, in SI units: CSV with one line a point, or GeoJSON; the audit says who took it."""
    unit, batch = await _track(request, unit_id, query, AuditAction.EXPORTED)
    encode, kind = (
        (csv_of, "text/csv; charset=utf-8") if form is TrackForm.CSV else (geojson_of, "application/geo+json")
    )
    data = await asyncio.to_thread(encode, batch[-query.limit :])
    headers = {"content-disposition": f'attachment; filename="track-{unit.unit_id}.{form.value}"'}
    return Response(data, 200, headers | {"cache-control": "no-store"}, kind)


@ROUTER.get("/api/units/{unit_id}/movements", **says(MovementsReply))
@policy(Policy.SEE_TRACKS)
async def show_movements(
    request: Request, unit_id: Annotated[int, Path(ge=1)], query: Annotated[PeriodQuery, Query()]
) -> Response:
    """Return a unit's trips and stops in a period, oldest first; the newest are some minutes behind.

    A stop: three minutes or more within 200 m. What began or ended while the device spoke for another unit tells no place.
    """
    look = await _look(request, unit_id, query, AuditAction.TRAIL_VIEWED)
    found = await _asked(look, partial(history.movements, unit_id=unit_id, from_us=look.from_us, to_us=look.to_us))
    return json_response(msgspec.json.encode(MovementsReply(unit_id=unit_id, movements=[*map(movement_view, found)])))


@ROUTER.get("/api/units/{unit_id}/steps", **says(StepsReply))
@policy(Policy.SEE_TRACKS)
async def show_steps(
    request: Request, unit_id: Annotated[int, Path(ge=1)], query: Annotated[StepsQuery, Query()]
) -> Response:
    """Return a unit's track in steps of one length: how many positions, the last, speeds and the way of each; also years back."""
    look = await _look(request, unit_id, query, AuditAction.TRAIL_VIEWED, longest_us=LONGEST_STEPS_US)
    ask = partial(history.rollup, unit_id=unit_id, from_us=look.from_us, to_us=look.to_us, step_s=query.step_s)
    return json_response(msgspec.json.encode(steps_reply(unit_id, query.step_s, await _asked(look, ask))))


class _Look(NamedTuple):
    """Who looks at which unit's history of which period, written into the audit."""

    parts: Parts
    account: Account
    unit: Unit
    from_us: int
    to_us: int


async def _look(
    request: Request, unit_id: int, query: PeriodQuery, action: AuditAction, *, longest_us: int = LONGEST_PERIOD_US
) -> _Look:
    """Return what may be read, once the audit has who looks and why."""
    parts, account = parts_of(request), account_of(request)
    unit = parts.services.bridge.registry.units.get(unit_id)
    if unit is None or not account.scope.sees(unit):
        message = f"there is no unit {unit_id} in your scope: GET /api/units lists yours"
        raise NotFoundError(message)
    from_us, to_us = _period(query.from_at, query.to_at, parts.services.clock.now_us(), longest_us)
    await _audit(parts, account, unit, action, reason=query.reason, from_us=from_us, to_us=to_us)
    return _Look(parts, account, unit, from_us, to_us)


async def _track(request: Request, unit_id: int, query: TrackQuery, action: AuditAction) -> tuple[Unit, Batch]:
    """Return the unit and one point more than the limit, once the audit has who looks and why."""
    look = await _look(request, unit_id, query, action)
    ask = partial(history.track, unit_id=unit_id, from_us=look.from_us, to_us=look.to_us, limit=query.limit + 1)
    return look.unit, await _asked(look, ask)


def _encode(unit_id: int, batch: Batch, limit: int) -> bytes:
    # In a thread: 20,000 points cost tens of milliseconds, in which the stream's next turn would wait.
    columns = as_columns(batch[-limit:])
    shown = min(len(batch), limit)
    track = TrackReply(unit_id=unit_id, point_count=shown, truncated=len(batch) > limit, columns=dict(columns))
    return msgspec.json.encode(track)


async def _audit(
    parts: Parts, account: Account, unit: Unit, action: AuditAction, *, reason: str, from_us: int, to_us: int
) -> None:
    words = " ".join(reason.split())
    own = account.role is Role.OFFICER and account.unit_id == unit.unit_id
    shortest, longest = REASON_CHARS
    if not words.isprintable():
        message = f"the reason {words[:40]!r} holds a character that nobody can read: write it in printable characters"
        raise InputError(message)
    if unit.kind is UnitKind.OFFICER and not own and not shortest <= len(words) <= longest:
        message = (
            f"where the officer {unit.call_sign} was is shown only for a reason: "
            f"give reason=..., {shortest} to {longest} characters (got {len(words)}); it is written into the audit"
        )
        raise InputError(message)
    detail = {"unit_id": unit.unit_id, "from": utc_of(from_us).isoformat(), "to": utc_of(to_us).isoformat()}
    await parts.audit.write(account, action, subject=unit.call_sign, reason=words, detail=detail)


async def _asked(look: _Look, ask: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """Return what history says to the account's own scope."""
    try:
        scope = database_scope(look.account)
        async with asyncio.timeout(TRACK_WITHIN_S), scoped(look.parts.services.pool, scope) as connection:
            return await ask(connection)
    except psycopg.errors.InsufficientPrivilege as error:
        message = f"there is no unit {look.unit.unit_id} in your scope: GET /api/units lists yours"
        raise NotFoundError(message) from error
    except psycopg.errors.InvalidParameterValue as error:
        message = f"history cannot be told so: {error.diag.message_primary}"
        raise InputError(message) from error
    except DATABASE_AWAY as error:
        message = "the database does not answer: the map goes on, history must wait until it is back"
        raise UnavailableError(message) from error


def _period(from_at: datetime | None, to_at: datetime | None, now_us: int, longest_us: int) -> tuple[int, int]:
    for name, at in (("from", from_at), ("to", to_at)):
        if at is not None and at.tzinfo is None:
            message = f"{name}={at.isoformat()} has no zone: write it like 2026-11-21T08:00:00Z"
            raise InputError(message)
    to_us = now_us if to_at is None else us_of(to_at)
    from_us = to_us - DEFAULT_PERIOD_US if from_at is None else us_of(from_at)
    if not 0 <= from_us <= LATEST_US or not 0 <= to_us <= LATEST_US:
        message = "the period begins or ends outside the years 1970 .. 9999: give times within them"
        raise InputError(message)
    if not 0 < to_us - from_us <= longest_us:
        message = f"the period from {utc_of(from_us).isoformat()} to {utc_of(to_us).isoformat()}: its end must be later, by at most {longest_us // DAY_US} days"
        raise InputError(message)
    return from_us, to_us
