"""What the ledger knows of campaigns as of an instant, in the shape of the rule: the way in for all who judge or show.

*As of t* is everything with ``occurred_at`` up to and including t, reversals too, and nothing later: a reversal of next
week leaves today's figures as they are. The live t is the largest durable watermark of the transactions (of the touches
where there are none), floored to a full minute. The same function serves live looks, backtests and tests: equal facts
and equal t give equal bits, whatever the order of arrival, the crashes and the merges between.

    port = LedgerFacts(client, settings.clickhouse_database, "live")
    plans = read_plans(port, policy)
    numbers = statistics(port, list(plans.values()), t, policy)
    channels, parts = segment_statistics(CampaignReading(port, plans["spring"], t, policy), "channel")

Live, every tick: `pipeline.alerts.live.LiveFacts`. Finished campaigns: `pipeline.alerts.finished`. A warehouse's
export: `pipeline.alerts.warehouse`.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from clickhouse_connect.driver.exceptions import ClickHouseError

from pipeline.alerts.assembly import assemble
from pipeline.alerts.plans import plan_of
from pipeline.alerts.reading import read_facts
from pipeline.alerts.segments import read_models, read_segments
from pipeline.clickhouse import sql
from pipeline.ledger.ledger import ClickHouseLedger, LedgerUnavailableError, broken_off, short
from pipeline.state.calendar import MINUTE_MS
from schemas.decode import decode_campaign
from schemas.judge import RejectedError
from schemas.topics import TOUCHES, TRANSACTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.alerts.plans import CampaignPlan
    from pipeline.alerts.reading import FactsPort
    from pipeline.alerts.segments import CampaignReading, Dimension
    from pipeline.alerts.statistics import Statistics
    from pipeline.state.policy import Policy
    from schemas import Campaign

_log = logging.getLogger(__name__)
_NO_WATERMARK: Final = -(1 << 61)


class LedgerFacts:
    """The ledger of one run in ClickHouse, to be read; implements `FactsPort`. One thread at a time.

    Every call may raise `LedgerUnavailableError` and be repeated.
    """

    def __init__(self, client: Any, database: str, run: str) -> None:
        self._ledger = ClickHouseLedger(client, database, run, "")
        self._client = client
        self._database = database
        self._run = run

    def fetch(self, name: str, **parameters: Any) -> list[list[Any]]:
        """Return the rows of sql/queries/NAME.sql, which ends in FORMAT JSONCompactEachRow."""
        return self._ledger.fetch(name, **parameters)

    def records(self, name: str, kind: np.dtype[np.void], **parameters: Any) -> np.ndarray[Any, np.dtype[np.void]]:
        """Return the rows of sql/queries/NAME.sql, which ends in FORMAT RowBinary."""
        try:
            answer: bytes = self._client.raw_query(
                sql.query(name, self._database), parameters={"run": self._run, **parameters}
            )
        except (ClickHouseError, OSError) as error:
            raise LedgerUnavailableError(short(error)) from error
        try:
            return np.frombuffer(answer, kind)
        except ValueError as error:  # no whole number of rows
            raise broken_off(name) from error


def read_plans(port: FactsPort, policy: Policy) -> dict[str, CampaignPlan]:
    """Return the plans of all campaigns that are defined or have a fact, by name.

    A stored definition that this version does not understand counts as none, as it does for the workers.
    """
    return plans_of(port, read_definitions(port), policy)


def read_definitions(port: FactsPort) -> dict[str, str]:
    """Return the stored definitions by campaign, JSON; '' = it was retired."""
    return {campaign_id: text for campaign_id, text, _ in port.fetch("load_campaigns")}


def plans_of(port: FactsPort, stored: Mapping[str, str], policy: Policy) -> dict[str, CampaignPlan]:
    """Return what `read_plans` does, of stored definitions; who was retired without a fact is not among it."""
    known = {row[0] for row in port.fetch("alert_campaigns")}
    plans = {}
    for name in sorted(known | {name for name, text in stored.items() if text}):
        text = stored.get(name)
        plans[name] = plan_of(name, _definition(name, text) if text else None, policy, is_retired=text == "")
    return plans


def _definition(name: str, text: str) -> Campaign | None:
    try:
        return decode_campaign(name.encode(), text.encode())
    except RejectedError as error:
        _log.warning("the stored definition of campaign %s is not valid (%s)", name, error.reason)
        return None


def live_instant(port: FactsPort) -> int | None:
    """Return the live t; None before anything has been counted."""
    marks: dict[str, int] = {}
    for _, topic, watermark, _ in port.fetch("alert_positions"):
        marks[topic] = max(watermark, marks.get(topic, watermark))
    return instant_of(marks)


def instant_of(watermarks: dict[str, int]) -> int | None:
    """Return the live t of the topics' largest watermarks."""
    for topic in (TRANSACTIONS, TOUCHES):
        if watermarks.get(topic, _NO_WATERMARK) > _NO_WATERMARK:
            return watermarks[topic] // MINUTE_MS * MINUTE_MS
    return None


def statistics(  # noqa: PLR0913 - what to look at, and how it was counted
    port: FactsPort,
    plans: Sequence[CampaignPlan],
    as_of_ms: int,
    policy: Policy,
    *,
    model: str = "",
    ages: int | None = None,
) -> Statistics:
    """Return the statistics of campaigns as of an instant, one row each, in their order.

    Args:
        port: the ledger of a run.
        plans: the campaigns.
        as_of_ms: nothing later is looked at.
        policy: how the run counts.
        model: the attribution model; '' is the deciding one, else one of `policy.labels`.
        ages: number of columns by age; at first as many as the longest window and stretch need.
    """
    facts = read_facts(port, plans, as_of_ms, policy, model)
    return assemble(facts, [as_of_ms] * len(facts), ZoneInfo(policy.zone), ages=ages)


def model_statistics(campaign: CampaignReading, labels: Sequence[str]) -> list[Statistics]:
    """Return one campaign's statistics under further attribution models, as `statistics` does under each."""
    zone = ZoneInfo(campaign.policy.zone)
    return [assemble([one], [campaign.as_of_ms], zone) for one in read_models(campaign, labels)]


def segment_statistics(
    campaign: CampaignReading, dimension: Dimension, *, ages: int | None = None
) -> tuple[list[str], Statistics]:
    """Return one campaign's segments and the statistics of each, a row a segment: see `segments.read_segments`."""
    names, facts = read_segments(campaign, dimension)
    instants = [campaign.as_of_ms] * len(facts)
    return names, assemble(facts, instants, ZoneInfo(campaign.policy.zone), ages=ages)
