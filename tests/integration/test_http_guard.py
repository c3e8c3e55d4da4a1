"""A connection that never gets to the point is let go, and never so many are held that files run short."""

import asyncio
import contextlib
import resource
from collections.abc import AsyncIterator

import pytest
import uvicorn

from infra import http_guard
from infra.http_guard import FILES_KEPT_FREE, GuardedHttp, connections_at_most, spare_open_files


async def _hello(scope: dict[str, object], _receive: object, send: object) -> None:
    assert scope["type"] == "http"
    assert callable(send)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(http_guard, "HEAD_WITHIN_S", 0.2)
    config = uvicorn.Config(
        _hello, port=0, http=GuardedHttp, limit_concurrency=3, log_config=None, log_level="error", lifespan="off"
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers no event
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await task


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: "], ids=["nothing", "half a head"])
async def test_who_does_not_finish_the_head_is_let_go(port: int, said: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(said)
    async with asyncio.timeout(5):
        assert await reader.read() == b""
    writer.close()


async def test_half_a_second_request_is_not_waited_for_either(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    async with asyncio.timeout(5):
        assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
        await asyncio.sleep(0.3)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200"), "a kept connection was cut between requests"
        writer.write(b"GET / HT")
        assert await reader.read() == b""
    writer.close()


async def test_one_connection_too_many_is_closed_and_the_others_stay(port: int) -> None:
    held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
    served_reader, served = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.sleep(0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(5):
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        for _, other in held:
            other.close()
        await asyncio.sleep(0.05)
        served.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await served_reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
    writer.close()
    served.close()


def test_files_are_kept_free_for_the_journal_whatever_the_systems_limit() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert spare_open_files() >= before[0]
    assert 2 * connections_at_most(1_000_000) <= spare_open_files() - FILES_KEPT_FREE
    assert connections_at_most(20) == 20
