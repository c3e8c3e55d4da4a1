"""TLS on links: our certificate where we listen, the server's verified where we call; and calls that are made again."""

import asyncio
import contextlib
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from telemetry.links.dialling import DiallingLink
from telemetry.links.listening import ListeningLink
from telemetry.links.url import parse_link_url
from telemetry.model.errors import InputError
from tests.link_scene import FakeKeeper, context_of, eventually


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for this machine with the openssl that Debian has."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    make = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    subprocess.run([*make, "-addext", names, "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True)
    return cert, key


@pytest.fixture
async def listener(tmp_path: Path) -> ListeningLink:
    cert, key = await asyncio.to_thread(certificate, tmp_path)
    url = parse_link_url(f"lines+tlsin:127.0.0.1:0?cert={cert}&key={key}#g")
    link = ListeningLink(url, context_of(FakeKeeper()))
    await link.open()
    return link


async def test_a_device_speaks_tls_and_one_in_the_clear_is_not_heard(listener: ListeningLink, tmp_path: Path) -> None:
    trusted = ssl.create_default_context(cafile=tmp_path / "cert.pem")
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port, ssl=trusted)
    writer.write(b"i am 1\nat 1\n")
    assert {await reader.readline(), await reader.readline()} == {b"hello\n", b"kept 1\n"}
    plain_reader, plain_writer = await asyncio.open_connection("127.0.0.1", listener.port)
    plain_writer.write(b"i am 2\n" * 100)
    with contextlib.suppress(ConnectionResetError):
        await plain_reader.read()
    await eventually(lambda: listener.status().refused == {"handshake": 1})
    assert [peer.device_ids for peer in listener.peers()] == [(1,)]
    assert listener.status().transport == "tls"
    for opened in (writer, plain_writer):
        opened.close()
    listener.close()


async def test_we_call_only_a_server_whose_certificate_is_right(listener: ListeningLink, tmp_path: Path) -> None:
    keeper = FakeKeeper()
    place = f"lines+tlsout:127.0.0.1:{listener.port}"
    with pytest.raises(InputError, match="is not who it should be"):
        await DiallingLink(parse_link_url(place), context_of(keeper)).open()
    link = DiallingLink(parse_link_url(f"{place}?ca={tmp_path / 'cert.pem'}"), context_of(keeper))
    await link.open()
    assert link.status().state == "open"
    link.close()
    listener.close()


async def test_tls_without_a_certificate_is_said_clearly(tmp_path: Path) -> None:
    for options, says in (("", "SKYBEAT_TLS_CERT"), (f"?cert={tmp_path}/none.pem", "cannot be used")):
        with pytest.raises(InputError, match=says):
            await ListeningLink(parse_link_url(f"lines+tlsin:127.0.0.1:0{options}"), context_of(FakeKeeper())).open()


async def test_a_server_that_went_away_is_called_again_until_it_is_back() -> None:
    keeper = FakeKeeper()
    said = asyncio.Event()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"i am 1\nat 1\n")
        await writer.drain()
        await said.wait()
        writer.close()

    with socket.create_server(("127.0.0.1", 0)) as chosen:
        port = chosen.getsockname()[1]
    link = DiallingLink(parse_link_url(f"lines+tcp:127.0.0.1:{port}"), context_of(keeper))
    with pytest.raises(InputError, match="nobody listens"):
        await link.open()
    running = asyncio.create_task(link.run())
    await eventually(lambda: link.status().last_error is not None)
    async with await asyncio.start_server(serve, "127.0.0.1", port):
        await eventually(lambda: len(keeper.rows) == 1)
        assert link.status().state == "open"
        assert link.status().last_error is None
        said.set()
        await eventually(lambda: len(keeper.rows) >= 2)
    running.cancel()
    link.close()
