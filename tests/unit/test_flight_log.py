"""A .tlog for each flight: the seconds before it, its frames, some after; read by pymavlink; kept as long as there is room."""

import contextlib
import itertools
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymavlink import mavutil

from telemetry.flight_log.files import FlightLogFile, list_logs, path_of, to_delete
from telemetry.flight_log.log import FlightLog
from telemetry.model.errors import NotFoundError
from telemetry.model.events import ArmedChanged
from telemetry.sources.mavlink.frame import Value
from telemetry.sources.mavlink.signing import Signer
from tests.conftest import FakeClock
from tests.mavlink_scene import KEY, Drone

HAWK, OTHER = 7, 8
DAY_US = 86_400_000_000


class Sky:
    """A flight log and two drones that speak ten times a second."""

    def __init__(self, folder: Path, clock: FakeClock, *, least_free_bytes: int = 0) -> None:
        self.folder = folder / "flights"
        self.clock = clock
        self.log = FlightLog(self.folder, clock, keep_days=30, max_bytes=1 << 30, least_free_bytes=least_free_bytes)
        self.hawk, self.other = Drone(signer=Signer(KEY, 1)), Drone(system_id=2)
        self.ground = Drone(system_id=255, signer=Signer(KEY, 1))

    def fly(self, duration_s: float) -> None:
        for _ in range(round(duration_s * 10)):
            self.clock.advance(0.1)
            now_us = self.clock.now_us()
            self.log.take([(HAWK, 1, self.hawk.position(now_us)), (OTHER, 1, self.other.position(now_us))], now_us)

    def say(self, seq: int) -> None:
        """Ask the hawk for an item of its mission."""
        asked: dict[str, Value] = {"target_system": 1, "target_component": 1, "seq": seq}
        frame = self.ground.frame("MISSION_REQUEST_INT", asked, component_id=190)
        self.log.take_said([(HAWK, 1, frame)], self.clock.now_us())

    def read(self) -> list[Any]:
        """Everything in the only log, as pymavlink reads it."""
        (log,) = list_logs(self.folder)
        connection = mavutil.mavlink_connection(str(self.folder / log.name), dialect="ardupilotmega")
        with contextlib.closing(connection):
            return list(iter(connection.recv_match, None))

    def arm(self, *, armed: bool, device_id: int = HAWK) -> None:
        now_us = self.clock.now_us()
        self.log.hear(ArmedChanged(device_id=device_id, observed_us=now_us, received_us=now_us, armed=armed), now_us)


@pytest.fixture
def sky(tmp_path: Path, fake_clock: FakeClock) -> Iterator[Sky]:
    made = Sky(tmp_path, fake_clock)
    yield made
    made.log.close()


def test_a_flight_is_one_file_from_before_it_was_armed_until_after_it_was_disarmed(sky: Sky) -> None:
    sky.fly(20)
    armed_us = sky.clock.now_us()
    sky.arm(armed=True)
    sky.fly(30)
    sky.arm(armed=False)
    sky.fly(20)
    sky.log.close()
    (log,) = list_logs(sky.folder)
    assert (log.device_id, stat.S_IMODE((sky.folder / log.name).stat().st_mode)) == (HAWK, 0o600)
    read = sky.read()
    assert {(message.get_type(), message.get_srcSystem()) for message in read} == {("GLOBAL_POSITION_INT", 1)}
    stamps = [message._timestamp for message in read]
    assert stamps[0] == pytest.approx(armed_us / 1e6 - 5, abs=0.2)
    assert stamps[-1] == pytest.approx(armed_us / 1e6 + 40, abs=0.2)
    assert len(stamps) == pytest.approx(450, abs=3)


def test_what_was_said_to_a_drone_stands_between_what_it_said_in_the_order_of_time(sky: Sky) -> None:
    sky.fly(2)
    sky.say(0)
    sky.arm(armed=True)
    for seq in range(1, 4):
        sky.fly(1)
        sky.say(seq)
    sky.clock.advance(-0.003)  # a turn of another link that ends after this one, and began before it
    sky.log.take([(HAWK, 2, sky.hawk.position(sky.clock.now_us()))], sky.clock.now_us())
    sky.log.close()
    read = sky.read()
    stamps = [message._timestamp for message in read]
    assert stamps == sorted(stamps)
    asked = [(message.seq, message.get_srcSystem()) for message in read if message.get_type() == "MISSION_REQUEST_INT"]
    assert asked == [(0, 255), (1, 255), (2, 255), (3, 255)]
    at = [number for number, message in enumerate(read) if message.get_type() == "MISSION_REQUEST_INT"]
    assert [later - earlier for earlier, later in itertools.pairwise(at)] == [11, 11, 11]


def test_a_drone_that_is_only_spoken_to_is_not_heard_by_that(sky: Sky) -> None:
    sky.arm(armed=True)
    sky.fly(1)
    for _ in range(11):
        sky.clock.advance(60)
        sky.say(0)
    assert sky.log.status.flights == 0


def test_a_log_that_goes_on_is_as_long_as_its_last_whole_frame(tmp_path: Path) -> None:
    name = "device7-20260101T000000Z.tlog"
    (tmp_path / name).write_bytes(bytes(150))
    (log,) = list_logs(tmp_path, {name: 100})
    assert (log.size_bytes, log.ended_us) == (100, None)


def test_a_drone_that_is_armed_again_at_once_goes_on_in_the_same_file(sky: Sky) -> None:
    sky.arm(armed=True)
    sky.fly(2)
    sky.arm(armed=False)
    sky.fly(3)
    sky.arm(armed=True)
    sky.fly(20)
    sky.log.close()
    assert len(list_logs(sky.folder)) == 1


def test_each_drone_has_a_file_of_its_own(sky: Sky) -> None:
    sky.arm(armed=True)
    sky.arm(armed=True, device_id=OTHER)
    sky.fly(2)
    assert sky.log.status.flights == 2
    sky.log.close()
    assert {log.device_id for log in list_logs(sky.folder)} == {HAWK, OTHER}


def test_nothing_is_written_while_the_disk_has_too_little_room(tmp_path: Path, fake_clock: FakeClock) -> None:
    sky = Sky(tmp_path, fake_clock, least_free_bytes=1 << 60)
    sky.arm(armed=True)
    sky.fly(2)
    sky.log.close()
    assert (list_logs(sky.folder), sky.log.status.is_stopped, sky.log.status.frames_dropped > 0) == ([], True, True)


def log_of(name: str, day: int, size_bytes: int, *, ended: bool = True) -> FlightLogFile:
    started_us = day * DAY_US
    ended_us = started_us + 1 if ended else None
    return FlightLogFile(name=name, device_id=1, started_us=started_us, ended_us=ended_us, size_bytes=size_bytes)


def test_old_logs_go_then_the_oldest_until_the_rest_fits_and_the_disk_has_room() -> None:
    logs = [log_of("d", 9, 5, ended=False), log_of("c", 8, 10), log_of("b", 6, 10), log_of("a", 1, 10)]

    def gone(**limits: int) -> list[str]:
        wanted = {"now_us": 10 * DAY_US, "keep_us": 20 * DAY_US, "max_bytes": 1_000, "missing_bytes": 0} | limits
        return [log.name for log in to_delete(logs, **wanted)]

    assert gone() == []
    assert gone(keep_us=5 * DAY_US) == ["a"]
    assert gone(max_bytes=20) == ["a", "b"]
    assert gone(missing_bytes=11) == ["a", "b"]
    assert gone(missing_bytes=10_000) == ["a", "b", "c"]


@pytest.mark.parametrize("name", ["../vault.key", "device1-20260101T000000Z.tlog", "notes.txt", ""])
def test_no_other_file_is_ever_given_as_a_log(tmp_path: Path, name: str) -> None:
    (tmp_path / "notes.txt").write_text("private")
    with pytest.raises(NotFoundError, match="there is no flight log"):
        path_of(tmp_path, name)
