"""Definitions of what alerts show: numbers of a verdict, and the columns that say what a row is about."""

from __future__ import annotations

from typing import Final

from pipeline.metrics.definitions import COUNT, MINOR, RATIO, Dimension, Kind, MetricDefinition

_SOURCE: Final = "0015_alerts.sql"
_BOARDS: Final = "0022_campaign_boards.sql"


def _outcome(name: str, label: str, formula: str, unit: str = MINOR, kind: Kind = "measure") -> MetricDefinition:
    source = "0021_decision_outcomes.sql"
    return MetricDefinition(name, label, formula, unit, source, kind, (f"decision_outcomes.{name}",))


_OF_THE_NEWEST: Final[tuple[tuple[str, str, str, str, Kind], ...]] = (
    (
        "forecast_low",
        "Forecast, low",
        "lower end of the forecast ratio's band at the rule's confidence",
        RATIO,
        "ratio",
    ),
    ("forecast_high", "Forecast, high", "upper end of that band", RATIO, "ratio"),
    ("confidence", "Confidence", "with which the rule says that a campaign stays below", RATIO, "ratio"),
    (
        "converters_expected",
        "Converters expected",
        "how many a campaign at the required ratio would have by now",
        COUNT,
        "measure",
    ),
    (
        "converters_needed",
        "Converters needed",
        "about how many it takes to decide; null where the alert does not say",
        COUNT,
        "measure",
    ),
    (
        "ratio_without",
        "Ratio without it",
        "forecast ratio of the campaign less the part that the advice names",
        RATIO,
        "ratio",
    ),
)

ALERT_METRICS: Final = (
    MetricDefinition(
        "upper_bound",
        "Upper bound",
        "the largest settled return / cost that the data do not rule out at the rule's confidence",
        RATIO,
        _SOURCE,
        "ratio",
        ("alerts.upper_bound", "board_alerts.upper_bound", "campaign_alerts.upper_bound"),
    ),
    MetricDefinition(
        "money_at_risk_minor",
        "Money at risk",
        "what is still to be spent * (required - forecast ratio) / required; null where no budget or end is known",
        "minor units",
        _SOURCE,
        "measure",
        ("alerts.money_at_risk_minor", "board_alerts.money_at_risk_minor", "campaign_alerts.money_at_risk_minor"),
    ),
    *(
        MetricDefinition(name, label, formula, unit, _BOARDS, kind, (f"campaign_alerts.{name}",))
        for name, label, formula, unit, kind in _OF_THE_NEWEST
    ),
    MetricDefinition(
        "attempts",
        "Attempts",
        "how often the notice was handed to its receiver",
        COUNT,
        _SOURCE,
        "operational",
        ("notifications.attempts",),
    ),
    _outcome("days_so_far", "Days so far", "event days since the decision, up to 7", "days"),
    _outcome("cost_before_minor", "Cost, week before", "cost of the 7 days before the decision"),
    _outcome("return_before_minor", "Return, week before", "return of those days, by the time of the transactions"),
    _outcome("ratio_before", "Ratio, week before", "return_before_minor / cost_before_minor", RATIO, "ratio"),
    _outcome(
        "cost_after_minor", "Cost, week after", "cost of the 7 days from the decision on; null until they are over"
    ),
    _outcome("return_after_minor", "Return, week after", "return of those days; null until they are over"),
    _outcome("ratio_after", "Ratio, week after", "return_after_minor / cost_after_minor", RATIO, "ratio"),
    _outcome(
        "spend_avoided_minor",
        "Spend avoided",
        "cost of a week at the pace before, within budget and end, less cost_after_minor, at least 0",
    ),
)

ALERT_DIMENSIONS: Final = tuple(
    Dimension(*row)
    for row in (
        ("alert_id", "Alert", "one episode of a campaign: a new one begins when a resolved alert breaches again"),
        ("campaign_name", "Campaign name", "name in the definition"),
        ("owner", "Owner", "owner in the definition, or whom a silence is for"),
        ("opened_at", "Opened", "when the episode's breach was first seen"),
        (
            "decision",
            "Decision",
            "stop, optimise or continue; of an experiment better, worse, no_difference, too_early or invalid",
        ),
        ("advice_segment", "Advice on", "what the alert's advice would end: a channel, a variant or a tier"),
        ("advice_label", "Advice", "which of them"),
        ("decided_by", "Decided by", "name of the token that decided"),
        (
            "proposed_by",
            "Proposed by",
            "name of the token that proposes to stop, which waits for a second; null is none",
        ),
        ("proposal_reason", "Proposal", "why that person would stop the campaign"),
        ("approved_by", "Approved by", "name of the token that approved a stop where two must; '' is nobody"),
        ("decided_at", "Decided at", "when it was decided, by the wall clock"),
        ("change_id", "Change", "one change of an alert's state"),
        ("previous_state", "From state", "the state before the change"),
        ("event", "Event", "what made the change"),
        ("by", "By", "name of the token that asked for it; null for the rule itself"),
        ("note", "Note", "what was written beside it"),
        ("note_en", "Note, English", "the note as English readers read it"),
        ("note_zh", "Note, Chinese", "the note as Chinese readers read it"),
        ("reason_en", "Reason, English", "the reason as English readers read it; of a person, as it was written"),
        ("reason_zh", "Reason, Chinese", "the reason as Chinese readers read it; of a person, as it was written"),
        ("record", "Record", "the whole record as JSON"),
        ("notification_id", "Notification", "one message to one receiver"),
        ("receiver", "Receiver", "name in the settings"),
        ("sent_at", "Sent", "when the receiver took it; null until then"),
        ("message_id", "Message", "the id that the message keeps for ever"),
        ("message_type", "Type", "alert.firing, alert.resolved, campaign.stop, …"),
        ("last_error", "Last error", "why the receiver did not take it, without secrets"),
        ("silence_id", "Silence", "one silence"),
        ("until", "Until", "when the silence ends"),
    )
)
