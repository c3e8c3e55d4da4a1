"""The links by which one vehicle is heard: what each loses, how long it takes, which is the best, and copies that came by two."""

from typing import Final

COPY_US: Final = 2_000_000
"""So long after a frame its copy by another link may come."""
BUCKET_US: Final = 30_000_000
FORGOTTEN_US: Final = 60_000_000
LIVE_US: Final = 3_000_000
"""A link that was silent for longer is no best one."""
WAYS_AT_MOST: Final = 8
REORDERED_FRAMES: Final = 8
LONGEST_GAP: Final = 200
"""A gap of more frames is none: the sender began anew."""
UNKNOWN_RTT_US: Final = 300_000
LOSS_US: Final = 2_000_000
"""What a link that loses everything would count beside its time there and back: 10 % are worth 200 ms."""
BETTER_US: Final = 50_000
"""By so much another link must be better than the best one to take its place: else two like ones took it in turns."""


class Way:
    """One link as a vehicle is heard by it."""

    __slots__ = (
        "_before",
        "_bucket_us",
        "brings_news",
        "duplicates",
        "heard_us",
        "lost",
        "number",
        "received",
        "rtt_us",
        "sequence",
    )

    def __init__(self, number: int, now_us: int) -> None:
        self.number = number
        self.heard_us = now_us
        self.received = self.lost = 0
        self.duplicates = 0
        """Frames that another link had brought already."""
        self.brings_news = False
        """Whether any frame came by this link first."""
        self.rtt_us: int | None = None
        self.sequence: int | None = None
        self._before = (0, 0)
        self._bucket_us = now_us

    @property
    def loss_ratio(self) -> float | None:
        """Return the share of frames that did not come in the last half to whole minute; None before any came."""
        received, lost = self.received + self._before[0], self.lost + self._before[1]
        return None if received == 0 else max(0, lost) / (received + max(0, lost))

    def hear(self, sequence: int, now_us: int) -> None:
        """Take the sequence number of a frame of the vehicle's autopilot."""
        before = self.sequence
        self.received += 1
        if before is None:
            self.sequence = sequence
            return
        ahead = (sequence - before) & 255
        if ahead == 0 or ahead > 255 - REORDERED_FRAMES:
            self.lost -= 1 if ahead else 0  # it was counted as lost, and only came late
            return
        self.sequence = sequence
        if ahead <= LONGEST_GAP:
            self.lost += ahead - 1
        self.heard_us = now_us

    def note_rtt(self, rtt_us: int) -> None:
        """Take a time there and back; single ones scatter, so each moves the figure by a quarter."""
        self.rtt_us = rtt_us if self.rtt_us is None else (3 * self.rtt_us + rtt_us) // 4

    def turn(self, now_us: int) -> None:
        """Let the counts of more than half a minute ago go."""
        if now_us - self._bucket_us >= BUCKET_US:
            self._before, self.received, self.lost, self._bucket_us = (self.received, self.lost), 0, 0, now_us

    def cost_us(self) -> float:
        """Return what speaks against this link, in microseconds."""
        loss_us = (self.loss_ratio or 0.0) * LOSS_US
        return loss_us + (UNKNOWN_RTT_US if self.rtt_us is None else self.rtt_us)

    def may_be_best(self, now_us: int) -> bool:
        """Tell whether orders may leave by it: it is heard, and it did more than repeat what others had brought.

        Whoever listens in could repeat frames too, and would then be sent the orders.
        """
        return now_us - self.heard_us <= LIVE_US and (self.brings_news or self.rtt_us is not None)


class Ways:
    """The ways of one vehicle, by the numbers of their links. `only` is the way while there is just one, else None."""

    __slots__ = ("_by_number", "_copies", "best", "only")

    def __init__(self) -> None:
        self.only: Way | None = None
        self.best = 0
        """The number of the link that orders leave by; 0: none yet."""
        self._by_number: dict[int, Way] = {}
        self._copies: dict[bytes, tuple[set[int], int]] = {}

    def __contains__(self, number: int) -> bool:
        """Tell whether the vehicle is heard by this link."""
        return number in self._by_number

    def all(self) -> list[Way]:
        """Return the ways, the one heard last first."""
        return sorted(self._by_number.values(), key=lambda way: -way.heard_us)

    def way(self, number: int, now_us: int) -> Way:
        """Return the way by a link, a new one where there is none; of too many the one that was silent longest goes."""
        way = self._by_number.get(number)
        if way is None:
            if len(self._by_number) >= WAYS_AT_MOST:
                del self._by_number[min(self._by_number, key=lambda known: self._by_number[known].heard_us)]
            way = self._by_number[number] = Way(number, now_us)
            self._settle(now_us)
        return way

    def is_copy(self, raw: bytes, number: int, now_us: int) -> bool:
        """Tell whether another link brought this very frame within two seconds.

        The same frame twice by one link is no copy: the vehicle repeated itself, and may have its reasons.
        """
        held = self._copies.get(raw)
        if held is None or now_us - held[1] > COPY_US or number in held[0]:
            return False
        held[0].add(number)
        return True

    def remember(self, raw: bytes, number: int, now_us: int) -> None:
        """Note that a frame was taken by this link."""
        copies = self._copies
        copies.pop(raw, None)
        copies[raw] = ({number}, now_us)
        while True:
            oldest = next(iter(copies))
            if now_us - copies[oldest][1] <= COPY_US:
                return
            del copies[oldest]

    def note_rtt(self, number: int, rtt_us: int) -> None:
        """Take a time there and back by a link."""
        way = self._by_number.get(number)
        if way is not None:
            way.note_rtt(rtt_us)

    def turn(self, now_us: int) -> None:
        """Do what time asks for, about once a second: forget links that are silent, and choose the best one."""
        for way in self.all():
            way.turn(now_us)
            if now_us - way.heard_us > FORGOTTEN_US:
                del self._by_number[way.number]
        self._settle(now_us)

    def leave(self, number: int, now_us: int) -> None:
        """Forget a link that is closed."""
        if self._by_number.pop(number, None) is not None:
            self._settle(now_us)

    def _settle(self, now_us: int) -> None:
        ways = list(self._by_number.values())
        self.only = ways[0] if len(ways) == 1 else None
        able = [way for way in ways if way.may_be_best(now_us)]
        if not able:
            newest = max(ways, key=lambda way: way.heard_us, default=None)
            self.best = newest.number if newest is not None else 0
            return
        best = min(able, key=Way.cost_us)
        present = next((way for way in able if way.number == self.best), None)
        if present is None or best.cost_us() + BETTER_US < present.cost_us():
            self.best = best.number
