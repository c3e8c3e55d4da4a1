"""How far apart the rules keep flights, and how far one may be moved out of another's way."""

from mission.deconflict import Limits, Margins
from mission.rules.rule_set import RuleSet


def margins_of(rules: RuleSet) -> Margins:
    """Return the margins between flights (R-05); none where that rule is off."""
    if not rules.is_on("R-05"):
        return Margins(0.0, 0.0, 0.0)
    return Margins(*(rules.number("R-05", name) for name in ("margin_m", "height_m", "margin_s")))


def limits_of(rules: RuleSet) -> Limits:
    """Return the layers and heights that flights may be moved by (R-01, R-05)."""
    return Limits(
        layer_m=rules.number("R-05", "layer_m"),
        most_layer_count=int(rules.number("R-05", "most_layer_count")),
        most_agl_m=rules.number("R-01", "most_agl_m"),
    )
