"""What a server tells Python's collector of cycles about its heap."""

import gc
from typing import Final

YOUNG_AT_MOST: Final = 10_000
"""So many new objects before cycles are looked for among them; Python's own 700 are of a time of small heaps."""


def settle_heap() -> None:
    """Say that what stands now stays: call it once, when a server is ready.

    Modules, schemas and the registry (some 130,000 objects) are then never walked again; each walk stopped the loop for 0.1 s of
    CPU, some seconds apart. What is made later is collected as before.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_AT_MOST, *gc.get_threshold()[1:])
