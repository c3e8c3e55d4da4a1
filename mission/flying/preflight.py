"""Whether a drone may take a sortie now: what is known of it, and everything that stands in the way."""

from typing import Final

import msgspec

from mission.flying.pilot_words import Cause, Reason, reason
from mission.plan import Refusal

AT_DOCK_WITHIN_M: Final = 50.0
"""A drone that stands farther from its dock does not begin there: what was planned from it holds no more."""


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a drone before it flies; the caller looks, and asks the rules and the weather again.

    `battery_ratio` is 0..1, None while unknown. `controller` names who is in control if it is somebody else. `away_m` is how far
    from its dock it stands, 0 where it does not stand or nobody knows.
    """

    is_heard: bool
    has_position: bool
    battery_ratio: float | None
    controller: str = ""
    away_m: float = 0.0
    refusals: tuple[Refusal, ...] = ()


def in_the_way(readiness: Readiness, *, least_battery_ratio: float) -> tuple[Reason, ...]:
    """Return every reason why a sortie cannot begin now, the simplest first; empty: it may. Warnings of the rules are none."""
    found: list[Reason] = []
    if not readiness.is_heard:
        found.append(reason(Cause.LINK))
    if readiness.controller:
        found.append(reason(Cause.CONTROL, readiness.controller))
    if readiness.is_heard and not readiness.has_position:
        found.append(reason(Cause.POSITION))
    if readiness.away_m > AT_DOCK_WITHIN_M:
        found.append(reason(Cause.AWAY, in_words(readiness.away_m)))
    if readiness.battery_ratio is None:
        found.append(reason(Cause.BATTERY_UNKNOWN))
    elif readiness.battery_ratio < least_battery_ratio:
        have_pct, need_pct = readiness.battery_ratio * 100.0, least_battery_ratio * 100.0
        found.append(reason(Cause.BATTERY, have_pct=have_pct, need_pct=need_pct))
    refusals = (refusal for refusal in readiness.refusals if not refusal.is_warning)
    return (*found, *(by_rule(refusal) for refusal in refusals))


def in_words(away_m: float) -> str:
    """Return a distance as people say it, in either language."""
    return f"{away_m:.0f} m" if away_m < 1000.0 else f"{away_m / 1000.0:.1f} km"


def by_rule(refusal: Refusal, cause: Cause = Cause.REFUSED_BY_RULES) -> Reason:
    """Return what a rule says with its numbers, and what would make it possible."""
    said_zh = f"{refusal.reason_zh}（{refusal.rule_id}）" + (f"：{refusal.remedy_zh}" if refusal.remedy_zh else "")
    said_en = f"{refusal.reason_en} ({refusal.rule_id})" + (f": {refusal.remedy_en}" if refusal.remedy_en else "")
    return Reason(cause, reason(cause, said_zh).zh, reason(cause, said_en).en)


def warned(readiness: Readiness) -> Reason | None:
    """Return what the rules only warn of, None where they do not."""
    found = tuple(by_rule(one, Cause.WARNED_BY_RULES) for one in readiness.refusals if one.is_warning)
    return joined(found) if found else None


def joined(reasons: tuple[Reason, ...]) -> Reason:
    """Return several reasons as one, by the first one's cause. Raises ValueError for none."""
    if not reasons:
        raise ValueError("no reason to join: ask only where something stands in the way")
    return Reason(reasons[0].cause, "；".join(found.zh for found in reasons), "; ".join(found.en for found in reasons))
