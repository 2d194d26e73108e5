"""Whoever asks about a run, it counts as it was begun."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UserError
from pipeline.ledger.ledger import ClickHouseLedger
from pipeline.ledger.run_policy import policy_of_run
from pipeline.policies import as_recorded, describe_policy, policy_of
from pipeline.settings import AttributionSettings, TimeSettings
from tests.support.given_settings import settings

if TYPE_CHECKING:
    from pipeline.state.policy import Policy

DAYS = st.floats(0.01, 300)
ATTRIBUTIONS = st.builds(
    AttributionSettings,
    models=st.sampled_from([("last_touch",), ("linear", "last_touch"), ("time_decay", "position", "first_touch")]),
    half_life_days=DAYS,
    window_days=DAYS,
    margins_bps=st.dictionaries(st.sampled_from(["payment", "deposit", "transfer"]), st.integers(0, 10_000)),
)
TIMES = st.builds(
    TimeSettings,
    zone=st.sampled_from(["Asia/Shanghai", "America/St_Johns", "UTC"]),
    lateness_days=DAYS,
    reversal_days=DAYS,
    engaged_seconds=st.floats(0, 1000),
    earliest=st.sampled_from([datetime(1990, 1, 1, tzinfo=UTC), datetime(2001, 2, 3, 4, 5, 6, 7000, tzinfo=UTC)]),
)
GOALS = st.sampled_from([None, (), ("payment",), ("deposit", "payment")])


def numbers(policy: Policy) -> str:
    return policy.fingerprint()


@given(
    attribution=ATTRIBUTIONS, time=TIMES, default_goal_kinds=GOALS, reporting_currency=st.sampled_from(["CNY", "EUR"])
)
def test_a_run_s_record_says_all_that_decides_its_numbers(**given: Any) -> None:
    begun = settings(**given)
    assert numbers(as_recorded(policy_of(settings()), describe_policy(begun))) == numbers(policy_of(begun))


def test_a_run_counts_as_it_was_begun_whatever_the_asking_process_is_set_to(clickhouse: Any, run_name: str) -> None:
    begun = settings(attribution=AttributionSettings(margins_bps={"payment": 20}), time=TimeSettings(zone="UTC"))
    port = ClickHouseLedger(clickhouse, "roi", run_name, "test")
    assert numbers(policy_of_run(port, policy_of(settings()))) == numbers(policy_of(settings()))  # nobody has begun it
    port.begin(policy_of(begun), describe_policy(begun))
    assert numbers(policy_of_run(port, policy_of(settings()))) == numbers(policy_of(begun))


def test_a_record_that_lacks_a_setting_is_not_counted_with_another_one(clickhouse: Any, run_name: str) -> None:
    begun = settings(attribution=AttributionSettings(margins_bps={"payment": 20}))
    port = ClickHouseLedger(clickhouse, "roi", run_name, "test")
    port.begin(policy_of(begun), describe_policy(begun).replace("margins_bps={'payment': 20} ", ""))
    assert numbers(policy_of_run(port, policy_of(begun))) == numbers(policy_of(begun))
    with pytest.raises(UserError, match="whose record lacks a setting"):
        policy_of_run(port, policy_of(settings()))
