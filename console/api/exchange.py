"""Programmes as files: brought in from other tools after a look at what they would bring, and written out."""

import asyncio
from collections.abc import Iterator
from typing import Annotated, Final

import msgspec
from fastapi import Query, Request, Response

from console.api.contract import account_of, database_scope, parts_of, read_bytes, reply, router, says
from console.api.downloads import download
from console.api.models_programme import ImportReply
from console.api.programme import own_station
from console.audit import AuditAction
from console.auth.policy import Policy, policy
from mission.checking import check_programme
from mission.formats.plan_files import FileRead, ProgrammeFormat, read_file, write_programme
from mission.formats.untrusted import MOST_BYTES, Said
from mission.model import Programme
from mission.programme_items import FORMS, Item, ItemKind, moved_to_wgs84, number_of, setting_of
from telemetry.model.datum import Crs

ROUTER: Final = router("programme")


@ROUTER.post("/api/programme/import", **says(ImportReply))
@policy(Policy.PLAN)
async def bring_programme(
    request: Request,
    *,
    dry_run: bool = False,
    name: Annotated[str, Query(max_length=200)] = "",
    crs: Crs = Crs.WGS84,
    station_id: Annotated[int | None, Query(ge=1)] = None,
) -> Response:
    """Bring what a file holds (YAML, GeoJSON, KML, KMZ, .plan, waypoints, GPX; its `name` helps to tell which), all or nothing.

    What came before from a file of that name is changed, what stands in the programme already is left as it is. With something that cannot be, or with `dry_run`, nothing is kept: the answer says what it would be. `crs`: in what places of
    the file are, where it does not say so itself.
    """
    parts, account = parts_of(request), account_of(request)
    whose = own_station(account, station_id)
    data = await read_bytes(request, max_bytes=MOST_BYTES)
    now_us = parts.services.clock.now_us()
    found = await asyncio.to_thread(_read, data, name, crs, now_us)
    refusals = await asyncio.to_thread(check_programme, found.programme)
    items = list(_items(found.programme))
    is_sound = all(refusal.is_warning for refusal in refusals)
    is_kept = is_sound and not dry_run
    desk, scope = parts.patrols.programme, database_scope(account)
    if is_kept:
        steps = await desk.bring(scope, items, source=name, station_id=whose, now_us=now_us, by=account.name)
    else:
        steps = await desk.look_at(scope, items, source=name, station_id=whose) if is_sound else []
    added = sum(step.before is None for step in steps)
    changed = sum(step.is_changed for step in steps)
    if is_kept and added + changed:
        detail = {"added": added, "changed": changed, "station_id": whose}
        await parts.audit.write_soon(account, AuditAction.PROGRAMME_BROUGHT, subject=name[-80:], detail=detail)
        parts.patrols.feed.tell_programme()
    return reply(
        ImportReply(
            is_kept=is_kept,
            added=added,
            changed=changed,
            unchanged=len(steps) - added - changed,
            refusals=refusals,
            notes=list(found.notes),
            programme=found.programme,
        )
    )


@ROUTER.get("/api/programme/export", response_class=Response)
@policy(Policy.SEE_PLANS)
async def write_out(request: Request, *, file_format: Annotated[ProgrammeFormat, Query(alias="format")]) -> Response:
    """Return the programme of the scope as a file: all of it as YAML, what has a place as GeoJSON or KML. Audited."""
    parts, account = parts_of(request), account_of(request)
    kept = await parts.patrols.programme.read(database_scope(account))
    made = await asyncio.to_thread(write_programme, kept.programme, file_format)
    await parts.audit.write(account, AuditAction.EXPORTED, subject=made.name, detail={"count": len(kept.items)})
    return download(made)


def _read(data: bytes, name: str, crs: Crs, now_us: int) -> FileRead:
    found = read_file(data, name, now_us=now_us)
    if crs is not Crs.WGS84 and not name.lower().endswith((".yaml", ".yml")):
        tasks = tuple(moved_to_wgs84(task, crs) for task in found.programme.tasks)
        zones = tuple(moved_to_wgs84(zone, crs) for zone in found.programme.zones)
        programme = msgspec.structs.replace(found.programme, tasks=tasks, zones=zones)
        return msgspec.structs.replace(found, programme=programme)
    if setting_of(found.programme) == setting_of(Programme()):
        return found
    note = Said(
        "zone, holidays, rule_set and rules of the file were not taken: set them in the programme's settings",
        "未采用文件中的时区、节假日和规则：请在任务书设置中填写",
    )
    return msgspec.structs.replace(found, notes=(*found.notes, note))


def _items(programme: Programme) -> Iterator[tuple[ItemKind, Item, int]]:
    for kind, form in FORMS.items():
        for item in getattr(programme, form.field):
            yield kind, item, number_of(kind, item)
