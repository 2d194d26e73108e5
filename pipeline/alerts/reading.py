"""Campaigns' facts as of an instant, read from the ledger: rows of a port in, `CampaignFacts` out."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import numpy as np

from pipeline.alerts.amounts import WIDE, amounts, amounts_of, summed
from pipeline.alerts.assembly import CampaignFacts
from pipeline.alerts.conversions import CHANGES, KINDS, Customers, as_of, customers
from pipeline.alerts.costs import CostEvent
from pipeline.alerts.repricing import BookedCredit, Reversed, StoredTransaction
from pipeline.alerts.statistics import HOUR_MS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.alerts.conversions import Changes
    from pipeline.alerts.plans import CampaignPlan
    from pipeline.alerts.statistics import Integers
    from pipeline.state.policy import Policy

_Campaign = TypeVar("_Campaign")
SINCE_EVER: Final = -(1 << 62)
TOUCHES: Final = np.dtype([("place", "<u4"), ("slot", "<i8"), ("creditable", "<i8"), *WIDE])
Touch = tuple[int, int, int | float]
"""Hour, creditable touches, cost."""
CHUNK: Final = 250  # names in one question: they travel in its URL


class FactsPort(Protocol):
    """Where facts are read: the ledger of one run, by the queries of sql/queries. Calls may block."""

    def fetch(self, name: str, **parameters: Any) -> list[list[Any]]:
        """Return the rows of a query that answers in JSON."""

    def records(self, name: str, kind: np.dtype[np.void], **parameters: Any) -> np.ndarray[Any, np.dtype[np.void]]:
        """Return the rows of a query that answers in RowBinary with columns of fixed width."""


def chunks(campaigns: Sequence[_Campaign]) -> Iterator[Sequence[_Campaign]]:
    """Yield as many campaigns, in whatever form, as a question can be asked about."""
    for start in range(0, len(campaigns), CHUNK):
        yield campaigns[start : start + CHUNK]


def read_facts(
    port: FactsPort, plans: Sequence[CampaignPlan], as_of_ms: int, policy: Policy, model: str = ""
) -> list[CampaignFacts]:
    """Return what had occurred of campaigns by an instant, in their order.

    Args:
        port: the ledger.
        plans: the campaigns.
        as_of_ms: nothing later is looked at, reversals neither.
        policy: how the run counts.
        model: the attribution model; '' is the deciding one.
    """
    found: list[CampaignFacts] = []
    for chunk in chunks(plans):
        facts = [CampaignFacts(plan) for plan in chunk]
        names = [plan.campaign_id for plan in chunk]
        set_touches(facts, port.records("alert_touches", TOUCHES, campaigns=names, until=as_of_ms, slot=HOUR_MS))
        set_events(facts, port.fetch("alert_costs", campaigns=names, until=as_of_ms))
        set_conversions(facts, read_changes(port, chunk, as_of_ms, policy, model=model, since=as_of_ms), as_of_ms)
        found += [one.pay() for one in facts]
    return found


def read_changes(  # noqa: PLR0913 - what to look at, and how it was counted
    port: FactsPort, plans: Sequence[CampaignPlan], until: int, policy: Policy, *, model: str, since: int
) -> Changes:
    """Return the credited transactions up to an instant, and what reversals changed of them after ``since``.

    The return of a transaction that nothing after ``since`` has changed stands at its own instant.
    """
    names = [plan.campaign_id for plan in plans]
    places = {name: place for place, name in enumerate(names)}
    changes = _credited(port, names, [number_of_model(policy, model)], until, since)
    booked = read_reversed(port, names, until, policy, model=model, since=since)
    if booked is None:
        return changes
    return np.concatenate([changes, booked.changes(plans, policy, lambda credit: places.get(credit.campaign_id))])


def read_model_changes(
    port: FactsPort, plan: CampaignPlan, until: int, policy: Policy, labels: Sequence[str]
) -> list[Changes]:
    """Return one campaign's credited transactions up to an instant under several models, as `read_changes` does."""
    places = [number_of_model(policy, label) for label in labels]
    found = _credited(port, [plan.campaign_id], places, until, until)
    changes = [found[found["row"] == place] for place in range(len(labels))]
    for one in changes:
        one["row"] = 0
    if not _any_reversal(port, until):
        return changes
    for place, label in enumerate(labels):
        booked = read_reversed(port, [plan.campaign_id], until, policy, model=label, since=until)
        if booked is not None:
            late = booked.changes([plan], policy, lambda credit: 0 if credit.campaign_id == plan.campaign_id else None)
            changes[place] = np.concatenate([changes[place], late])
    return changes


def _credited(port: FactsPort, names: list[str], models: list[int], until: int, since: int) -> Changes:
    found: Changes = port.records(
        "alert_conversions", CHANGES, kinds=list(KINDS), campaigns=names, models=models, until=until, since=since
    )
    return found


def _any_reversal(port: FactsPort, since: int) -> bool:
    return bool(port.fetch("alert_any_reversal", since=since)[0][0])


def read_reversed(  # noqa: PLR0913 - what to look at, and how it was counted
    port: FactsPort,
    names: Sequence[str],
    until: int,
    policy: Policy,
    *,
    model: str,
    since: int,
    only: Sequence[str] = (),
    instants: Sequence[int] = (),
) -> Reversed | None:
    """Return the credited transactions up to an instant that reversals after ``since`` name; None without any.

    Where it is known which they are, ``only`` has their ids and ``instants`` their times.
    """
    if not _any_reversal(port, since):
        return None
    common = {"campaigns": list(names), "model": number_of_model(policy, model), "until": until, "since": since}
    common |= {"only": list(only), "instants": list(instants)}
    credits_then = port.fetch("alert_reversed_credits", everywhere=0, **common)
    if not credits_then:
        return None
    if model_of(policy, model) not in {"last_touch", "first_touch"}:  # the others share with other campaigns
        credits_then = port.fetch("alert_reversed_credits", everywhere=1, **common)
    first = min(row[2] for row in credits_then)
    transactions = port.fetch("alert_reversals", since=since, first=first, only=list(only))
    return Reversed([BookedCredit(*row) for row in credits_then], [StoredTransaction(*row) for row in transactions])


def number_of_model(policy: Policy, label: str) -> int:
    """Return the place, from 1, of the model that the ledger calls so: which of a credit's numbers are its."""
    return 1 + policy.labels.index(label)


def model_of(policy: Policy, label: str) -> str:
    """Return the name of the model that the ledger calls so."""
    return policy.models[policy.labels.index(label)]


def set_touches(facts: Sequence[CampaignFacts], touches: np.ndarray[Any, np.dtype[np.void]]) -> None:
    """Give campaigns their touches by hour."""
    bounds = np.searchsorted(touches["place"], np.arange(len(facts) + 1))
    for number, one in enumerate(facts):
        part = touches[bounds[number] : bounds[number + 1]]
        one.hours, one.touches, one.touch_cost = part["slot"].copy(), part["creditable"].copy(), amounts_of(part)


def add_touches(facts: CampaignFacts, touches: Sequence[Touch]) -> None:
    """Add touches by hour to a campaign's."""
    hour, count, cost = (list(column) for column in zip(*touches, strict=True))
    every = np.concatenate([facts.hours, np.array(hour, np.int64)])
    facts.hours, place = np.unique(every, return_inverse=True)
    for name, added in (("touches", count), ("touch_cost", cost)):
        setattr(facts, name, summed(place, np.concatenate([getattr(facts, name), amounts(added)]), len(facts.hours)))


def set_events(facts: Sequence[CampaignFacts], rows: Sequence[Sequence[Any]]) -> None:
    """Give campaigns their cost events."""
    events: dict[int, list[CostEvent]] = defaultdict(list)
    for place, *event in rows:
        events[place].append(CostEvent(*event))
    for number, one in enumerate(facts):
        one.events = tuple(sorted(events[number]))


def set_conversions(facts: Sequence[CampaignFacts], changes: Changes, as_of_ms: int | Integers) -> None:
    """Give campaigns the customers and arrivals of all that had occurred by an instant (one, or one for each)."""
    occurred = as_of(changes, as_of_ms)
    instants = np.broadcast_to(as_of_ms, len(facts)).tolist()
    found = customers(occurred, products_of_kinds([one.plan for one in facts]))
    bounds = np.searchsorted(found.row, np.arange(len(facts) + 1))
    arrivals = arrivals_of(occurred)
    starts = np.searchsorted(arrivals["row"], np.arange(len(facts) + 1))
    for number, one in enumerate(facts):
        start, end = bounds[number], bounds[number + 1]
        one.customers = Customers(
            found.row[start:end],
            found.product[start:end].copy(),
            found.total[start:end].copy(),
            found.touched_at[start:end].copy(),
        )
        part = arrivals[starts[number] : starts[number + 1]]
        one.arrival_touched_at = part["touched_at"].copy()
        one.arrival_lag_ms = part["converted_at"] - part["touched_at"]
        one.arrival_eaten = (part["eaten_at"] <= instants[number]).astype(np.int64)


def arrivals_of(occurred: Changes) -> Changes:
    """Return the arrivals of what has occurred, by row."""
    arrivals: Changes = occurred[occurred["arrived"] == 1]
    rows = arrivals["row"]
    return arrivals if (rows[1:] >= rows[:-1]).all() else arrivals[np.argsort(rows, kind="stable")]


def products_of_kinds(plans: Sequence[CampaignPlan]) -> Integers:
    """Return, for each campaign, the place of every kind of transaction among its products (`KINDS`, 0: not known)."""
    places = np.zeros((len(plans), len(KINDS) + 1), np.int64)
    for number, plan in enumerate(plans):
        for place, product in enumerate(plan.products):
            if product in KINDS:
                places[number, 1 + KINDS.index(product)] = place
    return places
