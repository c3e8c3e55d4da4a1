"""The autopilot's parameters: ArduCopter's names, each of which does here what it does there."""

from collections.abc import Iterator
from typing import Final, NamedTuple

FLOAT: Final = 9
INT8: Final = 2
INT16: Final = 4
INT32: Final = 6


class Parameter(NamedTuple):
    """One parameter: MAV_PARAM_TYPE, what it is at first and its range."""

    kind: int
    value: float
    lowest: float
    highest: float
    read_only: bool = False


TABLE: Final[dict[str, Parameter]] = {
    "ARMING_CHECK": Parameter(INT32, 1, 0, 1_048_575),
    "AUTO_OPTIONS": Parameter(INT32, 0, 0, 255),
    "BATT_ARM_MAH": Parameter(INT32, 1800, 0, 9000),
    "BATT_CAPACITY": Parameter(INT32, 9000, 9000, 9000, read_only=True),
    "BATT_CRT_MAH": Parameter(FLOAT, 720, 0, 9000),
    "BATT_FS_CRT_ACT": Parameter(INT8, 1, 0, 2),
    "BATT_FS_LOW_ACT": Parameter(INT8, 2, 0, 2),
    "BATT_LOW_MAH": Parameter(FLOAT, 2250, 0, 9000),
    "DISARM_DELAY": Parameter(INT8, 10, 0, 127),
    "FENCE_ACTION": Parameter(INT8, 1, 0, 4),
    "FENCE_ALT_MAX": Parameter(FLOAT, 150, 10, 1000),
    "FENCE_ENABLE": Parameter(INT8, 1, 0, 1),
    "FENCE_OPTIONS": Parameter(INT8, 0, 0, 7),
    "FENCE_RADIUS": Parameter(FLOAT, 5000, 30, 10000),
    "FENCE_TOTAL": Parameter(INT8, 0, 0, 127, read_only=True),
    "FENCE_TYPE": Parameter(INT8, 5, 0, 7),
    "FORMAT_VERSION": Parameter(INT16, 120, 120, 120, read_only=True),
    "FRAME_CLASS": Parameter(INT8, 1, 1, 1, read_only=True),
    "FS_GCS_ENABLE": Parameter(INT8, 0, 0, 5),
    "FS_GCS_TIMEOUT": Parameter(FLOAT, 5, 2, 120),
    "FS_OPTIONS": Parameter(INT32, 0, 0, 63),
    "LAND_SPEED": Parameter(INT16, 200, 30, 200),
    "MIS_RESTART": Parameter(INT8, 0, 0, 1),
    "MIS_TOTAL": Parameter(INT16, 0, 0, 32766, read_only=True),
    "RALLY_LIMIT_KM": Parameter(FLOAT, 3.0, 0, 50),
    "RALLY_TOTAL": Parameter(INT8, 0, 0, 127, read_only=True),
    "RTL_ALT": Parameter(INT32, 1500, 30, 30000),
    "RTL_LOIT_TIME": Parameter(INT32, 0, 0, 60000),
    "RTL_SPEED": Parameter(INT16, 0, 0, 2000),
    "SIM_WIND_DIR": Parameter(FLOAT, 0, 0, 360),
    "SIM_WIND_SPD": Parameter(FLOAT, 0, 0, 40),
    "SYSID_MYGCS": Parameter(INT16, 255, 1, 255),
    "SYSID_THISMAV": Parameter(INT16, 1, 1, 255, read_only=True),
    "WPNAV_RADIUS": Parameter(FLOAT, 200, 5, 1000),
    "WPNAV_SPEED": Parameter(FLOAT, 1000, 10, 2000),
    "WPNAV_SPEED_DN": Parameter(FLOAT, 200, 10, 500),
    "WPNAV_SPEED_UP": Parameter(FLOAT, 300, 10, 1000),
    "WP_YAW_BEHAVIOR": Parameter(INT8, 2, 0, 3),
}
NAMES: Final = tuple(TABLE)


class Parameters:
    """A drone's own values; speeds are centimetres a second, RTL_ALT and WPNAV_RADIUS centimetres, as in ArduCopter."""

    def __init__(self, values: dict[str, float]) -> None:
        self._values = {name: parameter.value for name, parameter in TABLE.items()} | values

    def __getitem__(self, name: str) -> float:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(NAMES)

    def __len__(self) -> int:
        return len(NAMES)

    def note(self, name: str, value: float) -> None:
        """Set what the autopilot itself knows (FENCE_TOTAL ...), or its builder wishes."""
        self._values[name] = value

    def change(self, name: str, value: float) -> bool:
        """Set what a ground station asks for, within the parameter's range; False for one unknown or not to be changed."""
        parameter = TABLE.get(name)
        if parameter is None or parameter.read_only or value != value:
            return False
        bounded = min(max(value, parameter.lowest), parameter.highest)
        self._values[name] = bounded if parameter.kind == FLOAT else float(round(bounded))
        return True
