"""Plans the demo force: drones at their docks, crews at their stations, mobile rooms at busy places, the rest in reserve."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

import numpy as np

from console.demo.city import City
from console.demo.crews import CREW, DRONE_EQUIPMENT, NIGHT_ONLY, ROOM_EQUIPMENT, Beat, Seat, Watch, crew_count
from console.demo.force_places import nearest_station
from console.demo.force_plan import PlannedUnit
from telemetry.model.geodesy import destination
from telemetry.model.unit import DutyStatus, Service, UnitKind
from telemetry.registry.enrolment import MAVLINK

CALL_SIGNS: Final = {
    UnitKind.DRONE: ("巡鹰", "Hawk"),
    UnitKind.OFFICER: ("巡警", "Officer"),
    UnitKind.MOTORCYCLE: ("铁骑", "Moto"),
    UnitKind.CAR: ("警车", "Car"),
    UnitKind.MOBILE_ROOM: ("移动警务室", "Room"),
}
INTERVALS_S: Final = {
    UnitKind.DRONE: (0.2,),
    UnitKind.OFFICER: (5.0, 7.0, 10.0),
    UnitKind.MOTORCYCLE: (2.0, 3.0, 4.0),
    UnitKind.CAR: (2.0, 3.0, 5.0),
    UnitKind.MOBILE_ROOM: (5.0,),
}
DIALECTS: Final = ("osmand", "traccar")
JT808: Final = "jt808"
VEHICLES: Final = frozenset({UnitKind.CAR, UnitKind.MOTORCYCLE, UnitKind.MOBILE_ROOM})
BODYCAM_SERVICES: Final = frozenset({Service.PATROL, Service.SPECIAL})
BODYCAM_ID_HEAD: Final = "62010200001320"
"""Centre code, industry, type 132 (camera) and network of GB/T 28181, before six digits of the camera's own."""
DRONE_SHARE: Final = 12 / 212
MOST_DRONES: Final = 240
ROOM_SHARE: Final = 0.04
RESERVE: Final = (UnitKind.OFFICER, UnitKind.MOTORCYCLE, UnitKind.OFFICER, UnitKind.OFFICER, UnitKind.CAR)
RESERVE_SERVICES: Final = (Service.STATION, Service.PATROL, Service.TRAFFIC, Service.VOLUNTEER)
HOME_REACH_M: Final = {UnitKind.OFFICER: 320.0, UnitKind.MOTORCYCLE: 700.0, UnitKind.CAR: 400.0}
FAR_END_REACH_M: Final = 200.0
GATHERING_REACH_M: Final = 220.0

_DRONE_SEAT: Final = Seat(
    UnitKind.DRONE, Service.AIR, tuple(Watch), Beat.HOME, DRONE_EQUIPMENT, duty=DutyStatus.STANDBY
)
_ROOM_SEAT: Final = Seat(
    UnitKind.MOBILE_ROOM, Service.STATION, tuple(Watch), Beat.HOME, ROOM_EQUIPMENT, duty=DutyStatus.ENGAGED
)
"""A mobile room serves those who come to it, and goes to no call."""
_COVERT_SEAT: Final = Seat(UnitKind.CAR, Service.SPECIAL, tuple(Watch), Beat.HOME, ())


class CrewPlanner:
    """Deals units to the stations; the same for the same city and seed."""

    def __init__(self, city: City, random: np.random.Generator) -> None:
        self._city, self._random = city, random
        self._given: dict[tuple[UnitKind, int], int] = {}

    def units(self, unit_count: int) -> list[PlannedUnit]:
        """Return so many units, ordered by kind: drones first, then who serves on the ground."""
        drones = min(max(1, round(unit_count * DRONE_SHARE)), MOST_DRONES)
        ground_count = unit_count - drones
        rooms = round(ROOM_SHARE * ground_count)
        ground = [*self._crews(ground_count - rooms), *(self._room(rank) for rank in range(1, rooms + 1))]
        ground += self._reserve(ground_count - len(ground))
        order = list(CALL_SIGNS)
        return [*self._drones(drones), *sorted(ground, key=lambda unit: order.index(unit.kind))]

    def _drones(self, count: int) -> Iterator[PlannedUnit]:
        """Spread drones over the docks; neighbours stand 8 m apart on their pads."""
        docks = self._city.facts.docks
        for index in range(count):
            dock = docks[index % len(docks)]
            ring, place = divmod(index // len(docks), 8)
            lat, lon = destination(dock.lat_deg, dock.lon_deg, 45.0 * place, 8.0 * (ring + 1))
            station = nearest_station(self._city, dock)
            pad = float(lat), float(lon)
            yield self._unit(_DRONE_SEAT, f"{index + 1:02d}", pad, station=station, system_id=index + 1, answers=True)

    def _crews(self, most: int) -> list[PlannedUnit]:
        """Fill the seats of all crews in turn, the stations one after another, as far as there are units."""
        stations = self._stations_in_turn()
        crews = crew_count(most)
        seats = [(rank, station) for _ in range(crews) for rank in range(len(CREW)) for station in stations]
        taken = list(islice(seats, most))
        relieved = {station for rank, station in taken if rank in NIGHT_ONLY}
        units = []
        for rank, station in taken:
            seat = CREW[rank]
            if station not in relieved and seat.service is Service.PATROL:  # a small force has nobody to relieve it
                seat = seat._replace(watches=tuple(Watch))
            units.append(self._crew_unit(seat, station, answers=True))
        return units

    def _reserve(self, count: int) -> Iterator[PlannedUnit]:
        """Who is off duty, and one car in plain clothes that is always out."""
        stations = self._stations_in_turn()
        has_covert = False
        for index in range(count):
            kind, station = RESERVE[index % len(RESERVE)], stations[index % len(stations)]
            is_covert, has_covert = kind is UnitKind.CAR and not has_covert, has_covert or kind is UnitKind.CAR
            service = RESERVE_SERVICES[index // len(RESERVE) % len(RESERVE_SERVICES)]
            if kind is not UnitKind.OFFICER and service is Service.VOLUNTEER:
                service = Service.PATROL
            seat = _COVERT_SEAT if is_covert else Seat(kind, service, (), Beat.HOME, ())
            yield self._crew_unit(seat, station, covert=is_covert)

    def _stations_in_turn(self) -> list[int]:
        """Return the stations' numbers in an order that spreads the first few over the city, Shuiche's first."""
        count = len(self._city.facts.stations)
        return [int(self._city.facts.stations[(index * 5 + 10) % count].key) for index in range(count)]

    def _crew_unit(self, seat: Seat, station: int, *, answers: bool = False, covert: bool = False) -> PlannedUnit:
        self._given[seat.kind, station] = rank = self._given.get((seat.kind, station), 0) + 1
        base = self._base(seat, station)
        label = f"{station:02d}-{rank:02d}"
        return self._unit(seat, label, base, station=station, answers=answers, covert=covert)

    def _room(self, rank: int) -> PlannedUnit:
        """Stand a mobile room at one of the city's places."""
        places = self._city.facts.places
        spot = places[int(self._random.integers(0, len(places)))]
        base = self._near(spot.lat_deg, spot.lon_deg, GATHERING_REACH_M)
        return self._unit(_ROOM_SEAT, f"{rank:02d}", base, station=nearest_station(self._city, spot))

    def _base(self, seat: Seat, station: int) -> tuple[float, float]:
        """Return the middle of a unit's beat: its far end, the station, or for who walks a busy place close by."""
        facts = self._city.facts
        spot = facts.stations[station - 1]
        if seat.beat is not Beat.HOME:
            spot = next(end for end in facts.far_ends if end.key == f"{station}-{seat.beat.value}")
            return self._near(spot.lat_deg, spot.lon_deg, FAR_END_REACH_M)
        if seat.kind is UnitKind.OFFICER and self._random.random() < 0.35:
            busy = [place for place in facts.places if nearest_station(self._city, place) == station]
            if busy:
                spot = busy[int(self._random.integers(0, len(busy)))]
                return self._near(spot.lat_deg, spot.lon_deg, GATHERING_REACH_M)
        return self._near(spot.lat_deg, spot.lon_deg, HOME_REACH_M[seat.kind])

    def _near(self, lat_deg: float, lon_deg: float, reach_m: float) -> tuple[float, float]:
        bearing_deg, away_m = self._random.uniform(0.0, 360.0), reach_m * np.sqrt(self._random.random())
        lat, lon = destination(lat_deg, lon_deg, bearing_deg, away_m)
        return float(lat), float(lon)

    def _unit(
        self,
        seat: Seat,
        label: str,
        base: tuple[float, float],
        *,
        station: int,
        system_id: int = 0,
        answers: bool = False,
        covert: bool = False,
    ) -> PlannedUnit:
        name_zh, name_en = CALL_SIGNS[seat.kind]
        mark = "-" if seat.kind is UnitKind.DRONE else " "
        intervals = INTERVALS_S[seat.kind]
        dialect = MAVLINK if system_id else DIALECTS[int(self._random.integers(0, len(DIALECTS)))]
        number = _number_of(label)
        is_vehicle = seat.kind in VEHICLES
        has_bodycam = seat.kind is UnitKind.OFFICER and seat.service in BODYCAM_SERVICES and bool(seat.watches)
        return PlannedUnit(
            call_sign=f"{name_en} {label}",
            name_zh=f"{name_zh}{mark}{label}",
            kind=seat.kind,
            service=seat.service,
            duty_status=seat.duty,
            station_number=station,
            dialect=JT808 if is_vehicle else dialect,
            terminal_phone=f"139{list(CALL_SIGNS).index(seat.kind)}{number:07d}" if is_vehicle else "",
            bodycam_id=f"{BODYCAM_ID_HEAD}{number:06d}" if has_bodycam else "",
            report_interval_s=intervals[int(self._random.integers(0, len(intervals)))],
            base_lat_deg=base[0],
            base_lon_deg=base[1],
            system_id=system_id,
            covert=covert,
            equipment=seat.equipment,
            watches=seat.watches,
            answers=answers,
        )


def _number_of(label: str) -> int:
    """Return a number of its own for each "STATION-RANK" or "RANK" of one kind, the same in a force of any size."""
    station, mark, rank = label.partition("-")
    return int(station) * 10_000 + int(rank) if mark else int(station)
