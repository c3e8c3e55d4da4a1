"""Whatever is refused at random: what the remedy says is done, and that refusal is gone."""

from random import Random

import pytest
from msgspec.structs import replace

from mission.air.sky import Sky
from mission.model import Light, TaskKind, Weather, Window, Zone, ZoneKind
from mission.plan import Refusal
from mission.rules import check_sortie, check_task, rule_set
from mission.rules.remedies import remedied_sortie
from tests.remedies_done import remedied_airframe, remedied_rules, remedied_task, remedied_visit
from tests.sky_scene import DAYLIGHT, DOCK, FRAME, PLANE, US, box, clock, point, sortie, task, visit, weather, zone

NOW_US = clock(17, 40)
KINDS = (ZoneKind.NO_FLY, ZoneKind.RESTRICTED, ZoneKind.TRAFFIC)


def random_zones(dice: Random) -> list[Zone]:
    found = []
    for number in range(dice.randrange(1, 5)):
        west, south = dice.uniform(-200, 900), dice.uniform(-300, 600)
        start_us = clock(18) + dice.randrange(0, 240) * 60 * US
        windows = dice.choice(((), (Window(start_us=start_us, end_us=start_us + dice.randrange(10, 60) * 60 * US),)))
        floor = dice.choice((0.0, dice.uniform(30, 70)))
        geometry = box(west, south, west + dice.uniform(40, 400), south + dice.uniform(40, 300))
        found.append(
            zone(dice.choice(KINDS), geometry, name=f"Z{number}", zone_id=number, windows=windows, floor_agl_m=floor, approval=dice.choice(("", "A-1")))
        )  # fmt: skip
    return found


def random_weather(dice: Random) -> list[Weather]:
    return [
        weather(
            clock(17) + number * 3600 * US,
            observed_us=clock(17, 30),
            gust_mps=dice.uniform(3, 10),
            visibility_m=dice.choice((800.0, 9000.0, 9000.0)),
            rain_mmph=dice.choice((0.0, 0.0, 0.0, 2.5)),
            cloud_base_agl_m=dice.choice((90.0, 900.0, 900.0)),
        )
        for number in range(12)
    ]


def key(found: Refusal) -> tuple[object, ...]:
    return (found.rule_id, found.numbers.get("zone"), found.is_warning)


@pytest.mark.parametrize("seed", range(40))
def test_what_is_told_of_a_sortie_makes_its_refusal_go(seed: int) -> None:
    dice = Random(seed)
    zones, log = random_zones(dice), random_weather(dice)
    places = [(dice.uniform(-100, 1200), dice.uniform(-100, 900)) for _ in range(dice.randrange(1, 8))]
    flown = sortie(
        places,
        clock(18) + dice.randrange(0, 300) * 60 * US,
        alt_m=dice.choice((15.0, 60.0, 133.0)),
        hold_s=dice.choice((0.0, 120.0)),
        landing_battery_ratio=dice.uniform(0.15, 0.5),
    )
    at = visit(Window(start_us=clock(18), end_us=clock(23, 50)))
    sky = Sky(zones, plane=PLANE, margin_m=10.0)

    def check(
        one: object, changes: dict[str, dict[str, float | str | bool]] | None = None, frame: object = FRAME
    ) -> list[Refusal]:
        return check_sortie(
            one, frame, dock=DOCK, sky=sky, weather=log, daylight=DAYLIGHT, rules=rule_set("default", changes), now_us=NOW_US,  # type: ignore[arg-type]
            tasks=[task()], visits=[at],
        )  # fmt: skip

    for found in check(flown):
        if not found.remedy or found.rule_id in {"R-09", "R-18"}:
            continue
        if "endurance_s" in found.remedy:
            continue  # another airframe is another plan
        changed = remedied_sortie(flown, found.remedy)
        if changed is None:
            continue
        frame = remedied_airframe(FRAME, found.remedy)
        after = check(changed, remedied_rules(found.remedy), frame)
        assert key(found) not in [key(one) for one in after], (found.reason_en, found.remedy_en)


@pytest.mark.parametrize("seed", range(40))
def test_what_is_told_of_a_task_makes_its_refusal_go(seed: int) -> None:
    dice = Random(seed)
    log = random_weather(dice)
    zones = [
        *random_zones(dice),
        replace(zone(ZoneKind.NO_FLY, box(-400, -400, 600, 600)), name="big", windows=random_zones(dice)[0].windows),
    ]
    is_point = dice.random() < 0.5
    asked = task(
        kind=TaskKind.POINT if is_point else TaskKind.AREA,
        geometry=point(dice.uniform(-300, 900), dice.uniform(-300, 600)) if is_point else box(0, 0, 300, 300),
        light=dice.choice((Light.ANY, Light.NIGHT, Light.DAY)),
        alt_agl_m=dice.choice((10.0, 60.0, 140.0)),
    )
    start_us = clock(18) + dice.randrange(0, 300) * 60 * US
    at = visit(Window(start_us=start_us, end_us=start_us + 20 * 60 * US))
    sky = Sky(zones, plane=PLANE, margin_m=10.0)
    lasting_s = dice.choice((0.0, 900.0))

    def check(one: object, when: object, frame: object = FRAME) -> list[Refusal]:
        return check_task(
            one, when, frame, sky=sky, weather=log, daylight=DAYLIGHT, rules=rule_set("default"), now_us=NOW_US, lasting_s=lasting_s,  # type: ignore[arg-type]
        )  # fmt: skip

    for found in check(asked, at):
        if found.is_warning and found.rule_id != "R-02":
            continue
        if not found.remedy or found.remedy.get("approval") == "?":
            continue
        changed = remedied_task(asked, found.remedy)
        after = check(changed, remedied_visit(at, found.remedy), remedied_airframe(FRAME, found.remedy))
        assert key(found) not in [key(one) for one in after], (found.reason_en, found.remedy_en, found.remedy)
