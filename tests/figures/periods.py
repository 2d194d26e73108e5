"""Business periods in plain Python, and what every expected figure is built from."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from tests.oracle.reversals import effective_minor, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeVar

    from tests.oracle.events import Login, Transaction
    from tests.oracle.facts import Facts

    Item = TypeVar("Item")

Period = tuple[str, date]
KINDS: Final = ("month", "quarter", "year")
WHOLE_BANK: Final = ""
COUNTERS: Final = frozenset({"counter", "branch", "teller", "atm"})
HIGH_VALUE_TIERS: Final = frozenset({"growth", "a"})


def start_of(kind: str, day: date) -> date:
    """Return the first day of the period a day lies in."""
    if kind == "month":
        return day.replace(day=1)
    return day.replace(day=1, month=1 if kind == "year" else (day.month - 1) // 3 * 3 + 1)


def after(kind: str, start: date) -> date:
    """Return the first day behind a period."""
    return start_of(kind, start + timedelta(days={"month": 31, "quarter": 92, "year": 366}[kind]))


def day_of(facts: Facts, instant_ms: int) -> date:
    """Return an instant's business day."""
    return date.fromordinal(facts.business_day(instant_ms))


def by_period(facts: Facts, items: Iterable[Item], instant: Callable[[Item], int]) -> dict[Period, list[Item]]:
    """Return items by each of the three periods they fall into."""
    found: dict[Period, list[Item]] = defaultdict(list)
    for item in items:
        for kind in KINDS:
            found[kind, start_of(kind, day_of(facts, instant(item)))].append(item)
    return found


def effective(facts: Facts, transaction: Transaction) -> int:
    """Return what reversals have left of a transaction."""
    return effective_minor(transaction, facts.judged.reversals.get(name_of(transaction), []))


def counting(facts: Facts) -> list[Transaction]:
    """Return the transactions that count."""
    return [
        transaction
        for transaction in facts.judged.transactions
        if name_of(transaction) not in facts.judged.reversals or effective(facts, transaction) > 0
    ]


def engaged(facts: Facts, login: Login) -> bool:
    """Tell whether a login is one of a person who stays."""
    return not login.automated and (
        login.session_seconds is None or login.session_seconds >= facts.config.engaged_seconds
    )


def channel_class(channel: str) -> str:
    """Return the default class of a channel."""
    return "counter" if channel in COUNTERS else "online"
