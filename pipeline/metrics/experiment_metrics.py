"""Definitions of what experiments show: numbers of a comparison, and the columns that say what a row is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.metrics.definitions import COUNT, MINOR, RATIO, Dimension, MetricDefinition

if TYPE_CHECKING:
    from pipeline.metrics.definitions import Kind

_SOURCE: Final = "0032_experiments.sql"
_OUTCOME: Final = "of the outcome"
_RESULTS: Final = "ab_results"
_HISTORY: Final = "ab_history"
_TIERS: Final = "ab_tiers"


def _of(name: str, label: str, formula: str, unit: str, kind: Kind, *views: str) -> MetricDefinition:
    return MetricDefinition(
        f"ab_{name}", label, formula, unit, _SOURCE, kind, tuple(f"{view}.{name}" for view in views or (_RESULTS,))
    )


_BOTH: Final = (_RESULTS, _HISTORY)

EXPERIMENT_METRICS: Final = (
    _of("n", "Customers", "customers in the variant, reached or not", COUNT, "measure", *_BOTH),
    _of("ended", "Windows over", "of these, with their outcome window over", COUNT, "measure", *_BOTH, _TIERS),
    _of(
        "mean",
        "Mean",
        "sum of the outcome / customers, over everyone in the variant (in ab_history: with their window over)",
        _OUTCOME,
        "ratio",
        *_BOTH,
    ),
    _of("lift", "Lift", "mean - the control's mean", _OUTCOME, "ratio", *_BOTH, _TIERS),
    _of(
        "ci_low",
        "Lift, low",
        "lower end of the lift's 95 % interval at one look (Welch)",
        _OUTCOME,
        "ratio",
        *_BOTH,
        _TIERS,
    ),
    _of("ci_high", "Lift, high", "upper end of that interval", _OUTCOME, "ratio", *_BOTH, _TIERS),
    _of("p_value", "p", "Welch, two-sided; valid at one look planned beforehand", RATIO, "ratio", *_BOTH, _TIERS),
    _of("q_value", "p, adjusted", "p_value by Benjamini-Hochberg over the analysis's comparisons", RATIO, "ratio"),
    _of("ended_mean", "Mean, ended", "mean over customers with their window over", _OUTCOME, "ratio"),
    MetricDefinition(
        "ab_control_mean",
        "Control's mean",
        "mean of the control within the tier",
        _OUTCOME,
        "0034_experiment_boards.sql",
        "ratio",
        ("ab_tiers.control_mean",),
    ),
    _of("ended_lift", "Lift, ended", "ended_mean - the control's", _OUTCOME, "ratio"),
    _of(
        "always_low",
        "Lift, low at any look",
        "lower end of the always-valid 95 % interval of ended_lift (docs/ab.md)",
        _OUTCOME,
        "ratio",
        *_BOTH,
    ),
    _of("always_high", "Lift, high at any look", "upper end of that interval", _OUTCOME, "ratio", *_BOTH),
    _of(
        "always_valid_p",
        "p at any look",
        "always-valid p-value of ended_lift: it may be looked at any day",
        RATIO,
        "ratio",
        *_BOTH,
    ),
    _of(
        "always_valid_q",
        "p at any look, adjusted",
        "always_valid_p by Benjamini-Hochberg over the analysis's comparisons; at most 0.05 decides",
        RATIO,
        "ratio",
    ),
    _of("cuped_lift", "Lift, adjusted", "lift allowing for the behaviour before the assignment", _OUTCOME, "ratio"),
    _of("cuped_low", "Lift, adjusted, low", "lower end of its 95 % interval at one look", _OUTCOME, "ratio"),
    _of("cuped_high", "Lift, adjusted, high", "upper end of that interval", _OUTCOME, "ratio"),
    _of("cuped_p_value", "p, lift adjusted", "Welch on the adjusted outcome", RATIO, "ratio"),
    _of("srm_p", "Sample ratio p", "chi-square of customers against planned shares", RATIO, "ratio", *_BOTH),
    _of(
        "srm_sequential_p",
        "Sample ratio p at any look",
        "the same by a test that may be looked at any day",
        RATIO,
        "ratio",
        *_BOTH,
    ),
    _of("planned_share", "Planned share", "of customers, by variant_shares; equal without", RATIO, "ratio", *_BOTH),
    _of("tier_difference_p", "p, tiers differ", "Cochran's Q over the lifts of tiers, at one look", RATIO, "ratio"),
    _of("relevant_lift", "Lift that matters", "experiments.relevant_lift * the control's mean", _OUTCOME, "ratio"),
    _of(
        "detectable_lift",
        "Detectable lift",
        "lift that today's customers show with a chance of 80 %, at any look",
        _OUTCOME,
        "ratio",
    ),
    _of(
        "customers_needed",
        "Customers needed",
        "of variant and control, windows over, that show relevant_lift with a chance of 80 % at any look",
        COUNT,
        "measure",
    ),
    _of("customers_needed_once", "Customers needed, one look", "the same for one planned look", COUNT, "measure"),
    _of(
        "incremental_return_minor",
        "Incremental return",
        "lift of the return * customers (in ab_history: with their window over)",
        MINOR,
        "measure",
        *_BOTH,
    ),
    _of(
        "incremental_return_low",
        "Incremental return, low",
        "lower end of the lift's 95 % interval at one look * customers",
        "minor units",
        "measure",
    ),
    _of("incremental_return_high", "Incremental return, high", "upper end of it", "minor units", "measure"),
    _of(
        "cost_minor",
        "Cost of the variant",
        "touches of its customers + its cost events + its share of the campaign's",
        MINOR,
        "measure",
    ),
    _of(
        "incremental_cost_minor",
        "Incremental cost",
        "cost_minor - what as many customers of the control cost",
        MINOR,
        "measure",
        *_BOTH,
    ),
    _of(
        "incremental_roi",
        "Incremental ROI",
        "(incremental_return_minor - incremental_cost_minor) / incremental_cost_minor",
        RATIO,
        "ratio",
        *_BOTH,
    ),
    _of(
        "incremental_roi_low",
        "Incremental ROI, low",
        "by incremental_return_low (in ab_history: by the return's always-valid interval)",
        RATIO,
        "ratio",
        *_BOTH,
    ),
    _of("incremental_roi_high", "Incremental ROI, high", "the upper end, likewise", RATIO, "ratio", *_BOTH),
    _of("attributed_return_minor", "Attributed return", "return credited to the variant", MINOR, "measure"),
    _of("attributed_roi", "Attributed ROI", "(attributed_return_minor - cost_minor) / cost_minor", RATIO, "ratio"),
    _of("customers_left_out", "In two variants", "customers assigned to two variants", COUNT, "measure"),
    _of(
        "days_to_decision",
        "Days to decision",
        "until the smallest lift that matters would be shown with a chance of 80 %; null where it never would",
        "days",
        "measure",
    ),
)

EXPERIMENT_DIMENSIONS: Final = tuple(
    Dimension(*row)
    for row in (
        ("metric", "Metric", "the outcome of an experiment: converted, return, aum or logins"),
        ("is_control", "Is control", "1 for the variant that the others are compared with"),
        ("verdict", "Verdict", "what an experiment says, in words"),
        ("verdict_zh", "Verdict, Chinese", "the same in Chinese"),
        ("caveats", "Caveats", "what to bear in mind about a comparison, in words"),
        ("caveats_zh", "Caveats, Chinese", "the same in Chinese"),
        ("is_tested", "Is tested", "1 for a tier with enough data to be part of the test for a difference"),
        ("window_days", "Outcome window", "days from the assignment in which outcomes count"),
        ("computed_at", "Computed", "when `roi ab` was run"),
    )
)
