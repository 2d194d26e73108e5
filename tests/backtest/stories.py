"""Banks with campaigns that differ, small enough to be looked at every hour."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any

from pipeline.alerts.plans import plan_of
from schemas.decode import decode_campaign
from tests.alerts.facts_support import POLICY
from tests.oracle.building import Ledger, moment

if TYPE_CHECKING:
    from pipeline.alerts.plans import CampaignPlan

DAYS = 5
"""So long a campaign is touched."""
MINUTE = 60_000


def written(instant: int) -> str:
    """Return an instant as `Ledger` takes it."""
    return datetime.fromtimestamp(instant / 1000 + 8 * 3600, UTC).strftime("%Y-%m-%d %H:%M:%S")


def bank(seed: int, campaigns: int = 6, touches: int = 70, *, billed: bool = True) -> Ledger:
    """Return campaigns one after the other, good and bad, some without an end, some billed daily if ``billed``."""
    random = Random(seed)
    ledger = Ledger()
    events: list[tuple[int, int, tuple[Any, ...]]] = []
    for number in range(campaigns):
        name, begin = f"c{number}", moment("2026-03-02 09:00") + number * 3 * 86_400_000
        ends = None if number % 3 == 2 else _instant(begin + DAYS * 86_400_000)
        ledger.campaign(name, margins_bps={"deposit": 10_000}, ends_at=ends, attribution_window_days=2.0)
        worth = random.choice((150, 300, 450, 1_500))
        for place in range(touches):
            at = begin + random.randrange(DAYS * 1440) * MINUTE
            who = f"{name}-{random.randrange(touches)}"
            events.append((at, 0, ("touch", f"t{name}-{place}", name, who, 100 if place % 9 else 0)))
            if random.random() < 0.3:
                paid = at + random.randrange(1, 2880) * MINUTE
                amount = random.randrange(worth // 2, worth * 2)
                events.append((paid, 1, ("pay", f"x{name}-{place}", who, amount)))
                if random.random() < 0.25:
                    back = paid + random.randrange(1, 4 * 1440) * MINUTE
                    share = amount if place % 2 else amount // 3
                    events.append((back, 2, ("reverse", f"r{name}-{place}", who, share, f"x{name}-{place}")))
        if billed and number % 2:
            events += [
                (begin + day * 86_400_000, 3, ("cost", f"k{name}-{day}", name, 1_500)) for day in range(1, DAYS + 1)
            ]
    for at, _, event in sorted(events):
        _write(ledger, written(at), event)
    last = written(max(at for at, _, _ in events) + 4 * 86_400_000)
    ledger.touch("newest", last, campaign="c0", customer_id="z", kind="assign")
    ledger.pay("last", last, customer_id="z")
    return ledger


def _write(ledger: Ledger, at: str, event: tuple[Any, ...]) -> None:
    kind, name, *rest = event
    if kind == "touch":
        campaign, who, cost = rest
        ledger.touch(name, at, campaign=campaign, customer_id=who, cost_minor=cost)
    elif kind == "pay":
        who, amount = rest
        ledger.pay(name, at, amount, customer_id=who)
    elif kind == "reverse":
        who, amount, original = rest
        ledger.pay(name, at, amount, customer_id=who, reverses=original)
    else:
        campaign, amount = rest
        ledger.cost(name, at, amount, campaign=campaign)


def _instant(instant: int) -> str:
    return datetime.fromtimestamp(instant / 1000, UTC).isoformat().replace("+00:00", "Z")


def plans(ledger: Ledger) -> dict[str, CampaignPlan]:
    """Return the plans of the campaigns that a bank defines: the database's definitions are those of other tests."""
    found = {}
    for record in ledger.records:
        if record.topic.endswith("campaigns.v1") and record.value is not None:
            name = (record.key or b"").decode()
            found[name] = plan_of(name, decode_campaign(record.key, record.value), POLICY)
    return dict(sorted(found.items()))
