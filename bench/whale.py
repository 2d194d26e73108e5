"""What a late event costs on a customer with very many touches and transactions: as much as it changes, not more."""

from __future__ import annotations

import argparse
import json
import sys
import time
from random import Random
from typing import TYPE_CHECKING, Any, Final

from bench.cores import add_core_option
from bench.figures import percentile
from pipeline.state.campaign_registry import CampaignRegistry
from pipeline.state.policy import Policy
from pipeline.worker.cores import chosen_core, customer_core
from schemas.columns import TouchColumns, TransactionColumns

if TYPE_CHECKING:
    from pipeline.state.customer_lane import CustomerLane
    from pipeline.state.policy import CoreName

BEGIN_MS: Final = 1_790_000_000_000
SPAN_MS: Final = 2 * 86_400_000  # all within the allowed lateness: every instant can still get a late event
BATCH: Final = 5000
CAMPAIGNS: Final = 50
LATE_EVENTS: Final = 2000
CUSTOMER: Final = "whale"


def touches(numbers: range, instants: list[int]) -> TouchColumns:
    """Return touches of the whale, one campaign after the other."""
    count = len(numbers)
    return TouchColumns(
        offset=list(numbers),
        event_id=[f"touch-{number}" for number in numbers],
        occurred_at=instants,
        currency=["CNY"] * count,
        customer_id=[CUSTOMER] * count,
        campaign_id=[f"campaign-{number % CAMPAIGNS}" for number in numbers],
        variant=[None] * count,
        channel=["app_push"] * count,
        kind=["click"] * count,
        cost_minor=[10] * count,
        automated=[False] * count,
        recommended=[False] * count,
    )


def transactions(numbers: range, instants: list[int]) -> TransactionColumns:
    """Return payments of the whale."""
    count = len(numbers)
    return TransactionColumns(
        offset=list(numbers),
        event_id=[f"payment-{number}" for number in numbers],
        occurred_at=instants,
        currency=["CNY"] * count,
        customer_id=[CUSTOMER] * count,
        kind=["payment"] * count,
        amount_minor=[1000] * count,
        channel=["app"] * count,
        product=[None] * count,
        revenue_minor=[7] * count,
        aum_delta_minor=[None] * count,
        cross_bank=[False] * count,
        scenario=[None] * count,
        reverses=[None] * count,
    )


def measure(count: int, core: CoreName = "auto") -> dict[str, Any]:
    """Give a customer ``count`` touches and transactions in order, then single late ones, and time both."""
    policy = Policy(pseudonym_key=b"bench", core=core)
    shard = customer_core(policy, CampaignRegistry(policy))
    step = SPAN_MS / count
    began = time.perf_counter()
    for first in range(0, count, BATCH):
        numbers = range(first, min(count, first + BATCH))
        instants = [BEGIN_MS + int(number * step) for number in numbers]
        shard.apply_touches(touches(numbers, instants), None)
        shard.apply_transactions(transactions(numbers, [instant + 1 for instant in instants]), None)
        shard.drain_changes(first + 1)
    in_order = (time.perf_counter() - began) / (2 * count)
    late = _late_events(shard, count)
    return {
        "core": chosen_core(core),
        "touches": count,
        "transactions": count,
        "in_order_us": in_order * 1e6,
        "late_p50_us": percentile(late, 0.5) * 1e6,
        "late_worst_us": max(late) * 1e6,
    }


def _late_events(shard: CustomerLane, count: int) -> list[float]:
    random = Random(1)  # noqa: S311 - a benchmark must be repeatable
    seconds = []
    for number in range(count, count + LATE_EVENTS):
        one, instant = range(number, number + 1), [BEGIN_MS + random.randrange(SPAN_MS)]
        began = time.perf_counter()
        if number % 2:
            shard.apply_touches(touches(one, instant), None)
        else:
            shard.apply_transactions(transactions(one, instant), None)
        shard.drain_changes(count + number)
        seconds.append(time.perf_counter() - began)
    return seconds


def main() -> None:
    """Measure and print the result as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50_000, help="touches, and as many transactions")
    add_core_option(parser)
    arguments = parser.parse_args()
    sys.stdout.write(json.dumps(measure(arguments.count, arguments.core)) + "\n")


if __name__ == "__main__":
    main()
