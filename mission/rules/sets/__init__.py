"""Rule sets as YAML: edited by people, read by `mission.rules`."""
