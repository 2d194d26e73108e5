from __future__ import annotations

from random import Random

import pytest

from tests.native.comparing import TOPICS
from tests.native.fuzz import fuzz
from tests.native.fuzz_batches import fuzz_batches
from tests.support.depth import depth


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.usefixtures("native_core")
def test_records_that_nobody_would_write_are_judged_alike(topic: str) -> None:
    """A short run of what `python -m tests.native.fuzz` does for long, with sanitizers."""
    inputs = depth(30_000)
    assert inputs // 10 < fuzz(topic, inputs, seed=0) < inputs


@pytest.mark.usefixtures("native_core")
def test_batches_that_no_producer_sends_are_read_as_aiokafka_does_or_left_to_it() -> None:
    assert "sure of" in fuzz_batches(depth(20_000), Random(0))
