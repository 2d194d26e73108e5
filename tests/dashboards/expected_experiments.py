"""Board Experiments computed from the customers that the oracle knows: every formula again, written out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from math import log, sqrt
from statistics import mean, variance
from typing import TYPE_CHECKING, Final

from scipy import stats

from tests.dashboards.trials import SHARES, WINDOW_MS, trial_facts
from tests.oracle.events import Campaign
from tests.oracle.experiments import METRICS, Unit, units

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.oracle.facts import Row

GOAL: Final = Campaign(None, None, 0, WINDOW_MS, "control", {})
_EPOCH: Final = date(1970, 1, 1).toordinal()
_CONTROL: Final = "control"
TREATED: Final = ("A", "B")
EVENT_COSTS: Final = {"A": 30_000, "": 50_000}


@dataclass(frozen=True)
class Interval:
    """A difference of means with its interval."""

    lift: float
    low: float
    high: float


@cache
def everyone() -> tuple[Unit, ...]:
    """Return all customers who are in one variant."""
    return tuple(unit for unit in units(trial_facts(), "spring", GOAL, WINDOW_MS) if not unit.in_two)


@cache
def as_of_ms() -> int:
    """Return the newest event."""
    facts = trial_facts()
    touched = [touch.occurred_at for touch in facts.touches]
    paid = [transaction.occurred_at for transaction in facts.judged.transactions]
    return max(touched + paid + [login.occurred_at for login in facts.logins])


def is_over(unit: Unit) -> bool:
    """Tell whether the customer's window is over."""
    return unit.assigned_at + WINDOW_MS < as_of_ms()


def chosen(variant: str, wanted: Callable[[Unit], bool] = lambda _: True) -> list[Unit]:
    """Return a variant's customers."""
    return [unit for unit in everyone() if unit.variant == variant and wanted(unit)]


def outcomes(found: Sequence[Unit], metric: str) -> list[int]:
    """Return an outcome of customers."""
    return [unit.after[METRICS.index(metric)] for unit in found]


def welch(treated: Sequence[int], control: Sequence[int]) -> Interval:
    """Return the difference with its 95 % interval, by scipy."""
    found = stats.ttest_ind(treated, control, equal_var=False)
    interval = found.confidence_interval(0.95)
    return Interval(mean(treated) - mean(control), interval.low, interval.high)


def always(treated: Sequence[int], control: Sequence[int]) -> Interval | None:
    """Return it with the interval of docs/ab.md; None before it says anything."""
    n, m = len(treated), len(control)
    if min(n, m) < 50 or sum(value != 0 for value in (*treated, *control)) < 10:
        return None
    lift, one, two = mean(treated) - mean(control), variance(treated), variance(control)
    rho = (2 * log(20) + log(2 * log(20)) + 1) / 10_000
    x = 4 * n * m / (n + m) * rho
    z = sqrt((1 + 1 / x) * log((1 + x) / 0.05**2))
    degrees = (one / n + two / m) ** 2 / ((one / n) ** 2 / (n - 1) + (two / m) ** 2 / (m - 1))
    pooled = sqrt(((n - 1) * one + (m - 1) * two) / (n + m - 2) * (1 / n + 1 / m))
    half = max(sqrt(one / n + two / m) * stats.t.isf(stats.norm.sf(z), degrees), pooled * z)
    return Interval(lift, lift - half, lift + half)


def day_of(instant: int) -> int:
    """Return the business day, in days since 1970-01-01."""
    return trial_facts().business_day(instant) - _EPOCH


def days() -> range:
    """Return the days of the experiment."""
    return range(min(day_of(unit.assigned_at) for unit in everyone()), day_of(as_of_ms()) + 1)


def ended_by(variant: str, day: int) -> list[Unit]:
    """Return a variant's customers whose window was over by the end of a day."""
    return chosen(variant, lambda unit: is_over(unit) and day_of(unit.assigned_at + WINDOW_MS) <= day)


def _time(day: int) -> str:
    midnight = datetime.combine(date.fromordinal(day + _EPOCH), datetime.min.time(), trial_facts().config.zone_info)
    return midnight.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def lift_days(outcome: str, test: Callable[[Sequence[int], Sequence[int]], Interval | None]) -> list[Row]:
    """Return the lift on each day of which the always-valid test says anything."""
    rows: list[Row] = []
    for day in days():
        kept = outcomes(ended_by(_CONTROL, day), outcome)
        for variant in TREATED:
            treated = outcomes(ended_by(variant, day), outcome)
            if always(treated, kept) is None:
                continue
            found = test(treated, kept)
            assert found is not None
            base = abs(mean(kept))
            band = {"lift": found.lift / base, "lift_low": found.low / base, "lift_high": found.high / base}
            rows.append({"time": _time(day), "name": "spring", "variant": variant, **band})
    return rows


def shares() -> list[Row]:
    """Return the customers' shares by day."""
    rows: list[Row] = []
    for day in days():
        counts = {
            variant: len(chosen(variant, lambda unit: day_of(unit.assigned_at) <= day))  # noqa: B023 - called at once
            for variant in sorted(SHARES)
        }
        for variant, count in counts.items():
            share = {"share": count / sum(counts.values()), "planned_share": SHARES[variant] / 4}
            rows.append({"time": _time(day), "name": "spring", "variant": variant, **share})
    return rows


def _spent(variant: str, found: Sequence[Unit]) -> int:
    """Return what customers cost: their touches and, by customers, cost events; the control bears its own alone."""
    treated = sum(len(chosen(name)) for name in TREATED)
    shared = 0 if variant == _CONTROL else round(EVENT_COSTS[""] * len(chosen(variant)) / treated)
    each = (EVENT_COSTS.get(variant, 0) + shared) / len(chosen(variant))
    return sum(unit.cost_minor for unit in found) + round(each * len(found))


def roi_days() -> list[Row]:
    """Return the incremental ROI on each day of which the always-valid test says anything of the return."""
    rows: list[Row] = []
    for day in days():
        control = ended_by(_CONTROL, day)
        for variant in TREATED:
            treated = ended_by(variant, day)
            found = always(outcomes(treated, "return"), outcomes(control, "return"))
            if found is None:
                continue
            cost = round(_spent(variant, treated) - _spent(_CONTROL, control) * len(treated) / len(control))
            roi = {
                name: (round(lift * len(treated)) - cost) / cost
                for name, lift in zip(("", "_low", "_high"), (found.lift, found.low, found.high), strict=True)
            }
            band = {f"incremental_roi{name}": value for name, value in roi.items()}
            rows.append({"time": _time(day), "name": "spring", "variant": variant, **band})
    return rows


def arms() -> list[Row]:
    """Return the variants."""
    rows: list[Row] = []
    in_two = sum(unit.in_two for unit in units(trial_facts(), "spring", GOAL, WINDOW_MS))
    counts = {variant: len(chosen(variant)) for variant in sorted(SHARES)}
    total = sum(counts.values())
    planned = [total * SHARES[variant] / 4 for variant in counts]
    for variant, count in counts.items():
        ended = chosen(variant, is_over)
        means = {metric: mean(outcomes(ended, metric)) for metric in METRICS}
        rows.append(
            {
                "campaign_id": "spring",
                "name": "spring",
                "variant": variant,
                "arm": "control" if variant == _CONTROL else "treated",
                "customers": count,
                "share": count / total,
                "planned_share": SHARES[variant] / 4,
                "ended": len(ended),
                "conversion_rate": means["converted"],
                "return_each_minor": means["return"],
                "aum_each_minor": means["aum"],
                "logins_each": means["logins"],
                "left_out": in_two,
                "srm_p": stats.chisquare(list(counts.values()), planned).pvalue,
            }
        )
    return rows


def money() -> list[Row]:
    """Return each variant in money, but for what attribution says."""
    rows: list[Row] = []
    control = chosen(_CONTROL)
    for variant in TREATED:
        treated = chosen(variant)
        found, n = welch(outcomes(treated, "return"), outcomes(control, "return")), len(treated)
        cost = _spent(variant, treated)
        extra = round(cost - _spent(_CONTROL, control) * n / len(control))
        rows.append(
            {
                "campaign_id": "spring",
                "name": "spring",
                "variant": variant,
                "incremental_return_minor": round(found.lift * n),
                "incremental_return_low": round(found.low * n),
                "incremental_return_high": round(found.high * n),
                "incremental_cost_minor": extra,
                "incremental_roi": (round(found.lift * n) - extra) / extra,
                "cost_minor": cost,
            }
        )
    return rows


def tiers(outcome: str) -> list[Row]:
    """Return the lift within each tier."""
    rows: list[Row] = []
    for variant in TREATED:
        for tier in ("gold", "mass"):
            treated, kept = (
                outcomes(chosen(arm, lambda unit: is_over(unit) and unit.tier == tier), outcome)  # noqa: B023 - at once
                for arm in (variant, _CONTROL)
            )
            found, base = welch(treated, kept), abs(mean(kept))
            rows.append(
                {
                    "campaign_id": "spring",
                    "name": "spring",
                    "variant": variant,
                    "tier": tier,
                    "ended": len(treated) + len(kept),
                    "lift": found.lift / base,
                    "lift_low": found.low / base,
                    "lift_high": found.high / base,
                }
            )
    return rows
