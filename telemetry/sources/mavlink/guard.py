"""The identity guard: one vehicle, one speaker; a second one under its name is told apart by sequence, version and boot time."""

from enum import StrEnum
from typing import Final

NOT_OURS: Final = 256
REPEATED: Final = 255
GAP_FRAMES: Final = 8
GAP_FRAMES_PER_S: Final = 200
REORDERED_FRAMES: Final = 8
SILENT_US: Final = 2_500_000
RIVAL_FORGOTTEN_US: Final = 10_000_000
RIVAL_FRAMES: Final = 8
RIVAL_TURNS: Final = 4
CONFLICT_SILENT_US: Final = 60_000_000
CONFLICT_OVER_US: Final = 600_000_000
BOOT_APART_US: Final = 10_000_000
FLOOD_FRAMES_PER_S: Final = 2_000
FLOOD_HEARTBEATS_PER_S: Final = 10
UNVERIFIED_FRAMES: Final = 5
UNVERIFIED_FOR_US: Final = 10_000_000
SECOND_US: Final = 1_000_000
SIMPLE_VERSION: Final = 2
"""The MAVLink version of frames that `follow` takes."""


class Verdict(StrEnum):
    """What is to be done with a frame.

    TAKE it (and drop what is held), DROP it, HOLD it until it is clear whose it is, or RELEASE what is held and take it too.
    """

    TAKE = "take"
    DROP = "drop"
    HOLD = "hold"
    RELEASE = "release"


class RateMeter:
    """Counts occurrences in the current second (a window that begins with its first occurrence)."""

    __slots__ = ("_began_us", "_count", "_limit")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._began_us = -SECOND_US
        self._count = 0

    def takes(self, now_us: int) -> bool:
        """Count one more unless that would exceed the limit; tell whether it was counted."""
        if not 0 <= now_us - self._began_us < SECOND_US:
            self._began_us, self._count = now_us, 0
        if self._count >= self._limit:
            return False
        self._count += 1
        return True

    def exceeds(self, now_us: int) -> bool:
        """Count one more and tell whether there are more than the limit within a second."""
        if not 0 <= now_us - self._began_us < SECOND_US:
            self._began_us, self._count = now_us, 0
        self._count += 1
        return self._count > self._limit


class _Stream:
    """A run of frames that continue each other's sequence numbers in one protocol version, with one boot time."""

    __slots__ = ("boot_us", "count", "last_us", "sequence", "version")

    def __init__(self, version: int, sequence: int, boot_us: int | None, now_us: int) -> None:
        self.version = version
        self.sequence = sequence
        self.boot_us = boot_us
        self.last_us = now_us
        self.count = 1

    def distance(self, version: int, sequence: int, silent_us: int) -> int:
        """Return how many frames further on this one is; REPEATED for a repeat or a reordered one, else NOT_OURS.

        The longer the stream was silent, the more of its frames may have been lost.
        """
        if version != self.version:
            return NOT_OURS
        ahead = (sequence - self.sequence) & 255
        if ahead == 0 or ahead >= 256 - REORDERED_FRAMES:
            return REPEATED
        room = GAP_FRAMES + max(0, silent_us) * GAP_FRAMES_PER_S // SECOND_US
        return ahead if ahead <= room else NOT_OURS

    def booted_with(self, boot_us: int) -> bool:
        """Tell whether this boot time is the stream's own (it wanders with the link's delay)."""
        return self.boot_us is not None and abs(boot_us - self.boot_us) < BOOT_APART_US

    def extend(self, distance: int, sequence: int, boot_us: int | None, now_us: int) -> None:
        """Count a frame in."""
        if distance != REPEATED:
            self.sequence = sequence
        if boot_us is not None:
            self.boot_us = boot_us
        self.last_us = now_us
        self.count += 1


class IdentityGuard:
    """Follows the first speaker of one (system, component) and tells a second one from it.

    A frame that continues the first speaker is taken. Others are held: if the first one speaks again they were a
    stranger's and are dropped; if it stays silent for 2.5 s they are the same vehicle's, after a loss, a reboot or a change
    of version, and are released. A stranger who comes back between the first one's frames makes one conflict, told by
    `news`; from then on only a silence of a minute lets another speaker take the name. Where two streams are known
    apart by boot time, that decides before sequence numbers do, which cross now and then. A second stream with the same boot
    time is the same vehicle by another radio, which counts its own sequence: a spare, not a stranger.
    """

    __slots__ = (
        "_conflict_us",
        "_first",
        "_flood",
        "_heartbeats",
        "_rival",
        "_told_us",
        "_turns",
        "_unverified",
        "_unverified_us",
        "news",
    )

    def __init__(self) -> None:
        self._first: _Stream | None = None
        self._rival: _Stream | None = None
        self._turns = 0
        self._conflict_us: int | None = None
        self._told_us: int | None = None
        self._flood = RateMeter(FLOOD_FRAMES_PER_S)
        self._heartbeats = RateMeter(FLOOD_HEARTBEATS_PER_S)
        self._unverified = 0
        self._unverified_us = 0
        self.news: str | None = None

    @property
    def is_in_conflict(self) -> bool:
        """Tell whether a second speaker was proven within the last ten minutes."""
        return self._conflict_us is not None

    def judge(self, version: int, sequence: int, now_us: int, *, boot_ms: int | None = None) -> Verdict:
        """Decide about a frame of this (system, component) that passed checksum and signature.

        `boot_ms` is the frame's time_boot_ms where its message has one.
        """
        boot_us = None if boot_ms is None else now_us - boot_ms * 1000
        first = self._first
        if first is None:
            self._first = _Stream(version, sequence, boot_us, now_us)
            return Verdict.TAKE
        rival = self._living_rival(now_us)
        distance = first.distance(version, sequence, now_us - first.last_us)
        rival_distance = NOT_OURS if rival is None else rival.distance(version, sequence, 0)
        if boot_us is not None and first.boot_us is not None:
            distance, rival_distance = self._by_boot_time(first, boot_us, distance, rival_distance)
        silent_us = now_us - first.last_us
        is_overdue = silent_us > (SILENT_US if self._conflict_us is None else CONFLICT_SILENT_US)
        is_firsts = distance < rival_distance or (distance == rival_distance and self._wins_ties(first))
        if is_overdue and (distance == NOT_OURS or (rival is not None and rival.last_us > first.last_us)):
            self._first, self._rival, self._turns = _Stream(version, sequence, boot_us, now_us), None, 0
            return Verdict.RELEASE
        if distance < NOT_OURS and is_firsts:
            return self._continue_first(first, distance, sequence, boot_us, now_us)
        if rival is not None and rival_distance < NOT_OURS:
            rival.extend(rival_distance, sequence, boot_us, now_us)
        else:
            self._rival, self._turns = _Stream(version, sequence, boot_us, now_us), 0
        return Verdict.HOLD if self._conflict_us is None else Verdict.DROP

    def follow(self, sequence: int, now_us: int, boot_ms: int) -> int:
        """Take a version 2 frame that simply goes on from the first speaker's last one; else do nothing and return 0.

        Returns how many frames further on it is.

        What `judge` would do with such a frame while nobody else was ever heard under the name, and no more.
        """
        first = self._first
        if first is None or first.version != SIMPLE_VERSION or self._rival is not None or self._conflict_us is not None:
            return 0
        ahead, boot_us = (sequence - first.sequence) & 255, now_us - boot_ms * 1000
        if not 0 < ahead <= GAP_FRAMES or first.boot_us is None or abs(boot_us - first.boot_us) >= BOOT_APART_US:
            return 0
        if not self._flood.takes(now_us):
            return 0
        first.sequence, first.boot_us, first.last_us = sequence, boot_us, now_us
        first.count += 1
        return ahead

    def heartbeat(self, now_us: int) -> Verdict:
        """Decide about one HEARTBEAT more of the first speaker: more than ten a second are no autopilot's."""
        if self._heartbeats.exceeds(now_us):
            self.report(f"more than {FLOOD_HEARTBEATS_PER_S} heartbeats within a second", now_us)
            return Verdict.DROP
        return Verdict.TAKE

    def unverified(self, reason: str, now_us: int) -> None:
        """Count a frame under this name that did not verify; the fifth within 10 s of the one before is a second speaker.

        It is told of, but changes nothing: signatures keep that speaker out, and a vehicle that reboots is heard at once.
        """
        recent = now_us - self._unverified_us <= UNVERIFIED_FOR_US
        self._unverified = self._unverified + 1 if recent else 1
        self._unverified_us = now_us
        if self._unverified >= UNVERIFIED_FRAMES:
            self._tell(f"frames under this name do not verify ({reason})", now_us)

    def report(self, evidence: str, now_us: int) -> None:
        """Tell of a conflict, once until ten minutes pass without new evidence, and hold the name for the first speaker."""
        self._conflict_us = now_us
        self._tell(evidence, now_us)

    def _tell(self, evidence: str, now_us: int) -> None:
        is_new = self._told_us is None or now_us - self._told_us > CONFLICT_OVER_US
        self._told_us = now_us
        if is_new:
            self.news = evidence

    def _by_boot_time(self, first: _Stream, boot_us: int, distance: int, rival_distance: int) -> tuple[int, int]:
        """Return the distances corrected by what the boot time says: another boot is another speaker (or a reboot)."""
        rival = self._rival
        is_rivals = rival is not None and rival.booted_with(boot_us)
        if not first.booted_with(boot_us):
            return NOT_OURS, 1 if is_rivals else rival_distance
        if not is_rivals and (self._conflict_us is not None or (rival is not None and rival.boot_us is not None)):
            return 1, NOT_OURS
        return distance, rival_distance

    def _wins_ties(self, first: _Stream) -> bool:
        """Decide a tie: what fits both streams is the first speaker's, or, while nothing is proven, of who spoke last."""
        return self._conflict_us is not None or self._rival is None or first.last_us > self._rival.last_us

    def _living_rival(self, now_us: int) -> _Stream | None:
        if self._rival is not None and now_us - self._rival.last_us > RIVAL_FORGOTTEN_US:
            self._rival, self._turns = None, 0
        if self._conflict_us is not None and now_us - self._conflict_us > CONFLICT_OVER_US:
            self._conflict_us = None
        return self._rival

    def _continue_first(
        self, first: _Stream, distance: int, sequence: int, boot_us: int | None, now_us: int
    ) -> Verdict:
        rival = self._rival
        if rival is not None and rival.last_us >= first.last_us and rival.count > 0:
            self._turns += 1
            is_another_route = rival.boot_us is not None and first.booted_with(rival.boot_us)
            if rival.count >= RIVAL_FRAMES and self._turns >= RIVAL_TURNS and not is_another_route:
                self.report(_difference(first, rival), now_us)
        first.extend(distance, sequence, boot_us, now_us)
        if self._flood.exceeds(now_us):
            self.report(f"more than {FLOOD_FRAMES_PER_S} frames within a second", now_us)
            return Verdict.DROP
        return Verdict.TAKE


def _difference(first: _Stream, rival: _Stream) -> str:
    if first.version != rival.version:
        return f"MAVLink {rival.version} frames between MAVLink {first.version} frames"
    return "two sequences of frames run side by side"
