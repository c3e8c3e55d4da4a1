"""Why a sortie waits, fails or is broken off, in both languages; `{...}` are places for numbers and for what the drone says."""

from enum import StrEnum
from typing import Final, NamedTuple


class Cause(StrEnum):
    """What stands in the way of a sortie, or ended it."""

    POSITION = "position"
    AWAY = "away"
    BATTERY = "battery"
    BATTERY_UNKNOWN = "battery_unknown"
    CONTROL = "control"
    LINK = "link"
    REFUSED_BY_RULES = "refused_by_rules"
    WARNED_BY_RULES = "warned_by_rules"
    EMPTY = "empty"
    UPLOAD = "upload"
    CHANGED = "changed"
    READ_BACK = "read_back"
    UPLOADED_ANEW = "uploaded_anew"
    ARM = "arm"
    START = "start"
    NO_TAKE_OFF = "no_take_off"
    ORDER = "order"
    MODE = "mode"
    RETURNED_BY_ITSELF = "returned_by_itself"
    LANDED_EARLY = "landed_early"
    REBOOTED = "rebooted"
    LOST = "lost"
    NO_ANSWER = "no_answer"
    STOPPED = "stopped"
    NOT_LAUNCHED = "not_launched"


class Reason(NamedTuple):
    """A cause, and the sentence of it in both languages."""

    cause: Cause
    zh: str
    en: str


_SENTENCES: Final[dict[Cause, tuple[str, str]]] = {
    Cause.POSITION: (
        "无人机没有可用的定位：等待卫星定位",
        "the drone has no position that it could fly by: wait for its satellites",
    ),
    Cause.AWAY: (
        "无人机停在距机库 {said} 处：先将其送回机库",
        "it stands {said} from its dock, where this sortie begins: bring it there first",
    ),
    Cause.BATTERY: (
        "电量 {have_pct:.0f} %，本架次至少需要 {need_pct:.0f} %：充电或换电池",
        "{have_pct:.0f} % of the battery, this sortie needs {need_pct:.0f} %: charge it or change it",
    ),
    Cause.BATTERY_UNKNOWN: ("电量未知：等待电池信息", "its battery is not known: wait until it tells"),
    Cause.CONTROL: ("控制权在{said}：先接管", "{said} is in control: take over first"),
    Cause.LINK: ("无人机没有信号：检查链路", "nothing is heard of the drone: look at the link"),
    Cause.REFUSED_BY_RULES: ("规则不允许：{said}", "the rules do not allow it: {said}"),
    Cause.WARNED_BY_RULES: ("规则提醒：{said}", "the rules warn: {said}"),
    Cause.EMPTY: ("任务没有航点：重新规划", "the mission has no item: plan it again"),
    Cause.UPLOAD: ("上传失败：{said}", "the upload failed: {said}"),
    Cause.CHANGED: (
        "机上任务已被他人更改：重新上传后再飞",
        "somebody else changed the mission on board: upload it again before it flies",
    ),
    Cause.READ_BACK: (
        "起飞前未能回读机上任务：{said}",
        "what is on board could not be read back before it flies: {said}",
    ),
    Cause.UPLOADED_ANEW: (
        "机上任务与本架次不符：正在重新上传，完成后起飞",
        "what is on board is not this sortie's mission: it is uploaded anew, then it starts",
    ),
    Cause.ARM: ("无法解锁：{said}", "it does not arm: {said}"),
    Cause.START: ("无法开始：{said}", "it does not start: {said}"),
    Cause.NO_TAKE_OFF: (
        "已开始但 {waited_s:.0f} 秒内未起飞",
        "it was started and did not take off within {waited_s:.0f} s",
    ),
    Cause.ORDER: ("命令未执行：{said}", "the order was not carried out: {said}"),
    Cause.MODE: ("飞行模式被改为 {said}", "its mode was changed to {said}"),
    Cause.RETURNED_BY_ITSELF: ("无人机自行返航（{said}）", "it turned home by itself ({said})"),
    Cause.LANDED_EARLY: (
        "飞完 {done:.0f}/{total:.0f} 个航点后降落",
        "it landed after {done:.0f} of {total:.0f} waypoints",
    ),
    Cause.REBOOTED: ("飞行中自驾仪重启", "its autopilot started anew in flight"),
    Cause.LOST: ("失去信号 {waited_s:.0f} 秒", "nothing was heard of it for {waited_s:.0f} s"),
    Cause.NO_ANSWER: ("{waited_s:.0f} 秒内没有回答", "no answer within {waited_s:.0f} s"),
    Cause.STOPPED: ("按命令中止", "broken off by order"),
    Cause.NOT_LAUNCHED: (
        "{waited_min:.0f} 分钟内未能自动起飞，不再自动起飞：{said}",
        "it could not be launched within {waited_min:.0f} min and is launched no more by itself: {said}",
    ),
}


def reason(cause: Cause, said: str = "", **values: float) -> Reason:
    """Return a cause in words, with what the drone or the rules say and the numbers that its sentence has places for."""
    zh, en = _SENTENCES[cause]
    told: dict[str, float | str] = {"said": said, **values}
    return Reason(cause, zh.format_map(told), en.format_map(told))
