from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, strategies

from tests.native.hostile import life
from tests.native.lives import Worker
from tests.state.rules import PROPERTY, SEEDS

pytestmark = pytest.mark.usefixtures("native_core")


@PROPERTY
@given(SEEDS, strategies.integers(1, 150), strategies.booleans())
def test_both_cores_say_and_write_the_same_whatever_happens(seed: int, size: int, mixed: bool) -> None:  # noqa: FBT001
    one = life(Random(seed))
    plain = Worker(one.policy, "plain")
    native = Worker(one.policy, "native", "plain") if mixed else Worker(one.policy, "native")
    for number, step in enumerate(one.steps(size)):
        assert native.take(step) == plain.take(step), f"step {number}: {step}"
