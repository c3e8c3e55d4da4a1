"""The template that every fault test copies: a force of phones, vehicles, terminals and cameras, enrolled once a run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from telemetry.sources import find_enrolment_rules
from tests.chaos.ground import template

COUNTS: Final = {"osmand": 40, "mavlink": 8, "jt808": 40, "gb28181": 8}


@pytest.fixture(scope="session")
def force_folder() -> Iterator[Path]:
    """A data folder with an enrolled force: copy it."""
    known = find_enrolment_rules()
    with template({protocol: count for protocol, count in COUNTS.items() if protocol in known}) as folder:
        yield folder
