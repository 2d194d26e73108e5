"""A worker's life that no bank would lead, made up step by step: values at every bound, and definitions, tiers,
erasures and owners that change in the middle. The steps are plain data: two workers can be taken through the same ones.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple, get_args

from pipeline.state.calendar import DAY_MS
from pipeline.state.policy import Policy
from schemas.common import MAX_MONEY_MINOR, TransactionKind
from schemas.topics import LOGINS, TOUCHES, TRANSACTIONS
from schemas.touch import TouchKind
from tests.oracle.story import instant_text

if TYPE_CHECKING:
    from random import Random

MODELS: Final = ("last_touch", "first_touch", "linear", "position", "time_decay")
ZONES: Final = ("Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu", "UTC")
# a few days before the clocks of New York and of Lord Howe (by half an hour) change; when Apia left out a day
STARTS_MS: Final = (1_772_755_200_000, 1_793_404_800_000, 1_775_088_000_000, 1_325_030_400_000, 631_152_000_000)
DAYS: Final = (1e-9, 1 / DAY_MS, 0.29, 1, 7, 30, 400, 36_500)
LONGEST: Final = ("é" * 64, "\U0001f600" * 64, "\U0010ffff" * 64, "a" * 64)
CUSTOMERS: Final = ("c", "C", "客户", "\U0001f600" * 64, "0123456789abcdef" * 2)
EVENT_IDS: Final = (
    "a",
    "aa",
    "B",
    "b",
    "é",
    "\uff45",
    "\uffff",
    "\U00010000",
    "a\x00",
    "a\x00b",
    " ",
    *LONGEST,
    *"defghijklmno",
)
CAMPAIGNS: Final = ("spring", "Spring", "0", "z" * 64)
VARIANTS: Final = (None, "control", "holdout", "A", "b", "V" * 64)
PRODUCTS: Final = (None, "fund", "fund-1", "f" * 64)
TIERS: Final = (None, "a", "b", "t" * 64)
AMOUNTS: Final = (0, 1, 2, 3, 7, 100, 333, 999_999, MAX_MONEY_MINOR - 1, MAX_MONEY_MINOR)
MARGINS: Final = (-100_000, -33, -1, 0, 1, 33, 9_999, 10_000, 100_000)
EDGES_MS: Final = (-1, 0, 0, 1)


class Step(NamedTuple):
    """What a worker does next, and what it is told for it."""

    do: str
    given: tuple[Any, ...] = ()


@dataclass(slots=True)
class Life:
    """Makes up steps; what has been sent decides what is aimed at next."""

    random: Random
    policy: Policy
    now: int
    windows: dict[str, int] = field(default_factory=dict)
    sent: list[dict[str, Any]] = field(default_factory=list)
    paid: list[dict[str, Any]] = field(default_factory=list)
    newest: dict[str, int] = field(default_factory=dict)

    def steps(self, count: int) -> list[Step]:
        """Return so many steps; the last one is a block."""
        choices = (
            (self._touches, 30), (self._transactions, 30), (self._logins, 5), (self._define, 6), (self._profile, 4),
            (self._erase, 2), (lambda: Step("block"), 12), (lambda: Step("advance"), 8),
            (lambda: Step("tidy", (self.random.choice((0, 1, 5)),)), 8), (lambda: Step("crash"), 3),
            (lambda: Step("follow"), 1),
        )  # fmt: skip
        makers, weights = zip(*choices, strict=True)
        return [make() for make in self.random.choices(makers, weights, k=count)] + [Step("block")]

    # -- events ----------------------------------------------------------------------------------------------------

    def _touches(self) -> Step:
        return self._batch(TOUCHES, self._touch)

    def _transactions(self) -> Step:
        return self._batch(TRANSACTIONS, self._payment)

    def _logins(self) -> Step:
        return self._batch(LOGINS, self._login)

    def _batch(self, topic: str, make: Any) -> Step:
        records = []
        for _ in range(self.random.choice((1, 1, 2, 5, 12, 40))):
            body, at = make()
            if self.sent and self.random.random() < 0.05:  # the same event once more, or its id at another time
                old = self.random.choice(self.sent)
                body["event_id"] = old["event_id"]
                at = old["at"] if self.random.random() < 0.5 else at
            self.newest[topic] = max(at, self.newest.get(topic, at))
            self.now = max(self.now, at)
            self.sent.append(body | {"at": at})
            written = body | {"occurred_at": instant_text(self.random, at)}
            records.append((body["customer_id"].encode(), json.dumps(written).encode()))
        return Step("events", (topic, records))

    def _event(self) -> dict[str, Any]:
        name = self.random.choice(EVENT_IDS) if self.random.random() < 0.5 else f"n{len(self.sent)}"
        return {"event_id": name, "customer_id": self.random.choice(CUSTOMERS), "channel": "app"}

    def _instant(self, topic: str) -> int:
        """Return an instant at an edge: of lateness, of the horizon, of a window, of a day, of another event."""
        random, edge = self.random, self.random.choice(EDGES_MS)
        if random.random() < 0.3:
            self.now += random.choice((0, 1, 60_000, DAY_MS // 3, DAY_MS, 3 * DAY_MS, self.policy.lateness_ms // 2))
            return self.now
        late = self.newest.get(topic, self.now) - self.policy.lateness_ms
        kind = random.randrange(6)
        if kind == 0:
            at = late + edge
        elif kind == 1 and self.sent:
            at = random.choice(self.sent[-30:])["at"]
        elif kind == 2 and self.sent:
            at = random.choice(self.sent[-30:])["at"] + edge + self._distance()
        elif kind == 3:
            at = self.now - self.now % DAY_MS + edge + random.choice((0, 5, 8, 16)) * 3_600_000
        else:
            at = random.randint(max(late, self.now - 90 * DAY_MS), self.now)
        # nothing runs ahead of everything by years: the rest would be too late
        return max(631_152_000_000, min(at, self.now + 2 * DAY_MS))

    def _distance(self) -> int:
        windows = [*self.windows.values(), self.policy.window_ms, self.policy.reversal_ms, self.policy.lateness_ms]
        return self.random.choice(windows) * self.random.choice((1, 1, -1))

    def _touch(self) -> tuple[dict[str, Any], int]:
        random = self.random
        body = self._event() | {
            "campaign_id": random.choice(CAMPAIGNS),
            "variant": random.choice(VARIANTS) if random.random() < 0.95 else f"v{random.randrange(100)}",
            "kind": random.choice(("send", "click", random.choice(get_args(TouchKind)))),
            "cost_minor": random.choice(AMOUNTS),
            "automated": random.random() < 0.5,
            "recommended": random.random() < 0.5,
        }
        return body, self._instant(TOUCHES)

    def _payment(self) -> tuple[dict[str, Any], int]:
        random = self.random
        body = self._event() | {
            "kind": random.choice(("deposit", "withdrawal", random.choice(get_args(TransactionKind)))),
            "amount_minor": random.choice(AMOUNTS),
            "product": random.choice(PRODUCTS),
            "scenario": random.choice((None, "payday")),
            "cross_bank": random.random() < 0.5,
            "revenue_minor": random.choice((None, None, *AMOUNTS)),
            "aum_delta_minor": random.choice((None, None, *AMOUNTS, *(-amount for amount in AMOUNTS))),
        }
        at = self._instant(TRANSACTIONS)
        if self.paid and random.random() < 0.35:
            original = random.choice(self.paid[-20:])  # may be a reversal itself
            amount = original["amount_minor"]
            body["reverses"] = original["event_id"] if random.random() < 0.95 else random.choice(EVENT_IDS)
            body["customer_id"] = original["customer_id"] if random.random() < 0.9 else body["customer_id"]
            body["amount_minor"] = random.choice(
                (amount, amount // 2, amount // 3 + 1, min(2 * amount, MAX_MONEY_MINOR), 0, 1)
            )
            if random.random() < 0.7:
                at = original["at"] + random.choice((0, 1, self.policy.reversal_ms)) + random.choice(EDGES_MS)
        elif random.random() < 0.1:
            body["reverses"] = f"n{len(self.sent) + random.randrange(30)}"  # one that may come yet
        self.paid.append(body | {"at": at})
        return body, min(at, self.now + 40 * DAY_MS)

    def _login(self) -> tuple[dict[str, Any], int]:
        body = self._event() | {
            "session_seconds": self.random.choice((None, 0, 4.999, 5, 1e9)),
            "automated": self.random.random() < 0.3,
        }
        return body, self._instant(LOGINS)

    # -- what is told besides --------------------------------------------------------------------------------------

    def _define(self) -> Step:
        random, campaign_id = self.random, self.random.choice(CAMPAIGNS)
        if random.random() < 0.15:
            self.windows.pop(campaign_id, None)
            return Step("define", (campaign_id, None))
        kinds = get_args(TransactionKind)
        goal: dict[str, Any] = {"kinds": random.choice((kinds, ("deposit", "withdrawal"), random.sample(kinds, 3)))}
        if random.random() < 0.3:
            goal["products"] = random.choice((None, [], ["fund"], ["fund", "fund-1", "f" * 64]))
        if random.random() < 0.3:
            goal["min_amount_minor"] = random.choice(AMOUNTS)
        days = random.choice(DAYS)
        self.windows[campaign_id] = int(days * DAY_MS)
        definition = {
            "campaign_id": campaign_id, "name": "n", "starts_at": "2026-01-01T00:00:00Z", "goal": goal,
            "attribution_window_days": days, "control_variant": random.choice(("control", "control", "A", "V" * 64)),
            "margins_bps": None if random.random() < 0.3 else {kind: random.choice(MARGINS) for kind in kinds},
        }  # fmt: skip
        return Step("define", (campaign_id, definition))

    def _profile(self) -> Step:
        tier = self.random.choice(TIERS)
        return Step("profile", (self.random.choice(CUSTOMERS), None if self.random.random() < 0.1 else {"tier": tier}))

    def _erase(self) -> Step:
        return Step("erase", (self.random.choice(CUSTOMERS), f"request-{len(self.sent)}"))


def life(random: Random) -> Life:
    """Return the beginning of a life under settings far apart."""
    count = random.choice((1, 1, 2, 5))
    models = ("last_touch",) if random.random() < 0.3 else tuple(random.sample(MODELS, count))
    policy = Policy(
        models=models,
        half_life_ms=random.choice((5e-324, 1e-9, 0.5, 3_600_000, 7 * DAY_MS, 36_500 * DAY_MS)) * 1.0,
        window_ms=int(random.choice(DAYS) * DAY_MS),
        margins_bps={kind: random.choice(MARGINS) for kind in ("deposit", "withdrawal", "payment")},
        default_kinds=random.choice((None, None, frozenset({"deposit", "payment"}))),
        lateness_ms=random.choice((1, DAY_MS // 2, 3 * DAY_MS, 3 * DAY_MS, 40 * DAY_MS)),
        future_ms=None,
        reversal_ms=random.choice((1, DAY_MS, 30 * DAY_MS, 30 * DAY_MS, 400 * DAY_MS)),
        zone=random.choice(ZONES),
        pseudonym_key=b"key",
    )
    return Life(random, policy, random.choice(STARTS_MS))
