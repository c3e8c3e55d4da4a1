"""The peers of one link: what each says is decoded, counted, proven and gathered into turns; who breaks a limit goes."""

from collections import Counter
from collections.abc import Hashable, Sequence
from functools import partial
from itertools import islice
from typing import Final

import msgspec

from infra.clock import Clock
from infra.journal import JournalError, JournalFullError
from infra.metrics import LINK_PEERS, LINK_REFUSED, TURNS_REFUSED
from infra.tasks import contained
from telemetry.links.limits import Limits
from telemetry.links.link import LinkContext, LinkStatus, PeerStatus
from telemetry.links.speaker import Closes, Speaker
from telemetry.links.tap import RawChunk
from telemetry.links.turns import Turns
from telemetry.links.url import MAVLINK, LinkUrl, is_loopback
from telemetry.model.commands import Command
from telemetry.model.decoding import Decoder, Output, Peer
from telemetry.model.errors import NotFoundError

DECODING: Final = "decoding"
WAITING_AT_MOST: Final = 100_000
"""So many replies may wait for a stalled disk before nothing more is read."""
PEERS_SHOWN: Final = 200


class Hub:
    """What the links of every transport have in common; a link adds how bytes come and go.

    `acknowledged`: its peers can be made to wait, so they may use the journal's reserved room, and are not read from while
    there is none.
    """

    def __init__(self, url: LinkUrl, context: LinkContext, limits: Limits, *, acknowledged: bool) -> None:
        self.url = url
        self.limits = limits
        self.speakers: dict[Hashable, Speaker] = {}
        self.bad: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.datagrams = self.bytes_received = self.dropped = self.positions = 0
        self.heard_us: int | None = None
        self.is_paused = False
        self._context = context
        self._acknowledged = acknowledged
        self.text = str(url)
        """The URL, with the port that is really bound."""
        self.turns = Turns(
            context.keeper, protocol=url.protocol, acknowledged=acknowledged, when_refused=self._note_refusal
        )

    def is_bound_to(self, port: int) -> None:
        """Take the port that the system chose, so that one can see where to report to."""
        self.text = str(msgspec.structs.replace(self.url, port=port))

    @property
    def clock(self) -> Clock:
        """The clock of this link."""
        return self._context.clock

    def peer_at(self, host: str, port: int, local: tuple[str, int] = ("", 0)) -> Peer:
        """Return what a decoder is told of the one at this address."""
        return Peer(
            transport=self.url.transport,
            host=host,
            port=port,
            local_host=local[0],
            local_port=local[1],
            allow_unsigned=self.url.allow_unsigned or is_loopback(host),
        )

    def decoder_for(self, peer: Peer) -> Decoder:
        """Return a new decoder for a peer."""
        return self._context.make_decoder(peer)

    def join(self, key: Hashable, speaker: Speaker) -> None:
        """Let a peer in."""
        self.speakers[key] = speaker
        if self.is_paused:
            speaker.pause()

    def leave(self, key: Hashable) -> None:
        """Let a peer go; it is reached no more."""
        speaker = self.speakers.pop(key, None)
        if speaker is not None:
            self._context.routes.forget(speaker)
            if isinstance(speaker.decoder, Closes):
                speaker.decoder.close()

    def refuse(self, reason: str, count: int = 1) -> None:
        """Count whoever was sent away."""
        self.refused[reason] += count
        LINK_REFUSED.labels(protocol=self.url.protocol, reason=reason).inc(count)

    def hear(self, speaker: Speaker, data: bytes, now_us: int) -> None:
        """Decode what came from a peer; the turn that it belongs to ends when the loop has served all that were ready."""
        self.note(speaker, 1, len(data), now_us)
        self._decode(speaker, data, now_us)

    def _decode(self, speaker: Speaker, data: bytes, now_us: int) -> None:
        output = contained(DECODING, partial(speaker.decoder.feed, data, now_us))
        if output is None:
            speaker.cut("decoder_failed")
        else:
            speaker.note_begun(len(data), now_us)
            self.take(speaker, output, now_us)
        if self._context.tap is not None:  # what cannot be decoded is what one will want to look at
            self.tap(speaker, data, now_us, () if self._acknowledged else (len(data),))

    @property
    def can_hear_many(self) -> bool:
        """Tell whether the protocol reads the datagrams of many peers at once."""
        return self._context.feed_many is not None

    def hear_many(self, pieces: Sequence[tuple[Speaker, bytes]], now_us: int) -> None:
        """Do as `hear` with the datagrams of many proven peers at once, which costs much less for each."""
        assert self._context.feed_many is not None
        feeds, byte_count = [], 0
        for speaker, data in pieces:
            size_bytes = len(data)
            speaker.heard_us = now_us
            speaker.pieces += 1
            speaker.bytes_received += size_bytes
            byte_count += size_bytes
            feeds.append((speaker.decoder, data))
        self.heard_us = now_us
        self.datagrams += len(pieces)
        self.bytes_received += byte_count
        said = contained(DECODING, partial(self._context.feed_many, feeds, now_us))
        if said is None:  # one of them made it fail: it alone shall pay for that
            for speaker, data in pieces:
                self._decode(speaker, data, now_us)
            return
        output, row_counts, bad_counts, answers = said
        device_ids = iter(output.batch["device_id"].tolist())
        for (speaker, _), rows, bad in zip(pieces, row_counts, bad_counts, strict=True):
            if rows:
                speaker.positions += rows
                speaker.heard.update(islice(device_ids, rows))
            speaker.bad += bad
        self.positions += len(output.batch)
        self.bad.update(output.bad)
        if output:
            self.turns.add(pieces[0][0], output, now_us)
        for number, answer in answers:
            self.turns.add(pieces[number][0], answer, now_us)
        if self._context.tap is not None:
            self._tap_many(pieces, now_us)

    def _tap_many(self, pieces: Sequence[tuple[Speaker, bytes]], now_us: int) -> None:
        said: dict[Speaker, list[bytes]] = {}
        for speaker, data in pieces:
            said.setdefault(speaker, []).append(data)
        for speaker, datagrams in said.items():
            self.tap(speaker, b"".join(datagrams), now_us, tuple(len(data) for data in datagrams))

    def note(self, speaker: Speaker, pieces: int, byte_count: int, now_us: int) -> None:
        """Count what came."""
        self.datagrams += pieces
        self.bytes_received += byte_count
        self.heard_us = speaker.heard_us = now_us
        speaker.pieces += pieces
        speaker.bytes_received += byte_count

    def take(self, speaker: Speaker, output: Output, now_us: int) -> None:
        """Take what a peer's decoder gave."""
        if not output:
            self._greet(speaker, output)
            return
        if output.proven and not self._prove(speaker, output, now_us):
            return
        self._greet(speaker, output)
        rows = len(output.batch)
        if rows:
            self.positions += rows
            speaker.positions += rows
            speaker.heard.update(output.batch["device_id"].tolist())
        if output.bad:
            self.bad.update(output.bad)
            speaker.bad += sum(output.bad.values())
        self.turns.add(speaker, output, now_us)

    @property
    def has_tap(self) -> bool:
        """Tell whether received bytes are wanted."""
        return self._context.tap is not None

    def tap(self, speaker: Speaker, data: bytes, now_us: int, sizes: tuple[int, ...] = ()) -> None:
        """Hand received bytes to the raw log."""
        assert self._context.tap is not None
        self._context.tap(
            RawChunk(
                link=self.text,
                protocol=self.url.protocol,
                link_group=self.url.link_group,
                transport=speaker.peer.transport,
                host=speaker.peer.host,
                port=speaker.peer.port,
                received_us=now_us,
                device_ids=tuple(speaker.devices),
                data=data,
                sizes=sizes,
            )
        )

    def tick(self, now_us: int) -> None:
        """Let every decoder do what time asks for, and go on reading when the journal has room again."""
        if self.is_paused:
            self._resume_if_possible()
        elif self._acknowledged and self.turns.waiting > WAITING_AT_MOST:
            self._pause()
        for speaker in list(self.speakers.values()):
            if speaker.is_proven or speaker.is_chosen:
                output = contained(DECODING, partial(speaker.decoder.tick, now_us))
                if output is None:
                    speaker.cut("decoder_failed")
                else:
                    self.take(speaker, output, now_us)
        self.turns.end()
        LINK_PEERS.labels(protocol=self.url.protocol, link=self.url.link_group).set(len(self.speakers))

    def send(self, command: Command, now_us: int) -> None:
        """Send a command by the peer that the device proved to be, else by those it was heard from, the last one first.

        Raises NotFoundError when there is none, InputError for a command that the protocol cannot express.
        """
        for speaker in self._ways_to(command.device_id):
            try:
                output = speaker.decoder.send(command, now_us)
            except NotFoundError:
                continue
            self.take(speaker, output, now_us)
            self.turns.end()
            return
        raise NotFoundError(f"device {command.device_id} was not heard on {self.url}: try another link, or wait for it")

    def _ways_to(self, device_id: int) -> list[Speaker]:
        """Return the peers by which a device may be reached; a MAVLink vehicle by any, since it may not have told its place yet."""
        reached = self._context.routes.of(device_id)
        if reached is not None:
            return [speaker for speaker in self.speakers.values() if speaker is reached]
        known = [speaker for speaker in self.speakers.values() if device_id in speaker.heard]
        if not known and self.url.protocol == MAVLINK:
            known = list(self.speakers.values())
        return sorted(known, key=lambda speaker: -speaker.heard_us)

    def status(self, *, state: str, last_error: str | None) -> LinkStatus:
        """Return how the link does."""
        proven = sum(speaker.is_proven for speaker in self.speakers.values())
        return LinkStatus(
            url=self.text,
            link_group=self.url.link_group,
            state=state,
            protocol=self.url.protocol,
            transport=self.url.transport,
            datagrams=self.datagrams,
            bytes_received=self.bytes_received,
            datagrams_dropped=self.dropped,
            positions=self.positions,
            peers=proven,
            strangers=len(self.speakers) - proven,
            devices=len(set().union(*(speaker.devices | speaker.heard for speaker in self.speakers.values()))),
            bad=dict(self.bad),
            refused=dict(self.refused),
            replies_waiting=self.turns.waiting,
            replies_refused=self.turns.refused,
            paused=self.is_paused,
            is_plain=self.url.is_open_to_others,
            last_heard_us=self.heard_us,
            last_error=last_error,
        )

    def peers(self) -> list[PeerStatus]:
        """Return who is at the other end, those heard last first; at most 200."""
        newest = sorted(self.speakers.values(), key=lambda speaker: -speaker.heard_us)[:PEERS_SHOWN]
        return [speaker.status() for speaker in newest]

    def close(self) -> None:
        """Let every peer go."""
        self.turns.close()
        for key in list(self.speakers):
            self.leave(key)

    def _prove(self, speaker: Speaker, output: Output, now_us: int) -> bool:
        if self._context.routes.prove(speaker, output.proven, now_us / 1e6):
            speaker.is_proven = True
            return True
        speaker.cut("identity_taken_in_turns")
        return False

    def _greet(self, speaker: Speaker, output: Output) -> None:
        """Note that a peer is one of ours: only then is it spoken to unasked, or who forges an address floods another.

        No event proves anything: a forged frame makes one too. On this machine a vehicle is spoken to at once.
        """
        if speaker.is_proven:
            return
        is_proven = bool(len(output.batch) or output.facts)
        is_welcome = self.url.protocol == MAVLINK and speaker.peer.allow_unsigned and speaker.bytes_received > 0
        speaker.is_proven = is_proven or (is_welcome and (bool(output.replies) or not output.bad))

    def _note_refusal(self, error: JournalError) -> None:
        TURNS_REFUSED.labels(protocol=self.url.protocol).inc()
        if self._acknowledged and isinstance(error, JournalFullError):
            self._pause()

    def _pause(self) -> None:
        if not self.is_paused:
            self.is_paused = True
            for speaker in self.speakers.values():
                speaker.pause()

    def _resume_if_possible(self) -> None:
        if self._context.keeper.has_room() and self.turns.waiting < WAITING_AT_MOST // 2:
            self.is_paused = False
            now_us = self.clock.now_us()
            for speaker in self.speakers.values():
                if not speaker.is_proven:
                    speaker.since_us = now_us  # it could not prove itself
                if speaker.paused_until_us <= now_us:
                    speaker.resume()
