"""The coverage process: reads questions from its standard input, answers each on its standard output, ends with its parent."""

from collections.abc import Callable
from functools import partial
from typing import BinaryIO, Final

import msgspec

from console.coverage.engine import CoverageEngine
from console.coverage.protocol import PIPE, Answer, Failed, Order, Question, TickAnswer
from console.process_answers import run
from infra.clock import SYSTEM_CLOCK
from telemetry.model.errors import SkybeatError

NICENESS: Final = 5


def serve(source: BinaryIO, sink: BinaryIO, seconds: Callable[[], float]) -> None:
    """Answer questions until `source` ends. `seconds` is a monotonic clock. What cannot be done is answered by Failed."""
    engine: CoverageEngine | None = None
    while (question := PIPE.read_question(source)) is not None:
        started_s = seconds()
        answer: Answer
        try:
            if engine is None and isinstance(question, Order):
                engine = CoverageEngine(question)
                answer = engine.ready()
            else:
                answer = _answered(engine, question)
        except (SkybeatError, ValueError) as error:
            answer = Failed(str(error))
        PIPE.write_answer(sink, _timed(answer, 1000.0 * (seconds() - started_s)))


def _answered(engine: CoverageEngine | None, question: Question) -> Answer:
    if engine is None:
        return Failed("the coverage process knows no map yet: send an order first")
    return engine.answer(question)


def _timed(answer: Answer, computed_ms: float) -> Answer:
    if not isinstance(answer, TickAnswer):
        return answer
    changed = msgspec.structs.replace(answer.changed, computed_ms=round(computed_ms, 1))
    return msgspec.structs.replace(answer, changed=changed)


def main() -> None:
    """Run the process with the machine's own clock."""
    run(partial(serve, seconds=SYSTEM_CLOCK.monotonic_s), niceness=NICENESS)


if __name__ == "__main__":
    main()
