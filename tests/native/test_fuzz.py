from __future__ import annotations

import pytest

from tests.native.fuzz import fuzz
from tests.support.depth import depth


@pytest.mark.usefixtures("native_core")
def test_records_that_nobody_would_write_are_judged_alike() -> None:
    """A short run of what `python -m tests.native.fuzz` does for long, with sanitizers."""
    assert "sound" in fuzz(depth(60_000), seed=0)
