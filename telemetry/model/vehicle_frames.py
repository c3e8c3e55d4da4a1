"""Frames of a vehicle as they came, verified and each only once, and ours to it: for its log, and for programs beside us."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

VehicleFrame: TypeAlias = tuple[int, int, bytes]
"""One whole frame, signed as it came or goes: the device, the number of its link, its bytes. A plain tuple, since there may
be one for every message of every vehicle."""
FrameTap = Callable[[Sequence[VehicleFrame], int], None]
"""Given frames of one turn with the time; it must not wait."""


class FrameTaps:
    """Who wants vehicles' frames (`heard`), and who also ours to them (`said`)."""

    def __init__(self) -> None:
        self._heard: list[FrameTap] = []
        self._said: list[FrameTap] = []

    def add(self, heard: FrameTap, said: FrameTap | None) -> None:
        """Hand frames on from now on."""
        self._heard.append(heard)
        if said is not None:
            self._said.append(said)

    def hand_on(self, heard: Sequence[VehicleFrame], said: Sequence[VehicleFrame], now_us: int) -> None:
        """Give a turn's frames to all who want them: what was heard, then what was answered."""
        if heard:
            for tap in self._heard:
                tap(heard, now_us)
        if said:
            for tap in self._said:
                tap(said, now_us)
