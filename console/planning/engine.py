"""The planning process's mind: it keeps the newest map and answers siting, beats, move-up and what-if questions about it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from console.api.models_siting import BeatsReply, MoveUpReply, SitingReply, WhatIfReply
from console.city.files import PEOPLE, ROADS, SPEEDS, TIERS, CityFiles, load_city
from console.coverage.protocol import IncidentsTold
from console.planning.beats import beats
from console.planning.moveup import MoveUpDesk
from console.planning.protocol import BeatsAsked, Ground, MoveUpAsked, Question, SitesAsked, WhatIfAsked
from console.planning.sites import sites
from console.planning.whatif import WhatIfDesk
from mission.cover.ground import Weights, at_nodes
from mission.siting.planning_map import PlanningMap


@dataclass(frozen=True, eq=False)
class LoadedCity:
    """A city's files as they were when they were read, and the map made of them."""

    stamp: tuple[str, tuple[int, ...]]
    files: CityFiles
    area: PlanningMap


class PlanningEngine:
    """Answers one question after another; the map is read again when its files changed."""

    def __init__(self) -> None:
        self._loaded: LoadedCity | None = None
        self._moveup = MoveUpDesk()
        self._whatif = WhatIfDesk()
        self._told: IncidentsTold | None = None

    def answer(self, question: Question) -> SitingReply | BeatsReply | MoveUpReply | WhatIfReply:
        """Answer. Raises InputError, NotFoundError or FileFormatError with what to do."""
        city = self._city(question.ground)
        self._weigh(city, question.ground)
        match question:
            case SitesAsked():
                return sites(city.area, city.files.places, question)
            case BeatsAsked():
                return beats(city.area, question)
            case MoveUpAsked():
                return self._moveup.answer(city.area, city.files.places, question)
            case WhatIfAsked():
                return self._whatif.answer(city.files, city.area, question)

    def _city(self, ground: Ground) -> LoadedCity:
        folder = Path(ground.city_dir)
        stamp = (ground.city_dir, tuple(_changed_ns(folder / name) for name in (ROADS, SPEEDS, TIERS, PEOPLE)))
        if self._loaded is None or self._loaded.stamp != stamp:
            files = load_city(folder)
            area = PlanningMap(files.graph, speeds=files.speeds, weights=files.weights)
            self._loaded = LoadedCity(stamp, files, area)
            self._moveup, self._whatif, self._told = MoveUpDesk(), WhatIfDesk(), None
        return self._loaded

    def _weigh(self, city: LoadedCity, ground: Ground) -> None:
        """Let past incidents weigh where the question brings them."""
        told = ground.incidents
        if told is None or told == self._told:
            return
        nodes = at_nodes(city.files.graph, np.array(told.lat_deg), np.array(told.lon_deg))
        hours = np.array(told.hour_of_week, np.int32)[nodes >= 0]
        city.area.weigh(Weights(city.files.weights.people, nodes[nodes >= 0], hours))
        self._told = told


def _changed_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0
