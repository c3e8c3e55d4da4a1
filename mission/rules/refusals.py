"""What is said of a task or sortie that cannot be done: the rule, its numbers and what would make it possible, in two languages.

A remedy names to a program what to change (the planner's screen does it; `mission.rules.remedies` to a sortie): of a task
`alt_agl_m`, `approval`, `camera`, `ground_pixel_m`, `light`, `lat_deg` with `lon_deg` (its place); of a visit `start_us` with
`end_us`; of a sortie `takeoff_us`, `lower_m`, `raise_m`, `keep_waypoints` with `way_home`, `shorter_s`, `detour`,
`delete_sortie_id`; of an airframe `wind_limit_mps`, `gust_limit_mps`, `flies_in_rain`; of a rule its value beside `rule_id`. Done
as said, the refusal goes. Where only a person can say the value it is "?" (an `approval` number, another `crew_id`, a `terrain`,
a dock's `ground_msl_m`); `observed_us` is how young the weather must be that is entered, `endurance_s` what another airframe must
last. The rest are numbers that come with these.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

from mission.model import Window
from mission.plan import Refusal
from telemetry.model.errors import NotFoundError

Told: TypeAlias = Mapping[str, float | str]
"""The numbers of a refusal: what its sentences are made with."""
_NOTHING: Final[Told] = MappingProxyType({})


class Said(NamedTuple):
    """A sentence in both languages, with places for numbers."""

    zh: str
    en: str


REASONS: Final[dict[str, Said]] = {
    "too_high": Said("真高 {alt_agl_m:.0f} m，上限 {most_agl_m:.0f} m", "{alt_agl_m:.0f} m above ground, the limit is {most_agl_m:.0f} m"),
    "too_low": Said("离地 {alt_agl_m:.0f} m，下限 {least_agl_m:.0f} m", "{alt_agl_m:.0f} m above ground, at least {least_agl_m:.0f} m are asked for"),
    "closed": Said("{share_pct:.0f} % 在{zone}内{hours_zh}", "{share_pct:.0f} % lies in {zone}{hours_en}"),
    "crosses": Said("航线穿过{zone}{hours_zh}，{inside_m:.0f} m", "the way crosses {zone}{hours_en} for {inside_m:.0f} m"),
    "outside": Said("{share_pct:.0f} % 在允许飞行区{zone}之外", "{share_pct:.0f} % lies outside the keep-in area {zone}"),
    "strays": Said("航线飞出允许飞行区{zone}，{inside_m:.0f} m", "the way leaves the keep-in area {zone} for {inside_m:.0f} m"),
    "restricted": Said("{zone}为限制区，无批准文号", "{zone} is restricted, and there is no approval number for it"),
    "crowd": Said("飞越集会人群上空，无批准文号", "a flight over a crowd, and there is no approval number"),
    "network_link": Said("经通信基站或互联网中继飞行，无批准文号", "a flight linked through base stations or the internet, and there is no approval number"),
    "too_heavy": Said("空机 {empty_kg:.1f} kg、起飞 {takeoff_kg:.1f} kg，上限 {most_empty_kg:.0f}/{most_takeoff_kg:.0f} kg", "{empty_kg:.1f} kg empty, {takeoff_kg:.1f} kg at take-off; the limits are {most_empty_kg:.0f} and {most_takeoff_kg:.0f} kg"),
    "reserve": Said("返航时电量 {landing_pct:.0f} %，低于保留 {least_pct:.0f} %", "{landing_pct:.0f} % of the battery left on landing, {least_pct:.0f} % are kept in reserve"),
    "way_home": Said("失联直线返航会穿过{zone}", "a straight way home after link loss crosses {zone}"),
    "too_far": Said("离机库 {away_m:.0f} m，链路上限 {most_away_m:.0f} m", "{away_m:.0f} m from its dock, the link reaches {most_away_m:.0f} m"),
    "wind": Said("风 {wind_mps:.1f} m/s，机型上限 {limit_mps:.1f}", "wind {wind_mps:.1f} m/s, the airframe takes {limit_mps:.1f}"),
    "gust": Said("阵风 {gust_mps:.1f} m/s，机型上限 {limit_mps:.1f}", "gusts {gust_mps:.1f} m/s, the airframe takes {limit_mps:.1f}"),
    "rain": Said("降水 {rain_mmph:.1f} mm/h，上限 {most_mmph:.1f}", "rain {rain_mmph:.1f} mm/h, the limit is {most_mmph:.1f}"),
    "visibility": Said("能见度 {visibility_m:.0f} m，下限 {least_m:.0f} m", "visibility {visibility_m:.0f} m, at least {least_m:.0f} m are asked for"),
    "cloud": Said("云底高 {cloud_base_agl_m:.0f} m，飞行高度 {alt_agl_m:.0f} m 须留 {clearance_m:.0f} m", "cloud base {cloud_base_agl_m:.0f} m, the flight at {alt_agl_m:.0f} m needs {clearance_m:.0f} m below it"),
    "cold": Said("气温 {temperature_c:.0f} °C，下限 {lowest_c:.0f} °C", "{temperature_c:.0f} °C, the lowest allowed is {lowest_c:.0f} °C"),
    "hot": Said("气温 {temperature_c:.0f} °C，上限 {highest_c:.0f} °C", "{temperature_c:.0f} °C, the highest allowed is {highest_c:.0f} °C"),
    "thunderstorm": Said("雷暴", "thunderstorm"),
    "stale": Said("气象资料已过 {age_min:.0f} 分钟，上限 {most_age_min:.0f}", "the weather was observed {age_min:.0f} minutes ago, {most_age_min:.0f} are allowed"),
    "unknown": Said("该时段没有气象资料", "the weather of that time is not known"),
    "not_by_day": Said("只在白天执行，此时段在夜间", "asked for by day, and it is night then"),
    "not_by_night": Said("只在夜间执行，此时段在白天", "asked for by night, and it is day then"),
    "night": Said("夜间不飞", "no flights by night"),
    "night_approval": Said("夜间飞行，无批准文号", "a flight by night, and there is no approval number"),
    "off_shift": Said("{crew}不在班", "{crew} is not on shift"),
    "overbooked": Said("{crew}同时飞 {drone_count:.0f} 架，上限 {most_drone_count:.0f}", "{crew} flies {drone_count:.0f} drones at once, the limit is {most_drone_count:.0f}"),
    "tired": Said("{crew}飞行 {flight_h:.1f} h，上限 {most_flight_h:.1f} h", "{crew} has {flight_h:.1f} h at the controls, the limit is {most_flight_h:.1f} h"),
    "long_duty": Said("{crew}执勤 {duty_h:.1f} h，上限 {most_duty_h:.1f} h", "{crew} is on duty for {duty_h:.1f} h, the limit is {most_duty_h:.1f} h"),
    "no_camera": Said("{airframe}没有相机“{camera}”，有 {cameras}", "{airframe} has no camera {camera!r}, it has {cameras}"),
    "too_fine": Said("地面分辨率 {ground_pixel_cm:.1f} cm 须飞 {alt_agl_m:.0f} m，低于 {least_agl_m:.0f} m", "{ground_pixel_cm:.1f} cm a pixel asks for {alt_agl_m:.0f} m above ground, less than {least_agl_m:.0f} m"),
    "over": Said("活动 {until_clock} 已结束，无任务可派", "the task has ended at {until_clock}, there is nothing left to do"),
    "late": Said("{begin_clock} 才到，最迟 {until_clock}", "begins at {begin_clock}, {until_clock} is the latest"),
    "early": Said("{begin_clock} 就到，最早 {since_clock}", "begins at {begin_clock}, {since_clock} is the earliest"),
    "past": Said("时间窗 {until_clock} 已过", "its time window ended at {until_clock}"),
    "too_short": Said("可飞时段最长 {longest_min:.0f} 分钟，须 {lasting_min:.0f} 分钟", "the longest time that it may be flown is {longest_min:.0f} minutes, it takes {lasting_min:.0f}"),
    "nobody_free": Said("无空闲航空器或电池", "no airframe with a charged battery is free"),
    "out_of_reach": Said("最近的机库 {dock}，往返须电量 {needed_pct:.0f} %", "the nearest dock is {dock}, there and back takes {needed_pct:.0f} % of a battery"),
    "flat_ground": Said("未提供地形，按平地计算：最高 {alt_home_m:.0f} m 相对起飞点", "no terrain is given, the ground is taken as flat: up to {alt_home_m:.0f} m above take-off places"),
    "uneven_docks": Said("未提供地形，按平地计算；各机库地面相差 {apart_m:.0f} m", "no terrain is given, the ground is taken as flat; the docks' ground differs by {apart_m:.0f} m"),
    "dock_off_terrain": Said("机库 {docks} 不在地形数据 {terrain} 之内，其架次按平地计算", "the terrain {terrain} does not reach the dock {docks}: its sorties are reckoned over flat ground"),
    "off_terrain": Said("{outside_count:.0f} 个航点不在地形数据 {terrain} 之内，按起飞点高度计算", "{outside_count:.0f} waypoints lie outside of the terrain {terrain}: there the ground is taken to be as high as the take-off place"),
    "conflict": Said("与架次 {other} 水平 {distance_m:.0f} m、垂直 {height_apart_m:.0f} m，须 {margin_m:.0f} m 或 {height_m:.0f} m", "{distance_m:.0f} m and {height_apart_m:.0f} m in height from sortie {other}; {margin_m:.0f} m or {height_m:.0f} m are asked for"),
}  # fmt: skip
REMEDIES: Final[dict[str, Said]] = {
    "": Said("无法在规则内执行：改任务或改规则", "cannot be done within the rules: change the task or the rules"),
    "time_before": Said("提前到 {clock}{then_zh}", "earlier, at {clock}{then_en}"),
    "time_after": Said("推迟到 {clock}{then_zh}", "later, at {clock}{then_en}"),
    "lower_task": Said("降到 {alt_agl_m:.0f} m", "lower it to {alt_agl_m:.0f} m"),
    "raise_task": Said("升到 {alt_agl_m:.0f} m", "raise it to {alt_agl_m:.0f} m"),
    "lower_way": Said("降低 {lower_m:.0f} m", "lower the way by {lower_m:.0f} m"),
    "raise_way": Said("升高 {raise_m:.0f} m", "raise the way by {raise_m:.0f} m"),
    "approve": Said("填写批准文号；{apply_zh}", "enter the approval number; {apply_en}"),
    "move": Said("移到区外 {away_m:.0f} m 处", "move it {away_m:.0f} m, out of the zone"),
    "wait": Said("各时段预报均不允许：等待新的预报", "no hour of the forecast allows it: wait for a newer forecast"),
    "no_way_round": Said("没有可行的绕行航线：移动任务或改区域", "there is no way round: move the task, or redraw the zone"),
    "draw_elsewhere": Said("整块都在区内：改画区域", "all of it lies in the zone: draw it elsewhere"),
    "left_out": Said("只飞区外部分", "what lies outside is flown"),
    "detour": Said("绕行 +{detour}，落地电量 {landing_pct:.0f} %", "go round, +{detour}, {landing_pct:.0f} % of the battery left on landing"),
    "by_way_of": Said("先飞到 {lat_deg:.5f}, {lon_deg:.5f} 绕行，多飞 {more_m:.0f} m", "go round it, by {lat_deg:.5f}, {lon_deg:.5f} first: {more_m:.0f} m more"),
    "swaths": Said("缩短 {drop_swath_count:.0f} 条航带，减 {shorter}", "leave out {drop_swath_count:.0f} swaths, {shorter} less"),
    "shorter_hold": Said("少停留 {shorter_min:.1f} 分钟", "stay {shorter_min:.1f} minutes less"),
    "shorter_way": Said("减 {drop_waypoint_count:.0f} 个航点，少飞 {shorter}", "leave out {drop_waypoint_count:.0f} waypoints, {shorter} less"),
    "endurance": Said("换续航 {endurance_min:.0f} 分钟以上的机型", "take an airframe that flies for {endurance_min:.0f} minutes"),
    "wind_limit": Said("换抗风 {wind_limit_mps:.1f} m/s 以上的机型", "take an airframe for winds of {wind_limit_mps:.1f} m/s"),
    "gust_limit": Said("换抗阵风 {gust_limit_mps:.1f} m/s 以上的机型", "take an airframe for gusts of {gust_limit_mps:.1f} m/s"),
    "rainproof": Said("换可在雨中飞行的机型", "take an airframe that flies in rain"),
    "observe": Said("取 {clock} 之后的气象报告", "enter weather observed after {clock}"),
    "forecast": Said("录入该时段预报", "enter a forecast for that time"),
    "any_light": Said("昼夜均可执行", "allow it by day and night"),
    "hold": Said("失联处置改为悬停", "let it hold its place after link loss"),
    "nearer": Said("由更近的机库执行（{most_away_m:.0f} m 以内）", "fly it from a dock within {most_away_m:.0f} m"),
    "lighter": Said("换更轻的机型，或填写批准文号", "take a lighter airframe, or enter an approval number"),
    "camera": Said("改用相机“{camera}”", "use its camera {camera!r}"),
    "coarser": Said("地面分辨率放宽到 {ground_pixel_cm:.1f} cm", "ask for {ground_pixel_cm:.1f} cm a pixel"),
    "delete": Said("删除该架次", "delete the sortie"),
    "take_off_earlier": Said("提前 {earlier_min:.0f} 分钟，{clock} 起飞", "take off {earlier_min:.0f} minutes earlier, at {clock}"),
    "take_off_later": Said("推迟 {later_min:.0f} 分钟，{clock} 起飞", "take off {later_min:.0f} minutes later, at {clock}"),
    "another_crew": Said("改由在班机组执行", "give it to a crew on shift"),
    "more_drones": Said("增加航空器或电池，或放宽时间窗", "add airframes or batteries, or widen its time window"),
    "dock_level": Said("填写该机库的海拔", "give that dock its height above the sea"),
    "terrain": Said("导入地形数据（.asc 或 .npz）：控制台设 SKYBEAT_TERRAIN，命令行用 --terrain", "load a terrain raster (.asc or .npz): SKYBEAT_TERRAIN of the console, --terrain of skybeat plan"),
    "layer": Said("升高 {raise_m:.0f} m", "raise it by {raise_m:.0f} m"),
}  # fmt: skip


class Remedy(NamedTuple):
    """What would make it possible: its sentence, the numbers in it, and what a program changes."""

    key: str = ""
    numbers: Told = _NOTHING
    change: Told = _NOTHING


def refusal(
    key: str,
    rule_id: str,
    numbers: Told,
    *,
    remedies: tuple[Remedy, ...] = (),
    is_warning: bool = False,
    task_id: int | None = None,
    visit_id: int | None = None,
    airframe_id: int | None = None,
    window: Window | None = None,
) -> Refusal:
    """Return a refusal. The first remedy is what a program does; the others are said as well, "or ...".

    Raises NotFoundError for a key that has no sentence.
    """
    if key not in REASONS:
        message = f"there is no sentence {key!r}: the sentences are {', '.join(REASONS)}"
        raise NotFoundError(message, f"没有句子“{key}”：现有 {', '.join(REASONS)}")
    offered = tuple(one for one in remedies if one.change) or remedies or (Remedy(),)
    return Refusal(
        rule_id=rule_id,
        reason_zh=REASONS[key].zh.format(**numbers),
        reason_en=REASONS[key].en.format(**numbers),
        remedy_zh="；或".join(REMEDIES[one.key].zh.format(**one.numbers) for one in offered),
        remedy_en="; or ".join(REMEDIES[one.key].en.format(**one.numbers) for one in offered),
        numbers={name: value for name, value in numbers.items() if not name.endswith(("_zh", "_en"))},
        remedy=dict(offered[0].change),
        task_id=task_id,
        visit_id=visit_id,
        airframe_id=airframe_id,
        window=window,
        is_warning=is_warning,
    )


def metres(length_m: float) -> str:
    """Return a length as people say it: 1.4 km, 160 m."""
    return f"{length_m / 1000.0:.1f} km" if length_m >= 1000.0 else f"{length_m:.0f} m"
