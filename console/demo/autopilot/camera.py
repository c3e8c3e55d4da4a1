"""The drone's camera: photos one by one, by time or by distance, video, and where it looks."""

from typing import NamedTuple

from console.demo.autopilot.body import STEP_S, Place


class Photo(NamedTuple):
    """A photo that was taken, and where."""

    number: int
    place: Place
    height_m: float


class Camera:
    """Call `step` while the drone flies; photos taken wait in `fresh` until they are told."""

    def __init__(self) -> None:
        self.photo_count = 0
        self.is_recording = False
        self.pitch_deg = 0.0
        self.roi: Place | None = None
        self.fresh: list[Photo] = []
        self._trigger_m = 0.0
        self._last: Place | None = None
        self._interval_s = 0.0
        self._left_count = 0
        self._due_s = 0.0

    def trigger_each(self, distance_m: float) -> None:
        """Take a photo each so many metres from here on; 0 ends that."""
        self._trigger_m, self._last = distance_m, None

    def take(self, place: Place, height_m: float) -> None:
        """Take one photo."""
        self.photo_count += 1
        self.fresh.append(Photo(self.photo_count, place, height_m))

    def take_many(self, interval_s: float, count: int) -> None:
        """Take photos each interval from now on; 0 of them is until they are ended."""
        self._interval_s, self._left_count, self._due_s = max(interval_s, 2.0 * STEP_S), count or -1, 0.0

    def end_photos(self) -> None:
        """End photos by time."""
        self._left_count = 0

    def rest(self) -> None:
        """End everything: the flight is over."""
        self.is_recording, self.roi, self._trigger_m, self._left_count = False, None, 0.0, 0

    def step(self, place: Place, height_m: float) -> None:
        """Take the photos that are due at this place."""
        if self._trigger_m > 0.0 and (self._last is None or self._last.away_m(place) >= self._trigger_m):
            self._last = place
            self.take(place, height_m)
        if self._left_count:
            self._due_s -= STEP_S
            if self._due_s <= 1e-9:
                self._due_s += self._interval_s
                self._left_count -= self._left_count > 0
                self.take(place, height_m)
