"""What a simulated campaign is like. Frozen; a scenario names only what differs from the base."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Family = Literal["lognormal", "gamma", "pareto 1.5", "pareto 1.8", "pareto 2.2", "loans"]
"""Of values per conversion: the Pareto families by their exponent, ``loans``: 2 % of the values are 40 times larger."""

COST_PER_TOUCH: Final = 1_000.0
"""Minor units: the minimum cost of the rule is passed on the second day even with 60 touches a day."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A kind of campaign; campaigns differ within it by `lag_differs` and `conversion_differs`, and by chance.

    Attributes:
        name: as the table shows it.
        group: which part of the table it stands in.
        touches_a_day: volume.
        conversion: mean probability that a touch leads to a conversion.
        lag_hours: mean lag before the window cuts it.
        lag_shape: of the Weibull distribution of lags; 1 is exponential.
        sigma: standard deviation of log values, for the lognormal family.
        family: of values.
        days: planned duration.
        planned: whether the definition names the end.
        step_hours: hours between looks.
        window_hours: attribution window.
        weekday_swing: how far the conversion rate falls on Sundays, and touches by half of it.
        day_scatter: relative standard deviation of random day effects.
        repeats: chance that a customer converts once more, again and again.
        late_share: part of the conversions that come in the last fifth of the window; ``peer_late_share`` the peers'.
        lag_factor: own lags are so much longer than the peers'.
        lag_differs: standard deviation of the log of mean lags between campaigns.
        conversion_differs: likewise of conversion rates.
        by_count: the true ratio moves the conversion rate instead of the values.
        own_sigma: own values are lognormal with this sigma; None: as the peers'.
        wakes: the conversion rate is lower by this share until ``wakes_on_day``, and higher after; below 0: it fades.
        trend: the conversion rate rises by ± this share over the campaign.
        value_trend: likewise the value per conversion.
        season: amplitude of a wave of 28 days in the conversion rate that starts at its trough.
        peers: finished campaigns of the same product.
        reversed_share: of the conversions; ``peer_reversed_share`` where the peers' differs.
        reversal_hours: mean from conversion to reversal, 24 at least.
        cost_delay_hours: the cost of a touch is booked so much later.
        second_share: of conversions that are of a second product of 5 times the value; ``own_second_share`` the
            campaign's own, ``end_second_share`` what it has drifted to by its end.
        fading_volume: touches per hour fall exponentially to this share of the first by the end.
        pause: first and last day without touches.
        daylight: touches and conversions come only from 8 to 22 o'clock.
        slowing: lags are so much longer at the end of the campaign than at its start.
        peer_window_hours: the peers' window where it differs.
        peer_volume: the peers have so many times the touches.
        bursts: touches come only in two bursts of three hours a day, and a tenth of them at weekends.
        slow_share: of the customers whose lags are four times as long; ``own_slow_share`` the campaign's own.
        voucher: part of the cost that is booked when a voucher is redeemed, 5 days after its touch on average.
        reversal_least_hours: least from conversion to reversal.
        value_by_lag: how much more is worth what converts late: e to this for a standard deviation of lags.
        holiday: first and last day on which touches convert a tenth as often.
        bank: what transactions of the bank's other products are worth, relative to this one's; each as many.
    """

    name: str
    group: str = "earlier"
    touches_a_day: float = 600.0
    conversion: float = 0.02
    lag_hours: float = 36.0
    lag_shape: float = 1.0
    sigma: float = 1.0
    family: Family = "lognormal"
    days: int = 14
    planned: bool = True
    step_hours: int = 1
    window_hours: int = 168
    weekday_swing: float = 0.0
    day_scatter: float = 0.0
    repeats: float = 0.0
    late_share: float = 0.0
    peer_late_share: float = 0.0
    lag_factor: float = 1.0
    lag_differs: float = 0.25
    conversion_differs: float = 0.2
    by_count: bool = False
    own_sigma: float | None = None
    wakes: float = 0.0
    wakes_on_day: int = 5
    trend: float = 0.0
    value_trend: float = 0.0
    season: float = 0.0
    peers: int = 30
    reversed_share: float = 0.0
    peer_reversed_share: float | None = None
    reversal_hours: float = 96.0
    cost_delay_hours: int = 0
    second_share: float = 0.0
    own_second_share: float | None = None
    end_second_share: float | None = None
    fading_volume: float = 1.0
    pause: tuple[int, int] | None = None
    daylight: bool = False
    slowing: float = 1.0
    peer_window_hours: int | None = None
    peer_volume: float = 1.0
    bursts: bool = False
    slow_share: float = 0.0
    own_slow_share: float | None = None
    voucher: float = 0.0
    reversal_least_hours: float = 24.0
    value_by_lag: float = 0.0
    holiday: tuple[int, int] | None = None
    bank: tuple[float, ...] = ()

    @property
    def hours(self) -> int:
        """Planned duration."""
        return 24 * self.days
