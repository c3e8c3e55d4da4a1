"""The planning process: reads heavy questions from its standard input, answers each, keeps the map, ends with its parent."""

import contextlib
import os
import signal
import sys
from typing import BinaryIO, Final

import msgspec

from console.planning.engine import PlanningEngine
from console.planning.protocol import PIPE, Question
from console.process_pipe import Answered, Refused
from telemetry.model.errors import InputError, NotFoundError, SkybeatError

NICENESS: Final = 10


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer questions until `source` ends. What cannot be answered is answered by Refused."""
    engine = PlanningEngine()
    while (question := PIPE.read_question(source)) is not None:
        PIPE.write_answer(sink, answered(engine, question))


def answered(engine: PlanningEngine, question: Question) -> Answered | Refused:
    """Return the engine's answer as JSON, or why there is none."""
    try:
        return Answered(msgspec.json.encode(engine.answer(question)))
    except SkybeatError as error:
        return Refused(_word(error), str(error))


def _word(error: SkybeatError) -> str:
    if isinstance(error, NotFoundError):
        return "not_found"
    return "input" if isinstance(error, InputError) else "unavailable"


def main() -> None:
    """Run the process: let everybody else go first, and leave Ctrl-C to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICENESS)
    with contextlib.suppress(BrokenPipeError):
        serve(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
