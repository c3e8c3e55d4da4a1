"""Plain mission files, `QGC WPL 110`: what Mission Planner, MAVProxy, pymavlink and QGroundControl read alike."""

from typing import Final

from mission.formats.brought import Brought
from mission.formats.mavlink_items import MavlinkPlan, is_above_home, waypoints_of
from mission.formats.untrusted import Said, checked_count, checked_size, finite, latitude, longitude
from telemetry.model.mission_items import MissionFrame, MissionItem

HEADER: Final = "QGC WPL 110"
COLUMNS: Final = 12
PARAMETERS: Final = range(4, 8)
"""The columns of the parameters 1 to 4, which may be nan: not given."""
WHAT: Final = Said("the waypoint file", "航点文件")


def write(plan: MavlinkPlan) -> bytes:
    """Return the mission as lines of tabs; line 0 is the home, as those tools expect it."""
    home = MissionItem(
        command=16,
        frame=int(MissionFrame.GLOBAL_MSL),
        lat_e7=round(plan.home_lat_deg * 1e7),
        lon_e7=round(plan.home_lon_deg * 1e7),
        alt_m=plan.home_msl_m or 0.0,
    )
    lines = [HEADER, *(_line(number, item) for number, item in enumerate((home, *plan.mission)))]
    return ("\n".join(lines) + "\n").encode()


def read(data: bytes) -> Brought:
    """Return the file's waypoints, its first line as home. Raises FileFormatError: the line and what is wrong."""
    items = read_items(data)
    waypoints, notes = waypoints_of(items[1:])
    home = (items[0].lat_e7 / 1e7, items[0].lon_e7 / 1e7) if items else None
    return Brought(waypoints=waypoints, is_above_home=is_above_home(items[1:]), home=home, notes=notes)


def read_items(data: bytes) -> tuple[MissionItem, ...]:
    """Return all items of the file, the home of line 0 among them. Raises FileFormatError."""
    try:
        lines = checked_size(data, WHAT).decode().splitlines()
    except UnicodeDecodeError as error:
        raise WHAT.broken(f" is no text: {error}", f"不是文本：{error}") from error
    if not lines or lines[0].strip() != HEADER:
        raise WHAT.broken(
            f" begins with {lines[0][:40]!r}: its first line must be {HEADER!r}",
            f"以 {lines[0][:40]!r} 开头：首行须为 {HEADER!r}",
        )
    said = [(number, line) for number, line in enumerate(lines[1:], 2) if line.strip() and not line.startswith("#")]
    checked_count(len(said), WHAT)
    return tuple(_item(line, number) for number, line in said)


def _line(number: int, item: MissionItem) -> str:
    is_place = item.frame != MissionFrame.NO_PLACE
    places = (item.lat_e7 / 1e7, item.lon_e7 / 1e7) if is_place else (float(item.lat_e7), float(item.lon_e7))
    parameters = [0.0 if value is None else value for value in (item.param1, item.param2, item.param3, item.param4)]
    numbers = [f"{value:.8f}" for value in (*parameters, *places)]
    is_current = 1 if number == 0 else 0
    head = (str(number), str(is_current), str(item.frame), str(item.command))
    return "\t".join((*head, *numbers, f"{item.alt_m:.6f}", "1" if item.autocontinue else "0"))


def _item(line: str, number: int) -> MissionItem:
    cells = line.split()
    where = Said(f"line {number}", f"第 {number} 行")
    if len(cells) != COLUMNS:
        raise WHAT.at(where).broken(
            f" has {len(cells)} columns: {COLUMNS} are needed", f"有 {len(cells)} 列：须为 {COLUMNS} 列"
        )
    given = [None if cell.lower() == "nan" and column in PARAMETERS else cell for column, cell in enumerate(cells)]
    values = [
        finite(0.0 if cell is None else cell, _column(where, column), lowest=-1e9, highest=1e9)
        for column, cell in enumerate(given, 1)
    ]
    parameters = [None if given[column] is None else values[column] for column in PARAMETERS]
    frame = int(values[2])
    is_place = frame != MissionFrame.NO_PLACE
    scale = 1e7 if is_place else 1.0
    return MissionItem(
        command=int(values[3]),
        frame=frame,
        param1=parameters[0],
        param2=parameters[1],
        param3=parameters[2],
        param4=parameters[3],
        lat_e7=round((latitude(values[8], where) if is_place else values[8]) * scale),
        lon_e7=round((longitude(values[9], where) if is_place else values[9]) * scale),
        alt_m=values[10],
        autocontinue=values[11] != 0.0,
    )


def _column(where: Said, column: int) -> Said:
    return WHAT.at(where).at(Said(f"column {column}", f"第 {column} 列"))
