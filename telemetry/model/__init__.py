"""The shared kernel: the few types that every floor above the ground speaks in."""
