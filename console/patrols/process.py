"""The patrol process: reads questions from its standard input, answers each with what it finds on the way, ends with its parent."""

import sys
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from console.patrols.engine import answer
from console.patrols.protocol import PIPE
from console.patrols.terrain import KeptGround
from console.process_answers import answered, run
from console.process_pipe import Progressed
from mission.plan import Plan

NICENESS: Final = 10


def serve(source: BinaryIO, sink: BinaryIO, terrain: Path | None = None) -> None:
    """Answer questions over a terrain until `source` ends. What cannot be answered is answered by Refused."""
    ground = KeptGround(terrain)

    def tell(plan: Plan) -> None:
        found = {"score": plan.score, "sortie_count": len(plan.sorties)}
        PIPE.write_answer(sink, Progressed(msgspec.json.encode(found)))

    while (question := PIPE.read_question(source)) is not None:
        PIPE.write_answer(sink, answered(lambda: answer(question, tell, ground.read())))


if __name__ == "__main__":
    run(partial(serve, terrain=Path(sys.argv[1]) if sys.argv[1:] else None), niceness=NICENESS)
