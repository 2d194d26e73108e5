from __future__ import annotations

import json
from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.clickhouse.sql import query
from pipeline.operations.evidence import MEASURES, Cell, Explanation, explain
from pipeline.state.policy import Policy
from schemas.topics import CUSTOMERS
from tests.oracle.config import OracleConfig
from tests.oracle.evaluate import Views, evaluate
from tests.oracle.generators import random_log
from tests.support.core_player import CorePlayer
from tests.support.depth import depth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.oracle.log import Log

ALL = 1 << 40


class RealQueries:
    def __init__(self, client: Any) -> None:
        self.client = client

    def __call__(self, name: str, parameters: Mapping[str, object]) -> list[dict[str, Any]]:
        answer = self.client.raw_query(
            query(f"explain_{name}", "roi"),
            parameters=dict(parameters),
            fmt="JSONEachRow",
            settings={"output_format_json_quote_64bit_integers": 0},
        )
        return [json.loads(line) for line in answer.splitlines()]


def played(client: Any, run: str, seed: int) -> tuple[Log, Views]:
    log = random_log(seed, 400)
    policy = Policy(models=("linear", "last_touch"), future_ms=None, pseudonym_key=b"oracle")
    CorePlayer(client, "roi", run, policy, log).play(Random(seed), crashes=3)
    return log, evaluate(log, OracleConfig(run=run, model="linear"))


def explained(client: Any, cell: Cell, limit: int = ALL) -> Explanation:
    found = explain(RealQueries(client), cell, limit)
    assert found is not None
    return found


@pytest.mark.parametrize("seed", range(depth(3)))
def test_evidence_adds_up_to_every_cell(clickhouse: Any, run_name: str, seed: int) -> None:
    _, views = played(clickhouse, run_name, seed)
    totals = [(Cell(run_name, row["campaign_id"]), row) for row in views.rows["campaign_totals"]]
    parts = [
        (Cell(run_name, row["campaign_id"], variant=row["variant"]), row)
        for row in views.rows["campaign_variant_totals"]
    ]
    parts += [(Cell(run_name, row["campaign_id"], tier=row["tier"]), row) for row in views.rows["campaign_tier_totals"]]
    assert len(parts) > 25
    for cell, row in [*totals, *Random(seed).sample(parts, 12)]:
        found = explained(clickhouse, cell)
        assert found.evidence == {name: row[name] for name in MEASURES}, cell
        assert found.differences == {}, cell


@pytest.mark.parametrize("seed", [5])
def test_customers_of_a_campaign_make_its_total(clickhouse: Any, run_name: str, seed: int) -> None:
    _, views = played(clickhouse, run_name, seed)
    for row in views.rows["campaign_totals"]:
        whole = explained(clickhouse, Cell(run_name, row["campaign_id"]))
        together: Counter[str] = Counter({"cost_minor": sum(cost["amount_minor"] for cost in whole.costs)})
        for customer in {touch["customer_hash"] for touch in whole.touches}:
            part = explained(clickhouse, Cell(run_name, row["campaign_id"], customer_hash=customer))
            assert part.customer is not None
            assert {touch["customer_hash"] for touch in part.touches} == {customer}
            assert {credit["customer_hash"] for credit in part.credits} <= {customer}
            assert part.costs == []
            assert part.cell == whole.cell
            together.update(part.customer)
        assert {name: together[name] for name in MEASURES} == whole.evidence


def test_every_source_names_the_record_itself(clickhouse: Any, run_name: str) -> None:
    log, views = played(clickhouse, run_name, 9)
    for row in views.rows["campaign_totals"]:
        found = explained(clickhouse, Cell(run_name, row["campaign_id"]))
        for listed in (*found.touches, *found.transactions, *found.costs):
            record = log[listed["topic"], listed["partition"]][listed["offset"]]
            assert record.offset == listed["offset"]
            assert json.loads(record.value or b"")["event_id"] == listed["event_id"]


def test_transactions_and_touches_of_every_credit_are_listed(clickhouse: Any, run_name: str) -> None:
    _, views = played(clickhouse, run_name, 10)
    seen_reversal = False
    for row in views.rows["campaign_totals"]:
        found = explained(clickhouse, Cell(run_name, row["campaign_id"]))
        originals = {fact["event_id"] for fact in found.transactions if not fact["reverses"]}
        assert originals == {credit["transaction_event_id"] for credit in found.credits}
        assert {credit["touch_event_id"] for credit in found.credits} <= {touch["event_id"] for touch in found.touches}
        reversed_ids = {fact["reverses"] for fact in found.transactions if fact["reverses"]}
        left = {
            fact["event_id"]
            for fact in found.transactions
            if fact["effective_minor"] not in {None, fact["amount_minor"]}
        }
        assert left <= reversed_ids  # the others stand beside a reversal that came too late to count
        seen_reversal = seen_reversal or bool(left)
    assert seen_reversal


def test_limit_shortens_the_lists_and_not_the_sums(clickhouse: Any, run_name: str) -> None:
    _, views = played(clickhouse, run_name, 11)
    row = max(views.rows["campaign_totals"], key=lambda row: int(row["touches"]))
    cell = Cell(run_name, row["campaign_id"])
    long, short = explained(clickhouse, cell), explained(clickhouse, cell, 2)
    assert (short.touches, short.credits) == (long.touches[:2], long.credits[:2])
    assert (
        short.counts
        == long.counts
        == {"touches": len(long.touches), "credits": len(long.credits), "costs": len(long.costs)}
    )
    assert short.evidence == long.evidence
    assert {fact["event_id"] for fact in short.transactions if not fact["reverses"]} == {
        credit["transaction_event_id"] for credit in short.credits
    }


def test_cell_that_is_not_there_has_no_explanation(clickhouse: Any, run_name: str) -> None:
    assert explain(RealQueries(clickhouse), Cell(run_name, "nobody"), 5) is None


def test_no_raw_customer_id_is_shown(clickhouse: Any, run_name: str) -> None:
    log, views = played(clickhouse, run_name, 12)
    ids = {
        (record.key or b"").decode() for (topic, _), records in log.items() if topic == CUSTOMERS for record in records
    }
    shown: set[Any] = set()
    for row in views.rows["campaign_totals"]:
        found = explained(clickhouse, Cell(run_name, row["campaign_id"]))
        for listed in (*found.touches, *found.credits, *found.transactions):
            shown |= set(listed.values())
    assert shown
    assert ids
    assert not ids & {str(value) for value in shown if not isinstance(value, int)}


class MovingQueries:
    """A run in which a block arrives between the first reading of the cell and of its evidence."""

    def __init__(self, lies: int) -> None:
        self.readings = 0
        self.lies = lies

    def __call__(self, name: str, parameters: Mapping[str, object]) -> list[dict[str, Any]]:
        if name == "cell":
            self.readings += 1
            return [dict.fromkeys(MEASURES, 1)]
        if name == "sums":
            value = 2 if self.readings <= self.lies else 1
            return [dict.fromkeys((*MEASURES, "touch_rows", "credit_rows", "cost_rows"), value)]
        return [{"offsets": min(self.readings, 3)}] if name == "stamp" else []


def test_run_in_motion_is_read_again() -> None:
    queries = MovingQueries(lies=1)
    found = explain(queries, Cell("live", "c"), 5)
    assert found is not None
    assert found.differences == {}
    assert queries.readings == 2


def test_difference_that_stays_is_told() -> None:
    queries = MovingQueries(lies=99)
    found = explain(queries, Cell("live", "c"), 5)
    assert found is not None
    assert found.differences == dict.fromkeys(MEASURES, 1)
    assert queries.readings <= 6
