"""Events of a small bank as they happen, each with the delay after which it reaches its topic."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from schemas import topics
from tests.oracle.config import DAY_MS
from tests.oracle.corruptions import Body, corruptions_for, encoded, padded
from tests.oracle.fields import COST_CATEGORIES, TOUCH_KINDS, TRANSACTION_KINDS
from tests.oracle.parsing import LARGEST_VALUE_BYTES
from tests.oracle.world import CHANNELS, COMMON_KINDS, PRODUCTS, VARIANTS, World

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
START_MS: Final = 1_772_380_800_000  # 2026-03-01T16:00Z: midnight in Shanghai
REVERSAL_MS: Final = 30 * DAY_MS
_EVENT_NAME_TAILS: Final = ("", "", "", "é", "ﬀ", "\U0001f600", "_B", "b")
_AMOUNTS: Final = (0, 1, 2, 3, 7, 10, 99, 100, 101, 333, 10_000, 999_999)
_HUGE: Final = 10**15
_OFFSETS_MINUTES: Final = (0, 0, 480, 480, -330, 845)
_EDGES_MS: Final = (-1, 0, 1)
_SESSIONS: Final = (None, 0, 4, 4.999, 5, 5.0, 5.001, 60)


@dataclass(frozen=True, slots=True)
class Shape:
    """How a generated log looks; shares are of the events.

    ``late`` False leaves out events beyond the lateness, so that the log may be cut into partitions anew.
    ``returning_share`` of the events have an id of their topic again: what counts depends on the order then.
    """

    customers: int = 4
    campaigns: int = 5
    partitions: int = 3
    span_days: int = 45
    login_days: tuple[int, ...] = (0, 90, 181)  # where logins crowd: a customer may miss 90 days in between, or 91
    lateness_days: int = 3
    duplicate_share: float = 0.1
    bad_share: float = 0.08
    returning_share: float = 0.0
    late: bool = True
    late_share: float = 0.04
    huge_share: float = 0.02  # of the largest amount there is; sums of very long logs would leave 64 bits
    weights: tuple[int, int, int, int] = (4, 8, 8, 2)  # logins, transactions, touches, costs

    @property
    def lateness_ms(self) -> int:
        return self.lateness_days * DAY_MS


class Sending(NamedTuple):
    """One record on its way; it arrives ``delay`` after it happened."""

    topic: str
    key: bytes | None
    value: bytes | None
    occurred_at: int
    delay: int

    @property
    def arrives_at(self) -> int:
        return self.occurred_at + self.delay


@dataclass(slots=True)
class StoryTeller:
    """Makes up events one after another; later ones aim at the edges that earlier ones have."""

    random: Random
    world: World
    shape: Shape
    sendings: list[Sending] = field(default_factory=list)
    touches: list[Body] = field(default_factory=list)
    transactions: list[Body] = field(default_factory=list)
    instants: list[int] = field(default_factory=list)
    names: dict[str, list[str]] = field(default_factory=dict)

    def tell(self, events: int) -> list[Sending]:
        """Return the sendings of ``events`` events, with their re-sends and some bad records among them."""
        makers: Sequence[Callable[[], Sending]] = (self._login, self._transaction, self._touch, self._cost)
        for _ in range(events):
            sending = self.random.choices(makers, self.shape.weights)[0]()
            self.sendings.append(sending)
            while self.random.random() < self.shape.duplicate_share:
                self.sendings.append(sending._replace(delay=self._delay()))
        return self.sendings

    def _send(self, topic: str, key_field: str, body: Body, occurred_at: int, *, tail: bool = True) -> Sending:
        full = {
            "event_id": self._name(topic, self.random.choice(_EVENT_NAME_TAILS) if tail else ""),
            "occurred_at": instant_text(self.random, occurred_at),
        } | body
        body.update(event_id=full["event_id"], at=occurred_at)
        key = full[key_field].encode()
        self.instants.append(occurred_at)
        if self.random.random() < self.shape.bad_share:
            possible = corruptions_for(topic)
            reason = self.random.choice(sorted({corruption.reason for corruption in possible}))
            corruption = self.random.choice([each for each in possible if each.reason == reason])
            return Sending(topic, *corruption.apply(key, full), occurred_at, self._delay())
        return Sending(topic, key, self._value(full), occurred_at, self._delay())

    def _name(self, topic: str, tail: str) -> str:
        names = self.names.setdefault(topic, [])
        fresh = f"{self.random.choice('aAz0')}{len(self.sendings)}{tail}"
        if names and self.shape.returning_share and self.random.random() < self.shape.returning_share:
            return self.random.choice(names)
        names.append(fresh)
        return fresh

    def _value(self, body: Body) -> bytes:
        form = self.random.random()
        if form < 0.05:
            body = dict(reversed(body.items())) | {"unknown": {"nested": [1.5, None, "ü"]}}
        elif form < 0.06:
            return padded(body, LARGEST_VALUE_BYTES)
        return encoded(body, ascii_only=form < 0.3)

    def _delay(self) -> int:
        if self.shape.late and self.random.random() < self.shape.late_share:
            return self.shape.lateness_ms + self.random.randint(1, 3 * self.shape.lateness_ms)
        return self.random.choice((0, 0, self.random.randint(0, self.shape.lateness_ms), self.shape.lateness_ms))

    def _instant(self, span_days: int) -> int:
        form = self.random.random()
        if form < 0.15 and self.instants:
            return self.random.choice(self.instants)
        if form < 0.35:
            return START_MS + self.random.randint(0, span_days) * DAY_MS + self.random.choice(_EDGES_MS)
        return START_MS + self.random.randint(0, span_days * DAY_MS)

    def _login(self) -> Sending:
        body = self._optional(
            {"customer_id": self.random.choice(self.world.customers), "channel": self.random.choice(CHANNELS)},
            session_seconds=self.random.choice(_SESSIONS),
            automated=self.random.random() < 0.3,
        )
        crowd = self.random.choice(self.shape.login_days) * DAY_MS
        at = self._instant(self.random.choice((0, 1, 5))) + crowd
        return self._send(topics.LOGINS, "customer_id", body, at)

    def _touch(self) -> Sending:
        body = self._optional(
            {
                "customer_id": self.random.choice(self.world.customers),
                "campaign_id": self.random.choice(self.world.campaigns),
                "channel": self.random.choice(CHANNELS),
                "kind": self.random.choice(("send", "click", "view", self.random.choice(sorted(TOUCH_KINDS)))),
            },
            variant=self.random.choice(VARIANTS),
            cost_minor=self.random.choice((0, 1, 5, 1000)),
            automated=self.random.random() < 0.2,
            recommended=self.random.random() < 0.2,
            currency="CNY",
        )
        sending = self._send(topics.TOUCHES, "customer_id", body, self._instant(self.shape.span_days))
        self.touches.append(body)
        return sending

    def _cost(self) -> Sending:
        body = self._optional(
            {
                "campaign_id": self.random.choice(self.world.campaigns),
                "category": self.random.choice(sorted(COST_CATEGORIES)),
                "amount_minor": self._amount() * self.random.choice((1, 1, 1, -1)),
            },
            variant=self.random.choice(VARIANTS),
            currency="CNY",
        )
        return self._send(topics.COSTS, "campaign_id", body, self._instant(self.shape.span_days))

    def _transaction(self) -> Sending:
        if self.transactions and self.random.random() < 0.3:
            return self._reversal(self.random.choice(self.transactions))
        customer_id, at = self.random.choice(self.world.customers), self._instant(self.shape.span_days)
        if self.touches and self.random.random() < 0.7:
            touch = self.random.choice(self.touches)
            window = self.world.windows_ms[touch["campaign_id"]]
            distance = self.random.choice((0, window, self.random.randint(0, window)))
            customer_id, at = touch["customer_id"], touch["at"] + distance + self.random.choice(_EDGES_MS)
        return self._pay(customer_id, at, self._amount(), self.random.choice(({}, {"reverses": None})))

    def _reversal(self, original: Body) -> Sending:
        inside = self.random.randint(0, REVERSAL_MS)
        distance = self.random.choice((0, REVERSAL_MS, inside, self.random.randint(0, 60)))
        amount = original["amount_minor"]
        part = self.random.choice((amount, amount // 2, amount // 3 + 1, 1, 0, min(amount * 2, _HUGE)))
        customer_id = original["customer_id"]
        if self.random.random() < 0.1:
            customer_id = self.random.choice(self.world.customers)
        named = original["event_id"] if self.random.random() < 0.9 else "never-comes"
        at = original["at"] + distance + self.random.choice(_EDGES_MS)
        return self._pay(customer_id, at, part, {"reverses": named})

    def _amount(self) -> int:
        return _HUGE if self.random.random() < self.shape.huge_share else self.random.choice(_AMOUNTS)

    def _pay(self, customer_id: str, at: int, amount: int, reverses: Body) -> Sending:
        optional: Body = {
            "product": self.random.choice((None, *PRODUCTS)),
            "cross_bank": self.random.random() < 0.2,
            "scenario": self.random.choice((None, "campus")),
            "currency": "CNY",
            "revenue_minor": self.random.choice((None, None, None, self._amount())),
            "aum_delta_minor": self.random.choice((None, None, None, self._amount(), -self._amount())),
        }
        required: Body = {
            "customer_id": customer_id,
            "amount_minor": amount,
            "channel": self.random.choice(CHANNELS),
            "kind": self.random.choice((*COMMON_KINDS, self.random.choice(sorted(TRANSACTION_KINDS)))),
        }
        body = self._optional(required | reverses, **optional)
        sending = self._send(topics.TRANSACTIONS, "customer_id", body, at)
        self.transactions.append(body)
        return sending

    def _optional(self, required: Body, **optional: Any) -> Body:
        return required | {name: value for name, value in optional.items() if self.random.random() < 0.8}


def instant_text(random: Random, instant_ms: int) -> str:
    """Return an instant as RFC 3339 in one of the ways senders write it; milliseconds survive in each."""
    offset = random.choice(_OFFSETS_MINUTES)
    local = (EPOCH + timedelta(milliseconds=instant_ms)).astimezone(timezone(timedelta(minutes=offset)))
    text = local.strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f"{instant_ms % 1000:03d}"
    fractions = [fraction, f"{fraction}000", f"{fraction}999"]
    if fraction == "000":
        fractions.append("")
    elif fraction.endswith("0"):
        fractions.append(fraction.rstrip("0"))
    chosen = random.choice(fractions)
    zone = "Z" if offset == 0 else f"{'-' if offset < 0 else '+'}{abs(offset) // 60:02d}:{abs(offset) % 60:02d}"
    return f"{text}{'.' if chosen else ''}{chosen}{zone}"
