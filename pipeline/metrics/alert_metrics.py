"""Definitions of what alerts show: numbers of a verdict, and the columns that say what a row is about."""

from __future__ import annotations

from typing import Final

from pipeline.metrics.definitions import COUNT, RATIO, Dimension, MetricDefinition

_SOURCE: Final = "0015_alerts.sql"

ALERT_METRICS: Final = (
    MetricDefinition(
        "upper_bound",
        "Upper bound",
        "the largest settled return / cost that the data do not rule out at the rule's confidence",
        RATIO,
        _SOURCE,
        "ratio",
        ("alerts.upper_bound",),
    ),
    MetricDefinition(
        "money_at_risk_minor",
        "Money at risk",
        "what is still to be spent * (required - forecast ratio) / required; null where no budget or end is known",
        "minor units",
        _SOURCE,
        "measure",
        ("alerts.money_at_risk_minor",),
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
)

ALERT_DIMENSIONS: Final = tuple(
    Dimension(*row)
    for row in (
        ("alert_id", "Alert", "one episode of a campaign: a new one begins when a resolved alert breaches again"),
        ("campaign_name", "Campaign name", "name in the definition"),
        ("owner", "Owner", "owner in the definition, or whom a silence is for"),
        ("opened_at", "Opened", "when the episode's breach was first seen"),
        ("decision", "Decision", "stop, optimise or continue"),
        ("decided_by", "Decided by", "name of the token that decided"),
        ("change_id", "Change", "one change of an alert's state"),
        ("previous_state", "From state", "the state before the change"),
        ("event", "Event", "what made the change"),
        ("by", "By", "name of the token that asked for it; null for the rule itself"),
        ("note", "Note", "what was written beside it"),
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
