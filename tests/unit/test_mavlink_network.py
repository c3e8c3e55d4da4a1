"""Who is a vehicle, who may speak, what we say: the MAVLink decoder on frames of a live drone."""

import pytest

from telemetry.model.commands import RequestPosition, SendText, SetReportInterval
from telemetry.model.errors import InputError, NotFoundError
from telemetry.model.events import IdentityConflict, LinkLost, LinkRegained
from telemetry.model.unit import Device
from telemetry.registry.table import RegistryContents, RegistryTable
from telemetry.sources.mavlink import MavlinkDecoder, Network
from telemetry.sources.mavlink.frame import Frame, FrameReader, encode, values
from telemetry.sources.mavlink.signing import Signer, Verdict, Verifier
from tests.mavlink_scene import KEY, START_US, Drone, Heard, registry_of

SECOND = 1_000_000


def decoder_of(registry: RegistryTable | None = None, *, allow_unsigned: bool = True) -> MavlinkDecoder:
    return MavlinkDecoder(registry or registry_of(1), "g", allow_unsigned=allow_unsigned)


def fly(decoder: MavlinkDecoder, drone: Drone, *, ticks: int = 20, start: int = 0) -> Heard:
    heard = Heard()
    for tick in range(start, start + ticks):
        now_us = START_US + tick * 100_000
        for frame in drone.frames_at(tick, now_us):
            heard.add(decoder.feed(frame, now_us))
    return heard


def sent(decoder: MavlinkDecoder, now_us: int) -> list[Frame]:
    reader = FrameReader()
    return [frame for reply in decoder.tick(now_us).replies for frame in reader.feed(reply.data)]


def test_a_registered_autopilot_is_a_vehicle_from_its_heartbeat_on_with_what_it_said_just_before() -> None:
    decoder, drone = decoder_of(), Drone()
    for tenths in range(50):
        now_us = START_US + tenths * 100_000
        assert len(decoder.feed(drone.position(now_us), now_us).batch) == 0
    early = decoder.feed(drone.heartbeat(), now_us).batch
    assert len(early) == 31
    assert early["received_us"].tolist() == [now_us - tenths * 100_000 for tenths in range(30, -1, -1)]
    assert len(decoder.feed(drone.position(now_us), now_us).batch) == 1


@pytest.mark.parametrize(("kind", "autopilot"), [(6, 8), (2, 8), (6, 3), (26, 3), (18, 3), (30, 0)])
def test_ground_stations_gimbals_and_companions_are_no_vehicles(kind: int, autopilot: int) -> None:
    registry = RegistryTable()
    decoder, drone = decoder_of(registry), Drone()
    decoder.feed(drone.heartbeat(kind=kind, autopilot=autopilot), START_US)
    assert decoder.network.vehicles() == []
    assert registry.quarantined() == []


@pytest.mark.parametrize("component_id", [68, 190])
def test_radios_and_proxies_under_a_vehicles_name_are_no_vehicles(component_id: int) -> None:
    decoder, drone = decoder_of(), Drone()
    fields = {"type": 2, "autopilot": 3}
    decoder.feed(drone.frame("HEARTBEAT", {**fields}, component_id=component_id), START_US)
    assert decoder.network.vehicles() == []


def test_an_unknown_autopilot_goes_to_quarantine_and_into_no_picture_until_it_is_registered() -> None:
    registry = RegistryTable()
    decoder, drone = decoder_of(registry), Drone(system_id=9)
    heard = fly(decoder, drone)
    assert len(heard.batch) == 0
    assert heard.bad["unknown_system"] > 0
    (entry,) = registry.quarantined()
    assert (entry.protocol, entry.address) == ("mavlink", "g/9")
    registry.register(Device(device_id=9, protocol="mavlink", address="g/9"), None, START_US)
    assert len(fly(decoder, drone, start=30).batch) == 10


def test_a_revoked_device_is_heard_no_more_within_a_second() -> None:
    registry = registry_of(1)
    decoder, drone = decoder_of(registry), Drone()
    assert len(fly(decoder, drone).batch) == 10
    registry.replace(RegistryContents(devices=(Device(device_id=1, protocol="mavlink", address="g/1", revoked=True),)))
    fly(decoder, drone, ticks=10, start=20)
    assert len(fly(decoder, drone, start=30).batch) == 0


def test_one_system_id_on_two_link_groups_is_two_vehicles() -> None:
    devices = tuple(Device(device_id=n, protocol="mavlink", address=a) for n, a in ((1, "north/1"), (2, "south/1")))
    registry = RegistryTable(RegistryContents(devices=devices))
    rows = [
        fly(MavlinkDecoder(registry, group, allow_unsigned=True), Drone()).batch["device_id"].tolist()
        for group in ("north", "south")
    ]
    assert set(rows[0]) == {1}
    assert set(rows[1]) == {2}


def test_a_device_with_a_key_must_sign_even_where_unsigned_frames_may_speak() -> None:
    registry = registry_of(1, keys={1: KEY})
    decoder = decoder_of(registry)
    assert fly(decoder, Drone()).bad["unsigned"] > 0
    assert len(fly(decoder, Drone(signer=Signer(KEY, 3))).batch) == 10


def test_unsigned_frames_are_refused_where_the_link_does_not_let_them_and_the_refusal_shows() -> None:
    registry = registry_of(1)
    heard = fly(decoder_of(registry, allow_unsigned=False), Drone())
    assert len(heard.batch) == 0
    assert heard.bad["unsigned"] > 0
    (entry,) = registry.quarantined()
    assert "unsigned" in entry.reason


def test_frames_of_a_wrong_key_are_refused_counted_and_told_once() -> None:
    registry = registry_of(1, keys={1: KEY})
    decoder = decoder_of(registry)
    fly(decoder, Drone(signer=Signer(KEY, 1)))
    forged = fly(decoder, Drone(signer=Signer(bytes(32), 1)), start=20)
    assert len(forged.batch) == 0
    assert forged.bad["wrong_signature"] > 0
    assert len(forged.of("identity_conflict")) == 1


def test_a_forged_frame_from_the_future_does_not_shut_the_vehicle_up() -> None:
    registry = registry_of(1, keys={1: KEY})
    decoder, drone = decoder_of(registry), Drone(signer=Signer(KEY, 1))
    fly(decoder, drone)
    liar = Drone(signer=Signer(bytes(32), 1))
    assert liar.signer is not None
    liar.signer.advance(START_US + 10**15)
    decoder.feed(liar.heartbeat(), START_US + 2 * SECOND)
    assert len(fly(decoder, drone, start=21).batch) == 10


def test_signing_timestamps_are_facts_to_remember_and_old_frames_stay_refused_after_a_restart() -> None:
    registry = registry_of(1, keys={1: KEY})
    drone = Drone(signer=Signer(KEY, 1))
    assert drone.signer is not None
    drone.signer.advance(START_US)
    recorded = [drone.heartbeat(), drone.position(START_US)]
    first = decoder_of(registry)
    facts = [fact for frame in recorded for fact in first.feed(frame, START_US).facts]
    assert {fact.device_id for fact in facts} == {1}
    for fact in facts:
        registry.remember(fact)
    again = Heard()
    second = decoder_of(registry)
    for frame in recorded:
        again.add(second.feed(frame, START_US + SECOND))
    assert again.bad == {"old_signing_timestamp": 2}


def test_a_radios_status_is_never_refused() -> None:
    decoder = decoder_of(registry_of(1, keys={1: KEY}), allow_unsigned=False)
    status = Drone().frame("RADIO_STATUS", {"rssi": 100})
    assert not decoder.feed(status, START_US)


def test_a_heartbeat_of_another_type_changes_nothing_and_is_told_once() -> None:
    decoder, drone = decoder_of(), Drone()
    heard = fly(decoder, drone)
    for number in range(8):
        now_us = START_US + 2 * SECOND + number * 1000
        fields = {"type": 0, "autopilot": 8, "custom_mode": 9}
        forged = encode("HEARTBEAT", {**fields}, system_id=1, component_id=1, sequence=drone.sequence + 1 + number)
        heard.add(decoder.feed(forged, now_us))
    assert len(fly(decoder, drone, start=21).batch) == 10
    (conflict,) = heard.of("identity_conflict")
    assert isinstance(conflict, IdentityConflict)
    assert conflict.device_id == 1
    (vehicle,) = decoder.network.vehicles()
    assert (vehicle.vehicle_type, vehicle.autopilot, vehicle.status.mode) == (2, 3, "LOITER")


def test_silence_is_told_at_three_and_at_ten_seconds_and_the_return_too() -> None:
    decoder, drone = decoder_of(), Drone()
    fly(decoder, drone)
    heard = Heard()
    for quarter in range(60):
        heard.add(decoder.tick(START_US + 2 * SECOND + quarter * 250_000))
    fly_on = fly(decoder, drone, start=180)
    silences = [event.silent_s for event in heard.events if isinstance(event, LinkLost)]
    assert len(silences) == 2
    assert 3.0 <= silences[0] < 3.5
    assert 10.0 <= silences[1] < 10.5
    (regained,) = fly_on.of("link_regained")
    assert isinstance(regained, LinkRegained)
    assert regained.silent_s == pytest.approx(16.1, abs=0.2)


def test_a_vehicle_by_satellite_may_be_silent_for_minutes() -> None:
    decoder, drone = decoder_of(), Drone()
    fields = {"type": 2, "autopilot": 3, "latitude": 360_000_000, "longitude": 1_030_000_000, "altitude": 1600}
    output = decoder.feed(drone.frame("HIGH_LATENCY2", {**fields, "heading": 90, "battery": 55, "eph": 20}), START_US)
    (row,) = output.batch
    assert (row["alt_msl_dm"], row["heading_ddeg"], row["battery_pct"], row["accuracy_dm"]) == (16_000, 1800, 55, 20)
    assert [decoder.tick(START_US + s * SECOND).events for s in (20, 120)] == [(), ()]
    assert len(decoder.tick(START_US + 200 * SECOND).events) == 1
    assert len(decoder.tick(START_US + 601 * SECOND).events) == 1


def test_we_say_that_we_are_here_once_a_second_and_ask_for_the_streams_that_are_missing() -> None:
    decoder, drone = decoder_of(), Drone()
    decoder.feed(drone.heartbeat(), START_US)
    first = sent(decoder, START_US)
    assert [frame.msg_id for frame in first].count(0) == 1
    asked = {values(frame)["param1"]: values(frame)["param2"] for frame in first if frame.msg_id == 76}
    assert asked[33.0] == 200_000.0
    assert {24.0, 147.0, 245.0, 2.0} <= asked.keys()
    assert (first[0].system_id, first[0].component_id) == (255, 190)
    assert sent(decoder, START_US + 250_000) == []
    assert [frame.msg_id for frame in sent(decoder, START_US + SECOND)].count(0) == 1


def test_requests_wait_longer_each_time_and_stop_when_the_streams_come() -> None:
    decoder, drone = decoder_of(), Drone()
    asked_s = []
    for second in range(64):
        now_us = START_US + second * SECOND
        decoder.feed(drone.heartbeat(), now_us)
        if any(frame.msg_id == 76 for frame in sent(decoder, now_us)):
            asked_s.append(second)
    assert asked_s == [0, 1, 3, 7, 15, 31, 63]
    (vehicle,) = decoder.network.vehicles()
    for msg_id in (33, 1, 2, 24, 42, 74, 147, 245):
        vehicle.requests.heard(msg_id, START_US + 200 * SECOND)
    assert vehicle.requests.due(START_US + 200 * SECOND) == []


def test_what_we_send_to_a_vehicle_with_a_key_is_signed_with_it() -> None:
    registry = registry_of(1, keys={1: KEY})
    decoder = decoder_of(registry)
    fly(decoder, Drone(signer=Signer(KEY, 1)))
    verifier = Verifier(1, registry)
    frames = sent(decoder, START_US + 2 * SECOND)
    assert len(frames) > 3
    assert {verifier.verify(frame, START_US + 2 * SECOND) for frame in frames} == {Verdict.GENUINE}


def test_nothing_is_sent_on_a_recording() -> None:
    decoder = MavlinkDecoder(registry_of(1), "g", allow_unsigned=True, replayed=True)
    fly(decoder, Drone())
    assert decoder.tick(START_US + 2 * SECOND).replies == ()


def test_links_that_share_a_network_tick_it_once() -> None:
    network = Network(registry_of(1), "g")
    links = [MavlinkDecoder(registry_of(1), "g", allow_unsigned=True, network=network) for _ in range(2)]
    fly(links[0], Drone())
    late_us = START_US + 20 * SECOND
    assert [len(link.tick(late_us).events) for link in links] == [2, 0]


def test_commands_become_frames_for_the_vehicle() -> None:
    decoder, drone = decoder_of(), Drone()
    fly(decoder, drone)
    reader = FrameReader()

    def frames(command: SetReportInterval | RequestPosition | SendText) -> list[Frame]:
        return [f for reply in decoder.send(command, START_US).replies for f in reader.feed(reply.data)]

    (interval,) = frames(SetReportInterval(device_id=1, interval_s=2.0))
    assert (values(interval)["command"], values(interval)["param2"]) == (511, 2_000_000.0)
    (now,) = frames(RequestPosition(device_id=1))
    assert (values(now)["command"], values(now)["target_system"]) == (512, 1)
    chunks = frames(SendText(device_id=1, text="x" * 120))
    assert "".join(str(values(chunk)["text"]) for chunk in chunks) == "x" * 120
    assert len({values(chunk)["id"] for chunk in chunks}) == 1
    chinese = "前方路口发生交通事故，请绕行并保持通信畅通，等候指挥中心下一步指令"
    payloads = [chunk.payload.ljust(54, b"\0")[1:51] for chunk in frames(SendText(device_id=1, text=chinese))]
    assert b"".join(payloads).rstrip(b"\0").decode() == chinese


def test_commands_that_cannot_be_say_why() -> None:
    decoder = decoder_of()
    with pytest.raises(NotFoundError, match="has not been heard"):
        decoder.send(RequestPosition(device_id=1), START_US)
    fly(decoder, Drone())
    with pytest.raises(InputError, match=r"0\.1 \.\. 3600"):
        decoder.send(SetReportInterval(device_id=1, interval_s=0.01), START_US)


def test_noise_is_counted_and_costs_nothing() -> None:
    decoder, drone = decoder_of(), Drone()
    decoder.feed(drone.heartbeat(), START_US)
    output = decoder.feed(b"\xfd\x01 noise" + drone.position(START_US) + b"\x00" * 40, START_US)
    assert len(output.batch) == 1
    assert output.bad["frames_bad"] >= 1
    assert output.bad["bytes_skipped"] > 40
