"""Groups of browsers that see the same: one scope, one viewport, one rate; their frames are packed once."""

import math
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from console.auth.policy import Scope
from console.sources import PictureSource
from console.wire import SNAPSHOT_EVERY_S, FrameKind, pack_gone, pack_units
from telemetry.model.unit_state import UnitBit, UnitStates

VIEW_MARGIN_RATIO: Final = 0.2
GRID_STEPS: Final = 8
_LOUD: Final = int(UnitBit.SOS | UnitBit.ALARMED)

Mask = NDArray[np.bool_]


class View(msgspec.Struct, frozen=True):
    """What a browser sees: its scope, its box (west, south, east, north, degrees; None: everywhere), units wanted anyway."""

    scope: Scope
    box_deg: tuple[float, float, float, float] | None
    unit_ids: frozenset[int]
    hz: float


def snapped_box(bbox: list[float] | None) -> tuple[float, float, float, float] | None:
    """Return the box widened by a fifth and outward to a grid, so that neighbours share a group; None for everywhere.

    A box over the date line, upside down or not finite is everywhere.
    """
    if bbox is None or not all(math.isfinite(value) for value in bbox):
        return None
    west, south, east, north = bbox
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        return None
    step_deg = 2.0 ** math.ceil(math.log2(max(east - west, north - south, 1e-4))) / GRID_STEPS
    wide, high = (east - west) * VIEW_MARGIN_RATIO, (north - south) * VIEW_MARGIN_RATIO
    return (
        math.floor((west - wide) / step_deg) * step_deg,
        math.floor((south - high) / step_deg) * step_deg,
        math.ceil((east + wide) / step_deg) * step_deg,
        math.ceil((north + high) / step_deg) * step_deg,
    )


class Changes:
    """What changed in the picture, read once a turn for all groups that stand at the same version."""

    def __init__(self, picture: PictureSource) -> None:
        self.picture = picture
        self._by_version: dict[int, tuple[NDArray[Any], UnitStates]] = {}

    def since(self, version: int) -> tuple[NDArray[Any], UnitStates]:
        """Return the indexes of the rows that changed after `version` and those rows themselves."""
        found = self._by_version.get(version)
        if found is None:
            indexes = self.picture.changed_since(version)
            found = self._by_version[version] = (indexes, self.picture.units[indexes])
        return found


class Group:
    """The state of one view: what its browsers have been shown, and the numbered frames that keep them up to date."""

    def __init__(self, view: View, *, epoch: int) -> None:
        self.view = view
        self.members = 0
        self.next_due_s = 0.0
        self._epoch = epoch
        self._seq = 0
        self._version = -1
        self._shown: Mask = np.zeros(0, np.bool_)
        self._snapshot_due_s = 0.0
        self._snapshot: tuple[int, bytes] | None = None

    def renew(self) -> None:
        """Make the next frame a snapshot: the scope's units changed."""
        self._snapshot_due_s = 0.0

    def frames(self, changes: Changes, allowed: Mask, *, now_us: int, now_s: float) -> tuple[bytes, ...]:
        """Return what brings the group up to date; nothing when nothing changed. `allowed` is the scope's mask by row."""
        picture = changes.picture
        if now_s >= self._snapshot_due_s or len(self._shown) > len(picture.units):
            self._snapshot_due_s = now_s + SNAPSHOT_EVERY_S
            return (self._restart(picture, allowed, now_us),)
        indexes, rows = changes.since(self._version)
        self._version = picture.version
        if not len(indexes):
            return ()
        self._grow(len(picture.units))
        return self._delta(indexes, rows, allowed, now_us)

    def snapshot(self, picture: PictureSource, allowed: Mask, *, now_us: int) -> bytes:
        """Return a snapshot that stands at the group's last number, for one that joins or fell behind; packed once."""
        if self._snapshot is None or self._snapshot[0] != self._seq:
            # Newer than the group's last frame, so the next delta repeats some rows; the others' state stays untouched.
            inside = allowed & self._in_view(picture.units)
            self._snapshot = (self._seq, self._pack(picture.units[inside], FrameKind.SNAPSHOT, now_us))
        return self._snapshot[1]

    def _pack(self, rows: UnitStates, kind: FrameKind, now_us: int) -> bytes:
        return pack_units(rows, kind, epoch=self._epoch, seq=self._seq, t_ms=now_us / 1000)

    def _restart(self, picture: PictureSource, allowed: Mask, now_us: int) -> bytes:
        self._shown = allowed & self._in_view(picture.units)
        self._version = picture.version
        self._seq += 1
        data = self._pack(picture.units[self._shown], FrameKind.SNAPSHOT, now_us)
        self._snapshot = (self._seq, data)
        return data

    def _delta(self, indexes: NDArray[Any], rows: UnitStates, allowed: Mask, now_us: int) -> tuple[bytes, ...]:
        inside = allowed[indexes] & self._in_view(rows)
        left = rows["unit_id"][~inside & self._shown[indexes] & (rows["unit_id"] != 0)]
        self._shown[indexes] = inside
        frames = []
        if inside.any():
            self._seq += 1
            frames.append(self._pack(rows if inside.all() else rows[inside], FrameKind.DELTA, now_us))
        if len(left):
            self._seq += 1
            frames.append(pack_gone(left, epoch=self._epoch, seq=self._seq, t_ms=now_us / 1000))
        return tuple(frames)

    def _grow(self, length: int) -> None:
        missing = length - len(self._shown)
        if missing > 0:
            self._shown = np.concatenate((self._shown, np.zeros(missing, np.bool_)))

    def _in_view(self, rows: UnitStates) -> Mask:
        box_deg = self.view.box_deg
        if box_deg is None:
            return np.ones(len(rows), np.bool_)
        west, south, east, north = (round(value * 1e7) for value in box_deg)
        inside: Mask = (rows["lon_e7"] >= west) & (rows["lon_e7"] <= east)
        inside &= (rows["lat_e7"] >= south) & (rows["lat_e7"] <= north)
        inside |= (rows["state"] & _LOUD) != 0
        if self.view.unit_ids:
            inside |= np.isin(rows["unit_id"], list(self.view.unit_ids))
        return inside
