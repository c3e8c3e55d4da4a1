"""The words of the reports, in both languages, and how their figures are written."""

from datetime import datetime
from typing import Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

from mission.model import TaskKind
from mission.plan import SortieState
from mission.proof.proving import SortieProof, TaskProof

Language: TypeAlias = Literal["zh", "en"]
NOTHING: Final = "–"
MINUS: Final = "−"
UNBROKEN: Final = "\N{NO-BREAK SPACE}"
"""Between a number and its unit, so that no line ends there."""
_WORDS: Final[dict[str, tuple[str, str]]] = {
    "title": ("空中巡逻日报", "Aerial patrol report"),
    "sortie_title": ("架次报告", "Sortie report"),
    "as_of": ("截至", "As of"),
    "tasks": ("任务", "Tasks"),
    "task": ("任务", "Task"),
    "kind": ("类型", "Kind"),
    "visits": ("完成 / 计划 / 要求", "Done / planned / asked"),
    "covered": ("实际覆盖 / 计划覆盖", "Covered / planned"),
    "watched": ("在位", "Watched"),
    "longest_gap": ("最长间断", "Longest gap"),
    "overlap": ("最短交接重叠", "Shortest handover"),
    "revisit": ("最长复访 / 要求", "Longest revisit / asked"),
    "kept": ("达标", "Kept"),
    "yes": ("是", "yes"),
    "no": ("否", "no"),
    "gaps": ("无人在位的时段", "Times without a drone"),
    "reasons": ("未安排的原因", "Why something was left out"),
    "remedy": ("可行的改法", "What would make it possible"),
    "sorties": ("架次", "Sorties"),
    "drone": ("无人机", "Drone"),
    "state": ("状态", "State"),
    "planned_time": ("计划起降", "Planned"),
    "flown_time": ("实际起降", "Flown"),
    "length": ("航程 实际 / 计划", "Length flown / planned"),
    "off": (f"偏航（95{UNBROKEN}%）", f"Off the line (95{UNBROKEN}%)"),
    "reason": ("说明", "Note"),
    "total": ("合计飞行", "Flown in all"),
    "map": ("要求（线框）、已见（填充）、未见（斜线）", "Asked (outline), seen (filled), not seen (hatched)"),
    "none": ("无", "none"),
    "flat": ("高度按起飞点平地推算", "Heights assume ground as flat as at take-off"),
    "terrain": ("高度按地形数据推算", "Heights are above the ground of"),
    "limits": (
        "依据无人机记录的位置和时间推算；云台实际指向与画面内容不在其中",
        "Reckoned from the positions and times that the drones recorded; where a camera really pointed and what its pictures show is not part of it",
    ),
    "hidden": ("不在您的权限范围", "not in your scope"),
    "in_scope": ("仅计权限范围内的无人机", "only drones in your scope"),
    "ahead": ("待飞", "ahead"),
}
_COLUMNS: Final[dict[str, str]] = {
    "task_id": "任务编号",
    "name_zh": "任务名称",
    "name_en": "英文名称",
    "kind": "类型",
    "visit_count": "要求次数",
    "planned_count": "计划次数",
    "due_count": "应完成次数",
    "done_count": "完成次数",
    "planned_ratio": "计划覆盖",
    "covered_ratio": "实际覆盖",
    "watched_ratio": "在位",
    "longest_gap_s": "最长间断（秒）",
    "least_overlap_s": "最短交接重叠（秒）",
    "revisit_s": "要求复访（秒）",
    "longest_revisit_s": "最长复访（秒）",
    "is_kept": "达标",
    "is_in_scope": "在权限范围内",
    "sortie_id": "架次编号",
    "airframe_name": "无人机",
    "state": "状态",
    "planned_from_at": "计划起飞（UTC）",
    "planned_until_at": "计划降落（UTC）",
    "flown_from_at": "实际起飞（UTC）",
    "flown_until_at": "实际降落（UTC）",
    "planned_m": "计划航程（米）",
    "flown_m": "实际航程（米）",
    "off_m": "偏航 95 %（米）",
    "reason": "说明",
}
_KINDS: Final = {
    TaskKind.AREA: ("面", "area"),
    TaskKind.CORRIDOR: ("带", "corridor"),
    TaskKind.PERIMETER: ("周界", "perimeter"),
    TaskKind.POINT: ("点", "point"),
    TaskKind.EVENT: ("活动", "event"),
    TaskKind.SEARCH: ("搜寻", "search"),
    TaskKind.STREETS: ("街网", "streets"),
}
_STATES: Final = {
    SortieState.PLANNED: ("未飞", "not flown"),
    SortieState.HANDED: ("已交机组", "with its pilot"),
    SortieState.UPLOADED: ("已上传", "uploaded"),
    SortieState.FLYING: ("飞行中", "flying"),
    SortieState.FLOWN: ("已飞", "flown"),
    SortieState.BROKEN_OFF: ("中止", "broken off"),
    SortieState.CANCELLED: ("取消", "cancelled"),
}


def word(name: str, language: Language) -> str:
    """Return a word of the reports."""
    return _WORDS[name][_column(language)]


def column_word(name: str, language: Language) -> str:
    """Return the heading of a table's column: in English its name, for programs."""
    return _COLUMNS[name] if language == "zh" else name


def kept_word(one: TaskProof, language: Language) -> str:
    """Return whether a task was kept, that it is not judged yet, or that it may not be known."""
    if not one.is_in_scope:
        return word("hidden", language)
    return NOTHING if one.is_kept is None else word("yes" if one.is_kept else "no", language)


def reason_of(one: SortieProof, language: Language) -> str:
    """Return why a sortie was not flown as planned, or that it may not be known."""
    if not one.is_in_scope:
        return word("hidden", language)
    return (one.reason_zh or one.reason_en) if language == "zh" else (one.reason_en or one.reason_zh)


def kind_word(kind: TaskKind, language: Language) -> str:
    """Return what a kind of task is called."""
    return _KINDS[kind][_column(language)]


def state_word(state: SortieState, language: Language) -> str:
    """Return what a state of a sortie is called."""
    return _STATES[state][_column(language)]


def percent(ratio: float | None) -> str:
    """Return a ratio of 0..1 as per cent; never rounded up to 100."""
    if ratio is None:
        return NOTHING
    return f"{int(ratio * 1000.0 + 1e-9) / 10.0:g}{UNBROKEN}%"


def minutes(duration_s: float | None) -> str:
    """Return a duration as minutes and seconds, 12:05, from an hour on 1:12:05; negative ones (no overlap but a gap) with a minus."""
    if duration_s is None:
        return NOTHING
    sign = MINUS if duration_s < 0.0 else ""
    whole = round(abs(duration_s))
    hours = f"{whole // 3600}:{whole % 3600 // 60:02d}" if whole >= 3600 else str(whole // 60)
    return f"{sign}{hours}:{whole % 60:02d}"


def kilometres(length_m: float | None) -> str:
    """Return a length in kilometres."""
    return NOTHING if length_m is None else f"{length_m / 1000.0:.1f}{UNBROKEN}km"


def metres(length_m: float | None) -> str:
    """Return a length in metres."""
    return NOTHING if length_m is None else f"{length_m:.0f}{UNBROKEN}m"


def clock(at_us: int, zone: ZoneInfo) -> str:
    """Return the hour of a time in a time zone."""
    return datetime.fromtimestamp(at_us / 1e6, zone).strftime("%H:%M:%S")


def day(at_us: int, zone: ZoneInfo) -> str:
    """Return the day of a time in a time zone."""
    return datetime.fromtimestamp(at_us / 1e6, zone).strftime("%Y-%m-%d")


def _column(language: Language) -> int:
    return 0 if language == "zh" else 1
