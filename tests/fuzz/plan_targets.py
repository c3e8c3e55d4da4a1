"""What planners bring from outside, fuzzed: files of every format, and weather reports."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Final

from mission.air.taf import read_report
from mission.checking import check_programme
from mission.formats.plan_files import PlanFormat, ProgrammeFormat, read_file, write_plan, write_programme
from telemetry.model.errors import InputError
from tests.flown_day import PLAN, PROGRAMME

NOW_US: Final = 1_790_000_000_000_000
WPMZ: Final = "wpmz/waylines.wpml"


def _file(name: str) -> Callable[[bytes], None]:
    """Return what takes bytes as a file of that name: they are told wrong, or bring a programme that can be checked and kept."""

    def run(data: bytes) -> None:
        try:
            read = read_file(data, name, now_us=NOW_US)
        except InputError:
            return
        assert all(read.notes)
        check_programme(read.programme)
        json.loads(write_programme(read.programme, ProgrammeFormat.GEOJSON).data)

    return run


def _kmz(data: bytes) -> None:
    """Take bytes as the archive, and as the document within one."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(WPMZ, data)
    for each in (data, buffer.getvalue()):
        _file("route.kmz")(each)


def _weather(data: bytes) -> None:
    try:
        read_report(data.decode("utf-8", "replace"), now_us=NOW_US)
    except InputError:
        return


def _written(file_format: PlanFormat) -> list[bytes]:
    return [write_plan(PLAN, PROGRAMME, file_format).data]


def _kmz_seeds() -> list[bytes]:
    whole = _written(PlanFormat.KMZ)[0]
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        return [whole, archive.read(WPMZ), archive.read("wpmz/template.kml")]


def _kept(file_format: ProgrammeFormat) -> list[bytes]:
    return [write_programme(PROGRAMME, file_format).data]


def _calendar_seeds() -> list[bytes]:
    times = "DTSTART;TZID=Asia/Shanghai:20270501T070000\r\nDTEND;TZID=Asia/Shanghai:20270501T150000\r\n"
    rule = "RRULE:FREQ=WEEKLY;BYDAY=MO,SA;COUNT=10\r\nEXDATE;TZID=Asia/Shanghai:20270503T070000\r\nRDATE:20270601T000000Z\r\n"
    days = "DTSTART;VALUE=DATE:20270501\r\nDTEND;VALUE=DATE:20270504\r\nRRULE:FREQ=YEARLY;UNTIL=20290601\r\n"
    events = "".join(f"BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Early\r\n{said}END:VEVENT\r\n" for said in (times + rule, days))
    return [*_written(PlanFormat.ICS), f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{events}END:VCALENDAR\r\n".encode()]


def _weather_seeds() -> list[bytes]:
    return [
        b"METAR ZLLL 210800Z 31004G09MPS 270V340 3000 -RA BR BKN008 SCT030CB 17/15 Q1012 NOSIG=",
        b"METAR ZGGG 210800Z VRB01MPS CAVOK 28/22 Q1009",
        b"TAF ZLLL 210600Z 2106/2206 32005MPS 6000 FEW030 TX18/2107Z TN08/2122Z TEMPO 2110/2114 33010G17MPS SHRA",
    ]


SOURCES: Final[tuple[tuple[str, Callable[[], list[bytes]], Callable[[bytes], None]], ...]] = (
    ("plan", lambda: _written(PlanFormat.PLAN), _file("a.plan")),
    ("waypoints", lambda: _written(PlanFormat.WAYPOINTS), _file("a.waypoints")),
    ("kmz", _kmz_seeds, _kmz),
    ("kml", lambda: _kept(ProgrammeFormat.KML), _file("a.kml")),
    ("ics", _calendar_seeds, _file("a.ics")),
    ("gpx", lambda: _written(PlanFormat.GPX), _file("a.gpx")),
    ("geojson", lambda: _kept(ProgrammeFormat.GEOJSON), _file("a.geojson")),
    ("yaml", lambda: _kept(ProgrammeFormat.YAML), _file("a.yaml")),
    ("weather", _weather_seeds, _weather),
)
"""Name, seeds and what takes the bytes; it raises AssertionError, or whatever a reader raises, when something is wrong."""
