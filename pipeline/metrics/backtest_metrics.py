"""Definitions of what kept backtests show: rules side by side in money, and what each would have done to a campaign."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.metrics.definitions import COUNT, MINOR, RATIO, Dimension, MetricDefinition

if TYPE_CHECKING:
    from pipeline.metrics.definitions import Kind

_SOURCE: Final = "0031_backtests.sql"
_HOURS: Final = "hours"
_RULES: Final = "backtest_rules"
_CAMPAIGNS: Final = "backtest_campaigns"


def _of(view: str, name: str, label: str, formula: str, unit: str = COUNT) -> MetricDefinition:
    kind: Kind = "measure" if unit in {COUNT, MINOR} else "ratio"
    return MetricDefinition(f"backtest_{name}", label, formula, unit, _SOURCE, kind, (f"{view}.{name}",))


BACKTEST_METRICS: Final = (
    _of(_RULES, "campaigns", "Campaigns", "settled campaigns: their ratio can change no more"),
    _of(_RULES, "below_limit", "Ended below", "of these, ended below their limit"),
    _of(_RULES, "fired", "Fired", "settled campaigns on which the rule fired"),
    _of(_RULES, "fired_rightly", "Rightly", "of those fired on, ended below their limit"),
    _of(_RULES, "fired_wrongly", "Wrongly", "of those fired on, ended at or above their limit"),
    _of(_RULES, "fired_too_late", "Too late", "of those fired on rightly, after the last cost"),
    _of(_RULES, "not_settled", "Not settled", "campaigns whose ratio is not known yet: neither right nor wrong"),
    _of(_RULES, "fired_not_settled", "Fired, not settled", "of the campaigns not settled, those fired on"),
    _of(_RULES, "spend_avoided_minor", "Spend avoided", "cost after the firing, of those fired on rightly", MINOR),
    _of(_RULES, "return_given_up_minor", "Return given up", "the return of the spend avoided", MINOR),
    _of(_RULES, "return_forgone_minor", "Return forgone", "return after the firing, of those fired on wrongly", MINOR),
    _of(_RULES, "spend_not_made_minor", "Spend not made", "the cost of the return forgone", MINOR),
    _of(
        _RULES,
        "gain_at_limit_minor",
        "Gain at the limit",
        "over all fired on: limit * cost after the firing - return after it",
        MINOR,
    ),
    _of(_RULES, "precision", "Precision", "fired rightly / fired", RATIO),
    _of(_RULES, "recall", "Recall", "fired rightly / ended below", RATIO),
    _of(
        _RULES,
        "median_hours_to_fire",
        "Hours to firing, median",
        "from the first touch or cost, over those fired on rightly",
        _HOURS,
    ),
    _of(_CAMPAIGNS, "hours_to_fire", "Hours to firing", "from the first touch or cost", _HOURS),
    _of(_CAMPAIGNS, "settled_ratio", "Settled ratio", "return / cost once all has come in", RATIO),
    _of(_CAMPAIGNS, "ratio_so_far", "Ratio so far", "return / cost by the last step looked at", RATIO),
    _of(_CAMPAIGNS, "cost_after_firing_minor", "Cost after firing", "cost of the touches after the firing", MINOR),
    _of(
        _CAMPAIGNS, "return_after_firing_minor", "Return after firing", "return of the touches after the firing", MINOR
    ),
    _of(
        _CAMPAIGNS,
        "withheld_steps",
        "Withheld",
        "steps at which a breach had held, but too many of all would have been false (alerts.false_share_limit)",
    ),
)

BACKTEST_DIMENSIONS: Final = tuple(
    Dimension(*row)
    for row in (
        ("rule", "Rule", "the rule of a backtest: `plain`, `default` or a file's name"),
        ("place", "Place", "the rule's place among those compared"),
        ("decides_by", "Decides by", "what a rule decides by: the ratio so far, or the product's own rule"),
        ("source", "Source", "where the past of a backtest comes from: a run, or an export"),
        ("kept_at", "Kept", "when the backtest was kept (`roi backtest --keep`)"),
        ("first_at", "First", "first touch or cost of the campaign"),
        ("held_from", "Breached from", "since when the breach that led to the firing had held"),
        ("fired_at", "Fired", "when the rule would have fired; null: never"),
        ("resolved_at", "Resolved", "when it would have resolved; null: not"),
        ("fired_right", "Rightly", "1 if the campaign ended below its limit, 0 if not; null: not fired or not settled"),
    )
)
