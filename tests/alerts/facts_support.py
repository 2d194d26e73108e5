"""Campaigns counted from random logs, and their statistics compared with the oracle's."""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.alerts.facts import LedgerFacts
from pipeline.alerts.plans import plan_of
from pipeline.alerts.statistics import HOUR_MS, POWERS
from pipeline.state.policy import Policy
from schemas import topics
from schemas.decode import decode_campaign
from schemas.judge import RejectedError
from tests.oracle.config import MODELS
from tests.oracle.story import Shape
from tests.support.core_player import CorePlayer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.alerts.plans import CampaignPlan
    from pipeline.alerts.statistics import Statistics
    from tests.oracle.as_of import Expected
    from tests.oracle.log import Log
    from tests.oracle.verdicts import Judged

TOTALS = ("cost_total", "return_all", "converters_all", "reversed")
POLICY = Policy(models=MODELS, future_ms=None, pseudonym_key=b"oracle")
SHAPE = Shape(customers=6, campaigns=4, bad_share=0.02, weights=(0, 9, 8, 4), huge_share=0.0)


def played(client: Any, run: str, log: Log, seed: int, *, crashes: int = 3) -> LedgerFacts:
    """Count a log with crashes, store its definitions, and return the run to be read."""
    player = CorePlayer(client, "roi", run, POLICY, log)
    player.play(Random(seed), crashes=crashes)
    return LedgerFacts(client, "roi", run)


def plans_of(log: Log) -> dict[str, CampaignPlan]:
    """Return the plans of the log's campaigns: the database's definitions are those of other tests."""
    found = {}
    for place in sorted(log):
        for record in log[place] if place[0] == topics.CAMPAIGNS else ():
            try:
                found[(record.key or b"").decode()] = decode_campaign(record.key, record.value)
            except RejectedError:
                continue
    names = {*found, "undefined", "retired", *(f"n{number}" for number in range(4))}
    return {name: plan_of(name, found.get(name), POLICY) for name in sorted(names)}


def differences(found: Statistics, row: int, wanted: Expected, *, cost: bool = True) -> list[str]:
    """Return a line for each figure that differs."""
    pairs = [*_by_age(found, row, wanted, cost=cost), *_by_product(found, row, wanted)]
    every = [z for totals in wanted.totals.values() for z in totals]
    touches = sum(wanted.touches.values())
    paid = sum(count for hour, count in wanted.touches.items() if hour <= wanted.limit)
    first = min(wanted.touches, default=int(found.as_of_ms[row]) // HOUR_MS)
    pairs += [
        ("total", found.total[row], sum(every)),
        ("largest", found.largest[row], max(every, default=0)),
        ("booked_share", found.booked_share[row], paid / touches if touches else 1.0),
        ("elapsed_hours", found.elapsed_hours[row], found.as_of_ms[row] / HOUR_MS - first),
        *((name, getattr(found, name)[row], getattr(wanted, name)) for name in TOTALS[not cost :]),
    ]
    return [
        f"{found.campaign_id[row]} {name}: expected {right!r}, found {actual!r}"
        for name, actual, right in pairs
        if not np.allclose(actual, right, rtol=1e-9, atol=1e-6)
    ]


def _by_age(found: Statistics, row: int, wanted: Expected, *, cost: bool) -> Iterator[tuple[str, Any, Any]]:
    unit = round(found.unit_hours)
    now = int(found.as_of_ms[row]) // HOUR_MS // unit
    ages = found.cost.shape[1]
    for name in ("cost", "touches", "converters", "arrivals")[not cost :]:
        columns = np.zeros(ages + 1)
        for hour, amount in getattr(wanted, name).items():
            if name == "touches" or hour <= wanted.limit:
                columns[min(now - hour // unit, ages)] += float(amount)
        yield name, getattr(found, name)[row], columns[:-1]
        yield f"{name}_older", getattr(found, f"{name}_older")[row], columns[-1]
    roots = np.zeros(ages)
    for hour, root in wanted.roots.items():
        if now - hour // unit < ages and hour <= wanted.limit:
            roots[now - hour // unit] += root
    yield "root_values", found.root_values[row] if found.root_values is not None else None, roots
    lags = np.zeros(found.lags.shape[1])
    for lag, count in wanted.lags.items():
        lags[min(lag // unit, len(lags) - 1)] += count
    yield "lags", found.lags[row], lags


def _by_product(found: Statistics, row: int, wanted: Expected) -> Iterator[tuple[str, Any, Any]]:
    several = sum(map(bool, found.products[row])) > 1
    for place, product in enumerate(found.products[row]):
        totals = wanted.totals.get(product if several else "", []) if product else []
        yield f"converters of {product}", found.product_converters[row, place], len(totals)
        for number, power in enumerate(POWERS):
            values = [math.log(z) if power == 0 else z**power for z in totals]
            yield f"sum {power}", found.sums[row, place, number], math.fsum(values)
            yield f"squares {power}", found.squares[row, place, number], math.fsum(each**2 for each in values)


def instants(judged: Judged, random: Random, count: int) -> list[int]:
    """Return instants to look at: right at events, a millisecond off, and the end."""
    moments = [each.occurred_at for each in judged.touches]
    moments += [each.occurred_at for each in judged.transactions]
    moments += [each.occurred_at for each in judged.costs]
    moments += [each.occurred_at for reversals in judged.reversals.values() for each in reversals]
    moments.sort()
    return [random.choice(moments) + random.choice((-1, 0, 1)) for _ in range(count)] + [moments[-1] + 90 * 86_400_000]
