"""The planning process: reads heavy questions from its standard input, answers each, keeps the map, ends with its parent."""

from functools import partial
from typing import BinaryIO, Final

from console.planning.engine import PlanningEngine
from console.planning.protocol import PIPE
from console.process_answers import answered, run

NICENESS: Final = 10


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer questions until `source` ends. What cannot be answered is answered by Refused."""
    engine = PlanningEngine()
    while (question := PIPE.read_question(source)) is not None:
        PIPE.write_answer(sink, answered(partial(engine.answer, question)))


if __name__ == "__main__":
    run(serve, niceness=NICENESS)
