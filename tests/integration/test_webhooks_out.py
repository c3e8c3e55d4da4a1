"""Changes of incidents reach a real receiver: signed, in order, again after failures, never where they must not go."""

import asyncio
import contextlib
import json
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner
from psycopg_pool import AsyncConnectionPool

from console.cli import skybeat
from console.webhooks.outbox import GIVE_UP_S, Webhooks
from console.webhooks.post import Answered, addresses_of, post, receiver_of
from console.webhooks.signature import secret_of, secret_text, verified_id
from infra.clock import SYSTEM_CLOCK
from infra.database import app_pool
from infra.vault import Vault
from telemetry.model.errors import UnavailableError
from tests.conftest import FakeClock, TestDatabase
from tests.integration.test_console_tls import make_certificate
from tests.integration.test_console_tls import url_of as url_of_server
from tests.officer_house import eventually

pytestmark = pytest.mark.database
SECRET = bytes(range(32))
Answer = tuple[int, dict[str, str]]


@dataclass
class Receiver:
    """A real HTTP server that keeps what it is sent and answers as it is told, 200 when nothing is left to answer."""

    answers: list[Answer] = field(default_factory=list)
    always: Answer = (200, {})
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    hold: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0

    def bodies(self) -> list[dict[str, object]]:
        return [json.loads(body) for _, body in self.heard]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
            body = await reader.readexactly(int(headers["content-length"]))
            self.heard.append((headers, body))
            await self.hold.wait()
            status, more = self.answers.pop(0) if self.answers else self.always
            lines = [f"HTTP/1.1 {status} X", "content-length: 0", *(f"{name}: {value}" for name, value in more.items())]
            writer.write("\r\n".join([*lines, "", ""]).encode())
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def receiving(trust: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    receiver.hold.set()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=trust)
    receiver.port = server.sockets[0].getsockname()[1]
    async with server:
        yield receiver
        receiver.hold.set()


@pytest.fixture
async def pool(database: TestDatabase) -> AsyncIterator[AsyncConnectionPool]:
    async with app_pool(database.app_url) as opened:
        yield opened


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as built:
        yield built


class Centre:
    """The outbox's deliverer on a clock that moves when told, and the changes that it delivers."""

    def __init__(self, database: TestDatabase, pool: AsyncConnectionPool, data_dir: Path) -> None:
        self.clock = FakeClock(SYSTEM_CLOCK.now_us() + 5_000_000)
        self.database = database
        self.webhooks = Webhooks(pool, self.clock, data_dir)
        self.vault = Vault.open(data_dir)

    def add(self, url: str, *, label: str = "county") -> int:
        with psycopg.connect(self.database.owner_url) as connection:
            row = connection.execute(
                "insert into webhook (label, url, secret_sealed, created_at) values (%s, %s, %s, now()) returning webhook_id",
                (label, url, self.vault.seal(SECRET)),
            ).fetchone()
            assert row is not None
            return int(row[0])

    def change(self, incident_id: int, count: int = 1) -> None:
        """Write an incident, or change it, `count` times."""
        with psycopg.connect(self.database.owner_url, autocommit=True) as connection:
            for _ in range(count):
                connection.execute(
                    "insert into incident (incident_id, number, change_sequence, state, urgency_rank, category, title, source,"
                    " source_ref, source_sha256, reported_at, created_at, changed_at) values (%s, 'JQ-1',"
                    " nextval('incident_change_sequence'), 'new', 1, 'help', 'secret', 'console', %s, sha256('x'), now(), now(),"
                    " now()) on conflict (incident_id) do update set version = incident.version + 1,"
                    " change_sequence = nextval('incident_change_sequence')",
                    (incident_id, f"ref-{incident_id}"),
                )

    async def turn(self) -> None:
        await self.webhooks.turn()
        await asyncio.gather(*self.webhooks._drains.values())

    def outbox(self, column: str) -> list[object]:
        with psycopg.connect(self.database.owner_url) as connection:
            rows = connection.execute(f"select {column} from webhook_delivery order by delivery_id").fetchall()
            return [row[0] for row in rows]


@pytest.fixture
def centre(database: TestDatabase, pool: AsyncConnectionPool, tmp_path: Path) -> Centre:
    return Centre(database, pool, tmp_path)


def url_of(receiver: Receiver) -> str:
    return f"http://127.0.0.1:{receiver.port}/hook?centre=1"


async def test_changes_arrive_signed_and_in_order_with_an_id_of_their_own(centre: Centre, receiver: Receiver) -> None:
    centre.add(url_of(receiver))
    centre.change(1, 3)
    centre.change(2)
    await centre.turn()
    assert [(body["data"]["incident_id"], body["data"]["version"]) for body in receiver.bodies()] == [  # type: ignore[index]
        (1, 1),
        (1, 2),
        (1, 3),
        (2, 1),
    ]
    now_s = centre.clock.now_us() / 1e6
    ids = {verified_id(SECRET, headers, body, now_s=now_s) for headers, body in receiver.heard}
    assert len(ids) == 4
    assert all(headers["content-type"] == "application/json" for headers, _ in receiver.heard)
    await centre.turn()
    assert len(receiver.heard) == 4
    assert None not in centre.outbox("delivered_at")


async def test_a_failure_is_tried_again_with_the_same_id_and_later_changes_of_that_incident_wait(
    centre: Centre, receiver: Receiver
) -> None:
    centre.add(url_of(receiver))
    receiver.answers = [(400, {})]
    centre.change(1, 2)
    centre.change(2)
    await centre.turn()
    seen = [(body["data"]["incident_id"], body["data"]["version"]) for body in receiver.bodies()]  # type: ignore[index]
    assert seen == [(1, 1), (2, 1)]  # what is wrong with one incident's message holds only that incident
    centre.clock.advance(8)
    await centre.turn()
    seen = [(body["data"]["incident_id"], body["data"]["version"]) for body in receiver.bodies()]  # type: ignore[index]
    assert seen == [(1, 1), (2, 1), (1, 1), (1, 2)]
    ids = [headers["webhook-id"] for headers, _ in receiver.heard]
    assert ids[0] == ids[2]
    assert len(set(ids)) == 3


async def test_a_clock_that_is_set_back_by_hours_holds_up_neither_new_messages_nor_those_that_failed(
    centre: Centre, receiver: Receiver
) -> None:
    centre.add(url_of(receiver))
    receiver.answers = [(400, {})]
    centre.change(1)
    await centre.turn()
    centre.clock.advance(8)
    centre.clock.step(-3 * 3600)
    centre.change(2)
    await centre.turn()
    seen = [body["data"]["incident_id"] for body in receiver.bodies()]  # type: ignore[index]
    assert seen == [1, 1, 2]


@pytest.mark.parametrize(
    "answer", [(500, {}), (503, {"retry-after": "120"}), (429, {}), (302, {"location": "http://127.0.0.1:1/"})]
)
async def test_a_receiver_that_is_ill_is_left_alone_for_a_growing_while(
    centre: Centre, receiver: Receiver, answer: Answer
) -> None:
    centre.add(url_of(receiver))
    receiver.always = answer
    centre.change(1)
    await centre.turn()
    await centre.turn()
    assert len(receiver.heard) == 1
    waits = []
    for _ in range(5):
        before = len(receiver.heard)
        for second in range(400):
            centre.clock.advance(1)
            await centre.turn()
            if len(receiver.heard) > before:
                waits.append(second + 1)
                break
    assert waits == sorted(waits)
    assert waits[-1] >= 60
    if "retry-after" in answer[1]:
        assert waits[0] >= 120
    receiver.always = (200, {})
    centre.clock.advance(400)
    await centre.turn()
    assert None not in centre.outbox("delivered_at")


async def test_after_a_day_it_is_given_up_and_told_and_what_follows_is_delivered(
    centre: Centre, receiver: Receiver
) -> None:
    centre.add(url_of(receiver))
    receiver.always = (400, {})
    centre.change(1, 2)
    await centre.turn()
    centre.clock.advance(GIVE_UP_S + 60)
    await centre.turn()
    assert [at is not None for at in centre.outbox("given_up_at")] == [True, True]
    centre.webhooks._checked_s = -1e9
    await centre.turn()
    assert "2 were given up (it answered 400)" in centre.webhooks.trouble
    receiver.always = (200, {})
    centre.change(1)
    await centre.turn()
    assert [at is not None for at in centre.outbox("delivered_at")] == [False, False, True]


async def test_a_receiver_that_is_gone_is_not_asked_again(centre: Centre, receiver: Receiver) -> None:
    centre.add(url_of(receiver))
    receiver.always = (410, {})
    centre.change(1)
    centre.change(2)
    await centre.turn()
    centre.clock.advance(10_000)
    centre.change(3)
    await centre.turn()
    assert len(receiver.heard) == 1
    assert None not in centre.outbox("given_up_at")
    assert len(centre.outbox("delivery_id")) == 2  # a change is not even queued for it


async def test_one_slow_receiver_holds_up_nobody_but_itself(centre: Centre, receiver: Receiver) -> None:
    async with receiving() as slow:
        slow.hold.clear()
        centre.add(url_of(slow), label="slow")
        centre.add(url_of(receiver))
        centre.change(1)
        await centre.webhooks.turn()
        await eventually(lambda: len(receiver.heard) == 1 and len(slow.heard) == 1)
        centre.change(2)
        await eventually(lambda: all(drain.done() for drain in list(centre.webhooks._drains.values())[1:]))
        await centre.webhooks.turn()
        await eventually(lambda: len(receiver.heard) == 2)
        assert len(slow.heard) == 1
        slow.hold.set()
        await asyncio.gather(*centre.webhooks._drains.values())
        assert len(slow.heard) == 2


async def test_two_consoles_share_an_outbox_and_each_message_is_delivered_once(
    centre: Centre, receiver: Receiver, database: TestDatabase, pool: AsyncConnectionPool, tmp_path: Path
) -> None:
    other = Centre(database, pool, tmp_path)
    centre.add(url_of(receiver))
    for incident_id in range(1, 21):
        centre.change(incident_id, 2)
    await asyncio.gather(centre.turn(), other.turn())
    await asyncio.gather(centre.turn(), other.turn())
    assert len(receiver.heard) == 40
    by_incident: dict[object, list[object]] = {}
    for body in receiver.bodies():
        data = body["data"]
        assert isinstance(data, dict)
        by_incident.setdefault(data["incident_id"], []).append(data["version"])
    assert all(versions == [1, 2] for versions in by_incident.values())


async def test_what_a_killed_console_had_claimed_is_sent_again_by_the_next(centre: Centre, receiver: Receiver) -> None:
    webhook_id = centre.add(url_of(receiver))
    centre.change(1)
    assert await centre.webhooks._claim(webhook_id) is not None  # and then kill -9
    await centre.turn()
    assert receiver.heard == []
    centre.clock.advance(21)
    await centre.turn()
    assert len(receiver.heard) == 1


async def test_a_webhook_that_another_centre_sealed_is_left_to_it(
    centre: Centre, receiver: Receiver, pool: AsyncConnectionPool, database: TestDatabase, tmp_path: Path
) -> None:
    centre.add(url_of(receiver))
    centre.change(1)
    stranger = Centre(database, pool, tmp_path / "other")
    await stranger.turn()
    assert receiver.heard == []
    await centre.turn()
    assert len(receiver.heard) == 1


async def test_only_a_certificate_that_bears_the_name_is_trusted(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    trusting = ssl.create_default_context(cafile=str(certificate))
    async with receiving(server) as receiver:
        named = receiver_of(f"https://localhost:{receiver.port}/")
        by_number = receiver_of(f"https://127.0.0.1:{receiver.port}/")
        assert await post(named, b"{}", {}, trust=trusting) == Answered(status=200)
        for target, trust in ((named, ssl.create_default_context()), (by_number, trusting)):
            with pytest.raises(UnavailableError, match="certificate or TLS"):
                await post(target, b"{}", {}, trust=trust)
        with pytest.raises(UnavailableError):  # plain HTTP to a TLS port
            await post(receiver_of(f"http://127.0.0.1:{receiver.port}/"), b"{}", {}, trust=trusting)
        assert len(receiver.heard) == 1


async def _garbage(writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-nothing\r\n\r\n" * 3)
    await writer.drain()


async def _silence(_writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(0.01)


async def _drip(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


async def _endless_head(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"x-more: " + b"y" * 4_000 + b"\r\n")
        await writer.drain()


@pytest.mark.parametrize("speak", [_garbage, _silence, _drip, _endless_head])
async def test_what_answers_nonsense_too_slowly_or_without_end_is_a_failure_in_time(
    speak: Callable[[asyncio.StreamWriter], Awaitable[None]],
) -> None:
    ended = asyncio.Event()

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await speak(writer)
        writer.close()
        ended.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server, asyncio.timeout(5):
        target = receiver_of(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        with pytest.raises(UnavailableError):
            await post(target, b"{}", {}, trust=ssl.create_default_context(), within_s=0.5)
        await ended.wait()


async def test_a_name_that_leads_into_this_machine_is_not_followed(receiver: Receiver) -> None:
    loop = asyncio.get_running_loop()
    resolve = loop.getaddrinfo

    async def rebound(host: object, port: object, **more: object) -> object:
        return await resolve("127.0.0.1" if host == "calls.example.org" else host, port, **more)  # type: ignore[arg-type]

    loop.getaddrinfo = rebound  # type: ignore[method-assign,assignment]
    for inside in (False, True):
        target = receiver_of(f"https://calls.example.org:{receiver.port}/", inside=inside)
        with pytest.raises(UnavailableError, match="nothing was sent there"):
            await addresses_of(target)
    assert receiver.heard == []


def test_the_command_adds_lists_and_removes_and_shows_a_secret_once(
    database: TestDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKYBEAT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("SKYBEAT_DATABASE_URL", url_of_server(database.owner_url))
    runner = CliRunner()
    added = runner.invoke(skybeat, ["webhook", "add", "https://calls.example.org/x", "--label", "county"])
    assert added.exit_code == 0, added.output
    (secret,) = re.findall(r"whsec_\S+", added.output)
    assert len(secret_of(secret)) == 32
    assert "calls.example.org" in runner.invoke(skybeat, ["webhook", "list"]).output
    with psycopg.connect(database.owner_url) as connection:
        sealed = connection.execute("select secret_sealed from webhook").fetchone()
    assert sealed is not None
    assert secret_text(Vault.open(tmp_path).unseal(bytes(sealed[0]))) == secret
    assert runner.invoke(skybeat, ["webhook", "add", "https://calls.example.org/x"]).exception is not None
    assert runner.invoke(skybeat, ["webhook", "add", "http://calls.example.org/x"]).exception is not None
    assert runner.invoke(skybeat, ["webhook", "remove", "1"]).exit_code == 0
    assert runner.invoke(skybeat, ["webhook", "remove", "1"]).exception is not None
