"""Put the built web app into every wheel: a wheel made from a clean checkout builds it first."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class WebAppHook(BuildHookInterface):  # type: ignore[type-arg] # hatchling's own type parameter is private
    """Runs tools/build_web.py unless the wheel is an editable one, which serves what `make web` builds."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build what changed since the last build; `version` is "standard" or "editable"."""
        del build_data
        if version == "editable":
            return
        sys.path.insert(0, str(Path(self.root) / "tools"))
        from build_web import build  # type: ignore[import-not-found] # it stands beside this file

        build()
