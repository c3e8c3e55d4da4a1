"""The platform's end of one connection: finds out who speaks, honours who has proved it, answers and asks."""

import struct
from collections import Counter
from datetime import UTC, datetime
from typing import Final

import numpy as np

from telemetry.model.batch import Quality
from telemetry.model.commands import Command
from telemetry.model.decoding import Output, Peer, Registry
from telemetry.model.enrolment import is_allowed
from telemetry.model.errors import NotFoundError
from telemetry.model.unit import Device
from telemetry.sources.jt808 import messages as m
from telemetry.sources.jt808.alarms import Seen
from telemetry.sources.jt808.block import Columns, Plain, find_plain, is_for_block, read_block, write_acknowledgements
from telemetry.sources.jt808.codes import address_of
from telemetry.sources.jt808.door import PROTOCOL, Door
from telemetry.sources.jt808.frame import FLAG, Frame, FrameReader, is_sentence, parse, unescape, write, write_message
from telemetry.sources.jt808.media import Media
from telemetry.sources.jt808.orders import Answers, Pending, order_of
from telemetry.sources.jt808.parts import Assembly, Group
from telemetry.sources.jt808.reports import UNSUPPORTED, Answer, note_alarm, take_report, tell_items, tell_itself
from telemetry.sources.jt808.speaker import Memory, Serials, Speaker
from telemetry.sources.jt808.turn import Turn

SPEAKERS_AT_MOST: Final = 64
"""Terminals that may speak on one connection: a gateway brings several."""
MISSING_AT_MOST: Final = 255
ALARMS_NOTED: Final = 8
"""Positions of a block that are looked through for the number of their alarm: the last ones with one."""


class Jt808Decoder:
    """The decoder of one peer. Nothing is honoured of a terminal that has not authenticated on this connection.

    Cost of `feed`: about 10 us for one position, 7 us each for ten at once, 2 us each for a hundred, 0.5 us for a thousand.
    """

    def __init__(self, registry: Registry, peer: Peer, memories: dict[int, Memory], media: Media | None) -> None:
        self._registry = registry
        self._peer = peer
        self._memories = memories
        self._media = media
        self._reader = FrameReader()
        self._assembly = Assembly()
        self._serials = Serials()
        self._answers = Answers()
        self._speakers: dict[bytes, Speaker] = {}
        self._door = Door(registry, peer, self._serials)
        self._counted = (0, 0)
        self._waits_for_parts = False

    @property
    def begun_bytes(self) -> int:
        """Return how many bytes of a frame have come that has not ended."""
        return self._reader.begun_bytes

    def feed(self, data: bytes, now_us: int) -> Output:
        """Take a datagram, or a piece of a stream, that arrived at `now_us`."""
        turn = Turn(now_us)
        self._recheck(turn)
        if len(self._speakers) == 1 and self._reader.flag == FLAG and is_for_block(data):
            self._take_block(self._reader.take(data), turn)
        else:
            for piece in self._reader.feed(data):
                self._take_piece(piece, turn)
        for speaker in self._speakers.values():
            if speaker.last_body:
                tell_items(speaker, turn)
            if self._peer.transport == "udp" and (fact := self._door.renewal(speaker, now_us)) is not None:
                turn.facts.append(fact)
        self._count_junk(turn)
        return turn.output()

    def tick(self, now_us: int) -> Output:
        """Ask for parts that are missing and, once, each terminal for its attributes; forget what waits too long."""
        turn = Turn(now_us)
        self._recheck(turn)
        for group in self._assembly.stalled(now_us):
            self._waits_for_parts = True
            self._answer_parts(group, turn)
        for group in self._assembly.gaps(now_us):
            turn.now.append(self._resend_request(group))
        self._answers.forget_old(now_us)
        if not self._peer.is_trusted:
            for speaker in self._speakers.values():
                if not speaker.memory.asked_attributes:
                    speaker.memory.asked_attributes = True
                    turn.now.append(write(m.QUERY_ATTRIBUTES, b"", speaker.form, self._serials.take()))
        self._count_junk(turn)
        return turn.output()

    def send(self, command: Command, now_us: int) -> Output:
        """Turn a command into frames. Raises NotFoundError for a device that is not connected here, InputError for a bad value."""
        speaker = self._speaker_of(command.device_id)
        order = order_of(command, speaker, self._media, now_us)
        first = self._serials.following
        frames = write_message(order.msg_id, order.body, speaker.form, first)
        self._serials.take(len(frames))
        if order.msg_id != m.PLATFORM_REPLY:
            pending = Pending(
                command_id=command.command_id,
                device_id=command.device_id,
                msg_id=order.msg_id,
                serials=tuple((first + number) & 0xFFFF for number in range(len(frames))),
                sent_us=now_us,
                frames=tuple(frames) if len(frames) > 1 else (),
                video=order.video,
            )
            self._answers.expect(pending)
        turn = Turn(now_us)
        turn.now += frames
        return turn.output()

    def _speaker_of(self, device_id: int) -> Speaker:
        for speaker in self._speakers.values():
            if speaker.device.device_id == device_id and not self._peer.is_trusted:
                return speaker
        raise NotFoundError(f"device {device_id} is not connected here: it is asked as soon as it has authenticated")

    def _recheck(self, turn: Turn) -> None:
        """Let go of terminals that were revoked or whose secret was changed; take over their other options."""
        for terminal, speaker in list(self._speakers.items()):
            device = self._registry.device(PROTOCOL, speaker.address)
            if device is None or not self._may_stay(speaker, device):
                del self._speakers[terminal]
                turn.bad["no_longer_allowed"] += 1
                turn.close = "its device was revoked, or has another secret or other allowed hosts"
            elif device is not speaker.device:
                speaker.configure(device)

    def _may_stay(self, speaker: Speaker, device: Device) -> bool:
        if device.device_id != speaker.device.device_id:
            return False
        if self._peer.is_trusted:
            return True
        if device.revoked or self._registry.secret(device.device_id) != speaker.secret:
            return False
        return device is speaker.device or is_allowed(self._peer.host, device.options.allowed_hosts)

    def _take_block(self, whole: bytes, turn: Turn) -> None:
        """Take many frames of the one terminal that speaks here; runs of faultless positions at once, the rest one by one."""
        (speaker,) = self._speakers.values()
        terminal = speaker.form.terminal
        plain = find_plain(whole, speaker.form)
        columns = (
            read_block(plain.data, plain.at, plain.end, speaker.reading_at(turn.now_us)) if len(plain.at) else None
        )
        places = np.column_stack(plain.pieces).tolist()
        index = row = 0
        for stop in [*np.flatnonzero(~plain.is_plain).tolist(), len(places)]:
            count = stop - index
            if count and columns is not None and self._speakers.get(terminal) is speaker and not turn.close:
                self._take_run(speaker, plain, columns, slice(row, row + count), turn)
                index = stop
            for begin, end in places[index : stop + 1]:
                self._take_piece(whole[begin:end], turn)
            row += count
            index = stop + 1

    def _take_run(self, speaker: Speaker, plain: Plain, columns: Columns, rows: slice, turn: Turn) -> None:
        batch, alarm_bits = columns.batch[rows], columns.alarm_bits[rows]
        turn.add_rows(speaker.crs, batch.tobytes())
        seen = Seen(speaker.device.device_id, turn.now_us)
        turn.events += speaker.memory.alarms.take_many(alarm_bits, batch["observed_us"], seen)
        at, end, serial = plain.at[rows], plain.end[rows], plain.serial[rows]
        speaker.last_body = plain.data[int(at[-1]) : int(end[-1])]
        for row in np.flatnonzero(alarm_bits)[-ALARMS_NOTED:].tolist():
            note_alarm(speaker.memory, plain.data[int(at[row]) : int(end[row])], int(serial[row]))
        turn.durable.append(write_acknowledgements(speaker.form, self._serials.take(len(serial)), serial))

    def _take_piece(self, piece: bytes, turn: Turn) -> None:
        if turn.close:
            return
        frame = parse(unescape(piece, self._reader.flag), self._reader.flag)
        if frame is None:
            turn.bad["sentence" if is_sentence(piece) else "junk"] += 1
            return
        speaker = self._speakers.get(frame.form.terminal)
        if speaker is None:
            speaker = self._meet(frame, turn)
            if speaker is None:
                return
        quality = 0
        if not frame.checksum_fits:
            turn.bad["checksum"] += 1
            if not speaker.device.options.ignores_checksum:
                return
            quality = int(Quality.CHECKSUM)
        if frame.form != speaker.form:
            speaker.answer_as(frame.form)
        if not frame.length_fits:
            turn.bad["length"] += 1
            quality |= Quality.LENGTH
        self._take_frame(frame, speaker, turn, quality)

    def _meet(self, frame: Frame, turn: Turn) -> Speaker | None:
        """Hear a terminal that has not proved itself on this connection; return it when nothing is to be proved."""
        address = address_of(frame.form.terminal)
        if self._peer.is_trusted:
            device = self._registry.device(PROTOCOL, address)
            if device is None or not (frame.checksum_fits or device.options.ignores_checksum):
                turn.bad["unknown" if device is None else "checksum"] += 1
                return None
            return self._admit(Speaker(frame.form, address, device, None, self._memory(device.device_id)), turn)
        remembered = self._door.remembers(frame, address, turn.now_us)
        proof = remembered or self._door.hear(frame, address, turn)
        if proof is not None:
            if len(self._speakers) >= SPEAKERS_AT_MOST:
                turn.close = f"more than {SPEAKERS_AT_MOST} terminals on one connection"
            memory = self._memory(proof.device.device_id)
            speaker = self._admit(Speaker(frame.form, address, proof.device, proof.secret, memory), turn)
            tell_itself(speaker, turn, proof.fields)
            return speaker if remembered else None
        return None

    def _admit(self, speaker: Speaker, turn: Turn) -> Speaker:
        self._speakers[speaker.form.terminal] = speaker
        turn.proven.append(speaker.device.device_id)
        return speaker

    def _memory(self, device_id: int) -> Memory:
        if device_id not in self._memories:
            self._memories[device_id] = Memory()
        return self._memories[device_id]

    def _take_frame(self, frame: Frame, speaker: Speaker, turn: Turn, quality: int) -> None:
        if frame.is_encrypted:
            turn.bad["encrypted"] += 1
            self._answer(UNSUPPORTED, speaker, (frame.serial,), frame.msg_id, turn)
            return
        serials: tuple[int, ...] = (frame.serial,)
        if frame.parts > 1 and frame.msg_id in m.IN_PARTS:
            body = self._assembly.take(frame, turn.now_us, is_answered=self._waits_for_parts)
            group = self._assembly.done
            if body is None or group is None:
                if self._waits_for_parts:
                    turn.now.append(speaker.reply(self._serials.take(), frame.serial, frame.msg_id, m.Result.DONE))
                return
            serials = tuple(group.unanswered)
            quality |= 0 if group.length_fits else int(Quality.LENGTH)
            frame = frame._replace(body=body, length_fits=group.length_fits)
        answer = self._answer_of(frame, speaker, turn, quality)
        if not frame.length_fits and answer.result == m.Result.DONE and not speaker.device.options.ignores_length:
            answer = Answer(m.Result.WRONG)
        self._answer(answer, speaker, serials, frame.msg_id, turn)

    def _answer_of(self, frame: Frame, speaker: Speaker, turn: Turn, quality: int) -> Answer:
        """Take a message that concerns the connection itself, or else what it reports."""
        device_id, now_us = speaker.device.device_id, turn.now_us
        match frame.msg_id:
            case m.REGISTER | m.AUTHENTICATE:
                self._door.hear_again(frame, speaker, turn)
                return Answer(None)
            case m.LOGOUT:
                del self._speakers[speaker.form.terminal]
                turn.facts += self._door.farewell(speaker, now_us)
                return Answer(m.Result.DONE)
            case m.QUERY_TIME:
                told = datetime.fromtimestamp(now_us // 1_000_000, UTC).strftime("%y%m%d%H%M%S")
                turn.now.append(write(m.TIME, bytes.fromhex(told), speaker.form, self._serials.take()))
                return Answer(None)
            case m.TERMINAL_REPLY:
                said = m.read_reply(frame.body)
                if said is not None:
                    turn.events += self._answers.take(said[0], device_id, result=said[2], now_us=now_us)
                return Answer(None)
            case m.RESEND_FROM_US:
                turn.now += resent(frame, self._answers.frames_of(int.from_bytes(frame.body[:2])))
                return Answer(None)
            case m.POSITION_ANSWER | m.VEHICLE_ANSWER | m.PARAMETERS:
                serial = int.from_bytes(frame.body[:2])
                turn.events += self._answers.take(serial, device_id, result=m.Result.DONE, now_us=now_us)
        return take_report(frame, speaker, turn, quality)

    def _answer(self, answer: Answer, speaker: Speaker, serials: tuple[int, ...], msg_id: int, turn: Turn) -> None:
        if answer.result is None:
            return
        replies = turn.durable if answer.is_durable else turn.now
        for serial in serials:
            replies.append(speaker.reply(self._serials.take(), serial, msg_id, answer.result))

    def _answer_parts(self, group: Group, turn: Turn) -> None:
        """Answer parts of a message that is not whole: its sender sends no more before it is answered."""
        for serial in group.unanswered:
            body = m.reply_body(serial, group.frame.msg_id, m.Result.DONE)
            turn.now.append(write(m.PLATFORM_REPLY, body, group.frame.form, self._serials.take()))
        group.unanswered.clear()

    def _resend_request(self, group: Group) -> bytes:
        missing = group.missing[:MISSING_AT_MOST]
        count = len(missing).to_bytes(2 if group.frame.form.is_2019 else 1)
        body = group.first_serial.to_bytes(2) + count + b"".join(number.to_bytes(2) for number in missing)
        return write(m.RESEND, body, group.frame.form, self._serials.take())

    def _count_junk(self, turn: Turn) -> None:
        counted = (self._reader.junk_count, self._assembly.dropped_count)
        if counted != self._counted:
            turn.bad += Counter(junk=counted[0] - self._counted[0], parts_lost=counted[1] - self._counted[1])
            self._counted = counted
        if self._reader.sentences:
            turn.bad["sentence"] += len(self._reader.sentences)
            self._reader.sentences.clear()


def resent(frame: Frame, frames: tuple[bytes, ...]) -> list[bytes]:
    """Return those of our frames that a terminal asks for again: serial of the first, a count, the parts' numbers."""
    body = frame.body
    for count_bytes in (2, 1):
        listed = body[2 + count_bytes :]
        if len(listed) == 2 * int.from_bytes(body[2 : 2 + count_bytes]):
            numbers = [number for (number,) in struct.iter_unpack(">H", listed)]
            return [frames[number - 1] for number in numbers if 1 <= number <= len(frames)]
    return []
