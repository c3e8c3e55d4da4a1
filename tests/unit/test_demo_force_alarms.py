"""In the demo an officer asks for help after twenty seconds, is helped, and later another one does."""

from itertools import islice

from console.demo.force import FIRST_SOS_S, SOS_LASTS_S, Force
from console.demo.force_config import Doors, ForceConfig, ForceUnit
from console.demo.phone_client import Sighting
from telemetry.model.unit import UnitKind


def force(*call_signs: tuple[str, UnitKind]) -> Force:
    units = tuple(
        ForceUnit(
            call_sign=call_sign, kind=kind, dialect="osmand", secret="t", interval_s=5.0, lat_deg=36.0, lon_deg=103.8
        )
        for call_sign, kind in call_signs
    )
    return Force(ForceConfig(seed=1, roads="", doors=Doors(("", 0), ("", 0), ("", 0), ("", 0)), units=units))


def alarms(of: Force) -> list[tuple[float, int, str]]:
    return list(islice(of._alarm_times(), 6))


async def test_the_first_sos_comes_after_twenty_seconds_from_the_officer_of_the_drawing_and_ends() -> None:
    first, ended, second, *_ = alarms(
        force(("Car 11-04", UnitKind.CAR), ("Officer 01-01", UnitKind.OFFICER), ("Officer 11-04", UnitKind.OFFICER))
    )
    assert first == (FIRST_SOS_S, 2, "sos")
    assert ended == (FIRST_SOS_S + SOS_LASTS_S, 2, "sos_cleared")
    assert second[0] > ended[0]
    assert second[1] in (1, 2)


async def test_alarms_follow_from_the_seed_and_only_officers_raise_them() -> None:
    crew = (("Officer 02-01", UnitKind.OFFICER), ("Moto 02-01", UnitKind.MOTORCYCLE))
    assert alarms(force(*crew)) == alarms(force(*crew))
    assert {number for _, number, _ in alarms(force(*crew))} == {0}
    assert alarms(force(("Moto 02-01", UnitKind.MOTORCYCLE))) == []


async def test_counts_begin_at_zero_and_tell_no_secret() -> None:
    counts = force(("Officer 02-01", UnitKind.OFFICER)).counts()
    assert counts["positions_sent"] == counts["errors"] == counts["retries"] == 0
    assert counts["units"] == 1
    assert "secret" not in repr(counts)


class Standing:
    """A walker that does not move."""

    def __init__(self) -> None:
        self.halted_s = 0.0

    def step(self, elapsed_s: float) -> Sighting:
        assert elapsed_s >= 0.0
        return Sighting(36.0, 103.8, 0.0, None, 3.0, 0.9)

    def halt(self, duration_s: float) -> None:
        self.halted_s = duration_s


async def test_when_the_demo_ends_nobody_is_left_in_need() -> None:
    mine, walker = force(("Officer 02-01", UnitKind.OFFICER)), Standing()
    mine._alarm(0, walker, "sos")
    mine._clear_alarms()
    mine._clear_alarms()
    assert walker.halted_s == SOS_LASTS_S
    assert [mine._queue.get_nowait().alarm for _ in range(mine._queue.qsize())] == ["sos", "sos_cleared"]
