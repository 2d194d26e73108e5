"""An experiment of a small bank whose truth is known, as a log."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from pipeline.state.policy import Policy
from tests.oracle.building import Ledger
from tests.support.core_player import CorePlayer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COUNTING = Policy(future_ms=None, pseudonym_key=b"oracle")
"""How `play` counts."""
_START = datetime(2026, 3, 1, 9)  # noqa: DTZ001 - the log's own zone


def experiment(
    rates: Mapping[str, float],
    *,
    customers: int = 900,
    weights: Mapping[str, float] | None = None,
    twice: int = 0,
    assigned: bool = True,
    after: int = 10,
    seed: int = 1,
    tiers: Sequence[str] = (),
) -> Ledger:
    """Return a log: customers assigned over five days, of whom a share by variant pays into an account two days later.

    Args:
        rates: share of those who pay, by variant; '' = none.
        customers: how many.
        weights: how often each variant is assigned; None = equally.
        twice: customers who get a second variant.
        assigned: whether assign touches are written, or contacts only.
        after: days from the last assignment to the log's end.
        seed: of chance.
        tiers: of customers, in turn.
    """
    random, ledger = Random(seed), Ledger()
    names = list(rates)
    events: list[tuple[datetime, str, dict[str, Any]]] = []
    for number in range(customers if tiers else 0):
        ledger.customer(f"c{number}", tiers[number % len(tiers)])
    for number in range(customers):
        at = _START + timedelta(minutes=number * 7200 / customers)
        name = random.choices(names, [1.0 if weights is None else weights[each] for each in names])[0]
        customer = {"customer_id": f"c{number}"}
        events.append((at, "touch", {"variant": name or None, "kind": "assign" if assigned else "send", **customer}))
        if number < twice:
            other = next(each for each in names if each != name)
            events.append((at + timedelta(minutes=1), "touch", {"variant": other, "kind": "assign", **customer}))
        if name != "control" and assigned:
            sent = at + timedelta(hours=1)
            events.append((sent, "touch", {"variant": name or None, "cost_minor": 150, **customer}))
        if random.random() < rates[name]:
            paid = at + timedelta(days=2)
            events.append(
                (paid, "pay", {"amount": round(random.lognormvariate(11, 1)), "revenue_minor": 4000, **customer})
            )
        if random.random() < 0.5:
            events.append((at + timedelta(days=1), "login", customer))
    end = _START + timedelta(days=5 + after)
    events.append((end, "login", {"customer_id": "somebody"}))
    events.append((end, "pay", {"customer_id": "somebody", "amount": 1}))
    for place, (at, kind, fields) in enumerate(sorted(events, key=lambda event: event[0])):
        clock = at.strftime("%Y-%m-%d %H:%M:%S")
        if kind == "login":
            ledger.login(clock, **fields)
        else:
            getattr(ledger, kind)(f"e{place}", clock, **fields)
    return ledger


def play(client: Any, run: str, ledger: Ledger) -> None:
    """Count a log under a run."""
    player = CorePlayer(client, "roi", run, COUNTING, ledger.log)
    player.play(Random(1), most=500, tidy=False)
