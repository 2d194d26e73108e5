from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given, strategies

from pipeline.state.calendar import DAY_MS
from pipeline.state.policy import Policy
from schemas.common import MAX_MONEY_MINOR
from schemas.topics import TOUCHES, TRANSACTIONS
from tests.native.hostile import Step, life
from tests.native.lives import Worker
from tests.oracle.story import START_MS, instant_text
from tests.state.rules import PROPERTY, SEEDS

pytestmark = pytest.mark.usefixtures("native_core")


@PROPERTY
@given(SEEDS, strategies.integers(1, 150), strategies.booleans())
def test_both_cores_say_and_write_the_same_whatever_happens(seed: int, size: int, mixed: bool) -> None:  # noqa: FBT001 - as hypothesis gives it
    one = life(Random(seed))
    plain = Worker(one.policy, "plain")
    native = Worker(one.policy, "native", "plain") if mixed else Worker(one.policy, "native")
    for number, step in enumerate(one.steps(size)):
        assert native.take(step) == plain.take(step), f"step {number}: {step}"


def _sent(topic: str, bodies: list[dict[str, Any]]) -> Step:
    records = [(b"c", json.dumps({"customer_id": "c", "channel": "app"} | body).encode()) for body in bodies]
    return Step("events", (topic, records))


@pytest.mark.parametrize("margin", [100_000, -100_000])
@pytest.mark.parametrize("models", [("last_touch",), ("linear", "time_decay", "first_touch")])
def test_both_cores_write_the_same_rows_of_sums_beyond_64_bits(models: tuple[str, ...], margin: int) -> None:
    policy = Policy(models=models, future_ms=None, margins_bps={"deposit": margin})
    most, random = MAX_MONEY_MINOR, Random(0)
    touches = [
        {
            "event_id": f"t{place}",
            "campaign_id": "spring",
            "variant": "AB"[place % 2],
            "kind": "send",
            "cost_minor": most,
        }
        | {"occurred_at": instant_text(random, START_MS + place)}
        for place in range(8)
    ]
    payments = [
        {"event_id": f"p{place}", "kind": "deposit", "amount_minor": most}
        | {"occurred_at": instant_text(random, START_MS + 60_000 * (place % 3) + 100)}
        for place in range(1_000)
    ]
    later = instant_text(random, START_MS + DAY_MS)
    reversals = [
        body | {"event_id": f"r{place}", "reverses": body["event_id"], "occurred_at": later}
        for place, body in enumerate(payments)
    ]
    steps = [
        _sent(TOUCHES, touches), _sent(TRANSACTIONS, payments), Step("block"), Step("crash"),
        _sent(TRANSACTIONS, reversals[:700]), Step("block"), _sent(TRANSACTIONS, reversals[700:]), Step("block"),
    ]  # fmt: skip
    plain, native, mixed = Worker(policy, "plain"), Worker(policy, "native"), Worker(policy, "native", "plain")
    parts = 0
    for step in steps:
        said = plain.take(step)
        assert native.take(step) == mixed.take(step) == said
        if step.do == "block":
            parts += sum(row[0] == "tier" and row[6] == "1" for _, row in said[0])
    assert parts  # of a cell that no one row could hold


@pytest.mark.parametrize("model", ["linear", "position", "time_decay"])
def test_a_reversal_after_a_take_over_hands_out_the_rest_in_the_order_of_touches(model: str) -> None:
    random = Random(0)
    touches = [  # the ledger has them in the order of variants and ids, not of time
        {"event_id": f"t{9 - place}", "campaign_id": "spring", "variant": "DCBA"[place % 4], "kind": "send"}
        | {"occurred_at": instant_text(random, START_MS + place)}
        for place in range(6)
    ]
    paid = {"event_id": "x", "kind": "deposit", "amount_minor": 1_000_003}
    back = {"event_id": "r", "kind": "deposit", "amount_minor": 500_000, "reverses": "x"}
    steps = [
        _sent(TOUCHES, touches), _sent(TRANSACTIONS, [paid | {"occurred_at": instant_text(random, START_MS + 10)}]),
        Step("block"), Step("crash"),
        _sent(TRANSACTIONS, [back | {"occurred_at": instant_text(random, START_MS + 11)}]), Step("block"),
    ]  # fmt: skip
    policy = Policy(models=("last_touch", model), future_ms=None, margins_bps={"deposit": 10_000})
    plain, native, mixed = Worker(policy, "plain"), Worker(policy, "native"), Worker(policy, "plain", "native")
    for step in steps:
        assert plain.take(step) == native.take(step) == mixed.take(step)
