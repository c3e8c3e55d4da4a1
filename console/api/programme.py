"""The programme: what patrols are asked for and with what, drawn and changed item by item; the rules that hold."""

import asyncio
from datetime import date
from typing import Annotated, Final

import msgspec
from fastapi import Path, Request, Response

from console.api.contract import account_of, database_scope, json_response, parts_of, read_body, reply, router, says
from console.api.models_programme import (
    CheckReply,
    CheckWish,
    ItemGoneReply,
    ItemList,
    ItemReply,
    ItemWish,
    ProgrammeReply,
    RuleSetView,
    RuleView,
    SettingWish,
    WeatherWish,
)
from console.api.while_asked import while_asked
from console.audit import AuditAction
from console.auth.accounts import Account
from console.auth.policy import Policy, allows, policy
from console.patrols.checks import demand_sound
from console.patrols.programme_desk import KeptProgramme
from console.patrols.protocol import CheckAsked
from infra.clock import MICROSECONDS
from mission.air.taf import read_report
from mission.days import day_window, zone_of
from mission.model import Window
from mission.programme_items import (
    FORMS,
    Item,
    ItemKind,
    KeptItem,
    ProgrammeSetting,
    item_of,
    moved_to_wgs84,
    raw_of,
)
from mission.rules import rule_set, rule_sets
from telemetry.model.errors import InputError, NotAllowedError

ROUTER: Final = router("programme")
ItemId = Annotated[int, Path(ge=1, le=2**31 - 1)]
MAX_ITEM_BYTES: Final = 1 << 20


@ROUTER.get("/api/programme", **says(ProgrammeReply))
@policy(Policy.SEE_PLANS)
async def show_programme(request: Request) -> Response:
    """Return what the account's scope is asked for and has, and the rules that hold."""
    return await _shown(request)


@ROUTER.put("/api/programme/settings", **says(ProgrammeReply, takes=SettingWish))
@policy(Policy.PLAN)
async def set_programme(request: Request) -> Response:
    """Set time zone, holidays and rules. With `version` they must still be of it: 409 when somebody was faster."""
    parts, account = parts_of(request), account_of(request)
    wish = await read_body(request, SettingWish)
    setting = ProgrammeSetting(
        zone=wish.zone, holidays=tuple(sorted(set(wish.holidays))), rule_set=wish.rule_set, rules=wish.rules
    )
    await asyncio.to_thread(zone_of, setting.zone)
    await asyncio.to_thread(rule_set, setting.rule_set, setting.rules)
    now_us = parts.services.clock.now_us()
    await parts.patrols.programme.set(
        database_scope(account), setting, version=wish.version, now_us=now_us, by=account.name
    )
    detail = {"rule_set": setting.rule_set, "rules": setting.rules}
    await parts.audit.write_soon(account, AuditAction.PROGRAMME_CHANGED, subject="settings", detail=detail)
    parts.patrols.feed.tell_programme()
    return await _shown(request)


@ROUTER.post("/api/programme/weather", **says(ItemReply, takes=WeatherWish, status=201))
@policy(Policy.PLAN)
async def tell_weather(request: Request) -> Response:
    """Add weather, entered or as the text of a METAR, SPECI or TAF, which may be several: the first is answered."""
    wish = await read_body(request, WeatherWish)
    if (wish.metar is None) == (wish.item is None):
        message = 'weather is either an "item" or a "metar": give one of them'
        raise InputError(message, "气象可填 item 或 metar：二选一")
    now_us = parts_of(request).services.clock.now_us()
    told = (item_of(ItemKind.WEATHER, wish.item),) if wish.metar is None else read_report(wish.metar, now_us=now_us)
    answers = [await _added(request, ItemKind.WEATHER, item, wish.station_id) for item in told]
    return answers[0]


@ROUTER.post("/api/programme/check", **says(CheckReply, takes=CheckWish))
@policy(Policy.PLAN)
async def check_item(request: Request) -> Response:
    """Return what is to be said of an item that is being drawn, and how a task would be flown; nothing is kept."""
    parts = parts_of(request)
    wish = await read_body(request, CheckWish, max_bytes=MAX_ITEM_BYTES)
    kept = await _programme(request)
    item = moved_to_wgs84(item_of(wish.kind.kind, wish.item, wish.item_id), wish.crs)
    now_us = parts.services.clock.now_us()
    asked = CheckAsked(
        kind=wish.kind.kind.value,
        item=raw_of(item),
        item_id=wish.item_id,
        programme=kept.programme,
        window=await asyncio.to_thread(_window_of, kept.setting.zone, wish.day, now_us),
        now_us=now_us,
    )
    return json_response(await while_asked(request, parts.patrols.plans.check(asked)))


@ROUTER.post("/api/programme/{items}", **says(ItemReply, takes=ItemWish, status=201))
@policy(Policy.PLAN)
async def add_item(request: Request, items: ItemList) -> Response:
    """Add an item to one of the lists; its places are in `crs` and kept in WGS-84."""
    wish = await read_body(request, ItemWish, max_bytes=MAX_ITEM_BYTES)
    item = moved_to_wgs84(item_of(items.kind, wish.item), wish.crs)
    return await _added(request, items.kind, item, wish.station_id)


@ROUTER.put("/api/programme/{items}/{item_id}", **says(ItemReply, takes=ItemWish))
@policy(Policy.PLAN)
async def change_item(request: Request, items: ItemList, item_id: ItemId) -> Response:
    """Put another item in the place of one. With `version` it must still be of it: 409 when somebody was faster."""
    parts, account = parts_of(request), account_of(request)
    wish = await read_body(request, ItemWish, max_bytes=MAX_ITEM_BYTES)
    item = moved_to_wgs84(item_of(items.kind, wish.item, item_id), wish.crs)
    warnings = await demand_sound(items.kind, item, (await _programme(request)).programme)
    wanted = KeptItem(item_id=item_id, kind=items.kind, version=0, item=item, station_id=wish.station_id)
    kept = await parts.patrols.programme.change(
        database_scope(account), wanted, version=wish.version, now_us=parts.services.clock.now_us(), by=account.name
    )
    await _audit(request, AuditAction.PROGRAMME_CHANGED, kept)
    return reply(ItemReply(item_id=item_id, item=kept.item, version=kept.version, warnings=warnings))


@ROUTER.delete("/api/programme/{items}/{item_id}", **says(ItemGoneReply))
@policy(Policy.PLAN)
async def remove_item(request: Request, items: ItemList, item_id: ItemId) -> Response:
    """Take an item away; plans that were made with it keep their own copy."""
    parts, account = parts_of(request), account_of(request)
    await parts.patrols.programme.remove(database_scope(account), items.kind, item_id)
    detail = {"kind": items.kind.value, "item_id": item_id}
    await parts.audit.write_soon(account, AuditAction.PROGRAMME_REMOVED, subject=items.kind.value, detail=detail)
    parts.patrols.feed.tell_programme()
    return reply(ItemGoneReply(item_id=item_id))


async def _added(request: Request, kind: ItemKind, item: Item, station_id: int | None) -> Response:
    parts, account = parts_of(request), account_of(request)
    warnings = await demand_sound(kind, item, (await _programme(request)).programme)
    kept = await parts.patrols.programme.add(
        database_scope(account),
        item,
        kind=kind,
        station_id=own_station(account, station_id),
        now_us=parts.services.clock.now_us(),
        by=account.name,
    )
    await _audit(request, AuditAction.PROGRAMME_ADDED, kept)
    return reply(ItemReply(item_id=kept.item_id, item=kept.item, version=kept.version, warnings=warnings), status=201)


def own_station(account: Account, station_id: int | None) -> int | None:
    """Return whose something new is: what was said, else the account's only station, else the whole force's (None).

    Raises NotAllowedError for a station outside the account's scope.
    """
    if station_id is None and len(account.station_ids) == 1:
        return account.station_ids[0]
    if not account.scope.sees_station(station_id):
        yours = ", ".join(map(str, account.station_ids))
        message = f"station_id {station_id}: your account has the stations {yours}; name one of them"
        raise NotAllowedError(message, f"警务站 {station_id}：您的账号管辖 {yours}；请选其一")
    return station_id


def _window_of(zone: str, day: date | None, now_us: int) -> Window:
    """Return a day, or the 24 hours from now on."""
    return Window(now_us, now_us + 86_400 * MICROSECONDS) if day is None else day_window(day, zone_of(zone))


async def _shown(request: Request) -> Response:
    kept = await _programme(request)
    return reply(await asyncio.to_thread(_view, kept, account_of(request)))  # rule sets are files


async def _programme(request: Request) -> KeptProgramme:
    return await parts_of(request).patrols.programme.read(database_scope(account_of(request)))


def _view(kept: KeptProgramme, account: Account) -> ProgrammeReply:
    held = rule_set(kept.setting.rule_set, kept.setting.rules)
    versions: dict[str, dict[str, int]] = {form.field: {} for form in FORMS.values()}
    stations: dict[str, dict[str, int]] = {form.field: {} for form in FORMS.values()}
    for one in kept.items:
        field = FORMS[one.kind].field
        versions[field][str(one.item_id)] = one.version
        if one.station_id is not None:
            stations[field][str(one.item_id)] = one.station_id
    return ProgrammeReply(
        programme=kept.programme,
        version=kept.version,
        versions=versions,
        station_ids=stations,
        weather_ids=[one.item_id for one in kept.items if one.kind is ItemKind.WEATHER],
        rule_set=kept.setting.rule_set,
        rule_sets=_rule_sets(),
        rules=[msgspec.convert(msgspec.structs.asdict(rule), RuleView) for rule in held.rules.values()],
        is_managed=allows(Policy.PLAN, account.role) and not account.station_ids,
    )


def _rule_sets() -> list[RuleSetView]:
    found = [rule_set(name) for name in rule_sets()]
    return [
        RuleSetView(name=one.name, name_zh=one.name_zh, name_en=one.name_en, source=one.source, source_zh=one.source_zh)
        for one in found
    ]


async def _audit(request: Request, action: AuditAction, kept: KeptItem) -> None:
    name = getattr(kept.item, "name_zh", "") or getattr(kept.item, "name", "") or kept.kind.value
    detail = {"kind": kept.kind.value, "item_id": kept.item_id, "station_id": kept.station_id}
    await parts_of(request).audit.write_soon(account_of(request), action, subject=name, detail=detail)
    parts_of(request).patrols.feed.tell_programme()
