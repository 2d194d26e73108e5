"""The scenarios of the calibration table. Those of group "drawn last" were drawn after the rule was fixed."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from bench.stop_rule.scenario import Scenario

_LONG: Final = 3  # hours between looks of campaigns of three weeks and more

_EARLIER: Final = (
    Scenario("base: 600 touches a day, σ 1.0"),
    Scenario("heavy values, σ 1.6", sigma=1.6),
    Scenario("60 touches a day", touches_a_day=60),
    Scenario("6,000 touches a day", touches_a_day=6000),
    Scenario("60 touches a day, σ 1.6", touches_a_day=60, sigma=1.6),
    Scenario("1,800 touches a day, σ 1.6", touches_a_day=1800, sigma=1.6),
    Scenario("0.5 % convert", conversion=0.005),
    Scenario("10 % convert", conversion=0.10),
    Scenario("lag 6 h", lag_hours=6),
    Scenario("lag 72 h", lag_hours=72),
    Scenario("lag Weibull 0.6", lag_shape=0.6),
    Scenario("lag twice the peers'", lag_factor=2.0),
    Scenario("weekday swing 30 %", weekday_swing=0.3),
    Scenario("weekday swing 30 %, σ 1.6", weekday_swing=0.3, sigma=1.6),
    Scenario("a quarter comes late, peers' too", late_share=0.25, peer_late_share=0.25),
    Scenario("a quarter comes late, peers' not", late_share=0.25),
    Scenario("customers convert repeatedly", repeats=0.4),
    Scenario("light values, Gamma ½", family="gamma"),
    Scenario("Pareto 2.2", family="pareto 2.2"),
    Scenario("Pareto 1.5 (infinite variance)", family="pareto 1.5"),
    Scenario("2 % loans of 40 times the value", family="loans"),
    Scenario("values unlike the peers': σ 1.3", own_sigma=1.3),
    Scenario("day effects 30 %", day_scatter=0.3),
    Scenario("wakes up on day 6", wakes=0.4),
    Scenario("5 peers", peers=5),
    Scenario("few convert, not less value", by_count=True),
    Scenario("few convert, σ 1.6", by_count=True, sigma=1.6),
    Scenario(
        "worst mix of all",
        sigma=1.6,
        weekday_swing=0.3,
        repeats=0.3,
        lag_hours=72,
        late_share=0.15,
        peer_late_share=0.15,
    ),
    Scenario("fades on day 6", wakes=-0.4),
    Scenario("8 % reversed", reversed_share=0.08),
    Scenario("peers 8 % reversed, own 0", reversed_share=0.0, peer_reversed_share=0.08),
    Scenario("peers 8 % reversed, own 20 %", reversed_share=0.20, peer_reversed_share=0.08),
    Scenario("cost booked a day late", cost_delay_hours=24),
    Scenario("weekday swing 60 %", weekday_swing=0.6),
    Scenario("two products", second_share=0.2),
    Scenario("two products, share doubled", second_share=0.2, own_second_share=0.4),
    Scenario("7 days", days=7),
    Scenario("30 days", days=30, step_hours=_LONG),
    Scenario("60 days", days=60, step_hours=_LONG),
    Scenario("60 days, 200 touches a day", days=60, step_hours=_LONG, touches_a_day=200),
    Scenario("no end date", planned=False),
    Scenario("no end date, σ 1.6", planned=False, sigma=1.6),
    Scenario("no end date, 60 days", planned=False, days=60, step_hours=_LONG),
)
_COLD: Final = (
    Scenario("0 peers", peers=0),
    Scenario("0 peers, σ 1.6", peers=0, sigma=1.6),
    Scenario("0 peers, Gamma ½", peers=0, family="gamma"),
    Scenario("1 peer", peers=1),
    Scenario("2 peers", peers=2),
    Scenario("3 peers", peers=3),
    Scenario("3 peers, σ 1.6", peers=3, sigma=1.6),
)
_BANK: Final = (0.2, 5.0)
_FEW: Final = (
    Scenario("few convert", by_count=True, sigma=1.2),
    Scenario("few convert, no end date", by_count=True, sigma=1.2, planned=False),
    Scenario("few convert, 0 peers, other products at the bank", by_count=True, sigma=1.2, peers=0, bank=_BANK),
    Scenario(
        "few convert, 0 peers, other products, no end date",
        by_count=True,
        sigma=1.2,
        peers=0,
        bank=_BANK,
        planned=False,
    ),
    Scenario("0.1 % convert, 0 peers, other products at the bank", conversion=0.001, peers=0, bank=_BANK),
    Scenario("0.1 % convert, 0 peers, other products are smaller", conversion=0.001, peers=0, bank=(0.2, 0.2)),
)
_HELD_OUT: Final = (
    Scenario(
        "H1 σ 1.3, Weibull 0.7, lag 50 h, 5 % reversed",
        sigma=1.3,
        lag_shape=0.7,
        lag_hours=50,
        touches_a_day=900,
        reversed_share=0.05,
    ),
    Scenario("H2 wakes up on day 5 (half), 21 days", wakes=0.5, wakes_on_day=4, days=21, step_hours=_LONG),
    Scenario("H3 slow rise ±30 %", trend=0.3),
    Scenario("H4 Gamma ½, weekdays 45 %, day effects 20 %", family="gamma", weekday_swing=0.45, day_scatter=0.2),
    Scenario("H5 Pareto 1.8, lag 1.5 times the peers'", family="pareto 1.8", lag_factor=1.5),
    Scenario(
        "H6 cost a day late, 6 % reversed, repeats, σ 1.3",
        cost_delay_hours=24,
        reversed_share=0.06,
        sigma=1.3,
        repeats=0.3,
    ),
    Scenario("H7 21 days, 5 peers, σ 1.3", days=21, step_hours=_LONG, peers=5, sigma=1.3),
    Scenario("H8 2 peers, lag 1.5 times, σ 1.2", peers=2, lag_factor=1.5, own_sigma=1.2),
    Scenario("H9 slow fall ±30 %", trend=-0.3),
)
_NEW: Final = (
    Scenario("N1 season: a wave of 28 days, ±25 %", season=0.25, days=28, step_hours=_LONG),
    Scenario("N2 product mix drifts from 10 to 30 %", second_share=0.1, own_second_share=0.1, end_second_share=0.3),
    Scenario("N3 value per customer rises ±30 %", value_trend=0.3),
    Scenario("N4 value per customer falls ±30 %", value_trend=-0.3),
    Scenario("N5 window 48 h, lag 10 h", window_hours=48, lag_hours=10),
    Scenario("N6 peers with a window of 14 days", peer_window_hours=336, lag_hours=60),
    Scenario("N7 half of the touches in 3 days", fading_volume=0.04, touches_a_day=1500),
    Scenario("N8 by day only", daylight=True),
    Scenario("N9 paused on days 5 to 8", pause=(5, 8)),
    Scenario("N10 lags double during the campaign", slowing=2.0),
    Scenario("N11 window 30 days, lag 150 h, 60 days", window_hours=720, lag_hours=150, days=60, step_hours=_LONG),
    Scenario(
        "N12 loans, repeats, weekdays, 5 % reversed",
        family="loans",
        repeats=0.3,
        weekday_swing=0.3,
        reversed_share=0.05,
    ),
)
_DRAWN: Final = (
    Scenario("D1 touches in two bursts a day, quiet weekends", bursts=True),
    Scenario("D2 two cohorts, one four times as slow: peers 20 %, own 50 %", slow_share=0.2, own_slow_share=0.5),
    Scenario("D3 half of the cost is vouchers, booked when redeemed", voucher=0.5),
    Scenario("D4 15 % reversed, 20 days later", reversed_share=0.15, reversal_least_hours=360, reversal_hours=480),
    Scenario("D5 what comes late is worth more", value_by_lag=0.5),
    Scenario("D6 10 days, window 3 days", days=10, window_hours=72, lag_hours=20),
    Scenario("D7 holiday: a tenth converts on days 7 to 9", holiday=(7, 9)),
    Scenario("D8 peers with twice the volume, σ 1.3", peer_volume=2.0, sigma=1.3),
    Scenario("D9 no end date, rate rises ±30 %", planned=False, trend=0.3),
    Scenario("D10 60 days, lags double, 300 touches a day", days=60, step_hours=_LONG, touches_a_day=300, slowing=2.0),
    Scenario("D11 holiday, two bursts, repeats, 4 peers", holiday=(6, 7), bursts=True, repeats=0.3, peers=4),
    Scenario("D12 0 peers, what comes late is worth less", peers=0, value_by_lag=-0.5),
)
"""Drawn after `boundary.EXPONENT` had been fixed, which nothing was changed after."""


def _in_group(group: str, scenarios: tuple[Scenario, ...]) -> tuple[Scenario, ...]:
    return tuple(replace(scenario, group=group) for scenario in scenarios)


SCENARIOS: Final = (
    *_in_group("earlier", _EARLIER),
    *_in_group("cold start", _COLD),
    *_in_group("nearly nobody converts", _FEW),
    *_in_group("held out", _HELD_OUT),
    *_in_group("new", _NEW),
    *_in_group("drawn last", _DRAWN),
)
_BY_NAME: Final = {scenario.name: scenario for scenario in SCENARIOS}
CURVES: Final = tuple(
    _BY_NAME[name]
    for name in (
        "base: 600 touches a day, σ 1.0",
        "heavy values, σ 1.6",
        "1,800 touches a day, σ 1.6",
        "0 peers",
        "7 days",
        "60 touches a day",
    )
)
"""Those of the plot of power."""
MIXES: Final = (_BY_NAME["base: 600 touches a day, σ 1.0"], _BY_NAME["heavy values, σ 1.6"])
"""Those of which many run at once."""
DEAD: Final = tuple(one for one in SCENARIOS if one.group == "nearly nobody converts" and one.by_count)
"""Those that are also measured where nearly nobody converts: the ratio moves their conversion rate."""
