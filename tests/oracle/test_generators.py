from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings

from schemas import topics
from tests.oracle.compare import differences
from tests.oracle.config import OracleConfig
from tests.oracle.evaluate import Views, evaluate
from tests.oracle.generators import Records, clean, interleaved, logs, permuted, random_log, repartitioned
from tests.oracle.log import log_of
from tests.oracle.murmur2 import partition_of
from tests.oracle.reversals import name_of
from tests.oracle.story import Shape
from tests.oracle.verdicts import judge
from tests.support.depth import depth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.oracle.verdicts import Verdict

CONFIG = OracleConfig(margins_bps={"deposit": 12, "payment": 250}, model="linear")
WITHOUT_PLACES = [
    "campaign_totals",
    "campaign_variant_totals",
    "campaign_tier_totals",
    "campaign_minutes",
    "campaign_hours",
    "campaign_days",
    "campaign_cohorts",
    "active_users",
    "credits",
]


def _outcomes(verdicts: Mapping[tuple[str, int, int], Verdict]) -> Counter[tuple[str, int, str, str]]:
    return Counter((topic, part, verdict.outcome, verdict.reason) for (topic, part, _), verdict in verdicts.items())


@pytest.fixture(scope="module")
def views() -> Views:
    return evaluate(random_log(7, 6000, shape=Shape(customers=12)), CONFIG)


def test_same_seed_gives_the_same_log() -> None:
    assert random_log(3, 200) == random_log(3, 200)
    assert random_log(3, 200) != random_log(4, 200)


def test_every_verdict_occurs(views: Views) -> None:
    reasons = Counter(verdict.reason or verdict.outcome for verdict in views.judged.verdicts.values())
    assert set(reasons) == {
        "accepted",
        "duplicate",
        "pending",
        "not_json",
        "invalid_event",
        "missing_value",
        "unsupported_currency",
        "implausible_time",
        "too_large",
        "key_mismatch",
        "too_late",
        "orphan_reversal",
    }
    assert min(count for reason, count in reasons.items() if reason != "pending") >= 5


def test_windows_and_reversals_meet_their_edges(views: Views) -> None:
    judged = views.judged
    windows = {campaign_id: campaign.window_ms for campaign_id, campaign in judged.campaigns.items()}
    touched = Counter(
        (touch.customer_id, windows.get(touch.campaign_id, 604_800_000), touch.occurred_at) for touch in judged.touches
    )
    at_edge = Counter(
        edge
        for transaction in judged.transactions
        for edge in (-1, 0, 1)
        for window in set(windows.values())
        if (transaction.customer_id, window, transaction.occurred_at - window - edge) in touched
    )
    assert min(at_edge[-1], at_edge[0], at_edge[1]) >= 5
    originals = {name_of(transaction): transaction for transaction in judged.transactions}
    distances = Counter(
        reversal.occurred_at - originals[name].occurred_at
        for name, found in judged.reversals.items()
        for reversal in found
    )
    assert distances[0] > 0
    assert distances[CONFIG.reversal_ms] > 0
    assert max(distances) == CONFIG.reversal_ms
    assert max(len(found) for found in judged.reversals.values()) > 1


def test_events_of_one_millisecond_and_many_credits_occur(views: Views) -> None:
    instants = Counter((touch.customer_id, touch.occurred_at) for touch in views.judged.touches)
    assert max(instants.values()) > 1
    shared = Counter(row["transaction_event_id"] for row in views.rows["credits"])
    assert max(shared.values()) >= 5
    assert any(row["cost_minor"] < 0 for row in views.rows["campaign_minutes"])
    assert any(row["aum_minor"] < 0 for row in views.rows["credits"])


def test_customers_come_back_after_ninety_and_ninety_one_days() -> None:
    found = [evaluate(random_log(seed, 100), CONFIG).rows["active_users"] for seed in range(5)]
    assert sum(row["reactivated"] for rows in found for row in rows) >= 5
    assert any(row["wau"] == 0 and row["tier"] == "" for rows in found for row in rows)


def test_keys_meet_in_the_partition_kafka_gives_them() -> None:
    for (_, partition), records in random_log(5, 300).items():
        assert all(partition == (partition_of(record.key, 3) if record.key is not None else 0) for record in records)


@settings(
    max_examples=depth(60), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(logs())
def test_order_of_arrival_within_the_lateness_changes_nothing(log: Records) -> None:
    before = evaluate(log, CONFIG)
    after = evaluate(permuted(log, Random(1), CONFIG), CONFIG)
    assert _outcomes(after.judged.verdicts) == _outcomes(before.judged.verdicts)
    assert differences(before, after.rows, views=WITHOUT_PLACES) == []


@pytest.mark.parametrize("partitions", [1, 2, 5])
def test_partitions_change_nothing_when_nothing_is_late(partitions: int) -> None:
    log = random_log(11, 400, shape=Shape(late=False))
    before, after = evaluate(log, CONFIG), evaluate(repartitioned(log, partitions), CONFIG)
    assert {place[1] for place in repartitioned(log, partitions)} == set(range(partitions))
    assert differences(before, after.rows, views=WITHOUT_PLACES) == []


def test_late_log_cannot_be_repartitioned() -> None:
    with pytest.raises(ValueError, match="late=False"):
        repartitioned(random_log(1, 400), 2)


def test_clean_log_has_neither_bad_nor_repeated_events() -> None:
    verdicts = judge(random_log(2, 400, shape=clean()), CONFIG).verdicts
    assert {verdict.reason for verdict in verdicts.values()} <= {"", "orphan_reversal"}
    assert {verdict.outcome for verdict in verdicts.values()} <= {"accepted", "dead_letter", "pending"}


def test_interleaving_keeps_every_partition() -> None:
    log = random_log(2, 200)
    sent = interleaved(log, Random(9))
    assert log_of(sent) == log
    kinds = [record.topic in topics.DIMENSION_TOPICS for record in sent]
    assert kinds == sorted(kinds, reverse=True)
    assert sent != [record for records in log.values() for record in records]
