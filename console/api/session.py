"""Signing in and out: by one-time link, by name and password; the session's cookie."""

from typing import Final

from fastapi import Request, Response

from console.api.contract import account_of, host_of, parts_of, read_body, reply, router, says, signed_of
from console.api.models import LinkSignIn, NewPassword, PasswordSignIn, SessionReply
from console.audit import AuditAction
from console.auth.accounts import LINK_LIFETIME_S, Account
from console.auth.policy import NotSignedInError, Policy, policy
from console.auth.sessions import Signed
from console.parts import Parts
from infra.clock import MICROSECONDS, utc_of
from telemetry.model.errors import NotAllowedError

ROUTER: Final = router("session")


@ROUTER.post("/api/session/link", **says(SessionReply, takes=LinkSignIn))
@policy(Policy.ANYONE)
async def sign_in_by_link(request: Request) -> Response:
    """Use a one-time sign-in link: good once, for 15 minutes."""
    parts, body = parts_of(request), await read_body(request, LinkSignIn)
    place, now_s = host_of(request), parts.services.clock.monotonic_s()
    parts.attempts.demand_room(place, "(link)", now_s)
    account = await parts.accounts.use_link(body.token, parts.services.clock.now_us())
    if account is None:
        parts.attempts.failed(place, "(link)", now_s)
        await parts.audit.write(None, AuditAction.SIGN_IN_REFUSED, subject="link", detail={"from": place})
        message = (
            "this sign-in link was used already or is older than 15 minutes: `skybeat user link NAME` makes a new one"
        )
        raise NotSignedInError(message)
    return await _begin(parts, account, place=place, how="link")


@ROUTER.post("/api/session", **says(SessionReply, takes=PasswordSignIn))
@policy(Policy.ANYONE)
async def sign_in_by_password(request: Request) -> Response:
    """Sign in by name and password; the answer does not tell which of the two was wrong."""
    parts, body = parts_of(request), await read_body(request, PasswordSignIn)
    place, now_s = host_of(request), parts.services.clock.monotonic_s()
    account = await parts.accounts.by_name(body.name)
    parts.attempts.begin(place, body.name, now_s)
    password_hash = None if account is None or account.disabled else account.password_hash
    if not await parts.passwords.matches(password_hash, body.password) or account is None:
        detail = {"from": place, "known": account is not None}
        await parts.audit.write(None, AuditAction.SIGN_IN_REFUSED, subject=body.name, detail=detail)
        message = "name and password do not fit together: try again, or ask an administrator for a sign-in link"
        raise NotSignedInError(message)
    parts.attempts.succeeded(place, body.name)
    return await _begin(parts, account, place=place, how="password")


@ROUTER.get("/api/session", **says(SessionReply))
@policy(Policy.SIGNED_IN)
async def show_session(request: Request) -> Response:
    """Return who is signed in; 401 when nobody is."""
    return reply(_describe(signed_of(request)))


@ROUTER.delete("/api/session", status_code=204, response_class=Response)
@policy(Policy.SIGNED_IN)
async def sign_out(request: Request) -> Response:
    """End the session and its websockets."""
    parts = parts_of(request)
    await parts.sessions.sign_out(signed_of(request).token_sha256)
    await parts.audit.write_soon(account_of(request), AuditAction.SIGNED_OUT)
    response = Response(status_code=204)
    response.delete_cookie(parts.cookie_name, path="/", secure=parts.is_secure, httponly=True, samesite="strict")
    return response


@ROUTER.post("/api/account/password", **says(SessionReply, takes=NewPassword))
@policy(Policy.SIGNED_IN)
async def set_password(request: Request) -> Response:
    """Set the signed-in account's password; its other sessions end."""
    parts, body, signed = parts_of(request), await read_body(request, NewPassword), signed_of(request)
    if signed.is_key:
        message = "a script's key sets no password: sign in with the browser"
        raise NotAllowedError(message)
    await _demand_current(parts, signed.account, body.current, host_of(request))
    password_hash = await parts.passwords.hash(body.password)
    await parts.audit.write(signed.account, AuditAction.PASSWORD_SET)
    await parts.accounts.set_password_hash(signed.account.account_id, password_hash)
    await parts.sessions.end_others_of(signed)
    return reply(_describe(await parts.sessions.who(request.cookies.get(parts.cookie_name))))


async def _demand_current(parts: Parts, account: Account, current: str, place: str) -> None:
    """Refuse who merely found the console signed in: a new password asks for the old one, or for a fresh one-time link."""
    if account.password_hash is None:
        return
    clock = parts.services.clock
    if await parts.accounts.has_used_link_since(account.account_id, clock.now_us() - LINK_LIFETIME_S * MICROSECONDS):
        return
    now_s = clock.monotonic_s()
    parts.attempts.begin(place, account.name, now_s)
    if not await parts.passwords.matches(account.password_hash, current):
        message = "the present password is wrong: give it as `current`, or sign in by a one-time link first"
        raise NotAllowedError(message)
    parts.attempts.succeeded(place, account.name)


async def _begin(parts: Parts, account: Account, *, place: str, how: str) -> Response:
    await parts.audit.write(account, AuditAction.SIGNED_IN, subject=how, detail={"from": place})
    token, signed = await parts.sessions.sign_in(account)
    response = reply(_describe(signed))
    response.set_cookie(
        parts.cookie_name,
        token,
        max_age=parts.services.settings.session_absolute_s,
        path="/",
        secure=parts.is_secure,
        httponly=True,
        samesite="strict",
    )
    return response


def _describe(signed: Signed) -> SessionReply:
    account = signed.account
    return SessionReply(
        account_id=account.account_id,
        name=account.name,
        role=account.role,
        station_ids=sorted(account.station_ids),
        unit_id=account.unit_id,
        must_set_password=account.password_hash is None,
        expires_at=utc_of(signed.expires_us).isoformat(),
    )
