"""The turn tier gives what feeding one by one gives, whatever comes: mixed messages, reboots, losses, strangers, rivals, damage."""

from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.links.turns import merge
from telemetry.model.decoding import Peer, SourceContext
from telemetry.registry.table import RegistryTable
from telemetry.sources.mavlink import MavlinkSource
from telemetry.sources.mavlink.frame import Value, encode
from telemetry.sources.mavlink.signing import Signer
from tests.mavlink_scene import KEY, START_US, registry_of

PEERS = 3
Sent = tuple[int, bytes]


class Fleet:
    """Four vehicles (the last signs, the one before has a rival) whose frames a test draws one by one."""

    def __init__(self) -> None:
        self.sequences = dict.fromkeys((1, 2, 3, 4, 9), 0)
        self.boot_us = dict.fromkeys(self.sequences, START_US - 50_000_000)
        self.signer = Signer(KEY, 1)
        self.signer.advance(START_US)

    def greeting(self, system_id: int) -> bytes:
        """A HEARTBEAT, by which a vehicle is discovered."""
        fields: dict[str, Value] = {"type": 2, "autopilot": 3, "base_mode": 209, "mavlink_version": 3}
        signer = self.signer if system_id == 4 else None
        return encode("HEARTBEAT", fields, system_id=system_id, component_id=1, sequence=0, signer=signer)

    def frame(self, draw: st.DrawFn, system_id: int, now_us: int) -> bytes:
        step = draw(st.sampled_from([1] * 30 + [2, 0, 30, 250]))
        self.sequences[system_id] = (self.sequences[system_id] + step) & 255
        if draw(st.integers(0, 60)) == 0:
            self.boot_us[system_id] = now_us - 1_000_000
        name, fields = self.message(draw, (now_us - self.boot_us[system_id]) // 1000)
        return encode(
            name,
            fields,
            system_id=system_id,
            component_id=draw(st.sampled_from([1] * 30 + [154])),
            sequence=self.sequences[system_id],
            version=draw(st.sampled_from([2] * 40 + [1])) if system_id != 4 else 2,
            signer=self.signer if system_id == 4 else None,
        )

    def message(self, draw: st.DrawFn, boot_ms: int) -> tuple[str, dict[str, Value]]:
        name = draw(
            st.sampled_from(
                ["GLOBAL_POSITION_INT"] * 5 + ["ATTITUDE"] * 3 + ["HEARTBEAT", "GPS_RAW_INT", "SYS_STATUS", "VFR_HUD"]
            )
        )
        small, wide = st.integers(-32768, 32767), st.integers(-(2**31), 2**31 - 1)
        fields: dict[str, Value] = {"time_boot_ms": boot_ms}
        if name == "GLOBAL_POSITION_INT":
            fields |= {
                "lat": draw(st.sampled_from([360_600_000] * 6 + [0, 905_000_000])),
                "lon": draw(st.sampled_from([0, 1_038_000_000])),
            }
            fields |= {"alt": draw(wide), "relative_alt": draw(wide), "hdg": draw(st.integers(0, 65535))}
            fields |= {"vx": draw(small), "vy": draw(small), "vz": draw(small)}
        elif name == "ATTITUDE":
            fields["yaw"] = draw(st.floats(width=32) | st.sampled_from([0.0, 3.1, -3.1]))
        elif name == "HEARTBEAT":
            fields = {"type": 2, "autopilot": 3, "base_mode": draw(st.sampled_from([81, 209])), "mavlink_version": 3}
        elif name == "GPS_RAW_INT":
            fields = {
                "fix_type": draw(st.integers(0, 6)),
                "satellites_visible": 9,
                "h_acc": draw(st.integers(0, 500_000)),
                "lat": 1,
            }
        elif name == "SYS_STATUS":
            fields = {"voltage_battery": 12_000, "battery_remaining": draw(st.integers(-1, 100))}
        else:
            fields = {"throttle": draw(st.integers(0, 100)), "heading": 10}
        return name, fields


@st.composite
def turns(draw: st.DrawFn) -> list[tuple[int, list[Sent]]]:
    """Turns of datagrams: each has its time and its (peer, bytes)."""
    fleet, now_us = Fleet(), START_US
    drawn: list[tuple[int, list[Sent]]] = [
        (now_us, [(number % PEERS, fleet.greeting(number)) for number in (1, 2, 3, 4)])
    ]
    for _ in range(draw(st.integers(1, 6))):
        now_us += draw(st.sampled_from([0, 50_000, 50_000, 400_000, 4_000_000, 70_000_000]))
        sent = []
        for _ in range(draw(st.integers(0, 25))):
            system_id = draw(st.sampled_from([1, 1, 2, 2, 3, 4, 9]))
            data = fleet.frame(draw, system_id, now_us)
            damage = draw(st.integers(0, 40))
            data = {0: data[:-3], 1: b"\xfd" + data, 2: data + data, 3: data[:-1] + b"\0", 4: b""}.get(damage, data)
            sent.append((draw(st.integers(0, PEERS - 1)), data))
        drawn.append((now_us, sent))
    return drawn


def source_of(registry: RegistryTable, allowed: list[bool]) -> tuple[MavlinkSource, list]:  # type: ignore[type-arg]
    source = MavlinkSource(SourceContext(registry=registry, link_group="g"))
    return source, [source.decoder(Peer(transport="udp", allow_unsigned=allow)) for allow in allowed]


@given(turns(), st.lists(st.sampled_from([True] * 9 + [False]), min_size=PEERS, max_size=PEERS))
@settings(max_examples=150, deadline=None)
def test_a_turn_read_at_once_is_the_same_as_its_datagrams_one_by_one(
    drawn: list[tuple[int, list[Sent]]], allowed: list[bool]
) -> None:
    first, second = (registry_of(1, 2, 3, 4, keys={4: KEY}) for _ in range(2))
    _, singles = source_of(first, allowed)
    source, together = source_of(second, allowed)
    for now_us, sent in drawn:
        outputs = [singles[peer].feed(data, now_us) for peer, data in sent]
        one_by_one = merge(outputs)
        said, row_counts, bad_counts, answers = source.feed_many(
            [(together[peer], data) for peer, data in sent], now_us
        )
        assert not answers
        assert said.batch.tobytes() == one_by_one.batch.tobytes()
        assert said.events == one_by_one.events
        assert said.facts == one_by_one.facts
        assert said.bad == one_by_one.bad
        assert row_counts == [len(output.batch) for output in outputs]
        assert bad_counts == [sum(output.bad.values()) for output in outputs]
        for fact in said.facts:
            first.remember(fact)
            second.remember(fact)
        ticks = [[decoder.tick(now_us) for decoder in decoders] for decoders in (singles, together)]
        assert repr(ticks[0]) == repr(ticks[1])
    assert [decoder.frames_good for decoder in singles] == [decoder.frames_good for decoder in together]
    assert list(first.quarantined()) == list(second.quarantined())
