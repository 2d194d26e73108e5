from __future__ import annotations

import json
import math
from collections import defaultdict
from datetime import date
from random import Random
from typing import Any

import pytest

from pipeline.forecast.lag_curve import CohortCell, lag_curve
from pipeline.state.policy import Policy
from tests.oracle.building import Ledger
from tests.oracle.config import OracleConfig
from tests.oracle.evaluate import evaluate
from tests.oracle.generators import random_log
from tests.support.core_player import CorePlayer

NO_WINDOW = 10_000


def rows(client: Any, view: str, run: str) -> list[dict[str, Any]]:
    answer = client.raw_query(
        f"SELECT * FROM roi.{view} WHERE run = '{run}' FORMAT JSONEachRow",
        settings={"output_format_json_quote_64bit_integers": 0},
    )
    return [json.loads(line) for line in answer.splitlines()]


@pytest.mark.parametrize("seed", [3, 11, 12])
def test_view_and_function_give_one_curve(clickhouse: Any, run_name: str, seed: int) -> None:
    log = random_log(seed, 500)
    CorePlayer(clickhouse, "roi", run_name, Policy(future_ms=None, pseudonym_key=b"oracle"), log).play(Random(seed))
    as_of = date.fromisoformat(rows(clickhouse, "run_days", run_name)[0]["as_of"])
    cells: dict[str, list[CohortCell]] = defaultdict(list)
    for row in rows(clickhouse, "campaign_cohorts", run_name):
        cells[row["campaign_id"]].append(
            CohortCell(date.fromisoformat(row["touch_day"]), row["lag_day"], row["conversions"], row["return_minor"])
        )
    steps = {(row["campaign_id"], row["lag_day"]): row for row in rows(clickhouse, "campaign_lag_curve", run_name)}
    assert steps
    for campaign, of_campaign in cells.items():
        conversions, money = (
            lag_curve(of_campaign, as_of=as_of, last_lag=NO_WINDOW, measure=measure)
            for measure in ("conversions", "return_minor")
        )
        for step, value in zip(conversions, money, strict=True):
            shown = steps.pop((campaign, step.lag_day), None)
            if shown is None:
                assert step.at_lag == value.at_lag == 0
                continue
            assert shown["cohorts"] == step.cohorts
            assert math.isclose(shown["conversions_through_lag"], step.through_lag, abs_tol=1e-9)
            assert shown["return_through_lag_minor"] == value.through_lag
            assert math.isclose(shown["conversion_share"], step.share, abs_tol=1e-9)
            assert math.isclose(shown["return_share"], value.share, abs_tol=1e-9)
    assert not steps


def test_run_has_got_to_the_business_day_of_its_newest_transaction(clickhouse: Any, run_name: str) -> None:
    log = random_log(5, 200)
    config = OracleConfig(run=run_name)
    CorePlayer(clickhouse, "roi", run_name, Policy(future_ms=None, pseudonym_key=b"oracle"), log).play(Random(5))
    judged = evaluate(log, config).judged
    reversals = [reversal for found in judged.reversals.values() for reversal in found]
    newest = max(transaction.occurred_at for transaction in [*judged.transactions, *reversals])
    expected = Policy().calendar().day_of(newest)
    shown = date.fromisoformat(rows(clickhouse, "run_days", run_name)[0]["as_of"])
    assert shown.toordinal() - date(1970, 1, 1).toordinal() == expected


def test_spread_of_return_is_taken_over_customers_not_transactions(clickhouse: Any, run_name: str) -> None:
    log = random_log(21, 500)
    CorePlayer(clickhouse, "roi", run_name, Policy(future_ms=None, pseudonym_key=b"oracle"), log).play(Random(21))
    totals: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in evaluate(log, OracleConfig(run=run_name)).rows["credits"]:
        totals[row["campaign_id"]][row["customer_hash"]] += row["return_minor"]
    shown = {row["campaign_id"]: row for row in rows(clickhouse, "campaign_converters", run_name)}
    assert shown.keys() == totals.keys()
    for campaign, by_customer in totals.items():
        assert shown[campaign]["converters"] == len(by_customer)
        assert shown[campaign]["return_minor"] == sum(by_customer.values())
        assert float(shown[campaign]["squared_return"]) == float(sum(total**2 for total in by_customer.values()))


def test_squares_are_summed_in_whole_numbers(clickhouse: Any, run_name: str) -> None:
    """Rows lie in another order after each crash, and a sum of floating-point numbers has another last digit then."""
    amounts = [3_000_000_019 + 7_919 * number**2 for number in range(60)]
    assert len({sum(float(amount) ** 2 for amount in order) for order in (amounts, amounts[::-1])}) == 2
    ledger = Ledger()
    ledger.campaign("wide", margins_bps={"deposit": 10_000})
    for number, amount in enumerate(amounts):
        ledger.touch(f"t{number}", "2026-03-01 09:00", campaign="wide", customer_id=f"c{number}")
        ledger.pay(f"p{number}", "2026-03-01 10:00", amount, customer_id=f"c{number}")
    CorePlayer(clickhouse, "roi", run_name, Policy(future_ms=None, pseudonym_key=b"oracle"), ledger.log).play(Random(4))
    (shown,) = rows(clickhouse, "campaign_converters", run_name)
    assert float(shown["squared_return"]) == float(sum(amount**2 for amount in amounts))
