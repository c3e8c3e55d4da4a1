"""One file a command of `skybeat`; each holds a click command named `command`."""
