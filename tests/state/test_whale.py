"""A customer with very many events: the work is counted, not timed."""

from __future__ import annotations

import pytest

from pipeline.state.attribution import Attribution
from pipeline.state.campaign_registry import CampaignRules
from pipeline.state.policy import Policy
from tests.state.building import Bench

SIZE = 400
MARCH = "2026-03-{:02} {:02}:{:02}"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How often a goal is compared with a transaction, and how often a transaction is attributed."""
    calls: list[str] = []
    matches, attribute = CampaignRules.matches, Attribution.credits

    def counted(self: CampaignRules, kind: str, product: str | None, amount_minor: int) -> bool:
        calls.append("match")
        return matches(self, kind, product, amount_minor)

    def attributed(self: Attribution, *arguments: object) -> object:
        calls.append("attribute")
        return attribute(self, *arguments)  # type: ignore[arg-type] # handed on as they came

    monkeypatch.setattr(CampaignRules, "matches", counted)
    monkeypatch.setattr(Attribution, "credits", attributed)
    return calls


def _minute(number: int) -> str:
    return MARCH.format(1 + number // 1440, number // 60 % 24, number % 60)


def _whale(models: tuple[str, ...]) -> Bench:
    """Return a customer with a touch and a payment in turn, a minute between them."""
    policy = Policy(models=models, future_ms=None)
    bench = Bench(policy, spring={"attribution_window_days": 30}, autumn={"attribution_window_days": 30})
    for number in range(SIZE):
        bench.written.touch(f"t{number:04}", _minute(2 * number))
        bench.written.pay(f"x{number:04}", _minute(2 * number + 1))
    return bench


@pytest.mark.parametrize("model", ["last_touch", "first_touch"])
def test_events_in_order_cost_the_same_however_many_came_before(asked: list[str], model: str) -> None:
    _whale((model,)).take()
    assert asked.count("attribute") == SIZE
    assert asked.count("match") <= 2 * SIZE


def test_a_late_touch_costs_the_payments_until_the_campaigns_next_touch(asked: list[str]) -> None:
    bench = _whale(("last_touch",))
    bench.take()
    asked.clear()
    bench.written.touch("late", _minute(SIZE) + ":30")  # between a touch and its payment
    bench.take()
    assert asked.count("attribute") == 1
    assert asked.count("match") <= 3


def test_a_late_touch_of_another_campaign_costs_the_payments_of_its_window(asked: list[str]) -> None:
    bench = _whale(("last_touch",))
    bench.take()
    asked.clear()
    bench.written.touch("late", _minute(2 * SIZE - 10), campaign="autumn")
    bench.take()
    assert asked.count("match") <= 10
    assert asked.count("attribute") <= 1  # later touches of spring have the others


def test_a_late_payment_costs_itself(asked: list[str]) -> None:
    bench = _whale(("last_touch",))
    bench.take()
    asked.clear()
    bench.written.pay("late", _minute(10))
    bench.take()
    assert (asked.count("attribute"), asked.count("match")) == (1, 1)


def test_a_reversal_costs_its_original_alone(asked: list[str]) -> None:
    bench = _whale(("linear",))
    bench.take()
    asked.clear()
    bench.written.pay("r", _minute(2 * SIZE), 1, reverses="x0003")
    bench.take()
    assert asked == []


def test_reversals_that_wait_for_one_original_get_their_verdicts_in_one_go(each_core: str) -> None:
    assert each_core in {"plain", "native"}
    bench = Bench(Policy(future_ms=None))
    for number in range(SIZE):
        bench.written.pay(f"r{number:04}", _minute(SIZE - number), 1, reverses="nothing")
    bench.written.pay("last", "2026-12-31 00:00")
    bench.take()
    found = [orphan.event_id for orphan in bench.block().changes.orphans]
    assert found == [f"r{number:04}" for number in reversed(range(SIZE))]
    assert bench.core.held()["waiting"] == 0
