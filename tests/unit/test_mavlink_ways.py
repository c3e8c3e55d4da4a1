"""A drone that is heard by two links at once: copies are told from repetitions, loss and delay are its links' own, orders leave by the best."""

import struct
from dataclasses import dataclass, field

import pytest

from telemetry.model.commands import RequestPosition
from telemetry.model.decoding import Output, Peer, SourceContext
from telemetry.model.errors import NotFoundError
from telemetry.model.link_ways import LinkWay
from telemetry.sources.mavlink import MavlinkDecoder, MavlinkSource
from telemetry.sources.mavlink.frame import FrameReader
from telemetry.sources.mavlink.signing import Signer
from tests.mavlink_scene import KEY, START_US, Drone, registry_of


def peer(port: int) -> Peer:
    return Peer(transport="udp", host="10.0.0.1", port=port, allow_unsigned=True)


@dataclass
class TwoLinks:
    """One drone, two links of its group, and a clock that every step moves on by 0.1 s."""

    drone: Drone = field(default_factory=Drone)
    is_signed: bool = False
    now_us: int = START_US

    def __post_init__(self) -> None:
        keys = {1: KEY} if self.is_signed else {}
        self.drone.signer = Signer(KEY, 7) if self.is_signed else None
        self.source = MavlinkSource(SourceContext(registry=registry_of(1, keys=keys), link_group="g"))
        self.source.tap_frames()
        self.left: MavlinkDecoder = self.source.decoder(peer(1))
        self.right: MavlinkDecoder = self.source.decoder(peer(2))
        self.said: list[Output] = []

    def step(self, *by: MavlinkDecoder, frame: bytes = b"") -> None:
        """Let the drone say something that comes by these links, and let the decoders do what time asks for."""
        self.now_us += 100_000
        if self.drone.signer is not None:
            self.drone.signer.advance(self.now_us)
        data = frame or self.drone.position(self.now_us)
        for decoder in by:
            self.said.append(decoder.feed(data, self.now_us))
        for decoder in (self.left, self.right):
            self.said.append(decoder.tick(self.now_us))

    def begin(self, *by: MavlinkDecoder) -> None:
        if self.drone.signer is not None:
            self.drone.signer.advance(self.now_us)
        self.step(*by, frame=self.drone.heartbeat())
        self.step(*by)
        self.said.clear()

    @property
    def rows(self) -> int:
        return sum(len(output.batch) for output in self.said)

    def way(self, number: int) -> LinkWay:
        return next(way for way in self.source.ways_of(1) if way.peer == f"10.0.0.1:{number}")


@pytest.mark.parametrize("is_signed", [False, True])
def test_what_comes_by_two_links_is_one_row_and_one_frame(is_signed: bool) -> None:
    scene = TwoLinks(is_signed=is_signed)
    scene.begin(scene.left, scene.right)
    scene.step(scene.left, scene.right)
    scene.said.clear()
    for _ in range(10):
        scene.step(scene.left, scene.right)
    assert scene.rows == 10
    assert sum(len(output.heard) for output in scene.said) == 10
    assert sum(sum(output.bad.values()) for output in scene.said) == 0
    assert scene.way(2).duplicates >= 10
    assert scene.way(1).duplicates == 0


def test_a_link_whose_frames_simply_went_on_is_known_to_be_heard_when_a_second_one_brings_some_too() -> None:
    scene = TwoLinks()
    scene.begin(scene.left)
    scene.now_us += 70_000_000
    scene.drone.sequence -= 1  # what is repeated tells nothing of the link
    frames = [scene.drone.heartbeat(), *(scene.drone.position(scene.now_us) for _ in range(3))]
    scene.source.feed_many([(scene.left, frame) for frame in frames], scene.now_us)
    scene.source.feed_many([(scene.right, scene.drone.position(scene.now_us))], scene.now_us)
    for decoder in (scene.left, scene.right):
        decoder.tick(scene.now_us)
    assert [way.is_best for way in (scene.way(1), scene.way(2))] == [True, False]


def test_a_frame_that_the_drone_itself_repeats_is_not_taken_for_a_copy() -> None:
    scene = TwoLinks()
    scene.begin(scene.left, scene.right)
    scene.step(scene.left, scene.right)
    frame = scene.drone.position(scene.now_us + 100_000)
    scene.said.clear()
    scene.step(scene.left, scene.right, frame=frame)
    scene.step(scene.left, scene.right, frame=frame)
    assert scene.rows == 2


def test_a_copy_that_comes_much_later_is_no_copy_any_more() -> None:
    scene = TwoLinks()
    scene.begin(scene.left, scene.right)
    frame = scene.drone.position(scene.now_us + 100_000)
    scene.step(scene.left, frame=frame)
    scene.now_us += 3_000_000
    before = scene.way(2).duplicates
    scene.step(scene.right, frame=frame)
    assert scene.way(2).duplicates == before


def test_each_link_tells_its_own_loss() -> None:
    scene = TwoLinks()
    scene.begin(scene.left, scene.right)
    for number in range(40):
        scene.step(*((scene.left, scene.right) if number % 4 else (scene.left,)))
    assert scene.way(1).loss_ratio == pytest.approx(0.0, abs=0.03)
    assert scene.way(2).loss_ratio == pytest.approx(0.25, abs=0.05)


def test_what_is_lost_on_one_link_comes_by_the_other() -> None:
    scene = TwoLinks()
    scene.begin(scene.left, scene.right)
    scene.step(scene.left, scene.right)
    scene.said.clear()
    for number in range(20):
        scene.step(scene.left if number % 2 else scene.right)
    assert scene.rows == 20


def test_the_time_there_and_back_is_measured_link_by_link() -> None:
    scene = TwoLinks()
    scene.begin(scene.left, scene.right)
    asked: dict[int, int] = {}
    for _ in range(55):
        scene.step(scene.left, scene.right)
        for output, decoder in zip(scene.said[-2:], (scene.left, scene.right), strict=True):
            for reply in output.replies:
                for frame in FrameReader().feed(reply.data):
                    if frame.msg_id == 111:
                        _, asked[decoder.link.number] = struct.unpack_from("<qq", frame.payload)
    assert set(asked) == {1, 2}
    answer = scene.drone.frame("TIMESYNC", {"tc1": 1, "ts1": asked[2]})
    asked_us = scene.right.link.asked_us
    scene.right.feed(answer, asked_us + 480_000)
    assert scene.way(2).rtt_us == 480_000
    assert scene.way(1).rtt_us is None


def test_orders_leave_by_the_link_that_loses_less_and_by_the_other_when_that_is_silent() -> None:
    scene = TwoLinks()
    scene.begin(scene.right)
    for number in range(60):
        scene.step(*((scene.left, scene.right) if number % 3 else (scene.left,)))
    order = RequestPosition(device_id=1)
    assert scene.way(1).is_best
    assert scene.left.send(order, scene.now_us).replies
    with pytest.raises(NotFoundError, match="by another link"):
        scene.right.send(order, scene.now_us)
    for _ in range(50):
        scene.step(scene.right)
    assert scene.way(2).is_best
    assert scene.right.send(order, scene.now_us).replies


def test_a_link_that_is_closed_gives_way_at_once() -> None:
    scene = TwoLinks()
    scene.begin(scene.left)
    for _ in range(10):
        scene.step(scene.left)
    scene.step(scene.right)
    assert scene.way(1).is_best
    scene.left.close()
    assert [way.peer for way in scene.source.ways_of(1)] == ["10.0.0.1:2"]
    assert scene.right.send(RequestPosition(device_id=1), scene.now_us).replies


def test_who_only_repeats_what_others_brought_is_never_sent_an_order() -> None:
    scene = TwoLinks(is_signed=True)
    scene.begin(scene.left)
    for _ in range(60):
        scene.step(scene.left, scene.right)
    for _ in range(20):
        scene.step(scene.right, frame=scene.drone.position(scene.now_us)[:-1] + b"\x00")
    assert scene.way(1).is_best
    assert not scene.way(2).is_best
