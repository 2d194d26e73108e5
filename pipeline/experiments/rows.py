"""An analysis as flat rows: the columns of the view ab_results, and what `roi ab --json` adds to them. Pure."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from pipeline.experiments.caveats import caveats
from pipeline.experiments.history import daily_looks
from pipeline.experiments.verdict import Decision
from pipeline.experiments.words import sentence
from pipeline.state.calendar import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.experiments.analysis import Analysis, Result
    from pipeline.experiments.incremental import DayMoney
    from pipeline.experiments.tiers import TierEffects

_EPOCH: Final = date(1970, 1, 1)
STORED: Final = (
    *("run", "campaign_id", "metric", "variant", "n", "mean", "lift", "ci_low", "ci_high", "p_value"),
    *("always_valid_p", "srm_p", "decision", "is_control", "ended", "ended_mean", "ended_lift", "always_low"),
    *("always_high", "q_value", "always_valid_q", "cuped_lift", "cuped_low", "cuped_high", "cuped_p_value"),
    *("srm_sequential_p", "verdict", "incremental_return_minor", "cost_minor", "incremental_cost_minor"),
    *("incremental_roi", "attributed_return_minor", "attributed_roi", "customers_left_out", "days_to_decision"),
    *("window_days", "as_of"),
)
"""Columns of ab_results; the rest of a row is stored as JSON."""

Row = dict[str, Any]


def result_rows(run: str, campaign_id: str, analysis: Analysis) -> list[Row]:
    """Return one row per metric and variant, the control's first; numbers that are not known are None."""
    rows: list[Row] = []
    for metric in analysis.design.metrics:
        rows.append(_control_row(analysis, metric))
        rows += [_variant_row(analysis, one) for one in analysis.results if one.compared.metric == metric]
    common = {"run": run, "campaign_id": campaign_id}
    return [common | row | _of_all(analysis, row["variant"]) for row in rows]


def day_rows(run: str, campaign_id: str, analysis: Analysis) -> Iterator[Row]:
    """Yield one row per day, metric and variant: the columns of ab_history."""
    for look in daily_looks(analysis.facts, analysis.design):
        lift, always = look.lift, look.always
        yield {
            "run": run,
            "campaign_id": campaign_id,
            "metric": look.metric,
            "variant": look.variant,
            "day": (_EPOCH + timedelta(days=look.day)).isoformat(),
            "is_control": int(lift is None),
            "n": look.assigned,
            "ended": look.ended.customers,
            "mean": look.ended.mean,
            "lift": lift and lift.lift,
            "ci_low": lift and lift.low,
            "ci_high": lift and lift.high,
            "p_value": lift and lift.p_value,
            "always_low": always and _known(always.low),
            "always_high": always and _known(always.high),
            "always_valid_p": always and always.p_value,
            "srm_p": look.srm_p,
            "srm_sequential_p": look.srm_sequential_p,
            "planned_share": look.planned_share,
            **({} if look.money is None else _day_money(look.money)),
        }


def _day_money(money: DayMoney) -> Row:
    return {
        "incremental_return_minor": money.incremental_return,
        "incremental_cost_minor": money.incremental_cost,
        "cost_minor": money.cost,
        "incremental_roi": money.roi,
        "incremental_roi_low": money.roi_low,
        "incremental_roi_high": money.roi_high,
    }


def _of_all(analysis: Analysis, variant: str) -> Row:
    facts, ratio = analysis.facts, analysis.sample_ratio
    return {
        "srm_p": ratio.p_value,
        "srm_sequential_p": ratio.sequential_p,
        "planned_share": ratio.planned.get(variant),
        "control": analysis.design.control,
        "customers_left_out": facts.left_out,
        "window_days": facts.window_ms / DAY_MS,
        "as_of": datetime.fromtimestamp(facts.as_of_ms / 1000, UTC).isoformat(timespec="milliseconds"),
        "arms_by": "assign" if facts.by_assignment else "first_touch",
        "is_finished": analysis.is_finished,
    }


def _control_row(analysis: Analysis, metric: str) -> Row:
    facts, control = analysis.facts, analysis.design.control
    everyone = facts.outcomes(control, metric)
    ended = facts.outcomes(control, metric, lambda day: day.is_over)
    empty = dict.fromkeys((*_COMPARED, *_MONEY))
    return empty | {
        "metric": metric,
        "variant": control,
        "is_control": 1,
        "n": everyone.customers,
        "ended": ended.customers,
        "mean": everyone.mean,
        "ended_mean": ended.mean,
        "lift": 0.0,
        "verdict": "",
        "caveats": [],
        "tiers": [],
    }


_COMPARED: Final = (
    *("lift", "ci_low", "ci_high", "p_value", "q_value", "ended_lift", "always_low", "always_high", "always_valid_p"),
    *("always_valid_q", "cuped_lift", "cuped_low", "cuped_high", "cuped_p_value", "cuped_explained", "decision"),
    *("days_to_decision", "relevant_lift", "detectable_lift", "customers_needed", "customers_needed_once"),
    *("tier_difference_p",),
)
_MONEY: Final = (
    *("incremental_return_minor", "incremental_return_low", "incremental_return_high", "cost_minor"),
    *("incremental_cost_minor", "incremental_roi", "incremental_roi_low", "incremental_roi_high"),
    *("attributed_return_minor", "attributed_cost_minor", "attributed_roi", "return_per_cost"),
)


def _variant_row(analysis: Analysis, result: Result) -> Row:
    one, outlook = result.compared, result.outlook
    cuped = one.cuped
    return {
        "metric": one.metric,
        "variant": one.variant,
        "is_control": 0,
        "n": one.everyone.customers,
        "mean": one.everyone.mean,
        "lift": one.lift.lift,
        "ci_low": one.lift.low,
        "ci_high": one.lift.high,
        "p_value": one.lift.p_value,
        "q_value": result.q_value,
        "ended": one.ended.customers,
        "ended_mean": one.ended.mean,
        "ended_lift": one.ended_lift.lift if one.ended.customers and one.ended_control.customers else None,
        "always_low": _known(one.always.low),
        "always_high": _known(one.always.high),
        "always_valid_p": one.always.p_value,
        "always_valid_q": result.always_q,
        "cuped_lift": cuped and cuped.lift.lift,
        "cuped_low": cuped and cuped.lift.low,
        "cuped_high": cuped and cuped.lift.high,
        "cuped_p_value": cuped and cuped.lift.p_value,
        "cuped_explained": cuped and cuped.explained,
        "decision": str(result.decision),
        "days_to_decision": _days(result),
        "relevant_lift": outlook.relevant_lift,
        "detectable_lift": outlook.detectable_lift,
        "customers_needed": outlook.customers_needed,
        "customers_needed_once": outlook.customers_needed_once,
        "tier_difference_p": result.tiers.difference_p,
        "tiers": _tier_rows(result.tiers),
        "verdict": sentence(analysis, result),
        "caveats": caveats(analysis, result),
        **_money_row(analysis, one.variant),
    }


def _days(result: Result) -> int | None:
    """Return the days to a decision: none where it is made, unknown where none can be."""
    if result.decision is Decision.INVALID:
        return None
    return result.outlook.days if result.decision is Decision.TOO_EARLY else 0


def _tier_rows(tiers: TierEffects) -> list[Row]:
    return [
        {
            "tier": tier,
            "is_tested": tier in tiers.tested,
            "customers": tiers.customers[tier],
            "control_mean": tiers.control_means[tier],
            **asdict(lift),
        }
        for tier, lift in sorted(tiers.lifts.items())
    ]


def _money_row(analysis: Analysis, variant: str) -> Row:
    money = analysis.money[variant]
    return {
        "incremental_return_minor": money.incremental_return,
        "incremental_return_low": money.incremental_return_low,
        "incremental_return_high": money.incremental_return_high,
        "cost_minor": money.cost,
        "incremental_cost_minor": money.incremental_cost,
        "incremental_roi": money.incremental_roi,
        "incremental_roi_low": money.incremental_roi_low,
        "incremental_roi_high": money.incremental_roi_high,
        "attributed_return_minor": money.attributed_return,
        "attributed_cost_minor": money.attributed_cost,
        "attributed_roi": money.attributed_roi,
        "return_per_cost": money.return_per_cost and asdict(money.return_per_cost),
    }


def _known(bound: float) -> float | None:
    return bound if isfinite(bound) else None
