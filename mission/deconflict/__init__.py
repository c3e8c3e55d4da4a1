"""Sorties kept apart in place, height and time: conflicts found before take-off, mended by layers, then by delay."""

from mission.deconflict.finding import find
from mission.deconflict.mending import mend
from mission.deconflict.moves import Limits, begins_us
from mission.deconflict.volumes import Margins

__all__ = ["Limits", "Margins", "begins_us", "find", "mend"]
