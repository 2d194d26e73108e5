"""Credits: which touches a transaction is put down to, and with how much."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.oracle.attribution import credit_millionths
from tests.oracle.events import Campaign, Touch, Transaction
from tests.oracle.money import aum_delta, campaign_return, split_aum, split_return
from tests.oracle.reversals import effective_minor, name_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.oracle.config import OracleConfig
    from tests.oracle.verdicts import Judged


@dataclass(frozen=True, slots=True)
class Credit:
    """One touch's part in one transaction; ``millionths`` is above 0."""

    transaction: Transaction
    touch: Touch
    millionths: int
    return_minor: int
    aum_minor: int


class Catalogue:
    """Campaign definitions, with the defaults for a campaign that has none."""

    def __init__(self, defined: dict[str, Campaign], config: OracleConfig) -> None:
        kinds = config.default_goal_kinds
        self._defined = defined
        self._default = Campaign(
            kinds=None if kinds is None else frozenset(kinds),
            products=None,
            min_amount_minor=0,
            window_ms=config.window_ms,
            control_variant="control",
            margins_bps={},
        )
        self.longest_window_ms = max([config.window_ms, *(campaign.window_ms for campaign in defined.values())])

    def of(self, touch: Touch) -> Campaign:
        """Return the campaign a touch belongs to."""
        return self._defined.get(touch.campaign_id, self._default)

    def creditable(self, touch: Touch) -> bool:
        """Tell whether a touch can earn credit: neither an assignment nor of the control group."""
        return touch.kind != "assign" and touch.variant != self.of(touch).control_variant


def all_credits(judged: Judged, catalogue: Catalogue, config: OracleConfig) -> list[Credit]:
    """Return every credit of every transaction that counts."""
    touches: dict[str, list[Touch]] = defaultdict(list)
    for touch in judged.touches:
        if catalogue.creditable(touch):
            touches[touch.customer_id].append(touch)
    for owned in touches.values():
        owned.sort(key=lambda touch: (touch.occurred_at, touch.event_id))
    times = {customer_id: [touch.occurred_at for touch in owned] for customer_id, owned in touches.items()}
    found: list[Credit] = []
    for transaction in judged.transactions:
        reversals = judged.reversals.get(name_of(transaction), [])
        effective = effective_minor(transaction, reversals)
        if transaction.customer_id not in touches or (reversals and effective == 0):
            continue
        clock = times[transaction.customer_id]
        first = bisect_left(clock, transaction.occurred_at - catalogue.longest_window_ms)
        after = bisect_right(clock, transaction.occurred_at)
        candidates = [
            touch
            for touch in touches[transaction.customer_id][first:after]
            if transaction.occurred_at - touch.occurred_at <= catalogue.of(touch).window_ms
            and catalogue.of(touch).wants(transaction)
        ]
        if config.model != "first_touch":
            # touches of one name that share a transaction are one touch, the last of them
            last = {touch.event_id: touch for touch in candidates}
            candidates = [touch for touch in candidates if touch is last[touch.event_id]]
        if candidates:
            found += _split(transaction, effective, candidates, catalogue, config)
    return found


def _split(
    transaction: Transaction, effective: int, candidates: Sequence[Touch], catalogue: Catalogue, config: OracleConfig
) -> list[Credit]:
    ages = [transaction.occurred_at - touch.occurred_at for touch in candidates]
    millionths = credit_millionths(config.model, ages, config.half_life_ms)
    returns = [campaign_return(transaction, effective, catalogue.of(touch), config.margins_bps) for touch in candidates]
    money = zip(
        candidates,
        millionths,
        split_return(returns, millionths),
        split_aum(aum_delta(transaction, effective), millionths),
        strict=True,
    )
    return [
        Credit(transaction, touch, credit, return_minor, aum_minor)
        for touch, credit, return_minor, aum_minor in money
        if credit > 0
    ]
