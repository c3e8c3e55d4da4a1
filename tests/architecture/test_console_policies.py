"""Every route, every websocket message and every command names its policy, and what is not named is denied."""

import typing
from pathlib import Path

import pytest
from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.routing import WebSocketRoute

import console.commands
from console import wire
from console.api.contract import PolicedRoute, router
from console.auth.policy import ALLOWED, COMMAND_POLICIES, MESSAGE_POLICIES, Policy, Scope, allows, policy_of
from console.cli import CommandsByFile
from console.parts import Services
from console.web_app import create_app
from console.wire import Role
from infra.clock import SYSTEM_CLOCK
from infra.database import app_pool
from infra.settings import Settings
from telemetry.model.unit import Service, Unit, UnitKind
from tests.console_house import SmallBridge


def routes(tmp_path: Path) -> list[object]:
    services = Services(
        bridge=SmallBridge(),
        pool=app_pool("postgresql://nobody@127.0.0.1:1/none"),
        clock=SYSTEM_CLOCK,
        settings=Settings(data_dir=tmp_path),
    )
    found: list[object] = []
    waiting = list(create_app(services).routes)
    while waiting:
        route = waiting.pop()
        inner = getattr(getattr(route, "original_router", None), "routes", None)
        if inner is None:
            found.append(route)
        else:
            waiting += inner
    return found


async def test_every_route_names_its_policy(tmp_path: Path) -> None:
    found = routes(tmp_path)
    assert len(found) > 20
    for route in found:
        assert isinstance(route, PolicedRoute | WebSocketRoute), route
        if isinstance(route, PolicedRoute):
            assert policy_of(route.endpoint) is route.policy
        else:
            assert policy_of(typing.cast("typing.Any", route.app)) is Policy.SIGNED_IN


async def test_only_sign_in_probes_and_the_page_itself_are_open_to_anyone(tmp_path: Path) -> None:
    open_paths = {
        route.path for route in routes(tmp_path) if isinstance(route, PolicedRoute) and route.policy is Policy.ANYONE
    }
    assert open_paths == {"/api/session", "/api/session/link", "/livez", "/readyz", "/metrics", "/{name:path}"}


def test_a_route_without_a_policy_does_not_start() -> None:
    async def endpoint(_request: Request) -> Response:
        return Response()

    with pytest.raises(TypeError, match="declares no policy"):
        router("bad").add_api_route("/bad", endpoint)
    assert issubclass(PolicedRoute, APIRoute)


def test_every_websocket_message_and_frame_names_its_policy() -> None:
    messages = (*typing.get_args(wire.FromBrowser), *typing.get_args(wire.ToBrowser))
    names = {message.__struct_config__.tag for message in messages}
    frames = {f"frame:{kind.name.lower()}" for kind in wire.FrameKind}
    assert set(MESSAGE_POLICIES) == names | frames


def test_every_command_names_its_policy() -> None:
    names = set(CommandsByFile().list_commands(typing.cast("typing.Any", None)))
    assert names <= set(COMMAND_POLICIES), "name the new command's policy in console/auth/policy.py"
    assert Path(console.commands.__path__[0]).is_dir()


def test_what_no_policy_lists_is_denied() -> None:
    assert not allows(Policy.MACHINE, Role.ADMIN)
    assert not allows(Policy.SIGNED_IN, None)
    assert all(allows(Policy.ANYONE, role) for role in (None, *Role))
    assert set(ALLOWED) == set(Policy) - {Policy.ANYONE, Policy.INTAKE_KEY, Policy.MACHINE}


@pytest.mark.parametrize("role", list(Role))
def test_a_covert_unit_is_for_supervisors_and_administrators(role: Role) -> None:
    covert = Unit(unit_id=4, call_sign="C", kind=UnitKind.CAR, service=Service.SPECIAL, station_id=1, covert=True)
    assert Scope(role).sees(covert) is (role in {Role.SUPERVISOR, Role.ADMIN})
    assert Scope(Role.ADMIN, frozenset({2})).sees(covert) is False
