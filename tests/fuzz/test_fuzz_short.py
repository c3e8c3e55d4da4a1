"""Every decoder, reader and the journal under seeded damage of bytes that mean something; `make fuzz` searches on by atheris."""

import random
import sys

import pytest

from tests.fuzz.damage import damaged
from tests.fuzz.targets import TARGETS, Target

INPUTS = 250
SEED = 20_261_122


@pytest.mark.parametrize("target", TARGETS, ids=[target.name for target in TARGETS])
def test_what_means_something_and_what_means_nothing_is_taken_without_an_error(target: Target) -> None:
    seeds = target.seeds()
    for seed in [b"", *seeds]:
        target.run(seed)
    chance = random.Random(SEED)
    for _ in range(INPUTS):
        data = damaged(seeds, chance)
        try:
            target.run(data)
        except BaseException:
            sys.stdout.write(f"{target.name}: {data.hex()}\n")  # the bytes that a mended bug brings along
            raise
