"""What producers may get wrong by the hundred thousand must not stall a shard: work that grows with the square would.

The compiled core cannot be asked how often it looks, so it is timed, in seconds of the processor: each limit is several
times what the work takes, and a fraction of what it took when it grew with the square.
"""

from __future__ import annotations

from random import Random
from time import process_time
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.native.customers import NativeCustomerShard
from pipeline.state.campaign_registry import CampaignRegistry
from pipeline.state.policy import Policy
from schemas.columns import TouchColumns, TransactionColumns
from schemas.topics import LOGINS, TOUCHES, TRANSACTIONS
from tests.oracle.story import START_MS
from tests.support.row_binary import row_binary

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.state.port import BulkLoading

pytestmark = pytest.mark.usefixtures("native_core")
POLICY = Policy(models=("linear",), future_ms=None)
PSEUDONYM = "ab" * 16


def shard_of(policy: Policy) -> NativeCustomerShard:
    return NativeCustomerShard(
        policy, CampaignRegistry(policy), logins=LOGINS, transactions=TRANSACTIONS, touches=TOUCHES
    )


def loading_of(shard: NativeCustomerShard) -> BulkLoading:
    restorer = shard.restorer()
    return restorer.together_with({0: restorer})


def answer(query: str, rows: Iterable[tuple[Any, ...]]) -> list[bytes]:
    write = row_binary(query)
    return [b"".join(write((0, *row)) for row in rows)]


def test_very_many_credits_of_one_transaction_are_loaded_in_whatever_order_they_come() -> None:
    count = 60_000
    loading = loading_of(shard_of(POLICY))
    paid = (PSEUDONYM, START_MS, "x", "deposit", None, 100, None, None, "unknown")
    places = Random(0).sample(range(count), count)
    credit = ("x", START_MS, "", "spring", "A")
    shares = (10, 1, 1, 1)
    rows = answer("load_credits", ((*credit, START_MS - place, f"t{place}", *shares) for place in places))
    began = process_time()
    loading.take("load_transactions", answer("load_transactions", [paid]))
    loading.take("load_credits", rows)
    loading.finish()
    assert process_time() - began < 1.5


def test_as_many_tiers_as_customers_are_loaded() -> None:
    count = 80_000
    loading = loading_of(shard_of(POLICY))
    rows = answer("load_profiles", ((f"{number:032x}", f"t{number}") for number in range(count)))
    began = process_time()
    loading.take("load_profiles", rows)
    assert process_time() - began < 4


@pytest.mark.parametrize("models", [("last_touch",), ("linear", "first_touch")])
def test_as_many_arms_of_a_campaign_as_customers_are_counted(models: tuple[str, ...]) -> None:
    count = 50_000
    shard = shard_of(Policy(models=models, future_ms=None))
    names = [f"n{number}" for number in range(count)]
    variants: list[str | None] = list(names)
    common: dict[str, Any] = {
        "offset": list(range(count)), "event_id": names, "currency": [""] * count, "customer_id": names,
        "channel": ["app"] * count,
    }  # fmt: skip
    touches = TouchColumns(
        **common,
        occurred_at=[START_MS] * count,
        campaign_id=["spring"] * count,
        variant=variants,
        kind=["send"] * count,
        cost_minor=[0] * count,
        automated=[False] * count,
        recommended=[False] * count,
    )
    payments = TransactionColumns(
        **common,
        occurred_at=[START_MS + 1] * count,
        kind=["deposit"] * count,
        amount_minor=[100] * count,
        product=[None] * count,
        revenue_minor=[None] * count,
        aum_delta_minor=[None] * count,
        cross_bank=[False] * count,
        scenario=[None] * count,
        reverses=[None] * count,
    )
    began = process_time()
    shard.apply(TOUCHES, touches, None)
    shard.apply(TRANSACTIONS, payments, None)
    assert process_time() - began < 6
