"""From what callers' programs and people say to a draft: coordinates into WGS-84, times, the digest, the station."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Protocol

import msgspec

from console.api.models_incidents import EditIncident, NewIncident
from infra.clock import us_of
from mission.calls.incident import Caller, Draft, Equipment, Incident, PlaceNote, Urgency
from telemetry.model.datum import parse_crs, to_wgs84
from telemetry.model.errors import InputError

FUTURE_US: Final = 300_000_000
"""How far a caller's clock may be ahead of ours; within it the call counts as of now."""
EARLIEST_US: Final = 946_684_800_000_000
"""The year 2000: what is reported before has a wrong clock."""

_PLAIN: Final = ("title", "text", "category", "place_text", "audio_url", "recording_url")


class PlaceJudge(Protocol):
    """Tells what is to be asked about a place and whose it is."""

    async def judge(self, lat_deg: float, lon_deg: float) -> tuple[str, int | None]:
        """Return (a PlaceNote or nothing, station_id or None) of a WGS-84 place."""


async def draft_of(
    new: NewIncident,
    judge: PlaceJudge,
    *,
    source: str,
    now_us: int,
    own_station_id: int | None = None,
    intake_key_id: int | None = None,
    webhook_id: str | None = None,
) -> Draft:
    """Return the draft of a call. `own_station_id` is whose it is while nobody knows the place.

    Raises InputError for half a place, an unknown crs, a time without a zone, in the future or before the year 2000.
    """
    lat_e7, lon_e7 = place_of(new.lat_deg, new.lon_deg, new.crs)
    note, station_id = await _judged(judge, lat_e7, lon_e7)
    return Draft(
        source=source,
        source_ref=new.source_ref,
        sha256=digest_of(new),
        title=new.title,
        text=new.text,
        urgency=Urgency(new.urgency),
        category=new.category,
        place_text=new.place_text,
        lat_e7=lat_e7,
        lon_e7=lon_e7,
        place_note=note,
        caller=Caller(name=new.caller_name, phone=new.caller_phone),
        audio_url=new.audio_url,
        recording_url=new.recording_url,
        needs=_each_once(new.needs),
        station_id=own_station_id if station_id is None else station_id,
        taken_station_id=own_station_id,
        reported_us=reported_us_of(new.reported_at, now_us),
        intake_key_id=intake_key_id,
        webhook_id=webhook_id,
    )


async def changes_of(edit: EditIncident, incident: Incident, judge: PlaceJudge) -> Mapping[str, Any]:
    """Return what an edit changes, as fields of Incident. Raises InputError for half a place or an unknown crs."""
    said = {name: value for name in edit.__struct_fields__ if (value := getattr(edit, name)) is not msgspec.UNSET}
    changes: dict[str, Any] = {name: said[name] for name in _PLAIN if name in said}
    if "urgency" in said:
        changes["urgency"] = Urgency(said["urgency"])
    if "needs" in said:
        changes["needs"] = _each_once(said["needs"])
    if "caller_name" in said or "caller_phone" in said:
        changes["caller"] = Caller(
            name=said.get("caller_name", incident.caller.name), phone=said.get("caller_phone", incident.caller.phone)
        )
    if "lat_deg" in said or "lon_deg" in said:
        lat_e7, lon_e7 = place_of(said.get("lat_deg"), said.get("lon_deg"), edit.crs)
        note, station_id = await _judged(judge, lat_e7, lon_e7)
        changes |= {"lat_e7": lat_e7, "lon_e7": lon_e7, "place_note": note}
        if station_id is not None:
            changes["station_id"] = station_id
    return changes


def place_of(lat_deg: float | None, lon_deg: float | None, crs: str) -> tuple[int | None, int | None]:
    """Return WGS-84 (lat_e7, lon_e7) of a place told in `crs`. Raises InputError for half a place and an unknown crs."""
    system = parse_crs(crs)
    if lat_deg is None and lon_deg is None:
        return None, None
    if lat_deg is None or lon_deg is None:
        message = f"half a place (lat_deg={lat_deg}, lon_deg={lon_deg}): give both or neither"
        raise InputError(message)
    lat, lon = to_wgs84(lat_deg, lon_deg, crs=system)
    return round(float(lat) * 1e7), round(float(lon) * 1e7)


def reported_us_of(reported_at: str | None, now_us: int) -> int:
    """Return when a call was made; never after now. Raises InputError for what is no such time."""
    if reported_at is None:
        return now_us
    try:
        at_us = us_of(datetime.fromisoformat(reported_at))
    except (ValueError, OverflowError) as error:
        message = (
            f"reported_at {reported_at[:40]!r} is no RFC 3339 time with a zone: write it like 2026-11-21T08:00:00+08:00"
        )
        raise InputError(message) from error
    if not EARLIEST_US <= at_us <= now_us + FUTURE_US:
        message = (
            f"reported_at {reported_at[:40]!r} lies before the year 2000 or more than {FUTURE_US // 60_000_000} minutes ahead "
            "of this machine's clock: set the sender's clock (NTP), or leave the time out"
        )
        raise InputError(message)
    return min(at_us, now_us)


def digest_of(new: NewIncident) -> bytes:
    """Return the SHA-256 of what was said: the same call twice has the same one."""
    return hashlib.sha256(msgspec.json.encode(new, order="deterministic")).digest()


async def _judged(judge: PlaceJudge, lat_e7: int | None, lon_e7: int | None) -> tuple[str, int | None]:
    if lat_e7 is None or lon_e7 is None:
        return PlaceNote.MISSING.value, None
    return await judge.judge(lat_e7 / 1e7, lon_e7 / 1e7)


def _each_once(needs: list[Equipment]) -> tuple[Equipment, ...]:
    return tuple(sorted(set(needs)))
