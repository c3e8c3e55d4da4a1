"""What cannot be flown as it is asked for, said in both languages: people of either read why, and what to change."""

from telemetry.model.errors import InputError


class UnflyableError(InputError):
    """A task that cannot be flown as it is; `zh` says the same in Chinese."""

    def __init__(self, message: str, zh: str) -> None:
        super().__init__(message)
        self.zh = zh


def chinese_of(error: InputError) -> str:
    """Return what an error says in Chinese; its own words where it has none."""
    return error.zh if isinstance(error, UnflyableError) else str(error)
