"""How a command on this machine speaks to the running `serve`: one JSON line each way over a private socket."""

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Final

import msgspec

from telemetry.model.errors import NotAllowedError, SkybeatError, UnavailableError

SOCKET_NAME: Final = "control.sock"
MAX_LINE_BYTES: Final = 65_536
_CREDENTIALS: Final = struct.Struct("3i")


class OpenReplay(msgspec.Struct, frozen=True, kw_only=True, tag="open_replay"):
    """Open a recorded flight as a link in link group `replay`; `speed` is 0.1 .. 100 times its own."""

    path: str
    speed: Annotated[float, msgspec.Meta(ge=0.1, le=100)] = 1.0
    keep_time: bool = False


class ReplayState(msgspec.Struct, frozen=True, kw_only=True, tag="replay_state"):
    """Ask how far the replay of this link has come."""

    link: str


Request = OpenReplay | ReplayState


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the running program says: `error` is empty when it did what was asked."""

    error: str = ""
    link: str = ""
    state: str = ""
    positions: int = 0


Handler = Callable[[Request], Awaitable[Answer]]


@asynccontextmanager
async def control_socket(data_dir: Path, handle: Handler) -> AsyncIterator[None]:
    """Answer requests of our own account (and of root) for the time of the block."""
    path = data_dir / SOCKET_NAME
    path.unlink(missing_ok=True)

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            writer.write(msgspec.json.encode(await _answer(reader, writer, handle)) + b"\n")
            await writer.drain()
        writer.close()

    mask = os.umask(0o177)
    try:
        server = await asyncio.start_unix_server(serve_one, path, limit=MAX_LINE_BYTES)
    finally:
        os.umask(mask)
    try:
        yield
    finally:
        server.close()
        path.unlink(missing_ok=True)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handle: Handler) -> Answer:
    try:
        _check_peer(writer.get_extra_info("socket"))
        return await handle(msgspec.json.decode(await reader.readline(), type=Request))
    except (SkybeatError, msgspec.DecodeError, ValueError, OSError) as error:
        return Answer(error=str(error) or type(error).__name__)


def _check_peer(peer: socket.socket) -> None:
    raw = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(raw)
    if uid not in {0, os.geteuid()}:
        message = f"account {uid} may not command this program: use the account that runs it"
        raise NotAllowedError(message)


def is_running(data_dir: Path) -> bool:
    """Tell whether a program answers on the control socket of this data folder."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(data_dir / SOCKET_NAME))
        except OSError:
            return False
    return True


async def ask(data_dir: Path, request: Request) -> Answer:
    """Send one request to the running program. Raises UnavailableError when it refuses or none runs."""
    try:
        reader, writer = await asyncio.open_unix_connection(data_dir / SOCKET_NAME, limit=MAX_LINE_BYTES)
    except OSError as error:
        message = f"no skybeat runs with the data under {data_dir}: start `skybeat serve`"
        raise UnavailableError(message) from error
    writer.write(msgspec.json.encode(request) + b"\n")
    await writer.drain()
    answer = msgspec.json.decode(await reader.readline(), type=Answer)
    writer.close()
    if answer.error:
        raise UnavailableError(answer.error)
    return answer
