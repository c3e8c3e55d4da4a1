"""OwnTracks through a real broker: acknowledged after the disk only, sent again after whatever ended, in the clear and by TLS."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from telemetry.links.mqtt import MqttLink
from telemetry.links.url import parse_link_url
from telemetry.model.batch import Quality
from telemetry.model.commands import RequestPosition
from telemetry.model.decoding import Peer, SourceContext
from telemetry.model.errors import InputError
from telemetry.model.unit import Device
from telemetry.registry.table import RegistryContents, RegistryTable
from telemetry.sources import owntracks
from telemetry.sources.owntracks import OwnTracksDecoder
from tests.integration.test_console_tls import make_certificate
from tests.link_scene import FakeKeeper, context_of, eventually
from tests.mqtt_house import Broker, location, publish, running_broker

TOPIC = "owntracks/lihua/phone"


class Scene:
    """A link to a broker with one phone enrolled; each `opened` is a new life of our program."""

    def __init__(self, port: int) -> None:
        device = Device(device_id=7, protocol="owntracks", address="lihua/phone")
        self.registry = RegistryTable(RegistryContents(devices=(device,)))
        self.keeper = FakeKeeper()
        self.url = f"owntracks+mqtt:127.0.0.1:{port}?client_id=ours#city"

    def make_decoder(self, peer: Peer) -> OwnTracksDecoder:
        return owntracks.open_source(SourceContext(registry=self.registry, link_group="city")).decoder(peer)

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[MqttLink]:
        link = MqttLink(parse_link_url(self.url), context_of(self.keeper, self.make_decoder))
        running = asyncio.create_task(link.run())
        try:
            await eventually(lambda: link.status().state == "open" and link.status().last_error is None)
            yield link
        finally:
            link.close()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    @property
    def numbers(self) -> list[int]:
        return [int(us) // 1_000_000 - 1_790_000_000 for us in self.keeper.rows["observed_us"]]


async def acknowledged(link: MqttLink) -> None:
    """Return when all that was heard is acknowledged: replies are written in the turn after the disk has them."""
    await eventually(lambda: link.status().replies_waiting == 0)
    for _ in range(3):
        await asyncio.sleep(0)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with running_broker(tmp_path) as running:
        yield running


async def test_a_phone_is_heard_and_asked_for_its_place(broker: Broker) -> None:
    scene = Scene(broker.port)
    async with scene.opened() as link:
        await asyncio.to_thread(publish, broker, TOPIC, [location(1, vel=36, batt=80)])
        await eventually(lambda: scene.numbers == [1])
        row = scene.keeper.rows[0]
        assert (row["device_id"], row["speed_cmps"], row["battery_pct"], row["accuracy_dm"]) == (7, 1000, 80, 80)
        await acknowledged(link)
        link.send(RequestPosition(device_id=7), 1)
        assert link.status().peers == 1
        assert link.peers()[0].positions == 1


async def test_what_the_disk_has_not_is_not_acknowledged_and_comes_again(broker: Broker) -> None:
    scene = Scene(broker.port)
    scene.keeper.gate.clear()
    async with scene.opened() as link:
        await asyncio.to_thread(publish, broker, TOPIC, [location(number) for number in (1, 2, 3)])
        await eventually(lambda: scene.numbers == [1, 2, 3])
        assert link.status().replies_waiting == 3
    scene.keeper.gate.set()
    async with scene.opened() as link:
        await eventually(lambda: scene.numbers == [1, 2, 3, 1, 2, 3])
        await acknowledged(link)
        await asyncio.to_thread(publish, broker, TOPIC, [location(4)])
        await eventually(lambda: scene.numbers[-1] == 4)
        await acknowledged(link)
    async with scene.opened():
        await asyncio.to_thread(publish, broker, TOPIC, [location(5)])
        await eventually(lambda: scene.numbers[-1] == 5)
    assert scene.numbers == [1, 2, 3, 1, 2, 3, 4, 5]


async def test_a_full_journal_lets_the_broker_wait_and_nothing_is_lost(broker: Broker) -> None:
    scene = Scene(broker.port)
    async with scene.opened() as link:
        scene.keeper.is_full = True
        await asyncio.to_thread(publish, broker, TOPIC, [location(number) for number in range(50)])
        await eventually(lambda: link.status().paused)
        assert link.status().replies_refused > 0
        assert scene.numbers == []
        link.tick(2)
        scene.keeper.is_full = False
        link.tick(3)
        await eventually(lambda: set(scene.numbers) == set(range(50)))


async def test_a_broker_that_was_restarted_is_found_again_with_what_it_kept_for_us(broker: Broker) -> None:
    scene = Scene(broker.port)
    async with scene.opened() as link:
        broker.stop()
        await eventually(lambda: link.status().state == "retrying")
        broker.start()
        await asyncio.to_thread(publish, broker, TOPIC, [location(1)])
        await eventually(lambda: scene.numbers == [1], within_s=20)
        assert link.status().last_error is None


async def test_old_unknown_and_unreadable_messages_are_marked_quarantined_or_counted_and_never_come_twice(
    broker: Broker,
) -> None:
    scene = Scene(broker.port)
    await asyncio.to_thread(publish, broker, TOPIC, [location(1)], retain=True)
    async with scene.opened() as link:
        await eventually(lambda: scene.numbers == [1])
        assert scene.keeper.rows["quality"].tolist() == [Quality.ARCHIVE]
        await asyncio.to_thread(publish, broker, "owntracks/stranger/phone", [location(2)])
        odd = [b"{", b"", b'{"_type":"encrypted","data":"x"}', b"x" * 70_000]
        await asyncio.to_thread(publish, broker, TOPIC, [*odd, location(2)])
        await eventually(lambda: scene.numbers == [1, 2])
        await acknowledged(link)
        assert link.status().bad == {"unknown_device": 1, "json": 1, "encrypted": 1, "overlong": 1}
    assert [entry.address for entry in scene.registry.quarantined()] == ["stranger/phone"]
    async with scene.opened() as link:
        await asyncio.to_thread(publish, broker, TOPIC, [location(3)])
        await eventually(lambda: scene.numbers[-1] == 3)
        assert link.status().bad == {}


async def test_a_broker_that_refuses_us_says_why(tmp_path: Path) -> None:
    (tmp_path / "nobody").write_text("")
    with running_broker(tmp_path, "allow_anonymous false", f"password_file {tmp_path}/nobody") as broker:
        scene = Scene(broker.port)
        link = MqttLink(parse_link_url(scene.url), context_of(scene.keeper, scene.make_decoder))
        with pytest.raises(InputError, match=r"refuses us .*check .user= and .password="):
            await link.open()
        broker.stop()
        with pytest.raises(InputError, match=r"nobody listens at 127\.0\.0\.1"):
            await link.open()
        link.close()


async def test_a_broker_behind_tls_is_believed_by_its_certificate_only(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    with running_broker(tmp_path, "allow_anonymous true", f"certfile {certificate}", f"keyfile {key}") as broker:
        scene = Scene(broker.port)
        plain = f"owntracks+mqtts:localhost:{broker.port}?client_id=ours"
        stranger = MqttLink(parse_link_url(plain), context_of(scene.keeper, scene.make_decoder))
        with pytest.raises(InputError, match="is not who it should be"):
            await stranger.open()
        scene.url = f"{plain}&ca={certificate}"
        async with scene.opened() as link:
            assert link.status().state == "open"
