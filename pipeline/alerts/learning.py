"""What finished campaigns teach their successors of the same product: the peer library. Pure.

Steps 2, 3, 4, 8 and 9 of rule C13 (docs/stop-rule.md). With fewer than three peers their spread cannot be learnt and
wide defaults stand for it; without any, the generic library of step 10 does.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from math import sqrt
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pipeline.alerts.lag import LagCurves, bin_hours, generic_curves, pooled_curve, spread_of_lags, stretched_curves
from pipeline.alerts.reversals import MAX_SHARE, arrived_and_reversed, median_hours, reversal_bins
from pipeline.alerts.values import COLD_SHAPE, ValueShape, shape_of
from pipeline.alerts.weekdays import swing_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.alerts.statistics import FinishedCampaign, Floats

MIN_CONVERSIONS: Final = 8
"""A campaign with fewer teaches nothing."""
MIN_LEVEL: Final = 4
"""Customers of a product that a campaign needs for its level to count."""
MIN_SHAPE: Final = 30
"""Customers of a product that peers need together for its shape to be its own."""
MIN_REVERSAL_VARIATION: Final = 0.25
"""Squared coefficient of variation of reversal rates between campaigns that is always reckoned with."""


@dataclass(frozen=True, slots=True)
class ProductLevel:
    """How one product's values stand beside those of the product that most peers sold (step 9).

    Attributes:
        shape: its value shape.
        level: b_k, mean of its log values less that of the reference product; 0 for the reference itself.
        spread: τb², variance of that between campaigns beyond noise.
    """

    shape: ValueShape
    level: float
    spread: float


@dataclass(frozen=True)
class PeerLibrary:
    """What is known of a product before a campaign of it begins. Equal libraries say the same.

    Attributes:
        product: whose.
        window_hours: attribution window it was made for.
        campaigns: number of peers.
        customers: how many customers of theirs it rests on.
        lag_curve: pooled share by bin edge; empty without peers.
        lag_spread: τ.
        reversed_share: q.
        reversal_kernel: K by bin.
        reversal_strength: the peers' q weighs as much as so many reversals of the campaign's own.
        weekday_profile: 7 factors, Monday first.
        dispersion: φ.
        shape: of all customers, whatever they bought.
        products: by name, of the products that can be told apart; empty with fewer than two.
        level: m̄, mean between peers of the log mean value; None without peers.
        level_spread: τm.
    """

    product: str
    window_hours: float
    campaigns: int
    customers: int
    lag_curve: tuple[float, ...]
    lag_spread: float
    reversed_share: float
    reversal_kernel: tuple[float, ...]
    reversal_strength: float
    weekday_profile: tuple[float, ...]
    dispersion: float
    shape: ValueShape
    products: dict[str, ProductLevel]
    level: float | None
    level_spread: float

    def __hash__(self) -> int:
        return hash((self.product, self.window_hours, self.campaigns, self.customers, self.lag_curve))

    @cached_property
    def curves(self) -> LagCurves:
        """The lag library."""
        if not self.campaigns:
            return generic_curves(self.window_hours)
        return stretched_curves(np.array(self.lag_curve), self.lag_spread, self.window_hours)

    @cached_property
    def arrived_and_reversed(self) -> tuple[Floats, Floats]:
        """F and F*K by bin edge."""
        return arrived_and_reversed(self.curves, np.array(self.reversal_kernel))

    @cached_property
    def mean_curve(self) -> Floats:
        """Share of the final return that is in by bin edge, the mean over all curves; reversals as the peers' were."""
        arrived, gone = self.arrived_and_reversed
        share = self.reversed_share
        return np.asarray(self.curves.prior @ ((arrived - share * gone) / (1 - share)))

    @cached_property
    def half_reversed_hours(self) -> float:
        """Hours from conversion by which half of the reversals have come; 0 where there are none."""
        return median_hours(np.array(self.reversal_kernel), self.unit_hours) if self.reversed_share else 0.0

    @property
    def unit_hours(self) -> float:
        """Length of a bin of the curves."""
        return bin_hours(self.window_hours)

    @property
    def swings(self) -> bool:
        """Whether the conversion rate depends on the weekday."""
        return any(factor != 1 for factor in self.weekday_profile)

    def to_json(self) -> str:
        """Return the library as table alert_peers keeps it."""
        return json.dumps(asdict(self), allow_nan=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> PeerLibrary:
        """Return the library that `to_json` wrote."""
        body: dict[str, Any] = json.loads(text)
        for name in ("lag_curve", "reversal_kernel", "weekday_profile"):
            body[name] = tuple(body[name])
        body["shape"] = _shape(body["shape"])
        body["products"] = {
            name: ProductLevel(_shape(one["shape"]), one["level"], one["spread"])
            for name, one in body["products"].items()
        }
        return cls(**body)


def _shape(body: dict[str, Any]) -> ValueShape:
    parts: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in body.items()}
    return ValueShape(**parts)


def generic_library(product: str, window_hours: float) -> PeerLibrary:
    """Return what stands in where a product has no peers (step 10)."""
    return PeerLibrary(
        product=product,
        window_hours=window_hours,
        campaigns=0,
        customers=0,
        lag_curve=(),
        lag_spread=0.35,
        reversed_share=0.0,
        reversal_kernel=(0.0,),
        reversal_strength=1.0,
        weekday_profile=(1.0,) * 7,
        dispersion=1.0,
        shape=COLD_SHAPE,
        products={},
        level=None,
        level_spread=0.6,
    )


def learn(finished: Sequence[FinishedCampaign], product: str, window_hours: float) -> PeerLibrary:
    """Return what these finished campaigns teach.

    Args:
        finished: peers, in any order; those of another product or with fewer than 8 conversions teach nothing.
        product: whose library it is.
        window_hours: attribution window of the campaigns to be judged; of peers with a longer one only the conversions
            within it count, for the others would not have been credited.
    """
    peers = sorted(
        (one for one in finished if one.product == product and _teaches(one, window_hours)),
        key=lambda one: one.campaign_id,
    )
    totals = [_totals(one) for one in peers]
    shape = shape_of(totals)
    if shape is None:
        return generic_library(product, window_hours)
    lags = [one.lags[one.lags <= window_hours] for one in peers]
    swing = swing_of(peers)
    share, kernel, strength = _reversals(peers, window_hours)
    level, spread = _level(totals, shape)
    return PeerLibrary(
        product=product,
        window_hours=window_hours,
        campaigns=len(peers),
        customers=shape.customers,
        lag_curve=tuple(pooled_curve(np.concatenate(lags), window_hours).tolist()),
        lag_spread=spread_of_lags(lags),
        reversed_share=share,
        reversal_kernel=kernel,
        reversal_strength=strength,
        weekday_profile=tuple(swing.profile.tolist()),
        dispersion=swing.dispersion,
        shape=shape,
        products=_products(peers),
        level=level,
        level_spread=spread,
    )


def _teaches(one: FinishedCampaign, window_hours: float) -> bool:
    return int(np.count_nonzero(one.lags <= window_hours)) >= MIN_CONVERSIONS and _totals(one).size > 0


def _totals(one: FinishedCampaign) -> Floats:
    return np.concatenate([values[values > 0] for _, values in sorted(one.totals.items())] or [np.zeros(0)])


def _level(totals: list[Floats], shape: ValueShape) -> tuple[float, float]:
    """Return m̄ and τm: mean and standard deviation between peers of the log mean value (step 8)."""
    means = np.array([np.log(one).mean() for one in totals])
    noise = np.array([np.log(one).var() / len(one) for one in totals])
    spread = sqrt(max(0.02, float(np.var(means, ddof=1) - noise.mean()))) if len(totals) > 2 else 0.6
    return float(means.mean()) + shape.distance[0], spread


def _reversals(peers: list[FinishedCampaign], window_hours: float) -> tuple[float, tuple[float, ...], float]:
    """Return q, K and how many own reversals the peers' q is worth (1 / squared variation between campaigns)."""
    arrivals = np.array([len(one.lags) for one in peers], dtype=np.float64)
    gone = np.array([min(len(one.reversal_hours), len(one.lags)) for one in peers], dtype=np.float64)
    share = min(float(gone.sum() / arrivals.sum()), MAX_SHARE)
    if share == 0:
        return 0.0, (0.0,), 1 / MIN_REVERSAL_VARIATION
    kernel = reversal_bins(np.concatenate([one.reversal_hours for one in peers]), bin_hours(window_hours))
    variation = MIN_REVERSAL_VARIATION
    if len(peers) > 2:
        beyond_noise = float(np.var(gone / arrivals, ddof=1) - (share * (1 - share) / arrivals).mean())
        variation = max(variation, beyond_noise / share**2)
    return share, tuple(kernel.tolist()), 1 / variation


def _products(peers: list[FinishedCampaign]) -> dict[str, ProductLevel]:
    """Return the products that peers tell apart, with their levels against the most frequent one (step 9)."""
    by_name: dict[str, list[Floats]] = {}
    for one in peers:
        for name, values in sorted(one.totals.items()):
            if np.count_nonzero(values > 0) >= MIN_LEVEL:
                by_name.setdefault(name, []).append(values[values > 0])
    if len(by_name) < 2:
        return {}
    shapes = {
        name: shape for name, kept in by_name.items() if (shape := shape_of(kept)) and shape.customers > MIN_SHAPE
    }
    if len(shapes) < 2:
        return {}
    reference = max(shapes, key=lambda name: (shapes[name].customers, name))
    levels = {reference: ProductLevel(shapes[reference], 0.0, 0.0)}
    for name, shape in shapes.items():
        if name != reference and (measured := _relative_level(peers, name, reference)):
            levels[name] = ProductLevel(shape, *measured)
    return levels if len(levels) > 1 else {}


def _relative_level(peers: list[FinishedCampaign], name: str, reference: str) -> tuple[float, float] | None:
    """Return b_k and τb² of a product; None where fewer than three peers sold both."""
    empty = np.zeros(0)
    distances, noises = [], []
    for one in peers:
        logs = [np.log(values[values > 0]) for values in (one.totals.get(key, empty) for key in (name, reference))]
        if min(map(len, logs)) >= MIN_LEVEL:
            distances.append(float(logs[0].mean() - logs[1].mean()))
            noises.append(max(sum(float(one.var()) / len(one) for one in logs), 1e-6))
    if len(distances) <= 2:
        return None
    level = float(np.average(distances, weights=1 / np.array(noises)))
    return level, max(0.0, float(np.var(distances, ddof=1) - np.mean(noises)))
