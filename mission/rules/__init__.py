"""The rules of flying as data, and what they say to a task and to a sortie."""

from mission.rules.rule_set import Rule, RuleSet, read_rule_set, rule_set, rule_sets

__all__ = ["Rule", "RuleSet", "read_rule_set", "rule_set", "rule_sets"]
