"""The patrol process: reads questions from its standard input, answers each with what it finds on the way, ends with its parent."""

import contextlib
import os
import signal
import sys
from typing import BinaryIO, Final

import msgspec

from console.patrols.engine import Tell, answer
from console.patrols.protocol import PIPE, Question
from console.process_pipe import Answered, Progressed, Refused
from mission.plan import Plan
from telemetry.model.errors import InputError, NotFoundError, SkybeatError

NICENESS: Final = 10


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer questions until `source` ends. What cannot be answered is answered by Refused."""

    def tell(plan: Plan) -> None:
        found = {"score": plan.score, "sortie_count": len(plan.sorties)}
        PIPE.write_answer(sink, Progressed(msgspec.json.encode(found)))

    while (question := PIPE.read_question(source)) is not None:
        PIPE.write_answer(sink, _answered(question, tell))


def _answered(question: Question, tell: Tell) -> Answered | Refused:
    try:
        return Answered(msgspec.json.encode(answer(question, tell)))
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
