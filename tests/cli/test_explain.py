from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from pipeline.cli import build_app
from pipeline.clickhouse.connection import connect
from pipeline.clickhouse.migrations import migrate
from pipeline.operations.evidence import MEASURES
from pipeline.settings import Settings
from pipeline.state.policy import Policy
from schemas.topics import TOUCHES, TRANSACTIONS
from tests.oracle.generators import random_log
from tests.support.core_player import CorePlayer
from tests.support.endpoint import running_endpoint
from tests.support.processes import starts_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typer.testing import Result

    from tests.cli.conftest import FakeClickHouse

CAMPAIGN = "Spring.2026"
HASH = "0123456789abcdef" * 2
TOUCH = {
    "event_id": "t-1",
    "at_ms": 1_772_380_800_000,
    "customer_hash": HASH,
    "variant": "A",
    "tier": "growth",
    "channel": "app",
    "kind": "click",
    "creditable": 1,
    "cost_minor": 7,
    "partition": 3,
    "offset": 41,
}
CREDIT = {
    "transaction_event_id": "x-1",
    "touch_event_id": "t-1",
    "at_ms": 1_772_380_860_000,
    "touched_at_ms": TOUCH["at_ms"],
    "customer_hash": HASH,
    "variant": "A",
    "tier": "growth",
    "credit_millionths": 1_000_000,
    "return_minor": 21,
    "aum_minor": 0,
}
CELL = {
    "touches": 1,
    "reached": 1,
    "conversion_millionths": 1_000_000,
    "converters": 1,
    "cost_minor": 7,
    "return_minor": 21,
    "aum_minor": 0,
}


@pytest.fixture(scope="module")
@starts_process
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Play a log into a real ClickHouse endpoint; return the reader's environment."""
    with running_endpoint(tmp_path_factory.mktemp("explain")) as endpoint:
        settings = Settings(clickhouse_url=endpoint.url, clickhouse_writer_password=endpoint.writer_password)
        migrate(settings)
        policy = Policy(future_ms=None, pseudonym_key=b"oracle")
        CorePlayer(connect(settings, "writer"), "roi", "live", policy, random_log(21, 500)).play(Random(21))
        yield {"ROI_CLICKHOUSE_URL": endpoint.url, "ROI_CLICKHOUSE_PASSWORD": endpoint.reader_password}


def run(bank: dict[str, str], *arguments: str) -> Result:
    return CliRunner().invoke(build_app(), list(arguments), prog_name="roi", env=bank)


@pytest.fixture
def evidence(clickhouse: FakeClickHouse) -> FakeClickHouse:
    clickhouse.answer_rows("campaign_variant_totals", [CELL])
    clickhouse.answer_rows("WITH evidence", [CELL | {"touch_rows": 1, "credit_rows": 1, "cost_rows": 0}])
    clickhouse.answer_rows("facts.kind = 'touch'", [TOUCH])
    clickhouse.answer_rows("WITH credited", [])
    clickhouse.answer_rows("kind = 'credit'", [CREDIT])
    clickhouse.answer_rows("kind = 'cost'", [])
    clickhouse.answer_rows("next_offset", [{"offsets": 1}])
    return clickhouse


@pytest.mark.parametrize("part", [(), ("--variant", "A"), ("--tier", "growth"), ("--tier", "")])
def test_reader_gets_evidence_that_adds_up(bank: dict[str, str], part: tuple[str, ...]) -> None:
    result = run(bank, "explain", CAMPAIGN, *part, "--json", "--limit", "0")
    assert result.exit_code == 0, result.stderr
    shown = json.loads(result.stdout)
    assert shown["adds_up"] is True
    assert shown["cell"] == {name: shown["evidence"][name] for name in MEASURES}
    assert sum(credit["return_minor"] for credit in shown["credits"]) == shown["cell"]["return_minor"]
    assert sum(touch["creditable"] for touch in shown["touches"]) == shown["cell"]["touches"]
    costs = [touch["cost_minor"] for touch in shown["touches"]] + [cost["amount_minor"] for cost in shown["costs"]]
    assert sum(costs) == shown["cell"]["cost_minor"]
    assert {touch["topic"] for touch in shown["touches"]} <= {TOUCHES}
    assert {fact["topic"] for fact in shown["transactions"]} <= {TRANSACTIONS}


def test_people_get_tables_and_the_verdict_last(bank: dict[str, str]) -> None:
    result = run(bank, "explain", CAMPAIGN, "--limit", "3")
    assert result.exit_code == 0, result.stderr
    assert "touches: 3 of " in result.stdout
    assert TRANSACTIONS in result.stdout
    assert "…" not in result.stdout  # a hash that is cut short cannot be asked for
    assert result.stdout.splitlines()[-1].startswith("adds up: all rows, listed or not,")


def test_customer_is_shown_beside_the_whole(bank: dict[str, str]) -> None:
    whole = json.loads(run(bank, "explain", CAMPAIGN, "--json", "--limit", "0").stdout)
    customer = whole["credits"][0]["customer_hash"]
    shown = json.loads(run(bank, "explain", CAMPAIGN, "--customer-hash", customer, "--json").stdout)
    own = [credit for credit in whole["credits"] if credit["customer_hash"] == customer]
    assert shown["customer"]["return_minor"] == sum(credit["return_minor"] for credit in own)
    assert shown["customer"]["converters"] == 1
    assert shown["cell"] == whole["cell"]


def test_difference_is_said_and_fails(roi: Callable[..., Result], evidence: FakeClickHouse) -> None:
    evidence.answer_rows("campaign_variant_totals", [CELL | {"return_minor": 20, "touches": 3}])
    result = roi("explain", "spring")
    assert result.exit_code == 1
    last = result.stdout.splitlines()[-1]
    assert last == (
        "DIFFERS: the evidence does not add up to the total of campaign 'spring' in run 'live': "
        "Creditable touches, count by -2, Return, minor units by +1"
    )


def test_source_of_a_touch_is_topic_partition_and_offset(roi: Callable[..., Result], evidence: FakeClickHouse) -> None:
    shown = json.loads(roi("explain", "spring", "--json").stdout)["touches"][0]
    assert (shown["topic"], shown["partition"], shown["offset"]) == (TOUCHES, 3, 41)
    assert shown["at"] == "2026-03-01T16:00:00.000Z"


def test_values_are_bound_and_not_pasted(roi: Callable[..., Result], evidence: FakeClickHouse) -> None:
    evidence.answer_rows("run_states", [{"run": "live"}, {"run": "r-1"}])
    roi("explain", "x' OR 1=1 --", "--variant", "A", "--run", "r-1")
    asked = [arguments for query, arguments, _ in evidence.asked if "run_states" not in query]
    assert not any("OR 1=1" in query for query, _, _ in evidence.asked)
    assert {arguments["param_run"] for arguments in asked} == {"r-1"}
    assert asked[0]["param_campaign"] == "x' OR 1=1 --"
    assert (asked[0]["param_by_variant"], asked[0]["param_by_tier"]) == ("1", "0")


def test_absent_run_is_one_line_that_names_those_there(roi: Callable[..., Result], evidence: FakeClickHouse) -> None:
    evidence.answer_rows("run_states", [{"run": "live"}, {"run": "r-1"}])
    result = roi("explain", "spring", "--run", "r-2")
    assert result.exit_code == 1
    assert result.stderr == "error: there is no run 'r-2'; there are live, r-1; roi replay --run r-2 makes it\n"


def test_absent_campaign_is_one_line(roi: Callable[..., Result], evidence: FakeClickHouse) -> None:
    evidence.answer_rows("campaign_variant_totals", [])
    result = roi("explain", "nobody")
    assert result.exit_code == 1
    assert result.stderr == (
        "error: there is no total of campaign 'nobody' in run 'live'; "
        "roi forecast lists the campaigns that have events\n"
    )


@pytest.mark.parametrize(
    "arguments", [("--variant", "A", "--tier", "growth"), ("--customer-hash", "c-1"), ("--limit", "-1")]
)
def test_wrong_usage_exits_with_two(roi: Callable[..., Result], arguments: tuple[str, ...]) -> None:
    assert roi("explain", "spring", *arguments).exit_code == 2


def test_no_table_row_is_lost_in_json(roi: Callable[..., Result], evidence: FakeClickHouse) -> None:
    shown: dict[str, Any] = json.loads(roi("explain", "spring", "--json").stdout)
    assert shown["credits"][0]["credit_millionths"] == 1_000_000
    assert shown["counts"] == {"touches": 1, "credits": 1, "costs": 0}
