"""The rules of flying as data, and what they say to a task and to a sortie."""

from mission.rules.rule_set import Rule, RuleSet, read_rule_set, rule_set, rule_sets
from mission.rules.task_checks import allowed_windows, check_task, height_of, highest_m

__all__ = [
    "Rule",
    "RuleSet",
    "allowed_windows",
    "check_task",
    "height_of",
    "highest_m",
    "read_rule_set",
    "rule_set",
    "rule_sets",
]
