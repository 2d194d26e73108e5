"""A second way to verdicts and credits, for tiny logs: no indexes, no sorting tricks, exact fractions.

Shares with the oracle only the reading of single records and the definitions of campaigns.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

from schemas import topics
from tests.oracle.credits import Catalogue, Credit
from tests.oracle.events import Login, Touch, Transaction
from tests.oracle.parsing import BadRecordError, read_event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.oracle.config import OracleConfig
    from tests.oracle.events import Event
    from tests.oracle.log import Log

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Arrived:
    """A valid event at its place in the log."""

    topic: str
    partition: int
    offset: int
    event: Event


def arrived(log: Log, config: OracleConfig) -> list[Arrived]:
    """Return every valid event, whenever it came."""
    found = []
    for (topic, partition), records in log.items():
        for record in records if topic in topics.EVENT_TOPICS else ():
            try:
                event = read_event(topic, record.key, record.value, config.currency)
            except BadRecordError:
                continue
            found.append(Arrived(topic, partition, record.offset, event))
    return found


def accepted(everything: Sequence[Arrived], config: OracleConfig) -> list[Arrived]:
    """Return what counts: in time, and of no name that an earlier event has, which is not past yet."""
    taken: list[Arrived] = []
    for this in sorted(everything, key=lambda each: each.offset):
        before = [other for other in everything if _is_before(other, this)]
        if any(other.event.occurred_at - this.event.occurred_at > config.lateness_ms for other in before):
            continue
        if isinstance(this.event, Login) or not any(
            _is_before(other, this)
            and other.event.event_id == this.event.event_id
            and not any(
                later.event.occurred_at - _last_use(other.event, config) > config.lateness_ms for later in before
            )
            for other in taken
        ):
            taken.append(this)
    return taken


def _is_before(other: Arrived, this: Arrived) -> bool:
    return (other.topic, other.partition) == (this.topic, this.partition) and other.offset < this.offset


def _last_use(event: Event, config: OracleConfig) -> int:
    return event.occurred_at + config.reversal_ms if isinstance(event, Transaction) else event.occurred_at


def orphans(taken: Sequence[Arrived], everything: Sequence[Arrived], config: OracleConfig) -> set[tuple[str, int, int]]:
    """Return the places of reversals, among what counts, that no original can save any more.

    By place and not by event: of two equal records the first may be a copy of an older event of that name, which is
    past by the second.
    """
    found = set()
    for this in taken:
        event = this.event
        if not isinstance(event, Transaction) or event.reverses is None:
            continue
        saved = any(isinstance(other.event, Transaction) and _reverses(event, other.event, config) for other in taken)
        latest = max(
            other.event.occurred_at
            for other in everything
            if (other.topic, other.partition) == (this.topic, this.partition)
        )
        if not saved and latest - event.occurred_at > config.lateness_ms:
            found.add((this.topic, this.partition, this.offset))
    return found


def _reverses(reversal: Transaction, original: Transaction, config: OracleConfig) -> bool:
    return (
        original.reverses is None
        and reversal.reverses == original.event_id
        and reversal.customer_id == original.customer_id
        and original.occurred_at <= reversal.occurred_at <= original.occurred_at + config.reversal_ms
    )


def credits_of(events: Sequence[Event], catalogue: Catalogue, config: OracleConfig) -> list[Credit]:
    """Return every credit, each transaction held against every touch."""
    transactions = [event for event in events if isinstance(event, Transaction)]
    touches = [event for event in events if isinstance(event, Touch) and catalogue.creditable(event)]
    found = []
    for transaction in transactions:
        taken = [other.amount_minor for other in transactions if _reverses(other, transaction, config)]
        if transaction.reverses is not None or (taken and sum(taken) >= transaction.amount_minor):
            continue
        candidates = [
            touch
            for touch in touches
            if touch.customer_id == transaction.customer_id
            and touch.occurred_at <= transaction.occurred_at <= touch.occurred_at + catalogue.of(touch).window_ms
            and catalogue.of(touch).wants(transaction)
        ]
        if config.model != "first_touch":
            candidates = [
                touch
                for touch in candidates
                if not any(
                    other.event_id == touch.event_id and other.occurred_at > touch.occurred_at for other in candidates
                )
            ]
        left = Fraction(1)
        if taken:
            left = 1 - Fraction(sum(taken), transaction.amount_minor) if transaction.amount_minor else left
        found += _share_out(transaction, left, candidates, catalogue, config)
    return found


def _share_out(
    transaction: Transaction, left: Fraction, candidates: list[Touch], catalogue: Catalogue, config: OracleConfig
) -> list[Credit]:
    candidates = sorted(candidates, key=lambda touch: (touch.occurred_at, touch.event_id))
    if not candidates:
        return []
    credit = hand_out(MILLION, _shares(transaction, candidates, config))
    money = [_money(transaction, left, catalogue, touch, config) for touch in candidates]
    if len({money[place] for place in range(len(money)) if credit[place]}) == 1:
        paid = next(money[place] for place in range(len(money)) if credit[place])
        returns = hand_out(paid, [Fraction(part, MILLION) for part in credit])
    else:
        returns = [floor(amount * Fraction(part, MILLION)) for amount, part in zip(money, credit, strict=True)]
    delta = transaction.aum_delta_minor
    if delta is None:
        delta = transaction.amount_minor * ((transaction.kind == "deposit") - (transaction.kind == "withdrawal"))
    aum = hand_out(int(abs(delta) * left), [Fraction(part, MILLION) for part in credit])
    return [
        Credit(transaction, touch, credit[place], returns[place], aum[place] if delta > 0 else -aum[place])
        for place, touch in enumerate(candidates)
        if credit[place]
    ]


def _money(transaction: Transaction, left: Fraction, catalogue: Catalogue, touch: Touch, config: OracleConfig) -> int:
    if transaction.revenue_minor is not None:
        return int(transaction.revenue_minor * left)
    margins = {**config.margins_bps, **catalogue.of(touch).margins_bps}
    return floor(floor(transaction.amount_minor * Fraction(margins.get(transaction.kind, 0), 10_000)) * left)


def _shares(transaction: Transaction, touches: Sequence[Touch], config: OracleConfig) -> list[Fraction]:
    count = len(touches)
    if config.model == "linear":
        return [Fraction(1, count) for _ in touches]
    if config.model == "time_decay":
        weights = [2.0 ** ((touch.occurred_at - transaction.occurred_at) / config.half_life_ms) for touch in touches]
        whole = Fraction(sum(map(Fraction, weights)))
        return [Fraction(weight) / whole for weight in weights]
    if config.model == "position" and count > 2:
        return [Fraction(2, 5), *[Fraction(1, 5) / (count - 2) for _ in touches[2:]], Fraction(2, 5)]
    if config.model == "position":
        return [Fraction(1, count) for _ in touches]
    chosen = 0 if config.model == "first_touch" else count - 1
    return [Fraction(int(place == chosen)) for place in range(count)]


def hand_out(whole: int, shares: Sequence[Fraction]) -> list[int]:
    """Return floors of ``whole`` * share, then one unit at a time to whoever still lacks most, the later of equals."""
    parts = [floor(whole * share) for share in shares]
    lacking = [whole * share - part for share, part in zip(shares, parts, strict=True)]
    for _ in range(whole - sum(parts)):
        most = max(range(len(shares)), key=lambda place: (lacking[place], place))
        parts[most] += 1
        lacking[most] -= 1
    return parts
