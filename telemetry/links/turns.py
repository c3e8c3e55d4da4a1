"""One turn of the loop is one take: what all peers of a link said becomes one output."""

from collections import Counter

from telemetry.model.batch import concatenate
from telemetry.model.decoding import NOTHING, Output


def merge(outputs: list[Output]) -> Output:
    """Return one output of several, in order, without their replies."""
    if len(outputs) == 1 and not outputs[0].replies:
        return outputs[0]
    if not outputs:
        return NOTHING
    bad: Counter[str] = Counter()
    for output in outputs:
        bad.update(output.bad)
    batches = [output.batch for output in outputs if len(output.batch)]
    return Output(
        batch=batches[0] if len(batches) == 1 else concatenate(batches),
        events=tuple(event for output in outputs for event in output.events),
        facts=tuple(fact for output in outputs for fact in output.facts),
        bad=dict(bad),
    )
