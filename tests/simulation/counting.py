"""Plain counting over simulated events: credited return and cost of campaigns that share no product."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from schemas.topics import CAMPAIGNS, COSTS, TOUCHES, TRANSACTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.simulation.schedule import Due

DAY_SECONDS = 86_400


@dataclass
class Counted:
    cost: int = 0
    returns: list[int] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        return sum(self.returns) / self.cost

    @property
    def relative_error(self) -> float:
        """Standard error of the ratio, relative: returns are a compound Poisson sum."""
        return float(sum(value**2 for value in self.returns) ** 0.5 / sum(self.returns))


def good_events(records: Iterable[Due]) -> dict[str, list[dict[str, Any]]]:
    """Events by topic, without broken ones and repeats."""
    seen: set[tuple[str, str]] = set()
    events: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in records:
        event = json.loads(record.value)
        if "event_id" not in event or event["occurred_at"].startswith("on ") or "currency" in event:
            continue
        if (record.topic, event["event_id"]) not in seen:
            seen.add((record.topic, event["event_id"]))
            event["at"] = datetime.fromisoformat(event["occurred_at"]).timestamp()
            events[record.topic].append(event)
    return events


def count_campaigns(
    definitions: Iterable[tuple[str, bytes, bytes]], events: dict[str, list[dict[str, Any]]]
) -> dict[str, Counted]:
    campaigns = {key.decode(): json.loads(value) for topic, key, value in definitions if topic == CAMPAIGNS}
    counted = {campaign_id: Counted() for campaign_id in campaigns}
    for event in events[COSTS]:
        counted[event["campaign_id"]].cost += event["amount_minor"]
    touched: dict[tuple[str, str], list[float]] = defaultdict(list)
    for event in events[TOUCHES]:
        counted[event["campaign_id"]].cost += event.get("cost_minor", 0)
        if event["kind"] != "assign" and event.get("variant") != campaigns[event["campaign_id"]]["control_variant"]:
            touched[event["campaign_id"], event["customer_id"]].append(event["at"])
    for times in touched.values():
        times.sort()
    of_product = {body["goal"]["products"][0]: body for body in campaigns.values()}
    reversed_amounts: dict[str, int] = defaultdict(int)
    for event in events[TRANSACTIONS]:
        if "reverses" in event:
            reversed_amounts[event["reverses"]] += event["amount_minor"]
    for event in events[TRANSACTIONS]:
        campaign = of_product.get(event.get("product", ""))
        if campaign is None or "reverses" in event:
            continue
        times = touched[campaign["campaign_id"], event["customer_id"]]
        last = bisect_right(times, event["at"]) - 1
        if last < 0 or event["at"] - times[last] > campaign["attribution_window_days"] * DAY_SECONDS:
            continue
        amount = event["amount_minor"]
        effective = amount - reversed_amounts[event["event_id"]]
        margin = campaign.get("margins_bps", {}).get(event["kind"], 0)
        earned = event.get("revenue_minor", amount * margin // 10_000)
        counted[campaign["campaign_id"]].returns.append(earned * effective // amount if amount else earned)
    return counted
