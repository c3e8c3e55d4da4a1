"""The ground's errors: what the machine, the database or the disk refuses. A message says what, value, allowed, next step."""


class GroundError(Exception):
    """The root: a person can act on every one of these."""


class ServerError(GroundError):
    """The embedded database server cannot start, or runs already."""


class SettingsError(GroundError):
    """A SKYBEAT_* variable has a value that is not allowed."""


class SecretError(GroundError):
    """A key file is missing, readable by others, or does not fit what it sealed."""
