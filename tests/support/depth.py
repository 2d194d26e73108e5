"""How much a test tries: less on every run, all of it in .ci/run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

_Case = TypeVar("_Case")
FULL: Final = os.environ.get("ROI_TEST_DEPTH") == "full"


def depth(full: int) -> int:
    """Return how many examples or seeds to try of ``full``: a third of them, or all with ROI_TEST_DEPTH=full."""
    return full if FULL else -(-full // 3)


def some(cases: Sequence[_Case]) -> Sequence[_Case]:
    """Return every third case of a matrix, the first among them, or all with ROI_TEST_DEPTH=full."""
    return cases if FULL else cases[::3]


def few(cases: Sequence[_Case]) -> Sequence[_Case]:
    """Return every ninth case of a matrix of very slow cases, the first among them, or all with ROI_TEST_DEPTH=full."""
    return cases if FULL else cases[::9]
