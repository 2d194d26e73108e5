"""How much a test tries at random: less on every run, all of it in .ci/run."""

from __future__ import annotations

import os
from typing import Final

FULL: Final = os.environ.get("ROI_TEST_DEPTH") == "full"


def depth(full: int) -> int:
    """Return how many examples or seeds to try of ``full``: a third of them, or all with ROI_TEST_DEPTH=full."""
    return full if FULL else -(-full // 3)
