"""One epoch: what the sentences of one moment say together, as one fix."""

from typing import Final

from telemetry.model.batch import FIX_2D, FIX_3D, FIX_DGPS, FIX_NONE, FIX_RTK_FIXED, FIX_RTK_FLOAT
from telemetry.model.fix import METRES_PER_HDOP, METRES_PER_SECOND_PER_KNOT, Fix
from telemetry.sources.nmea.sentence import DAY_US, Sentence, date_us, midnight_us, number, place, time_of_day_us

GGA_FIX: Final = {
    0: FIX_NONE,
    1: FIX_3D,
    2: FIX_DGPS,
    3: FIX_3D,
    4: FIX_RTK_FIXED,
    5: FIX_RTK_FLOAT,
    6: FIX_2D,
    7: FIX_2D,
    8: FIX_2D,
}
"""GGA's quality of a fix in our words: 6 is dead reckoning, 7 typed in by hand, 8 a simulator."""
SIMULATED: Final = 8
MODE_FIX: Final = {"D": FIX_DGPS, "F": FIX_RTK_FLOAT, "R": FIX_RTK_FIXED, "N": FIX_NONE}
WEEKS_US: Final = 1024 * 7 * DAY_US
"""After so long a receiver's ten-bit week number begins at 0 again, and an old one tells a date 19.6 years ago."""
NEAR_US: Final = DAY_US
TIMED: Final = frozenset({"RMC", "GGA", "GNS", "GLL"})
READ: Final = TIMED | {"VTG", "GSA", "HDT", "THS", "ZDA"}


def moment_of(sentence: Sentence) -> int | None:
    """Return the time of day that a sentence tells; None for one that tells none."""
    if sentence.kind not in TIMED:
        return None
    return time_of_day_us(sentence.field(4 if sentence.kind == "GLL" else 0))


class Epoch:
    """Gathers what the sentences of one moment say; later ones fill in what is unknown."""

    __slots__ = ("date_us", "hdop", "is_simulated", "kinds", "mode", "moment_us", "said", "state", "status")

    def __init__(self, moment_us: int | None = None) -> None:
        self.moment_us = moment_us
        self.date_us: int | None = None
        self.hdop: float | None = None
        self.kinds: set[str] = set()
        self.is_simulated = False
        self.mode: str | None = None
        self.said: dict[str, float] = {}
        self.state: int | None = None
        self.status: str | None = None

    @property
    def is_whole(self) -> bool:
        """Tell whether all came that makes a full fix: more would only repeat it."""
        return "RMC" in self.kinds and bool(self.kinds & {"GGA", "GNS"})

    def take(self, sentence: Sentence) -> None:
        """Take one more sentence of this moment."""
        self.kinds.add(sentence.kind)
        match sentence.kind:
            case "RMC":
                self._take_rmc(sentence)
            case "GGA" | "GNS":
                self._take_gga(sentence)
            case "GLL":
                self._take_place(sentence, 0)
                self.status = self.status or sentence.field(5)
            case "VTG":
                self._know("course_deg", number(sentence.field(0), 0, 360))
                self._know("speed_knots", number(sentence.field(4), 0))
            case "GSA":
                self._take_gsa(sentence)
            case "HDT" | "THS":
                self._know("heading_deg", number(sentence.field(0), 0, 360))
            case "ZDA":
                day, month, year = (number(sentence.field(at), 0, 9999) for at in (1, 2, 3))
                self.date_us = self.date_us or midnight_us(int(year or 0), int(month or 0), int(day or 0))

    def fix(self, now_us: int | None = None) -> Fix:
        """Return what was said. `now_us` finds the date where none was told, and mends one of a rolled-over week number."""
        observed_us = self._observed_us(now_us)
        told_us = None if self.moment_us is None or self.date_us is None else self.date_us + self.moment_us
        knots = self.said.get("speed_knots")
        hdop = self.hdop if self.hdop is not None else self.said.get("hdop")
        satellites = self.said.get("satellites")
        return Fix(
            lat_deg=self.said.get("lat_deg"),
            lon_deg=self.said.get("lon_deg"),
            observed_us=observed_us,
            speed_mps=None if knots is None else knots * METRES_PER_SECOND_PER_KNOT,
            course_deg=self.said.get("course_deg"),
            heading_deg=self.said.get("heading_deg"),
            alt_msl_m=self.said.get("alt_msl_m"),
            alt_hae_m=self._alt_hae_m(),
            accuracy_m=None if not hdop else hdop * METRES_PER_HDOP,
            satellites=None if satellites is None else int(satellites),
            fix=self._fix_kind(),
            is_mock=self.is_simulated or self.mode == "S",
            has_fix=self._has_fix(),
            has_estimated_time=observed_us is not None and observed_us != told_us,
        )

    def _take_rmc(self, sentence: Sentence) -> None:
        self._take_place(sentence, 2)
        self._know("speed_knots", number(sentence.field(6), 0))
        self._know("course_deg", number(sentence.field(7), 0, 360))
        self.date_us = date_us(sentence.field(8)) or self.date_us
        self.status = sentence.field(1)
        if len(sentence.fields) > 11:
            self.mode = sentence.field(11)
        if self.mode == "S" and len(sentence.fields) > 12 and sentence.field(12) != "A":
            self.status = "V"  # a simulator that does not call itself safe

    def _take_gga(self, sentence: Sentence) -> None:
        self._take_place(sentence, 1)
        if sentence.kind == "GGA":
            state = number(sentence.field(5), 0, 8)
            self.state = None if state is None else int(state)
            self.is_simulated = self.state == SIMULATED
        else:
            self._take_gns_modes(sentence.field(5))
        self._know("satellites", number(sentence.field(6), 0, 127))
        self.hdop = number(sentence.field(7), 0, 99.9)
        self._know("alt_msl_m", number(sentence.field(8), -1_000, 100_000))
        self._know("geoid_m", number(sentence.field(10 if sentence.kind == "GGA" else 9), -200, 200))

    def _take_gns_modes(self, modes: str) -> None:
        """Take one letter a constellation: the best of them is what the fix has."""
        best = next((mode for mode in "RFPDAEMSN" if mode in modes), "")
        self.state = {"R": 4, "F": 5, "P": 3, "D": 2, "A": 1, "E": 6, "M": 7, "S": 8, "N": 0}.get(best)
        self.is_simulated = best == "S"

    def _take_gsa(self, sentence: Sentence) -> None:
        self._know("dimensions", number(sentence.field(1), 1, 3))
        self._know("hdop", number(sentence.field(15), 0, 99.9))

    def _take_place(self, sentence: Sentence, first: int) -> None:
        lat_deg, lon_deg = place(sentence, first)
        if lat_deg is not None and lon_deg is not None and ("lat_deg" not in self.said or sentence.kind != "GLL"):
            self.said["lat_deg"], self.said["lon_deg"] = lat_deg, lon_deg

    def _know(self, name: str, value: float | None) -> None:
        if value is not None:
            self.said.setdefault(name, value)

    def _has_fix(self) -> bool:
        """Tell whether the receiver stands by its place: GGA's word decides where RMC leaves its mode empty."""
        if self.state is not None:
            return self.state > 0 and self.status in (None, "", "A")
        return self.status == "A" and self.mode not in ("", "N")

    def _fix_kind(self) -> int | None:
        kind = GGA_FIX.get(self.state) if self.state is not None else MODE_FIX.get(self.mode or "")
        dimensions = self.said.get("dimensions")
        if dimensions is not None and kind in (None, FIX_3D):
            return {1: FIX_NONE, 2: FIX_2D}.get(int(dimensions), FIX_3D)
        return kind if self._has_fix() or kind is not None else FIX_NONE

    def _alt_hae_m(self) -> float | None:
        alt_msl_m, geoid_m = self.said.get("alt_msl_m"), self.said.get("geoid_m")
        return None if alt_msl_m is None or geoid_m is None else alt_msl_m + geoid_m

    def _observed_us(self, now_us: int | None) -> int | None:
        if self.moment_us is None:
            return None
        if self.date_us is None:
            if now_us is None:
                return None
            days = round((now_us - self.moment_us) / DAY_US)
            return days * DAY_US + self.moment_us
        told_us = self.date_us + self.moment_us
        if now_us is None:
            return told_us
        mended_us = told_us + max(0, round((now_us - told_us) / WEEKS_US)) * WEEKS_US
        return mended_us if abs(now_us - mended_us) < NEAR_US else told_us
