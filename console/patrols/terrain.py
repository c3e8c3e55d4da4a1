"""The raster of heights that the console plans over: looked at before it starts, kept by each process that plans."""

from pathlib import Path

from infra.errors import SettingsError
from infra.settings import PREFIX, Settings
from mission.air.terrain import FLAT, Ground, load_ground
from telemetry.model.errors import FileFormatError, UnavailableError


def check_terrain(settings: Settings) -> Ground:
    """Return the ground of the settings, flat where they name none. Raises SettingsError for a file that cannot be used."""
    if settings.terrain is None:
        return FLAT
    try:
        return load_ground(settings.terrain)
    except FileFormatError as error:
        message = f"{PREFIX}TERRAIN={settings.terrain} cannot be used: {error}; correct or unset it"
        raise SettingsError(message) from error


class KeptGround:
    """The ground of a file, read when it is asked for first."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._ground = FLAT if path is None else None

    def read(self) -> Ground:
        """Return it. Raises UnavailableError while the file cannot be used: a plan over flat ground would be another plan."""
        if self._ground is None:
            assert self._path is not None
            try:
                self._ground = load_ground(self._path)
            except FileFormatError as error:
                message = f"nothing is planned without the terrain that is set ({PREFIX}TERRAIN): {error}"
                zh = f"设定的地形数据（{PREFIX}TERRAIN）{self._path.name} 不能用，无法规划：请修复该文件，或取消该设置并重启控制台"
                raise UnavailableError(message, zh) from error
        return self._ground
