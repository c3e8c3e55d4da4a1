"""One drone on the air: its craft's flight as MAVLink 2, and its ear for whoever has its key."""

import hmac
import math
from collections.abc import Mapping
from typing import Final, Protocol

import numpy as np

from console.demo.autopilot.body import STEP_S
from console.demo.autopilot.craft import Craft
from console.demo.autopilot.numbers import COMPONENT_ID, CopterMode, Do, Result, Severity
from console.demo.autopilot.orders import Orders, order_of
from console.demo.autopilot.parameters import NAMES, TABLE
from console.demo.autopilot.radio import Radio
from console.demo.autopilot.say import Fields, Peer, Say, real, whole
from console.demo.autopilot.streams import BY_ITSELF_S, Streams
from console.demo.autopilot.telling import Telling
from console.demo.autopilot.transfer import Transfer
from telemetry.model.mission_items import MissionList
from telemetry.sources.mavlink.frame import SIGNATURE_BYTES, Frame, FrameReader, encode, values
from telemetry.sources.mavlink.signing import HASH_BYTES, Signer, signature_hash
from telemetry.sources.mavlink.tables import MESSAGE_ID, MESSAGES

SIGNING_LINK: Final = 1
PARAMS_A_TURN: Final = 4
STEP_US: Final = round(STEP_S * 1e6)
TEXT_BYTES: Final = 50
HIGHEST_MSG_ID: Final = 65_535
GROUND_STATION: Final = 6
"""MAV_TYPE_GCS."""
_TRANSFERS: Final = frozenset(
    {
        *("MISSION_COUNT", "MISSION_ITEM", "MISSION_ITEM_INT", "MISSION_REQUEST", "MISSION_REQUEST_INT"),
        *("MISSION_REQUEST_LIST", "MISSION_CLEAR_ALL", "MISSION_ACK"),
    }
)
_ORDERS: Final = frozenset(
    {
        *("COMMAND_LONG", "COMMAND_INT", "SET_MODE", "MISSION_SET_CURRENT", "SET_POSITION_TARGET_GLOBAL_INT"),
        *("PARAM_SET", "PARAM_REQUEST_READ", "PARAM_REQUEST_LIST", "REQUEST_DATA_STREAM", "AUTOPILOT_VERSION_REQUEST"),
        *("TIMESYNC", "PING"),
    }
)
_HEARD: Final = frozenset(MESSAGE_ID[name] for name in _TRANSFERS | _ORDERS)
_QUERIES: Final = frozenset(
    {
        *(Do.SET_MESSAGE_INTERVAL, Do.REQUEST_MESSAGE, Do.MESSAGE_INTERVAL_OF, Do.GET_HOME),
        *(Do.REQUEST_CAPABILITIES, Do.REQUEST_PROTOCOL_VERSION),
    }
)
HEARTBEAT: Final = 0


class Taken(Protocol):
    """Who else flies the drone, and is told that somebody takes it."""

    def __call__(self, *, is_mission: bool) -> None:
        """Let go: an order has come, or a whole mission."""


class Drone:
    """One drone: `tick` moves it on by STEP_S (or by more, in a hurry) and returns what to send, `hear` takes what is said.

    With a `key` its frames are signed on link 1 and it obeys nothing that is not signed with it. `taken` is called before
    an order or a mission (`is_mission`) from outside changes where it flies; `streams_s` is what it sends without being asked. Counters:
    `positions_sent`, `frames_sent`, `commands_refused`.
    """

    def __init__(
        self,
        craft: Craft,
        system_id: int,
        key: bytes | None,
        *,
        seed: int,
        radio: Radio | None = None,
        streams_s: Mapping[str, float] = BY_ITSELF_S,
        asks_int: bool = False,
    ) -> None:
        self.craft: Final = craft
        self.system_id: Final = system_id
        self.positions_sent = self.frames_sent = self.commands_refused = 0
        self.taken: Taken = _nobody
        self._key = key
        self._signer = Signer(key, SIGNING_LINK) if key is not None else None
        random = np.random.default_rng([seed, 31, system_id])
        self._radio = radio
        self._reader = FrameReader()
        self._sequence = int(random.integers(0, 256))
        self._boot_s = float(random.uniform(30.0, 900.0))
        self._elapsed_s = 0.0
        self._ahead_us = 0
        self._telling = Telling(craft, random, system_id=system_id)
        first_s = {name: float(random.uniform(0.0, every_s)) for name, every_s in streams_s.items()} | {
            "HEARTBEAT": 0.0
        }
        self._streams = Streams(streams_s, self._telling.names, first_s, shortest_s=STEP_S)
        self._orders = Orders(craft)
        self._transfer = Transfer(craft, self._before_change, asks_int=asks_int)
        self._newest: dict[tuple[int, int, int], int] = {}
        self._params_due: list[str] = []
        self._home = craft.home

    def tick(self, now_us: int, *, steps: int = 1) -> bytes:
        """Move on by `steps` of STEP_S and return what goes out now; empty while the link is lost."""
        craft = self.craft
        for step in range(steps):
            craft.step(now_us + self._ahead_us + step * STEP_US)
        self._ahead_us += (steps - 1) * STEP_US
        self._elapsed_s += STEP_S
        said, reached, photos = craft.said[:], craft.reached[:], craft.camera.fresh[:]
        craft.said.clear()
        craft.reached.clear()
        craft.camera.fresh.clear()
        if self._is_silent():
            return b""
        self._set_time(now_us)
        if craft.home != self._home:
            self._home = craft.home
            self._streams.send_once(MESSAGE_ID["HOME_POSITION"], now_s=self._elapsed_s)
        says = [Say(name, self._telling.content(name)) for name in self._streams.due(self._elapsed_s)]
        says += [Say("MISSION_ITEM_REACHED", {"seq": number}) for number in reached]
        says += [Say("CAMERA_FEEDBACK", self._telling.photo(photo)) for photo in photos]
        says += [_text(*line) for line in said]
        says += [self._param(name) for name in self._params_due[:PARAMS_A_TURN]]
        del self._params_due[:PARAMS_A_TURN]
        return self._frames(says + self._transfer.tick(now_us))

    def hear(self, data: bytes, now_us: int) -> bytes:
        """Obey what a datagram says and return the answers; with a key, only what is signed with it."""
        self._set_time(now_us)
        says: list[Say] = []
        for frame in self._reader.feed(data):
            if self._is_silent():
                continue
            if frame.msg_id == HEARTBEAT:
                self._hear_ground(frame, now_us)
            elif frame.msg_id in _HEARD:
                says += self._hear_frame(frame, now_us)
        return self._frames(says)

    def _is_silent(self) -> bool:
        return self._radio is not None and self._radio.is_silent(self._elapsed_s)

    def _set_time(self, now_us: int) -> None:
        if self._signer is not None:
            self._signer.advance(now_us)
        self._telling.now_us = now_us
        self._telling.boot_ms = round((self._boot_s + self._elapsed_s) * 1000.0)

    def _before_change(self, kind: MissionList) -> None:
        if kind is MissionList.MISSION:
            self.taken(is_mission=True)

    def _hear_ground(self, frame: Frame, now_us: int) -> None:
        """Remember that its ground station lives; a HEARTBEAT that is not signed with the key is nobody's."""
        if frame.system_id == int(self.craft.parameters["SYSID_MYGCS"]) and self._is_genuine(frame):
            self.craft.ground_heard_us = now_us + self._ahead_us

    def _hear_frame(self, frame: Frame, now_us: int) -> list[Say]:
        fields = values(frame)
        system_id, component_id = fields.get("target_system", 0), fields.get("target_component", 0)
        if system_id not in {0, self.system_id} or component_id not in {0, COMPONENT_ID}:
            return []
        if not self._is_genuine(frame):
            self.commands_refused += 1
            return []
        name, peer = MESSAGES[frame.msg_id].name, Peer(frame.system_id, frame.component_id)
        if name in _TRANSFERS:
            return self._transfer.hear(name, fields, peer, now_us)
        return self._obey(name, fields, peer)

    def _is_genuine(self, frame: Frame) -> bool:
        """Tell whether a frame is signed with the key and newer than its stream's last one; anything is, without a key."""
        if self._key is None:
            return True
        signature = frame.signature
        if signature is None:
            return False
        if not hmac.compare_digest(signature_hash(self._key, frame.raw[:-HASH_BYTES]), signature[-HASH_BYTES:]):
            return False
        stream = (signature[0], frame.system_id, frame.component_id)
        stamp = int.from_bytes(signature[1 : SIGNATURE_BYTES - HASH_BYTES], "little")
        if stamp <= self._newest.get(stream, -1):
            return False
        self._newest[stream] = stamp
        return True

    def _obey(self, name: str, fields: Fields, peer: Peer) -> list[Say]:
        match name:
            case "COMMAND_LONG" | "COMMAND_INT":
                return self._command(fields, peer, is_int=name == "COMMAND_INT")
            case "SET_MODE":
                self.taken(is_mission=False)
                self.craft.set_mode(whole(fields, "custom_mode"))
                return [Say("HEARTBEAT", self._telling.content("HEARTBEAT"))]
            case "MISSION_SET_CURRENT":
                self.taken(is_mission=False)
                self._orders.jump_to(whole(fields, "seq"))
                return [Say("MISSION_CURRENT", self._telling.content("MISSION_CURRENT"))]
            case "SET_POSITION_TARGET_GLOBAL_INT":
                if self.craft.mode is CopterMode.GUIDED:
                    self.taken(is_mission=False)
                    self._orders.target(fields)
            case "REQUEST_DATA_STREAM":
                rate_hz, stream = whole(fields, "req_message_rate"), whole(fields, "req_stream_id")
                self._streams.set_stream(stream, rate_hz, is_on=bool(fields["start_stop"]), now_s=self._elapsed_s)
            case "AUTOPILOT_VERSION_REQUEST":
                return [Say("AUTOPILOT_VERSION", self._telling.content("AUTOPILOT_VERSION"))]
            case "TIMESYNC" if fields["tc1"] == 0:
                return [Say("TIMESYNC", {"tc1": self._telling.now_us * 1000, "ts1": fields["ts1"]})]
            case "PING" if fields["target_system"] == 0:
                return [Say("PING", fields | {"target_system": peer.system_id, "target_component": peer.component_id})]
            case _:
                return self._parameter(name, fields)
        return []

    def _command(self, fields: Fields, peer: Peer, *, is_int: bool) -> list[Say]:
        number = whole(fields, "command")
        if number in _QUERIES:
            result, says = self._query(number, fields)
        else:
            if self._orders.moves(number):
                self.taken(is_mission=False)
            result, says = self._orders.obey(order_of(fields, is_int=is_int)), []
        answer: Fields = {"command": number, "result": int(result), "target_system": peer.system_id}
        return [Say("COMMAND_ACK", answer | {"target_component": peer.component_id}), *says]

    def _query(self, number: int, fields: Fields) -> tuple[Result, list[Say]]:
        """Answer what only asks or sets a stream."""
        asked = real(fields, "param1")
        msg_id = int(asked) if 0.0 <= asked <= HIGHEST_MSG_ID else -1
        match number:
            case Do.SET_MESSAGE_INTERVAL:
                every_us = real(fields, "param2")
                done = math.isfinite(every_us) and self._streams.set_interval(msg_id, every_us, now_s=self._elapsed_s)
                return (Result.ACCEPTED if done else Result.FAILED), []
            case Do.MESSAGE_INTERVAL_OF if msg_id >= 0:
                interval: Fields = {"message_id": msg_id, "interval_us": self._streams.interval_us(msg_id)}
                return Result.ACCEPTED, [Say("MESSAGE_INTERVAL", interval)]
            case Do.REQUEST_PROTOCOL_VERSION:
                return Result.UNSUPPORTED, []  # as ArduPilot: AUTOPILOT_VERSION tells that it speaks MAVLink 2
        known = {Do.GET_HOME: "HOME_POSITION", Do.REQUEST_CAPABILITIES: "AUTOPILOT_VERSION"}
        name = known.get(Do(number)) or next((n for n in self._telling.names if MESSAGE_ID[n] == msg_id), None)
        return (Result.ACCEPTED, [Say(name, self._telling.content(name))]) if name else (Result.FAILED, [])

    def _parameter(self, name: str, fields: Fields) -> list[Say]:
        parameters = self.craft.parameters
        match name:
            case "PARAM_REQUEST_LIST":
                self._params_due = list(NAMES)
            case "PARAM_REQUEST_READ":
                index, asked = whole(fields, "param_index"), str(fields["param_id"])
                found = NAMES[index] if 0 <= index < len(NAMES) else asked
                return [self._param(found)] if found in TABLE else []
            case "PARAM_SET" if fields["param_id"] in TABLE:
                asked = str(fields["param_id"])
                parameters.change(asked, real(fields, "param_value"))
                wind = self.craft.body.wind
                wind.from_deg, wind.speed_mps = parameters["SIM_WIND_DIR"], parameters["SIM_WIND_SPD"]
                return [self._param(asked)]
        return []

    def _param(self, name: str) -> Say:
        content: Fields = {"param_id": name, "param_value": self.craft.parameters[name], "param_type": TABLE[name].kind}
        return Say("PARAM_VALUE", content | {"param_count": len(NAMES), "param_index": NAMES.index(name)})

    def _frames(self, says: list[Say]) -> bytes:
        return b"".join(self._frame(*say) for say in says)

    def _frame(self, name: str, content: Fields) -> bytes:
        self._sequence = (self._sequence + 1) % 256
        self.frames_sent += 1
        self.positions_sent += name == "GLOBAL_POSITION_INT"
        return encode(
            name,
            content,
            system_id=self.system_id,
            component_id=COMPONENT_ID,
            sequence=self._sequence,
            signer=self._signer,
        )


def _text(severity: Severity, text: str) -> Say:
    return Say("STATUSTEXT", {"severity": int(severity), "text": text[:TEXT_BYTES]})


def _nobody(*, is_mission: bool) -> None:
    """Take note that somebody flies the drone: nobody else would."""
