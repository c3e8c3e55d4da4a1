"""Cameras that Debian's sipp plays, on real sockets: digest with and without qop, keepalive, wrong password, subscription."""

import asyncio
import shutil
from pathlib import Path
from typing import Final

import pytest

from tests.gb28181_scene import CAMERA, PASSWORD, REALM, SERVER_ID
from tests.link_scene import FakeKeeper, eventually
from tests.sip_ground import free_port, server

SCENES: Final = Path(__file__).parent / "sipp"

pytestmark = pytest.mark.skipif(
    shutil.which("sipp") is None, reason="NO SIPP: install Debian's sip-tester to run these tests"
)


async def play(
    folder: Path,
    scene: str,
    *,
    server_port: int,
    own_port: int,
    password: str = PASSWORD,
    transport: str = "u1",
    calls: int = 1,
) -> None:
    """Let sipp play a camera; a scene that does not go as written fails with what sipp says."""
    people = folder / "cameras.csv"
    digest = f"[authentication username={CAMERA} password={password}]"
    people.write_text(f"SEQUENTIAL\n{CAMERA};{SERVER_ID};{REALM};{digest}\n")
    errors = folder / f"{scene}.err"
    process = await asyncio.create_subprocess_exec(
        "sipp", "-sf", str(SCENES / f"{scene}.xml"), "-inf", str(people), "-i", "127.0.0.1", "-p", str(own_port),
        "-t", transport, "-m", str(calls), "-nostdin", "-timeout", "30", "-timeout_error", "-trace_err",
        "-error_file", str(errors), f"127.0.0.1:{server_port}",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE, stdin=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    _, said = await asyncio.wait_for(process.communicate(), 60)
    told = errors.read_text(errors="replace") if errors.exists() else ""
    assert process.returncode == 0, f"sipp ended with {process.returncode}: {said.decode()[-500:]}\n{told[-3000:]}"


@pytest.mark.parametrize(("transport", "qop"), [("udp", "auth"), ("udp", "none"), ("tcp", "auth"), ("tcp", "none")])
async def test_a_camera_registers_by_its_password_keeps_alive_and_reports(
    tmp_path: Path, transport: str, qop: str
) -> None:
    keeper = FakeKeeper()
    async with server(transport, keeper, qop=qop) as link:
        await play(
            tmp_path,
            "camera",
            server_port=link.port,
            own_port=free_port(),
            transport="u1" if transport == "udp" else "t1",
        )
        assert link.status().bad == {}
    assert [fact.device_id for turn in keeper.turns for fact in turn.facts] == [1]
    (row,) = keeper.rows
    assert (row["device_id"], row["lat_e7"], row["lon_e7"], row["speed_cmps"]) == (1, 360_600_000, 1_038_300_000, 1000)
    assert row["observed_us"] == 1_789_997_600_000_000


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_camera_with_a_wrong_password_is_asked_again_and_then_sent_away(tmp_path: Path, transport: str) -> None:
    keeper = FakeKeeper()
    async with server(transport, keeper) as link:
        await play(
            tmp_path,
            "wrong_password",
            server_port=link.port,
            own_port=free_port(),
            password="guessed",
            transport="u1" if transport == "udp" else "t1",
        )
        assert link.status().bad == {"wrong_password": 5}
    assert not [turn for turn in keeper.turns if turn.facts]


async def test_a_registered_camera_is_asked_who_it_is_and_subscribed_to_and_its_list_of_positions_is_kept(
    tmp_path: Path,
) -> None:
    keeper = FakeKeeper()
    async with server("udp", keeper) as link:
        own_port = free_port()
        await play(tmp_path, "camera", server_port=link.port, own_port=own_port)
        await play(tmp_path, "subscribed", server_port=link.port, own_port=own_port, calls=4)
        await eventually(lambda: len(keeper.rows) >= 5)
        assert link.status().bad == {}
    assert set(keeper.rows["lat_e7"].tolist()) == {360_600_000, 360_700_000}
