"""Columns of the views that are no metrics: what a row is about, and when."""

from __future__ import annotations

from typing import Final

from pipeline.metrics.alert_metrics import ALERT_DIMENSIONS
from pipeline.metrics.definitions import Dimension

_VIEW_DIMENSIONS: Final = tuple(
    Dimension(*row)
    for row in (
        ("run", "Run", "`live`, or the name of a replay"),
        ("campaign_id", "Campaign", "the campaign; in the period views '' is the whole bank"),
        ("definition", "Definition", "the campaign's definition, as JSON"),
        ("variant", "Variant", "variant of the touch; '' is none"),
        ("tier", "Tier", "tier of the customer; in active_users '' is all, elsewhere it holds the cost events"),
        ("model", "Model", "attribution model; in segment_totals '' is the one that decides"),
        ("decides", "Decides", "1 for the attribution model that decides"),
        ("segment", "Segment", "what a row of segment_totals is split by: tier or variant"),
        ("label", "Label", "the tier or variant itself"),
        ("category", "Category", "category of the cost event, or `touch_` and the kind of the touch"),
        ("kind", "Kind", "kind of the touch or transaction; in halted_topics of the halt"),
        ("channel", "Channel", "channel of the transaction"),
        ("channel_class", "Channel class", "`online` or `counter`, by the table channel_classes; `all` is both"),
        ("scenario", "Scenario", "scenario of the transaction; '' is none"),
        ("recommended", "Recommended", "1 for touches that a model has chosen"),
        ("automated", "Automated", "1 for touches that no person made"),
        ("creditable", "Creditable", "1 for touches that may earn credit"),
        ("cross_bank", "Cross-bank", "1 for transactions between banks"),
        ("counts", "Counts", "0 for a transaction that reversals have left nothing of"),
        ("engaged", "Engaged", "1 for a customer's day with an engaged login"),
        ("online", "Online", "1 for a customer's day with an online transaction"),
        ("customer", "Customer", "HMAC of the customer id"),
        ("customer_hash", "Customer", "HMAC of the customer id"),
        ("transaction_event_id", "Transaction", "event_id of the transaction"),
        ("touch_event_id", "Touch", "event_id of the touch"),
        ("family", "Family", "what a cell is kept by: tier, variant, minute or cohort"),
        ("coordinate", "Coordinate", "minute or touch day of a cell, in minutes or days since 1970-01-01; else 0"),
        ("lag", "Lag", "of a cohort's cell: whole 24-hour days from touch to transaction"),
        ("chapter", "Chapter", "the version under which a cell came to memory; sums go over all chapters"),
        ("day_number", "Day number", "business day, in days since 1970-01-01"),
        ("wau_change", "WAU change", "by how much the weekly active users differ from the day before"),
        ("mau_change", "MAU change", "by how much the monthly active users differ from the day before"),
        ("gross_day", "Gross day", "distinct customers with any login on the day"),
        ("gross_mau_change", "Gross MAU change", "by how much the gross monthly users differ from the day before"),
        ("shard", "Shard", "lane * 65,536 + partition that the row comes from"),
        ("minute", "Minute", "start of the minute (UTC) of the touch, cost or transaction"),
        ("day", "Day", "business day"),
        ("touch_day", "Touch day", "business day of the credited touch"),
        ("lag_day", "Lag, days", "whole 24-hour days from touch to transaction"),
        ("period_kind", "Period", "`month`, `quarter` or `year`"),
        ("period_start", "From", "first business day of the period"),
        ("starts_at", "Starts", "begin of the campaign"),
        ("ends_at", "Ends", "end of the campaign; null is open"),
        ("as_of", "As of", "how far event time has come: in run_days the business day of the newest transaction"),
        ("touched_at", "Touched at", "instant of the credited touch"),
        ("converted_at", "Converted at", "instant of the transaction"),
        ("updated_at", "Updated", "when the latest block of the run was written"),
        ("written_at", "Written at", "when the latest block of the topic partition was written"),
        ("changed_at", "Changed at", "when the state last changed"),
        ("state", "State", "how far an erasure, an alert, a notification or a silence is"),
        ("requests", "Requests", "the requests for the erasure"),
        ("topic", "Topic", "input topic"),
        ("topic_id", "Topic id", "which life of the topic: a topic made anew has another"),
        ("partition", "Partition", "partition of the topic"),
        ("offset", "Offset", "offset of the record"),
        ("reason", "Reason", "why a record was refused, or what to know of an alert"),
        ("detail", "Detail", "field and rule, never the value"),
        ("at", "At", "when the record was refused"),
        ("cause", "Cause", "why the topic is halted, as it was found first"),
        ("remedy", "Remedy", "what to do before the topic is resumed"),
        ("halted_at", "Halted at", "when the first worker halted the topic"),
        ("resumed_at", "Resumed at", "when `roi resume` ended the halt; null while it holds"),
    )
)
DIMENSIONS: Final = (*_VIEW_DIMENSIONS, *ALERT_DIMENSIONS)
