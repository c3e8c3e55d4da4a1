"""Others in the air: read from ADS-B and open drone id without who they are, nearest approach, alarm, forgotten after a minute."""

import struct

import pymavlink.dialects.v20.ardupilotmega as dialect
import pytest

from telemetry.flight.traffic import OwnDrone, TrafficBoard, approach_of
from telemetry.model.decoding import Output
from telemetry.model.events import AlarmKind, DeviceAlarm
from telemetry.model.sighting import Sighting, SightingSource
from telemetry.sources.mavlink import MavlinkDecoder
from telemetry.sources.mavlink.frame import Value
from tests.mavlink_scene import START_US, Drone, registry_of

SECOND = 1_000_000
HAWK = OwnDrone(
    unit_id=7, device_id=11, lat_deg=36.0, lon_deg=103.8, alt_msl_m=1600.0, east_mps=0.0, north_mps=10.0, climb_mps=0.0
)
NORTH_1_KM = 1000 / 111_195


def helicopter(seen_us: int = START_US, **changes: float | None) -> Sighting:
    """Five kilometres north, coming south at 60 m/s, 50 m higher."""
    values: dict[str, float | None] = {
        "lat_deg": 36.0 + 5 * NORTH_1_KM,
        "lon_deg": 103.8,
        "alt_msl_m": 1650.0,
        "speed_mps": 60.0,
        "climb_mps": 0.0,
        "course_deg": 180.0,
    }
    return Sighting(key=b"adsb1", source=SightingSource.ADSB, seen_us=seen_us, **(values | changes))  # type: ignore[arg-type]


def test_the_closest_approach_is_told_with_its_time_distance_and_height() -> None:
    found = approach_of(helicopter(lon_deg=103.8 + 300 / 89_960), HAWK, START_US)
    assert found.in_s == pytest.approx(5000 / 70, rel=0.01) or found.in_s == 60.0
    later = approach_of(helicopter(lat_deg=36.0 + 3.5 * NORTH_1_KM, lon_deg=103.8 + 300 / 89_960), HAWK, START_US)
    assert later.in_s == pytest.approx(50, abs=0.5)
    assert later.distance_m == pytest.approx(300, abs=3)
    assert (later.height_apart_m, later.is_near) == (50.0, True)


@pytest.mark.parametrize(
    ("changes", "is_near"),
    [
        ({"alt_msl_m": 1650.0}, True),
        ({"alt_msl_m": 1900.0}, False),
        ({"alt_msl_m": None}, True),
        ({"alt_msl_m": 1900.0, "climb_mps": -5.0}, True),
        ({"course_deg": 0.0, "lat_deg": 36.0 + 3 * NORTH_1_KM}, False),
        ({"lon_deg": 103.8 + 2000 / 89_960}, False),
    ],
)
def test_what_comes_near_in_distance_and_height_is_near(changes: dict[str, float | None], is_near: bool) -> None:
    far = {"lat_deg": 36.0 + 3 * NORTH_1_KM}
    assert approach_of(helicopter(START_US, **(far | changes)), HAWK, START_US).is_near is is_near


def test_an_alarm_begins_once_ends_once_and_says_no_name() -> None:
    board = TrafficBoard(b"secret")
    board.take([helicopter(lat_deg=36.0 + 3 * NORTH_1_KM)])
    (begun,) = board.look([HAWK], START_US)
    assert isinstance(begun, DeviceAlarm)
    assert (begun.alarm, begun.active, begun.device_id) == (AlarmKind.TRAFFIC, True, 11)
    assert "adsb1" not in begun.text
    assert board.look([HAWK], START_US + SECOND) == []
    board.take([helicopter(START_US + 2 * SECOND, course_deg=0.0, lat_deg=36.0 + 3 * NORTH_1_KM)])
    (ended,) = board.look([HAWK], START_US + 2 * SECOND)
    assert isinstance(ended, DeviceAlarm)
    assert not ended.active


def test_an_alarm_of_before_a_restart_ends_when_nobody_is_near_any_more() -> None:
    board = TrafficBoard(b"secret")
    board.resume([11])
    (ended,) = board.look([HAWK], START_US)
    assert isinstance(ended, DeviceAlarm)
    assert (ended.device_id, ended.active) == (11, False)


def test_a_hazard_is_forgotten_after_a_minute_and_its_name_is_this_processs_own() -> None:
    board, other = TrafficBoard(b"one"), TrafficBoard(b"two")
    for one in (board, other):
        one.take([helicopter()])
    (hazard,) = board.hazards()
    assert hazard.sighting.key == b""
    assert hazard.hazard_id != other.hazards()[0].hazard_id
    board.look([], START_US + 61 * SECOND)
    assert board.hazards() == []


def test_our_own_transponder_is_no_hazard() -> None:
    board = TrafficBoard(b"secret")
    board.take([helicopter(lat_deg=36.00001, alt_msl_m=1602.0, speed_mps=10.0, course_deg=0.0)])
    assert board.look([HAWK], START_US) == []


def heard(drone: Drone, *frames: bytes) -> Output:
    decoder = MavlinkDecoder(registry_of(1), "g", allow_unsigned=True)
    decoder.feed(drone.heartbeat() + drone.position(START_US), START_US)
    return decoder.feed(b"".join(frames), START_US + SECOND)


ADSB: dict[str, Value] = {
    "ICAO_address": 0x780ABC,
    "lat": 360_500_000,
    "lon": 1_038_000_000,
    "altitude": 1_900_000,
    "heading": 9_000,
    "hor_velocity": 6_100,
    "ver_velocity": -200,
    "flags": 0x0F | 0x80,
    "callsign": "CA1234",
    "tslc": 2,
}


@pytest.mark.parametrize("component_id", [1, 156])
def test_adsb_of_the_autopilot_or_its_receiver_becomes_a_sighting_without_callsign(component_id: int) -> None:
    drone = Drone()
    output = heard(drone, drone.frame("ADSB_VEHICLE", ADSB, component_id=component_id))
    (sighting,) = output.sightings
    assert (sighting.lat_deg, sighting.alt_msl_m, sighting.speed_mps) == (36.05, 1900.0, 61.0)
    assert (sighting.course_deg, sighting.climb_mps, sighting.seen_us) == (90.0, -2.0, START_US - SECOND)
    assert (len(output.batch), output.events) == (0, ())
    assert b"CA1234" not in repr(sighting).encode()


@pytest.mark.parametrize(("geodetic_m", "alt_msl_m"), [(1700.0, 1700.0), (-1000.0, None)])
def test_a_foreign_drone_id_is_a_hazard_and_its_height_never_the_barometers(
    geodetic_m: float, alt_msl_m: float | None
) -> None:
    drone = Drone()
    location: dict[str, Value] = {
        "latitude": 360_500_000,
        "longitude": 1_038_000_000,
        "altitude_barometric": 1850.0,
        "altitude_geodetic": geodetic_m,
        "direction": 36_100,
        "speed_horizontal": 25_500,
        "speed_vertical": 6_300,
        "id_or_mac": tuple(range(20)),
    }
    output = heard(drone, drone.frame("OPEN_DRONE_ID_LOCATION", location))
    (sighting,) = output.sightings
    assert (sighting.source, sighting.alt_msl_m) == (SightingSource.REMOTE_ID, alt_msl_m)
    assert (sighting.speed_mps, sighting.course_deg, len(output.batch)) == (None, None, 0)


def packed_location(
    *, course_deg: int = 361, speed_mps: float = 255.0, climb_mps: float = 63.0, height_m: float = -1000.0
) -> bytes:
    """A location message as a drone broadcasts it (ASTM F3411, 25 bytes); what is not given is unknown."""
    is_fast = speed_mps > 63.75
    flags = 0x20 | (2 if course_deg >= 180 else 0) | (1 if is_fast else 0)
    speed = round((speed_mps - 63.75) / 0.75) if is_fast else round(speed_mps / 0.25)
    height = round((height_m + 1000) / 0.5)
    return struct.pack(
        "<BBBBbiiHHHBBHBB",
        *(0x12, flags, course_deg % 180 if course_deg <= 360 else 181, speed, round(climb_mps / 0.5)),
        *(360_500_000, 1_038_000_000, 5_700, height, 0, 0x3B, 0x44, 12_345, 2, 0),
    )


def packed_person() -> tuple[bytes, bytes, bytes]:
    """Whose drone it is: a serial number, an operator's registration, where the operator stands."""
    serial = struct.pack("<BB20s3x", 0x02, 0x12, b"1581F5BK000000000000")
    operator = struct.pack("<BB20s3x", 0x52, 0, b"CHN-OP-7")
    place = struct.pack("<BBiiHBHHBHI1x", 0x42, 0, 360_400_000, 1_037_900_000, 1, 0, 0, 0, 0, 0, 0)
    return serial, operator, place


def heard_pack(*messages: bytes, size_bytes: int = 25, count: int | None = None) -> Output:
    """What becomes of a pack that pymavlink made for a receiver aboard."""
    data = b"".join(messages).ljust(225, b"\0")
    number = len(messages) if count is None else count
    receiver = dialect.MAVLink(None, srcSystem=1, srcComponent=236)
    pack = receiver.open_drone_id_message_pack_encode(0, 0, list(range(20)), size_bytes, number, list(data))
    return heard(Drone(), bytes(pack.pack(receiver)))


@pytest.mark.parametrize("speed_mps", [12.5, 63.75, 90.0])
@pytest.mark.parametrize("course_deg", [0, 90, 180, 359])
def test_a_pack_of_drone_id_is_a_hazard_by_its_location_alone(speed_mps: float, course_deg: int) -> None:
    serial, operator, place = packed_person()
    location = packed_location(course_deg=course_deg, speed_mps=speed_mps, climb_mps=-3.5, height_m=1700.0)
    output = heard_pack(serial, location, operator, place)
    (sighting,) = output.sightings
    assert (sighting.lat_deg, sighting.lon_deg, sighting.alt_msl_m) == (36.05, 103.8, 1700.0)
    assert (sighting.speed_mps, sighting.course_deg, sighting.climb_mps) == (speed_mps, course_deg, -3.5)
    assert (len(output.batch), output.events) == (0, ())
    assert not any(word in repr(sighting) for word in ("1581F", "CHN-OP"))


def test_a_pack_and_a_location_of_the_same_sender_are_one_hazard() -> None:
    board, drone = TrafficBoard(b"secret"), Drone()
    location: dict[str, Value] = {"latitude": 360_500_000, "longitude": 1_038_000_000, "id_or_mac": tuple(range(20))}
    board.take(heard(drone, drone.frame("OPEN_DRONE_ID_LOCATION", location)).sightings)
    board.take(heard_pack(packed_location()).sightings)
    assert len(board.hazards()) == 1


def test_what_a_packed_location_does_not_know_is_unknown() -> None:
    (sighting,) = heard_pack(packed_location()).sightings
    assert (sighting.alt_msl_m, sighting.speed_mps, sighting.climb_mps, sighting.course_deg) == (None,) * 4


@pytest.mark.parametrize(
    ("messages", "changes"),
    [
        ((), {}),
        (packed_person(), {}),
        ((packed_location(),), {"size_bytes": 24}),
        ((packed_location(),), {"count": 0}),
        ((*packed_person(), *packed_person(), *packed_person()), {"count": 255}),
    ],
)
def test_a_pack_without_a_location_tells_of_nobody(messages: tuple[bytes, ...], changes: dict[str, int]) -> None:
    assert not heard_pack(*messages, **changes).sightings


def test_a_drones_own_pack_is_no_hazard() -> None:
    drone = Drone()
    pack: dict[str, Value] = {"single_message_size": 25, "msg_pack_size": 1}
    messages = tuple(packed_location().ljust(225, b"\0"))
    assert not heard(drone, drone.frame("OPEN_DRONE_ID_MESSAGE_PACK", {**pack, "messages": messages})).sightings


@pytest.mark.parametrize("changes", [{"flags": 0x0E}, {"flags": 0x4F}, {"lat": 0, "lon": 0}, {"lat": 910_000_000}])
def test_who_has_no_place_or_is_simulated_is_not_there(changes: dict[str, Value]) -> None:
    drone = Drone()
    assert not heard(drone, drone.frame("ADSB_VEHICLE", ADSB | changes)).sightings
