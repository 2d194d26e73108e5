"""Campaigns with a known truth: what a journey costs and returns is chosen so that the settled ratio is as declared."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from pipeline.simulation.wire import DAY_MS, HOUR_MS, MINUTE_MS, stamp

if TYPE_CHECKING:
    from random import Random

Archetype = Literal["below", "edge", "above", "immature", "finished", "failed"]

CONTROL: Final = "control"
FULL_REVERSAL_SHARE: Final = 0.03
HALF_REVERSAL_SHARE: Final = 0.02
REDEEMED_SHARE: Final = 0.8
AMOUNT_SIGMA: Final = 0.5
JOURNEYS_PER_COST_EVENT: Final = 20

# eight campaigns: below 1:2, edge of it, above it, and good ones whose conversions are still to come
_ARCHETYPES: Final[tuple[Archetype, ...]] = (
    "above",
    "below",
    "edge",
    "above",
    "immature",
    "below",
    "above",
    "immature",
)
_RATIOS: Final[dict[Archetype, tuple[float, float]]] = {
    "below": (0.4, 1.5),
    "edge": (1.8, 2.2),
    "above": (2.6, 6.0),
    "immature": (2.6, 4.0),
    "finished": (1.4, 3.2),
    "failed": (0.4, 1.2),
}
_FAILED_EVERY: Final = 8  # of the finished campaigns: what a rule on trial should have found
_FINISHED_DAYS: Final = 10
_FINISHED_BEFORE_DAYS: Final = 34  # so that the longest window and the reversals after it have passed
_FINISHED_OVER_DAYS: Final = 180  # one after the other, so that the later ones have had peers themselves
_LAG_SPREAD: Final = 0.25  # of the logarithm, between campaigns for one product


@dataclass(frozen=True, slots=True)
class _Channel:
    token: str
    first_touch: str  # the kind of the touch that starts a journey
    touch_cost_minor: int
    event_cost_minor: int  # per journey, paid through cost events
    category: str
    voucher_minor: int = 0


_CHANNELS: Final = (
    _Channel("app_push", "send", 5, 145, "platform"),
    _Channel("sms", "send", 10, 190, "media"),
    _Channel("wecom", "send", 20, 280, "labour"),
    _Channel("call", "call", 150, 650, "labour"),
    _Channel("voucher", "voucher_issue", 10, 190, "media", 2_000),
)


@dataclass(frozen=True, slots=True)
class _Offer:
    kind: str
    noun: str
    margin_bps: int  # 0: the event itself says what it earns
    lag_ms: int  # mean time from a journey's start to its conversion, unless customers think it over


_OFFERS: Final = (
    _Offer("wealth_purchase", "wealth", 80, 5 * HOUR_MS),
    _Offer("card_spend", "card", 150, 40 * MINUTE_MS),
    _Offer("deposit", "deposit", 40, 2 * HOUR_MS),
    _Offer("loan_drawdown", "loan", 120, 6 * HOUR_MS),
    _Offer("insurance_purchase", "insurance", 0, 3 * HOUR_MS),
    _Offer("card_activation", "activation", 0, 30 * MINUTE_MS),
    _Offer("account_open", "account", 0, HOUR_MS),
)
_THOUGHT_OVER: Final = (_OFFERS[0], _OFFERS[3])  # what customers take days to decide on
_THOUGHT_OVER_LAG_MS: Final = 3 * DAY_MS
_PRODUCTS: Final = (*((offer, False) for offer in _OFFERS), *((offer, True) for offer in _THOUGHT_OVER))
_MONEYLESS: Final = frozenset({"card_activation", "account_open"})


@dataclass(frozen=True, slots=True)
class CampaignPlan:
    """Everything that drives one simulated campaign. Money in minor units, times in epoch milliseconds.

    A *journey* is one run of the campaign at one customer. Nobody but customers on a journey, and the never targeted,
    buys the campaign's own product, so what the campaign is credited with does not depend on the attribution model.

    Attributes:
        line: whose finished campaigns it is compared with.
        conversion_probability: of a journey of the treated, mean over the variants.
        baseline_probability: of a journey of the control variant: what would be bought without the campaign.
        variant_lift: the second treated variant converts ``1 + lift`` times the mean, the first ``1 - lift`` times.
        mean_return_minor: of one conversion before reversals.
        weight: how many times more journeys than a usual campaign.
    """

    campaign_id: str
    number: int
    archetype: Archetype
    channel: str
    first_touch: str
    kind: str
    product: str
    line: str
    margin_bps: int
    window_ms: int
    starts_ms: int
    ends_ms: int
    touch_cost_minor: int
    event_cost_minor: int
    cost_category: str
    voucher_minor: int
    control_share: float
    variants: tuple[str, ...]
    variant_lift: float
    conversion_probability: float
    baseline_probability: float
    mean_return_minor: float
    mean_lag_ms: int
    weight: int

    @property
    def moneyless(self) -> bool:
        """Whether a conversion moves no money (an opened account): it then cannot be reversed in parts."""
        return self.kind in _MONEYLESS

    @property
    def true_ratio(self) -> float:
        """Expected return / cost of the treated journeys once every conversion and reversal has come."""
        return self._ratio(self.conversion_probability, self.conversion_probability)

    @property
    def incremental_ratio(self) -> float:
        """The same, counting only the return that would not have come without the campaign."""
        return self._ratio(self.conversion_probability - self.baseline_probability, self.conversion_probability)

    def probability(self, variant: str | None) -> float:
        """Return the conversion probability of a journey in a variant."""
        if variant == CONTROL:
            return self.baseline_probability
        if len(self.variants) < 2:
            return self.conversion_probability
        lift = self.variant_lift if variant == self.variants[1] else -self.variant_lift
        return self.conversion_probability * (1 + lift)

    def truth(self) -> dict[str, object]:
        """Return what a decision about this campaign should be judged by."""
        ratios = {name: round(self._ratio(p, p), 6) for name in self.variants for p in (self.probability(name),)}
        return {
            "archetype": self.archetype,
            "return_ratio": round(self.true_ratio, 6),
            "incremental_return_ratio": round(self.incremental_ratio, 6),
            "variant_return_ratio": ratios,
            "conversion_probability": self.conversion_probability,
            "baseline_probability": self.baseline_probability,
            "mean_lag_days": self.mean_lag_ms / DAY_MS,
            "starts_at": stamp(self.starts_ms),
        }

    def definition(self) -> bytes:
        """Return the `Campaign` event body."""
        body: dict[str, object] = {
            "campaign_id": self.campaign_id,
            "name": f"{self.product.replace('_', ' ').title()} by {self.channel}",
            "product": self.line,
            "owner": f"team-{self.number % 5 + 1}",
            "starts_at": stamp(self.starts_ms),
            "ends_at": stamp(self.ends_ms),
            "budget_minor": 50_000_000,
            "goal": {"kinds": [self.kind], "products": [self.product]},
            "attribution_window_days": self.window_ms / DAY_MS,
            "control_variant": CONTROL,
        }
        if self.margin_bps:
            body["margins_bps"] = {self.kind: self.margin_bps}
        if self.variants:
            treated = (1 - self.control_share) / len(self.variants)
            body["variant_shares"] = {CONTROL: self.control_share} | dict.fromkeys(self.variants, treated)
        return json.dumps(body, separators=(",", ":")).encode()

    def _ratio(self, returning: float, redeeming: float) -> float:
        cost = self.touch_cost_minor + self.event_cost_minor + redeeming * REDEEMED_SHARE * self.voucher_minor
        return returning * self.mean_return_minor * _kept_share(self.kind) / cost


def plan_campaigns(rng: Random, count: int, begin_ms: int, now_ms: int) -> list[CampaignPlan]:
    """Return campaigns that begin soon after ``begin_ms``, except the immature ones: those begin shortly before now."""
    return [_running(rng, number, begin_ms, now_ms) for number in range(count)]


def plan_finished(rng: Random, count: int, first_number: int, now_ms: int) -> list[CampaignPlan]:
    """Return campaigns that are over, windows included: what running ones are compared with, the products in turn.

    They follow each other; the newest of each product are larger, and have controls.
    """
    return [_finished(rng, place, first_number + place, count, now_ms) for place in range(count)]


def _running(rng: Random, number: int, begin_ms: int, now_ms: int) -> CampaignPlan:
    archetype = _ARCHETYPES[number % len(_ARCHETYPES)]
    past = now_ms - begin_ms
    if archetype == "immature":
        offer = _THOUGHT_OVER[number % len(_THOUGHT_OVER)]
        starts = begin_ms + int(past * rng.uniform(0.88, 0.93))
    else:
        offer = _OFFERS[number % len(_OFFERS)]
        starts = begin_ms + int(past * rng.uniform(0.0, 0.3))
    period = (starts, now_ms + rng.randint(10, 60) * DAY_MS)
    return _plan(rng, number, archetype, offer, period, is_controlled=number % 3 == 0)


def _finished(rng: Random, place: int, number: int, count: int, now_ms: int) -> CampaignPlan:
    offer, is_thought_over = _PRODUCTS[place % len(_PRODUCTS)]
    newer = count - 1 - place
    before = _FINISHED_OVER_DAYS * DAY_MS * newer // count + rng.randrange(2 * DAY_MS)
    ends = now_ms - _FINISHED_BEFORE_DAYS * DAY_MS - before
    period = (ends - _FINISHED_DAYS * DAY_MS, ends)
    controlled = newer < len(_PRODUCTS)
    archetype: Archetype = "failed" if place % _FAILED_EVERY == _FAILED_EVERY - 1 else "finished"
    return _plan(rng, number, archetype, offer, period, is_thought_over=is_thought_over, is_controlled=controlled)


def _plan(  # noqa: PLR0913 - what tells one campaign from another
    rng: Random,
    number: int,
    archetype: Archetype,
    offer: _Offer,
    period: tuple[int, int],
    *,
    is_thought_over: bool = False,
    is_controlled: bool,
) -> CampaignPlan:
    channel = _CHANNELS[number % len(_CHANNELS)]
    immature = archetype == "immature"
    is_thought_over |= immature
    probability = rng.uniform(0.08, 0.2)
    cost = channel.touch_cost_minor + channel.event_cost_minor + probability * REDEEMED_SHARE * channel.voucher_minor
    ratio = rng.uniform(*_RATIOS[archetype])
    is_finished = archetype in {"finished", "failed"}
    days = 21 if is_thought_over else 14 if is_finished else rng.choice((7, 7, 10, 14))
    lag = _THOUGHT_OVER_LAG_MS if is_thought_over else offer.lag_ms
    return CampaignPlan(
        campaign_id=f"c{number + 1:03d}-{offer.noun}-{channel.token}",
        number=number,
        archetype=archetype,
        channel=channel.token,
        first_touch=channel.first_touch,
        kind=offer.kind,
        product=f"{offer.noun}_{number + 1:03d}",
        line=f"{offer.noun}-plan" if is_thought_over else offer.noun,
        margin_bps=offer.margin_bps,
        window_ms=days * DAY_MS,
        starts_ms=period[0],
        ends_ms=period[1],
        touch_cost_minor=channel.touch_cost_minor,
        event_cost_minor=channel.event_cost_minor,
        cost_category=channel.category,
        voucher_minor=channel.voucher_minor,
        control_share=0.2 if is_controlled else 0.0,
        variants=("a", "b") if is_controlled else (),
        variant_lift=rng.choice((0.0, 0.15, 0.3)) if is_controlled else 0.0,
        conversion_probability=probability,
        baseline_probability=probability * rng.uniform(0.1, 0.6),
        mean_return_minor=ratio * cost / (probability * _kept_share(offer.kind)),
        mean_lag_ms=int(lag * rng.lognormvariate(0.0, _LAG_SPREAD)),
        weight=6 if immature else 3 if is_finished and is_controlled else 1,
    )


def _kept_share(kind: str) -> float:
    """Return the share of a conversion's return that reversals leave."""
    return 1.0 if kind in _MONEYLESS else 1 - FULL_REVERSAL_SHARE - HALF_REVERSAL_SHARE / 2
