"""The signed-in officer's own: its position, its call for help, its tasks and its answers. It speaks for its own unit alone."""

from typing import Annotated, Final

from fastapi import Path, Request, Response

from console.api.contract import account_of, parts_of, read_body, read_bytes, reply, router, says
from console.api.models_delivery import KeptReply
from console.api.models_incidents import AnswerTask, PositionReport, SosReport, TaskReply, TasksReply
from console.auth.policy import Policy, policy
from console.incidents.desk import actor_of
from mission.calls.dispatch import dispatch_of
from telemetry.model.errors import InputError
from telemetry.sources import skybeat

ROUTER: Final = router("me")
LATEST_MS: Final = 253_402_300_799_000
Id = Annotated[int, Path(ge=1, le=2**31 - 1)]


@ROUTER.post("/api/me/position", **says(KeptReply, takes=PositionReport))
@policy(Policy.OWN_TASKS)
async def report_position(request: Request) -> Response:
    """Take where the officer's phone is; answered once it is on the disk, 503 when it cannot be kept: send it again."""
    fix = skybeat.decode_position(await read_bytes(request))
    await parts_of(request).reports.report(account_of(request), fix)
    return reply(KeptReply(ignored=list(fix.ignored)))


@ROUTER.post("/api/me/sos", **says(KeptReply, takes=SosReport))
@policy(Policy.OWN_TASKS)
async def call_for_help(request: Request) -> Response:
    """Raise the officer's call for help, however wrong the rest of the request is; the same call sent again is one call."""
    fix = skybeat.decode_sos(await read_bytes(request))
    await parts_of(request).reports.call_for_help(account_of(request), fix)
    return reply(KeptReply(ignored=list(fix.ignored)))


@ROUTER.delete("/api/me/sos", **says(KeptReply))
@policy(Policy.OWN_TASKS)
async def end_call_for_help(request: Request) -> Response:
    """Say that the officer's own call for help is over."""
    await parts_of(request).reports.end_call(account_of(request))
    return reply(KeptReply())


@ROUTER.get("/api/me/tasks", **says(TasksReply))
@policy(Policy.OWN_TASKS)
async def list_tasks(request: Request) -> Response:
    """Return what the officer is wanted for now; 503 while nobody knows, which is another thing than none."""
    parts, unit_id = parts_of(request), account_of(request).unit_id
    await parts.desk.follower.refresh()
    return reply(TasksReply(tasks=[] if unit_id is None else parts.tasks.tasks(unit_id)))


@ROUTER.post("/api/me/tasks/{dispatch_id}", **says(TaskReply, takes=AnswerTask))
@policy(Policy.OWN_TASKS)
async def answer_task(request: Request, dispatch_id: Id) -> Response:
    """Take the officer's answer to its own task, with the phone's time held between the push and now.

    The same answer twice is one. 409 tells what became of a task that is over; what happened before its end is still noted.
    """
    parts, said = parts_of(request), await read_body(request, AnswerTask)
    parts.reports.demand_room(account_of(request))
    if abs(said.answered_ms) > LATEST_MS:
        message = f"answered_ms is {said.answered_ms:g}: allowed are milliseconds since 1970 up to the year 9999"
        raise InputError(message)
    incident = await parts.desk.answer(
        dispatch_id,
        said.answer,
        actor_of(account_of(request)),
        at_us=round(said.answered_ms * 1000),
        reason=said.reason,
    )
    return reply(TaskReply(task=parts.tasks.view(incident, dispatch_of(incident, dispatch_id))))
