"""Under TLS the cookie is bound to its host and the websocket is a secure one; `skybeat user` works on the same database."""

import datetime
import ssl
from pathlib import Path
from urllib.parse import quote

import httpx
import psycopg
import pytest
import websockets
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from console.auth.accounts import first_link
from console.cli import skybeat
from console.wire import Role
from infra.clock import SYSTEM_CLOCK, utc_of
from tests.conftest import TestDatabase
from tests.console_house import running

pytestmark = pytest.mark.database


def make_certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = utc_of(SYSTEM_CLOCK.now_us())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    cert_path, key_path = folder / "cert.pem", folder / "key.pem"
    cert_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    key_path.write_bytes(key.private_bytes(*pem))
    return cert_path, key_path


async def test_a_cookie_under_tls_bears_the_host_prefix_and_opens_the_secure_websocket(
    database: TestDatabase, tmp_path: Path
) -> None:
    certificate, key = make_certificate(tmp_path)
    trust = ssl.create_default_context(cafile=str(certificate))
    async with running(database, tmp_path, tls_cert=certificate, tls_key=key) as house:
        origin = f"https://localhost:{house.port}"
        token = await first_link(house.accounts, SYSTEM_CLOCK.now_us())
        headers = {"origin": origin, "x-skybeat": "1"}
        async with httpx.AsyncClient(base_url=origin, headers=headers, verify=trust, trust_env=False) as browser:
            answer = await browser.post("/api/session/link", json={"token": token})
            cookie = answer.headers["set-cookie"]
            assert cookie.startswith("__Host-skybeat=")
            assert all(word in cookie for word in ("Secure", "HttpOnly", "SameSite=strict", "Path=/"))
            assert "max-age" in answer.headers["strict-transport-security"]
        socket = await websockets.connect(
            f"wss://localhost:{house.port}/ws",
            ssl=trust,
            origin=websockets.Origin(origin),
            subprotocols=[websockets.Subprotocol("skb1")],
            additional_headers={"cookie": cookie.split(";")[0]},
            proxy=None,
        )
        await socket.close()


def url_of(conninfo: str) -> str:
    parts = psycopg.conninfo.conninfo_to_dict(conninfo)
    host, port = quote(str(parts["host"]), safe=""), parts.get("port", 5432)
    return f"postgresql://{parts['user']}:{parts['password']}@/{parts['dbname']}?host={host}&port={port}"


def test_accounts_are_added_listed_linked_and_disabled_from_the_command_line(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SKYBEAT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("SKYBEAT_DATABASE_URL", url_of(database.owner_url))
    monkeypatch.setenv("SKYBEAT_DATABASE_APP_URL", url_of(database.app_url))
    runner = CliRunner()
    (tmp_path / "force.csv").write_text(
        "record,number,call_sign,kind,service,lat_deg,lon_deg\n"
        "station,9,,,,36.1,103.8\nstation,2,,,,36.1,103.8\nstation,1,,,,36.1,103.8\nunit,,Officer 7,officer,patrol,,\n"
    )
    assert runner.invoke(skybeat, ["force", "import", str(tmp_path / "force.csv")]).exit_code == 0
    unknown = runner.invoke(skybeat, ["user", "add", "wang", "--role", "operator", "--stations", "1,77"])
    assert "there is no station 77: known are 1, 2, 9" in str(unknown.exception)
    added = runner.invoke(skybeat, ["user", "add", "wang", "--role", "operator", "--stations", "1,2"])
    assert "/sign-in#" in added.output, added.output
    again = runner.invoke(skybeat, ["user", "add", "wang", "--role", "operator"])
    assert "exists already" in str(again.exception)
    officer = runner.invoke(skybeat, ["user", "add", "li", "--role", "officer"])
    assert "needs its own unit" in str(officer.exception)
    own = runner.invoke(skybeat, ["user", "add", "li", "--role", "officer", "--unit", "Officer 7"])
    assert "/sign-in#" in own.output, own.output
    assert "officer     unit Officer 7" in runner.invoke(skybeat, ["user", "list"]).output
    assert "operator    stations 1,2" in runner.invoke(skybeat, ["user", "list"]).output
    assert "5 seconds" in runner.invoke(skybeat, ["user", "disable", "wang"]).output
    assert "disabled" in str(runner.invoke(skybeat, ["user", "link", "wang"]).exception)
    assert "does not exist" in str(runner.invoke(skybeat, ["user", "link", "nobody"]).exception)
    recovered = runner.invoke(skybeat, ["user", "link", "admin"])
    assert "http://127.0.0.1:8420/sign-in#" in recovered.output
    with psycopg.connect(database.owner_url) as connection:
        rows = connection.execute("select name, role, disabled_at is null from account order by name").fetchall()
    assert rows == [("admin", Role.ADMIN, True), ("li", Role.OFFICER, True), ("wang", Role.OPERATOR, False)]
