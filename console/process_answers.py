"""The answering side of a process of ours: what cannot be answered said as such, politeness to the rest, the end with its parent."""

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from typing import BinaryIO

import msgspec

from console.process_pipe import Answered, Refused
from telemetry.model.errors import InputError, NotFoundError, SkybeatError


def answered(reply: Callable[[], msgspec.Struct]) -> Answered | Refused:
    """Return a reply as JSON, or why there is none."""
    try:
        return Answered(msgspec.json.encode(reply()))
    except SkybeatError as error:
        return Refused(_word(error), str(error), error.zh)


def _word(error: SkybeatError) -> str:
    if isinstance(error, NotFoundError):
        return "not_found"
    return "input" if isinstance(error, InputError) else "unavailable"


def run(serve: Callable[[BinaryIO, BinaryIO], None], *, niceness: int) -> None:
    """Serve the standard input until it ends: after everybody else by `niceness` (0 to 19), Ctrl-C left to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(niceness)
    with contextlib.suppress(BrokenPipeError):
        serve(sys.stdin.buffer, sys.stdout.buffer)
