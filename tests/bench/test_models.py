from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench import models
from bench.backlog import Backlog
from bench.models import Run, measure, model_rows

if TYPE_CHECKING:
    from bench.models import How


def backlog(rate: float, cpu_us: float) -> Backlog:
    return Backlog(1_000, 1_000, 1_000 / rate, (cpu_us / 1e3,))


def test_one_and_five_take_turns_and_neither_is_always_first(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[How] = []

    def one(broker: str, mix: str, events: int, how: How) -> Backlog:
        assert (broker, mix, events) == ("kafka", "B", 5_000)
        read.append(how)
        return backlog(1.0, 1.0)

    monkeypatch.setattr(models, "_read", one)
    assert [run.how for run in measure("kafka", "B", 5_000, 3)] == read
    assert read == ["one", "five", "five", "one", "one", "five"]


@pytest.mark.parametrize(("five", "verdict"), [(6_000, "at least"), (5_999, "below")])
def test_five_models_stand_beside_one_by_their_medians(five: float, verdict: str) -> None:
    runs = [Run("one", backlog(rate, 2.0)) for rate in (9_000, 10_000, 30_000)]
    runs += [Run("five", backlog(rate, 3.0)) for rate in (1_000, five, 7_000)]
    one, other = model_rows("tansu", "A", runs)
    assert (one.measured, one.result, one.beside) == ("one model, mix A", "10,000 events/s, 2.00 µs CPU an event", "")
    assert other.measured == "five models, mix A"
    assert other.beside == f"0.60 times the events/s of one ({verdict} the target of 0.6), 1.50 times its CPU"
