"""A serial line, played by a pseudo-terminal: positions in, answers out, unplugged and plugged in again."""

import asyncio
import contextlib
import os
from pathlib import Path

import pytest

from telemetry.links.serial import SerialLink
from telemetry.links.url import parse_link_url
from telemetry.model.errors import InputError
from tests.link_scene import FakeKeeper, context_of, eventually


async def hear(line: int) -> bytes:
    """Return what the other end of a pseudo-terminal gets."""
    said = bytearray()

    def is_complete() -> bool:
        with contextlib.suppress(BlockingIOError):
            said.extend(os.read(line, 1000))
        return said.endswith(b"\n")

    await eventually(is_complete)
    return bytes(said)


def terminal(plug: Path) -> int:
    """Plug a new line in; return its other end."""
    ours, theirs = os.openpty()
    plug.unlink(missing_ok=True)
    plug.symlink_to(os.ttyname(theirs))
    os.close(theirs)
    os.set_blocking(ours, False)
    return ours


async def test_a_serial_device_is_heard_answered_and_heard_again_after_it_was_unplugged(tmp_path: Path) -> None:
    plug, keeper = tmp_path / "ttyUSB0", FakeKeeper()
    line = terminal(plug)
    link = SerialLink(parse_link_url(f"lines+serial:{plug}?baud=115200#car7"), context_of(keeper))
    running = asyncio.create_task(link.run())
    await eventually(lambda: link.status().state == "open")
    os.write(line, b"i am 5\nat 1\nat ")
    assert await hear(line) in (b"hello\nkept 1\n", b"kept 1\nhello\n", b"hello\n")
    os.close(line)
    await eventually(lambda: link.status().state == "retrying")
    line = terminal(plug)
    await eventually(lambda: link.status().state == "open")
    assert link.status().last_error is None
    os.write(line, b"i am 5\n")
    assert await hear(line) == b"hello\n"
    assert link.peers()[0].device_ids == (5,)
    link.close()
    running.cancel()
    os.close(line)
    assert keeper.rows["lat_e7"].tolist() == [1]


async def test_a_line_that_there_is_not_or_that_is_a_file_is_said_clearly(tmp_path: Path) -> None:
    for plug, says in ((tmp_path / "missing", "plug it in"), (tmp_path / "file", "is no serial line")):
        if says != "plug it in":
            plug.write_bytes(b"")
        with pytest.raises(InputError, match=says):
            await SerialLink(parse_link_url(f"lines+serial:{plug}"), context_of(FakeKeeper())).open()


def test_a_speed_that_there_is_not_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(InputError, match="4800, 9600, 19200"):
        SerialLink(parse_link_url("lines+serial:/dev/ttyUSB0?baud=9601"), context_of(FakeKeeper()))
