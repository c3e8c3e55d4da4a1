"""The patrol process: reads questions from its standard input, answers each with what it finds on the way, ends with its parent."""

from functools import partial
from typing import BinaryIO, Final

import msgspec

from console.patrols.engine import answer
from console.patrols.protocol import PIPE
from console.process_answers import answered, run
from console.process_pipe import Progressed
from mission.plan import Plan

NICENESS: Final = 10


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer questions until `source` ends. What cannot be answered is answered by Refused."""

    def tell(plan: Plan) -> None:
        found = {"score": plan.score, "sortie_count": len(plan.sorties)}
        PIPE.write_answer(sink, Progressed(msgspec.json.encode(found)))

    while (question := PIPE.read_question(source)) is not None:
        PIPE.write_answer(sink, answered(partial(answer, question, tell)))


if __name__ == "__main__":
    run(serve, niceness=NICENESS)
