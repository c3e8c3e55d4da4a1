"""However a METAR is damaged, it is read or refused; nothing else happens."""

from random import Random

import pytest

from mission.model import Weather
from mission.weather import read_metar
from telemetry.model.errors import InputError
from tests.sky_scene import clock

WHOLE = (
    "METAR ZSAM 181300Z 24003G09MPS 210V270 9999 -RA SCT015 BKN030 26/23 Q1009 NOSIG=",
    "SPECI ZGGG 181310Z AUTO VRB15G25KT 1500 R05/1200N +TSRA FEW010CB VV/// M05/M24 Q1005 BECMG FM1330 TL1430 18005MPS CAVOK",
    "METAR KJFK 181251Z COR 00000KT 1 1/2SM BR OVC002 29/18 A3001 RMK AO2 SLP163 T02890178",
)
PIECES = (
    "=",
    "/",
    "//",
    "Z",
    "G",
    "KT",
    "MPS",
    " ",
    "  ",
    "9999",
    "TEMPO ",
    "VV",
    "P",
    "M",
    "\t",
    "０",
    "\n",
    "RMK ",
    "0",
)


@pytest.mark.parametrize("seed", range(8))
def test_a_damaged_report_is_read_or_refused(seed: int) -> None:
    dice = Random(seed)
    refused = 0
    for _ in range(120):
        letters = list(dice.choice(WHOLE))
        for _ in range(dice.randrange(1, 6)):
            at = dice.randrange(len(letters))
            letters[at : at + dice.choice((0, 1, 1, 4))] = dice.choice(
                (dice.choice(PIECES), chr(dice.randrange(32, 127)))
            )
        try:
            found = read_metar("".join(letters), now_us=clock(21, 10))
        except InputError:
            refused += 1
        else:
            assert isinstance(found, Weather)
            assert found.wind_mps is None or 0.0 <= found.wind_mps < 250.0
            assert found.visibility_m is None or found.visibility_m >= 0.0
    assert 0 < refused < 120
