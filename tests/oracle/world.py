"""A small bank for generated logs: few customers and campaigns, so that everything collides with everything."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from schemas import topics
from tests.oracle.config import DAY_MS
from tests.oracle.corruptions import BAD_DIMENSIONS, Body, encoded

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

# the order of code points, of UTF-16 units and of collations differ on these
CUSTOMER_NAMES: Final = ("c-1", "C-1", "客户-7", "zoë", "\U0001f600", "ﬀ", "42", "a" * 64)
CAMPAIGN_NAMES: Final = ("spring.2026", "Spring.2026", "undefined", "retired", "wide", "0")
TIERS: Final = ("growth", "cultivation", "potential", "general")
VARIANTS: Final = (None, "control", "holdout", "A", "b_2")
CHANNELS: Final = ("app", "web", "counter", "sms", "call_center")
PRODUCTS: Final = ("fund-1", "fund-2")
# whole milliseconds as decimals, though 0.29 and 0.7 are not when multiplied as doubles and cut off
WINDOWS_DAYS: Final = (0.001, 0.29, 0.5, 0.7, 1, 3, 7, 30)
COMMON_KINDS: Final = ("deposit", "withdrawal", "payment", "wealth_purchase", "account_open")
MARGINS_BPS: Final = (-33, 0, 1, 33, 10_000)


@dataclass(slots=True)
class World:
    """Who and what events are about, with the dimension records that say so, as (topic, key, value) in order."""

    customers: Sequence[str]
    campaigns: Sequence[str]
    windows_ms: dict[str, int] = field(default_factory=dict)
    records: list[tuple[str, bytes | None, bytes | None]] = field(default_factory=list)


def build_world(random: Random, customers: int, campaigns: int, *, bad: bool = True) -> World:
    """Return a bank whose last named campaigns and customers partly have no definition, or had one."""
    world = World(_names(CUSTOMER_NAMES, customers), _names(CAMPAIGN_NAMES, campaigns))
    for campaign_id in world.campaigns:
        _define(random, world, campaign_id)
    for customer_id in world.customers:
        _describe(random, world, customer_id)
    if bad:
        _add_bad(random, world)
    return world


def _names(first: Sequence[str], count: int) -> list[str]:
    return [*first[:count], *(f"n{number}" for number in range(len(first), count))]


def _define(random: Random, world: World, campaign_id: str) -> None:
    world.windows_ms[campaign_id] = 7 * DAY_MS
    if campaign_id == "undefined":
        return
    key = campaign_id.encode()
    for _ in range(random.choice((1, 1, 2))):
        body = definition(random, campaign_id)
        world.records.append((topics.CAMPAIGNS, key, encoded(body)))
        world.windows_ms[campaign_id] = round(body.get("attribution_window_days", 7) * DAY_MS)
    if campaign_id == "retired":
        world.records.append((topics.CAMPAIGNS, key, None))
        world.windows_ms[campaign_id] = 7 * DAY_MS


def definition(random: Random, campaign_id: str) -> Body:
    """Return a random good campaign definition."""
    goal: dict[str, Any] = {"kinds": random.sample(COMMON_KINDS, random.randint(1, len(COMMON_KINDS)))}
    if random.random() < 0.2:
        goal["products"] = random.choice([None, list(PRODUCTS[:1]), list(PRODUCTS)])
    if random.random() < 0.3:
        goal["min_amount_minor"] = random.choice((0, 1, 100))
    body: Body = {
        "campaign_id": campaign_id,
        "name": f"Campaign {campaign_id}",
        "owner": random.choice((None, "growth team")),
        "starts_at": "2026-03-01T00:00:00+08:00",
        "ends_at": None,
        "budget_minor": 1_000_000,
        "goal": goal,
    }
    if random.random() < 0.7:
        body["attribution_window_days"] = random.choice(WINDOWS_DAYS)
    if random.random() < 0.3:
        body["control_variant"] = "holdout"
    if random.random() < 0.5:
        body["margins_bps"] = {
            kind: random.choice(MARGINS_BPS) for kind in random.sample(COMMON_KINDS, random.randint(0, 3))
        }
    return body


def _describe(random: Random, world: World, customer_id: str) -> None:
    key = customer_id.encode()
    for _ in range(random.choice((0, 1, 1, 2))):
        body: Body = {"customer_id": customer_id}
        if random.random() < 0.9:
            body["tier"] = random.choice((None, *TIERS))
        world.records.append((topics.CUSTOMERS, key, encoded(body)))
    if random.random() < 0.1:
        world.records.append((topics.CUSTOMERS, key, None))


def _add_bad(random: Random, world: World) -> None:
    good = [record for record in world.records if record[2] is not None]
    for topic, key, _ in random.sample(good, min(2, len(good))):
        name = (key or b"").decode()
        body = definition(random, name) if topic == topics.CAMPAIGNS else {"customer_id": name, "tier": "growth"}
        corruption = random.choice([bad for bad in BAD_DIMENSIONS if topic in bad.topics])
        world.records.append((topic, *corruption.apply(name.encode(), body)))
