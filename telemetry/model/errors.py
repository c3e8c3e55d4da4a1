"""Every error that skybeat raises on purpose, as one tree.

SkybeatError
 ├── InputError            what came from outside is wrong: a file, a value, a message
 │    ├── UnknownCrsError  a coordinate reference system that no door knows
 │    └── FileFormatError  a file that is not what its name says
 ├── NotAllowedError       who asks may not do that
 ├── NotFoundError         what is asked for does not exist
 ├── ConflictError         two changes of one thing, or a second owner of one place
 └── UnavailableError      a thing that we depend on is away: database, disk, journal full

A message says what is wrong, which value, what is allowed and what to do next.
"""

from typing import Final


class SkybeatError(Exception):
    """The root of the tree: catch it to answer a person; `zh` says the same in Chinese, empty where only programs hear it."""

    def __init__(self, message: str = "", zh: str = "") -> None:
        super().__init__(message)
        self.zh: Final = zh


def chinese_of(error: SkybeatError) -> str:
    """Return what an error says in Chinese; its own words where it has none."""
    return error.zh or str(error)


class InputError(SkybeatError, ValueError):
    """What came from outside is wrong."""


class UnknownCrsError(InputError):
    """A coordinate reference system other than wgs84, gcj02, bd09 and cgcs2000."""


class FileFormatError(InputError):
    """A file that is not what its name says."""


class NotAllowedError(SkybeatError):
    """Who asks may not do that."""


class NotFoundError(SkybeatError, LookupError):
    """What is asked for does not exist."""


class ConflictError(SkybeatError):
    """Two changes of one thing, or a second owner of one place."""


class UnavailableError(SkybeatError):
    """A thing that we depend on is away: the database, the disk, room in the journal."""
