"""The rules of flying as data, and what they say to a task and to a sortie."""

from mission.rules.place_checks import height_of, highest_m
from mission.rules.rule_set import Rule, RuleSet, read_rule_set, rule_set, rule_sets
from mission.rules.separation import limits_of, margins_of
from mission.rules.sortie_checks import check_ground, check_sortie
from mission.rules.task_checks import allowed_windows, check_task

__all__ = [
    "Rule",
    "RuleSet",
    "allowed_windows",
    "check_ground",
    "check_sortie",
    "check_task",
    "height_of",
    "highest_m",
    "limits_of",
    "margins_of",
    "read_rule_set",
    "rule_set",
    "rule_sets",
]
