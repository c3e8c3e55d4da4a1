"""Why something was left out of a plan, in both languages, with the numbers and what would make it possible."""

import math
from typing import Final

from mission.days import local_time, zone_of
from mission.model import Task, Window
from mission.plan import Conflict, Refusal, Sortie, Visit

_LEAST_WINDOW_US: Final = 900_000_000


def clock(time_us: int, zone: str) -> str:
    """Return a time as hours and minutes in a zone."""
    return local_time(time_us, zone_of(zone)).strftime("%H:%M")


def wrong(task_id: int, message: str, *, message_zh: str = "", window: Window | None = None) -> Refusal:
    """Return the refusal of a task that cannot be flown as it is: what its check said."""
    return Refusal(
        rule_id="R-26", reason_zh=f"无法执行：{message_zh or message}", reason_en=f"cannot be flown: {message}",
        remedy_zh="按提示修改任务或资产", remedy_en="change the task or the assets as said",
        numbers={"detail": message}, remedy={"field": "task"}, task_id=task_id, window=window,
    )  # fmt: skip


def no_hours(task: Task, window: Window) -> Refusal:
    """Return that a task is not wanted within the plan's time: said, in nobody's way."""
    return Refusal(
        rule_id="R-31", reason_zh="本计划时段内没有任务时间", reason_en="it is not wanted within the time of this plan",
        remedy_zh="改任务时间窗，或换一天", remedy_en="change its windows, or plan another day",
        remedy={"field": "windows"}, task_id=task.task_id, window=window, is_warning=True,
    )  # fmt: skip


def goes_on(task: Task, window: Window, until_us: int, zone: str) -> Refusal:
    """Return that an event goes on after the plan's end, until `until_us`: planned is what lies before. In nobody's way."""
    end, until = clock(window.end_us, zone), clock(until_us, zone)
    last_day, its_day = (local_time(at_us, zone_of(zone)).date() for at_us in (window.end_us - 1, until_us))
    zh, en = ("", "") if last_day == its_day else ("次日", " the next day")
    return Refusal(
        rule_id="R-31",
        reason_zh=f"任务持续到{zh} {until}，本计划到 {end} 为止：其余属于下一计划",
        reason_en=f"it goes on until {until}{en}, this plan ends at {end}: the rest belongs to the next plan",
        remedy_zh="为其余时段另行制定计划，或把本计划时段延长到任务结束", remedy_en="plan the rest too, or give this plan an end after it",
        numbers={"rest_s": round((until_us - window.end_us) / 1e6)},
        task_id=task.task_id, window=Window(window.end_us, until_us), is_warning=True,
    )  # fmt: skip


def missed(visit: Visit) -> Refusal:
    """Return that the time of a visit went by before it was flown."""
    return Refusal(
        rule_id="R-31", reason_zh="时段已过，未能飞行", reason_en="its time went by before it was flown",
        remedy_zh="延长时段，或改到另一次", remedy_en="give it a later time, or leave it to the next visit",
        remedy={"field": "windows"}, task_id=visit.task_id, visit_id=visit.visit_id, window=visit.window,
    )  # fmt: skip


def too_short(task: Task, visit: Visit, window: Window, needed_s: float) -> Refusal:
    """Return that the hours are shorter than the flight over the task."""
    have_min, need_min = (window.end_us - window.start_us) / 6e7, needed_s / 60.0
    return Refusal(
        rule_id="R-31",
        reason_zh=f"时段 {have_min:.0f} 分钟，须飞 {need_min:.0f} 分钟",
        reason_en=f"the time of {have_min:.0f} min is shorter than the flight of {need_min:.0f} min",
        remedy_zh=f"时段延长到 {need_min:.0f} 分钟，或缩小范围", remedy_en=f"give it {need_min:.0f} min, or a smaller area",
        numbers={"window_s": round(have_min * 60), "needed_s": round(needed_s)},
        remedy={"start_us": window.start_us, "end_us": window.start_us + round(needed_s * 1e6)},
        task_id=task.task_id, visit_id=visit.visit_id, window=window,
    )  # fmt: skip


def no_way(task: Task, visit: Visit, window: Window) -> Refusal:
    """Return that no dock has a way to the task."""
    return Refusal(
        rule_id="R-03", reason_zh="从任何机库都没有避开管制区的航路", reason_en="no dock has a way to it that keeps out of closed air",
        remedy_zh="移动任务或机库，或取得空域批准", remedy_en="move the task or a dock, or get an approval for the zone",
        remedy={"field": "geometry"}, task_id=task.task_id, visit_id=visit.visit_id, window=window,
    )  # fmt: skip


def too_far(
    task: Task, visit: Visit, window: Window, *, needed_s: float, usable_s: float, reserve_ratio: float
) -> Refusal:
    """Return that there and back takes more than a battery."""
    landing_pct, reserve_pct = (
        (1.0 - needed_s * (1.0 - reserve_ratio) / max(usable_s, 1.0)) * 100.0,
        reserve_ratio * 100.0,
    )
    return Refusal(
        rule_id="R-07",
        reason_zh=f"返航时电量 {landing_pct:.0f} %，低于保留 {reserve_pct:.0f} %",
        reason_en=f"{landing_pct:.0f} % of the battery on landing, the reserve is {reserve_pct:.0f} %",
        remedy_zh=f"缩短 {(needed_s - usable_s) / 60.0:.1f} 分钟，或用更近的机库",
        remedy_en=f"make it {(needed_s - usable_s) / 60.0:.1f} min shorter, or fly from a nearer dock",
        numbers={"needed_s": round(needed_s), "usable_s": round(usable_s), "reserve_ratio": reserve_ratio},
        remedy={"shorter_s": round(needed_s - usable_s)},
        task_id=task.task_id, visit_id=visit.visit_id, window=window,
    )  # fmt: skip


def reaches_nothing(airframe_id: int, *, needed_s: float, usable_s: float) -> Refusal:
    """Return, as a warning, that an airframe reaches no task: none by any way, or its battery does not suffice."""
    has_way = math.isfinite(needed_s)
    numbers: dict[str, float | str] = {"usable_s": round(usable_s)}
    if has_way:
        numbers["needed_s"] = round(needed_s)
    return Refusal(
        rule_id="R-07" if has_way else "R-03",
        reason_zh=f"够不到任何任务：最近的须飞 {needed_s / 60.0:.1f} 分钟，可飞 {usable_s / 60.0:.1f} 分钟"
        if has_way
        else "从其机库没有到任何任务的航路",
        reason_en=f"reaches no task: the nearest takes {needed_s / 60.0:.1f} min, it may fly {usable_s / 60.0:.1f} min"
        if has_way
        else "there is no way from its dock to any task",
        remedy_zh="换续航更长的机型，或移到更近的机库",
        remedy_en="take an airframe that flies longer, or move it to a nearer dock",
        numbers=numbers,
        remedy={"field": "endurance_s" if has_way else "dock_id"},
        airframe_id=airframe_id,
        is_warning=True,
    )


def no_crew(task: Task, visit: Visit, window: Window) -> Refusal:
    """Return that nobody is on shift, or all crews fly as many drones as they may."""
    return Refusal(
        rule_id="R-25", reason_zh="该时段没有机组当班，或机组已满", reason_en="no crew is on shift then, or all fly as many drones as they may",
        remedy_zh="加排一班机组", remedy_en="put another crew on shift", remedy={"field": "shifts"},
        task_id=task.task_id, visit_id=visit.visit_id, window=window,
    )  # fmt: skip


def nobody_free(
    task: Task, visit: Visit, window: Window, zone: str, *, begin_us: int | None, drone_count: int
) -> Refusal:
    """Return that every drone was wanted more elsewhere, and when one could come."""
    until = clock(window.end_us, zone)
    remedy: dict[str, float | str]
    if begin_us is None:
        remedy_zh, remedy_en, remedy = (
            "增加一架无人机或备用电池",
            "add a drone or spare batteries",
            {"field": "airframes", "value": 1.0},
        )
    else:
        at = clock(begin_us, zone)
        remedy_zh, remedy_en = f"改到 {at}，或增加一架无人机", f"begin at {at}, or add a drone"
        remedy = {"start_us": begin_us, "end_us": begin_us + max(window.end_us - window.start_us, _LEAST_WINDOW_US)}
    return Refusal(
        rule_id="R-32",
        reason_zh=f"{until} 前 {drone_count} 架无人机均在执行更高价值任务或充电",
        reason_en=f"until {until} each of {drone_count} drones flies what is worth more, or charges",
        remedy_zh=remedy_zh, remedy_en=remedy_en, numbers={"drone_count": float(drone_count)}, remedy=remedy,
        task_id=task.task_id, visit_id=visit.visit_id, window=window,
    )  # fmt: skip


def dock_busy(task: Task, visit: Visit, window: Window, zone: str, *, begin_us: int | None) -> Refusal:
    """Return that a drone would be free, but others climb or land over its dock then, and when it could come."""
    until = clock(window.end_us, zone)
    remedy: dict[str, float | str] = {"field": "docks", "value": 1.0}
    remedy_zh, remedy_en = "换一个机库起飞", "fly it from another dock"
    if begin_us is not None:
        at = clock(begin_us, zone)
        remedy_zh, remedy_en = f"改到 {at}，或{remedy_zh}", f"begin at {at}, or {remedy_en}"
        remedy = {"start_us": begin_us, "end_us": begin_us + max(window.end_us - window.start_us, _LEAST_WINDOW_US)}
    return Refusal(
        rule_id="R-05",
        reason_zh=f"{until} 前机库上空有其他无人机起降，同一机库一次只能一架",
        reason_en=f"until {until} others climb or land over the dock, one at a time",
        remedy_zh=remedy_zh, remedy_en=remedy_en, remedy=remedy,
        task_id=task.task_id, visit_id=visit.visit_id, window=window,
    )  # fmt: skip


def event_gap(
    task: Task, visit: Visit, zone: str, *, gap: Window, total_s: int, longest_s: int, remedies: list[tuple[str, int]]
) -> Refusal:
    """Return that an event cannot be watched without a gap, the longest gap, and what would close it."""
    names = {
        "airframes": ("增加 {} 架无人机", "add {} drone(s)"),
        "charge_s": ("{} 秒内充满（或换电）", "charge within {} s (or swap batteries)"),
        "end": ("提前到 {} 结束", "end at {}"),
    }
    shown = [
        (names[field][0].format(value if field != "end" else clock(value, zone)),
         names[field][1].format(value if field != "end" else clock(value, zone)))
        for field, value in remedies
    ]  # fmt: skip
    first: dict[str, float | str] = {"field": remedies[0][0], "value": float(remedies[0][1])} if remedies else {}
    return Refusal(
        rule_id="R-32",
        reason_zh=f"{clock(gap.start_us, zone)} 起缺位 {longest_s} 秒，合计 {total_s} 秒",
        reason_en=f"nobody watches for {longest_s} s from {clock(gap.start_us, zone)}, {total_s} s in all",
        remedy_zh="；或".join(zh for zh, _ in shown) or "增加无人机", remedy_en="; or ".join(en for _, en in shown) or "add drones",
        numbers={"longest_gap_s": float(longest_s), "gap_s": float(total_s)}, remedy=first,
        task_id=task.task_id, visit_id=visit.visit_id, window=gap,
    )  # fmt: skip


def no_spare(task: Task, visit: Visit, *, failure_gap_s: int | None) -> Refusal:
    """Return, as a warning, what happens to an event's watch when a drone fails."""
    zh = "无人可替" if failure_gap_s is None else f"缺位最长 {failure_gap_s // 60}:{failure_gap_s % 60:02d}"
    en = (
        "nobody could relieve it"
        if failure_gap_s is None
        else f"the gap is {failure_gap_s // 60}:{failure_gap_s % 60:02d} at most"
    )
    return Refusal(
        rule_id="R-32", reason_zh=f"没有备机；任一机故障，{zh}", reason_en=f"no spare stands by; when a drone fails, {en}",
        remedy_zh="增加一架备机", remedy_en="add a drone as a spare", remedy={"field": "airframes", "value": 1.0},
        numbers={} if failure_gap_s is None else {"failure_gap_s": float(failure_gap_s)},
        task_id=task.task_id, visit_id=visit.visit_id, window=visit.window, is_warning=True,
    )  # fmt: skip


def partly_seen(task: Task, *, seen_ratio: float, alt_agl_m: float, all_from_m: float, most_agl_m: float) -> Refusal:
    """Return, as a warning, how much of an event is seen by who watches it, and from which height all of it would be."""
    pct = f"{seen_ratio * 100.0:.0f}"
    can = all_from_m <= most_agl_m
    return Refusal(
        rule_id="R-26", reason_zh=f"在 {alt_agl_m:.0f} 米高度只能看到该区域的 {pct} %",
        reason_en=f"from {alt_agl_m:.0f} m above ground {pct} % of it is seen",
        remedy_zh=f"改为 {all_from_m:.0f} 米" if can else "拆成几个活动，或用视角更广的相机",
        remedy_en=f"watch from {all_from_m:.0f} m" if can else "part it into several events, or take a camera that sees wider",
        numbers={"seen_pct": round(seen_ratio * 100.0, 1), "all_from_m": all_from_m},
        remedy={"alt_agl_m": all_from_m} if can else {"field": "geometry"}, task_id=task.task_id, is_warning=True,
    )  # fmt: skip


def kept_by_hills(sortie: Sortie, late_s: float) -> Refusal:
    """Return that slopes keep a watch in the air for longer than it was reckoned with: who relieves it comes too soon."""
    numbers: dict[str, float | str] = {"late_s": round(late_s, 1)}
    return Refusal(
        rule_id="R-33", reason_zh=f"因地形起伏，比计划晚落地 {late_s:.0f} 秒",
        reason_en=f"hills keep it in the air for {late_s:.0f} s longer than was reckoned with",
        remedy_zh="换爬升更快的机型，或更近的机库", remedy_en="give it a drone that climbs faster, or a nearer dock",
        numbers=numbers, task_id=sortie.task_ids[0] if sortie.task_ids else None, airframe_id=sortie.airframe_id,
        window=Window(sortie.takeoff_us, sortie.landing_us), is_warning=True,
    )  # fmt: skip


def too_near(visit: Visit, conflict: Conflict, airframe_id: int) -> Refusal:
    """Return that a sortie would come too near to another, and neither a layer nor a delay keeps them apart."""
    near_m = conflict.distance_m
    return Refusal(
        rule_id="R-05",
        reason_zh=f"与其他架次相距仅 {near_m:.0f} 米，换层或推迟均无法错开",
        reason_en=f"it would come within {near_m:.0f} m of another sortie, and neither a layer nor a delay keeps them apart",
        remedy_zh="放宽时间窗，或改用其他机库", remedy_en="allow wider windows, or fly it from another dock",
        numbers={"distance_m": round(near_m, 1), "height_apart_m": round(conflict.height_apart_m, 1)},
        remedy={"field": "windows"},
        task_id=visit.task_id, visit_id=visit.visit_id, airframe_id=airframe_id, window=conflict.window,
    )  # fmt: skip
