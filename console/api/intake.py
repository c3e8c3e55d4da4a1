"""Calls from other programs: by REST with a bearer key, by webhook with a signature; each call once, however often it comes."""

from typing import Annotated, Final

import msgspec
from fastapi import Path, Request, Response

from console.api.contract import decode_body, host_of, parts_of, read_bytes, reply, router, says
from console.api.models_incidents import HookIncident, IncidentTaken, NewIncident
from console.auth.policy import NotSignedInError, Policy, policy
from console.incidents.desk import Actor
from console.incidents.intake import draft_of
from console.incidents.intake_keys import IntakeKey
from console.parts import Parts
from console.webhooks.signature import verified_id
from infra.clock import MICROSECONDS
from mission.calls.errand import By
from telemetry.model.errors import InputError, NotAllowedError

ROUTER: Final = router("intake")
WEBHOOK_ID_CHARS: Final = 100


@ROUTER.post("/intake/incidents", **says(IncidentTaken, takes=NewIncident, status=201))
@policy(Policy.INTAKE_KEY)
async def take_call(request: Request) -> Response:
    """Take a call by `Authorization: Bearer`: 201 when new, 200 when the same came before, 409 when with another content."""
    parts = parts_of(request)
    key = await parts.intake_keys.by_bearer(request.headers.get("authorization", ""), host_of(request))
    new = decode_body(await read_bytes(request), NewIncident)
    return await _taken(parts, key, new, source="rest")


@ROUTER.post("/intake/hooks/{intake_key_id}", **says(IncidentTaken, takes=HookIncident, status=201))
@policy(Policy.INTAKE_KEY)
async def take_webhook(request: Request, intake_key_id: Annotated[int, Path(ge=1, le=2_147_483_647)]) -> Response:
    """Take a call that is signed (webhook-id, webhook-timestamp, webhook-signature); sent again it is the same call."""
    parts, host = parts_of(request), host_of(request)
    key, secret = await parts.intake_keys.hook(intake_key_id, host)
    body = await read_bytes(request)
    try:
        now_s = parts.services.clock.now_us() / MICROSECONDS
        webhook_id = verified_id(secret, request.headers, body, now_s=now_s)
    except NotAllowedError as error:
        parts.intake_keys.refused(host)
        raise NotSignedInError(str(error)) from error
    parts.intake_keys.admit(key)
    if len(webhook_id) > WEBHOOK_ID_CHARS or not webhook_id.isprintable():
        message = f"webhook-id of {len(webhook_id)} characters: at most {WEBHOOK_ID_CHARS} printable ones"
        raise InputError(message)
    said = decode_body(body, HookIncident)
    new = msgspec.structs.replace(said, source_ref=said.source_ref or webhook_id)
    return await _taken(parts, key, new, source="webhook", webhook_id=webhook_id)


async def _taken(
    parts: Parts, key: IntakeKey, new: NewIncident, *, source: str, webhook_id: str | None = None
) -> Response:
    draft = await draft_of(
        new,
        parts.nearest,
        source=source,
        now_us=parts.services.clock.now_us(),
        intake_key_id=key.intake_key_id,
        webhook_id=webhook_id,
    )
    incident, created = await parts.desk.create(draft, Actor(by=By(name=key.label)))
    taken = IncidentTaken(
        incident_id=incident.incident_id,
        number=incident.number,
        state=incident.state,
        place_note=incident.place_note,
        created=created,
    )
    return reply(taken, status=201 if created else 200)
