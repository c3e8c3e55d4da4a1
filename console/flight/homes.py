"""Where each drone returns to: the home that it told, else the place where it was seen to be armed."""

from console.flight.drones import Place
from telemetry.model.events import ArmedChanged
from telemetry.model.flight_events import HomeTold


class Homes:
    """The homes of drones by their device, in this run. A drone is asked for its home as soon as it is heard."""

    def __init__(self) -> None:
        self._told: dict[int, Place] = {}
        self._armed_at: dict[int, Place] = {}
        self._is_armed: dict[int, bool] = {}

    def get(self, device_id: int) -> Place | None:
        """Return a drone's home, None while nobody knows it."""
        return self._told.get(device_id, self._armed_at.get(device_id))

    def hear(self, event: ArmedChanged | HomeTold, place: Place | None) -> None:
        """Take what a drone tells, which is at `place` now.

        A drone that was armed when it was first heard may be anywhere on its way: that place is no home.
        """
        if isinstance(event, HomeTold):
            self._told[event.device_id] = Place(lat_deg=event.lat_e7 / 1e7, lon_deg=event.lon_e7 / 1e7, alt_home_m=0.0)
            return
        was_disarmed = self._is_armed.get(event.device_id) is False
        self._is_armed[event.device_id] = event.armed
        if event.armed and was_disarmed and place is not None and place.is_located:
            self._armed_at[event.device_id] = place
