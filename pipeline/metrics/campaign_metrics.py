"""Definitions of the campaign metrics, active users and what the conversion lag tells."""

from __future__ import annotations

from typing import Final

from pipeline.metrics.definitions import COUNT, MINOR, RATIO, Kind, MetricDefinition, columns

_TOTALS: Final = ("campaign_totals", "campaign_variant_totals", "campaign_tier_totals", "campaign_model_totals")
_EVENT_VIEW: Final = ("campaign_minutes", "campaign_hours", "campaign_days")
_SUMS: Final = (*_TOTALS, "segment_totals", "named_cells")
_SECTION_4: Final = "contract section 4"
_MATURITY: Final = "0008_maturity.sql"


def _base(  # noqa: PLR0913, PLR0917 - a row of a table
    name: str,
    label: str,
    formula: str,
    unit: str,
    kind: Kind,
    views: tuple[str, ...],
    source: str = _SECTION_4,
    short: str | None = None,
) -> MetricDefinition:
    return MetricDefinition(name, label, formula, unit, source, kind, columns(name, *views), short)


CAMPAIGN_METRICS: Final = (
    _base(
        "touches",
        "Creditable touches",
        "touches of any kind but `assign` and of any variant but the control",
        COUNT,
        "measure",
        (*_SUMS, *_EVENT_VIEW, "campaign_channel_totals", "campaign_touch_kinds"),
    ),
    _base(
        "reached",
        "Reached",
        "distinct customers with at least one creditable touch; in the cohort view under the day of the first",
        COUNT,
        "measure",
        (*_SUMS, "campaign_cohorts", "campaign_channel_totals"),
    ),
    _base(
        "new_reached",
        "Newly reached",
        "customers by the minute (hour, day) of their first creditable touch",
        COUNT,
        "measure",
        _EVENT_VIEW,
    ),
    _base(
        "conversions",
        "Conversions",
        "sum of credit / 1,000,000; by the minute (hour, day) of the transaction, or by touch day and lag",
        "credited transactions",
        "measure",
        (*_TOTALS, *_EVENT_VIEW, "campaign_cohorts", "campaign_channel_totals"),
    ),
    _base(
        "conversion_millionths",
        "Conversions",
        "sum of credit",
        "millionths",
        "measure",
        ("segment_totals", "named_cells"),
    ),
    _base(
        "credit_millionths",
        "Credit",
        "a touch's share of a transaction under the attribution model; the shares of one transaction sum to 1,000,000",
        "millionths",
        "measure",
        ("credits", "model_credits"),
    ),
    _base(
        "converters",
        "Converters",
        "distinct customers with credit > 0 from at least one transaction",
        COUNT,
        "measure",
        (*_SUMS, "campaign_converters", "campaign_channel_totals", "campaign_alerts"),
    ),
    _base(
        "new_converters",
        "New converters",
        "customers by the minute (hour, day) of their first credited transaction",
        COUNT,
        "measure",
        _EVENT_VIEW,
    ),
    _base(
        "cost_minor",
        "Cost",
        "cost_minor of all touches, creditable or not, plus amount_minor of all cost events",
        MINOR,
        "measure",
        (*_SUMS, *_EVENT_VIEW, "campaign_cohorts"),
    ),
    _base(
        "return_minor",
        "Return",
        "revenue_minor, else floor(amount_minor * margin_bps / 10,000), * effective / original amount, split by credit",
        MINOR,
        "measure",
        (
            *_SUMS,
            *_EVENT_VIEW,
            "campaign_cohorts",
            "credits",
            "model_credits",
            "campaign_converters",
            "campaign_channel_totals",
        ),
    ),
    _base(
        "aum_minor",
        "AUM delta",
        "aum_delta_minor, else + deposit and - withdrawal, * effective / original amount, split by credit",
        MINOR,
        "measure",
        (*_SUMS, *_EVENT_VIEW, "campaign_cohorts", "credits", "model_credits"),
    ),
    _base("conversion_rate", "Conversion rate", "converters / reached", RATIO, "ratio", _TOTALS),
    _base("cpa_minor", "Cost per converter", "cost_minor / converters", "minor units per converter", "ratio", _TOTALS),
    _base(
        "return_ratio",
        "Return ÷ cost",
        'return_minor / cost_minor; "1:2" means below 2',
        RATIO,
        "ratio",
        (*_TOTALS, "alerts", "board_alerts", "campaign_alerts"),
        short="Ratio",
    ),
    _base("net_roi", "Net ROI", "(return_minor - cost_minor) / cost_minor", RATIO, "ratio", _TOTALS),
)

ACTIVITY_METRICS: Final = (
    _base(
        "dau",
        "Daily active users",
        "customers engaged on the business day: a login that is not automated and whose "
        "session is of unknown length or at least 5 s long",
        "customers",
        "rolling",
        ("active_users", "named_days"),
    ),
    _base(
        "wau",
        "Weekly active users",
        "customers engaged in the 7 business days ending with the day",
        "customers",
        "rolling",
        ("active_users",),
    ),
    _base(
        "mau",
        "Monthly active users",
        "customers engaged in the 30 business days ending with the day (MAU without zombie accounts)",
        "customers",
        "rolling",
        ("active_users",),
    ),
    _base(
        "mau_gross",
        "Monthly users, any login",
        "customers with any login in the 30 business days ending with the day",
        "customers",
        "rolling",
        ("active_users",),
    ),
    _base(
        "reactivated",
        "Reactivated",
        "customers engaged on the day, with an engaged day before, but none in the 90 days before",
        "customers",
        "rolling",
        ("active_users", "named_days"),
    ),
    _base("stickiness", "Stickiness", "dau / mau", RATIO, "ratio", ("active_users",)),
)

MATURITY_METRICS: Final = (
    _base(
        "cohorts",
        "Touch days counted",
        "business days of touches old enough to have lived through the whole lag",
        "business days",
        "measure",
        ("campaign_lag_curve",),
        _MATURITY,
    ),
    _base(
        "conversions_at_lag",
        "Conversions at the lag",
        "conversions of those days at exactly this lag",
        "credited transactions",
        "measure",
        ("campaign_lag_curve",),
        _MATURITY,
    ),
    _base(
        "conversions_through_lag",
        "Conversions by then",
        "conversions of those days up to this lag",
        "credited transactions",
        "measure",
        ("campaign_lag_curve",),
        _MATURITY,
    ),
    _base(
        "return_at_lag_minor",
        "Return at the lag",
        "return of those days at exactly this lag",
        MINOR,
        "measure",
        ("campaign_lag_curve",),
        _MATURITY,
    ),
    _base(
        "return_through_lag_minor",
        "Return by then",
        "return of those days up to this lag",
        MINOR,
        "measure",
        ("campaign_lag_curve",),
        _MATURITY,
    ),
    _base(
        "conversion_share",
        "Share of final conversions",
        "product over later lags of 1 - conversions_at_lag / "
        "conversions_through_lag (right truncation: Lagakos 1988, Kalbfleisch and Lawless 1989)",
        RATIO,
        "ratio",
        ("campaign_lag_curve",),
        _MATURITY,
    ),
    _base(
        "return_share",
        "Share of final return",
        "product over later lags of 1 - return_at_lag_minor / return_through_lag_minor",
        RATIO,
        "ratio",
        ("campaign_lag_curve",),
        _MATURITY,
    ),
    _base(
        "squared_return",
        "Squared return",
        "sum over converters of the square of the customer's return: how unevenly it is spread",
        "minor units squared",
        "measure",
        ("campaign_converters",),
        _MATURITY,
    ),
    MetricDefinition(
        "matured_share",
        "Matured share",
        "return in complete lags / matured return; on alerts the matured cost / the cost",
        RATIO,
        "pipeline/forecast/maturity.py",
        "ratio",
        ("alerts.matured_share", "board_alerts.matured_share", "campaign_alerts.matured_share"),
    ),
    MetricDefinition(
        "matured_return",
        "Matured return",
        "sum over touch days of return / return_share at the day's age; null while immature",
        MINOR,
        "pipeline/forecast/maturity.py",
        "measure",
    ),
    MetricDefinition(
        "forecast_ratio",
        "Forecast ratio",
        "matured return / cost of the same touch days, with a 90 % prediction band; on alerts as of the last look",
        RATIO,
        "pipeline/forecast/maturity.py",
        "ratio",
        ("campaign_alerts.forecast_ratio",),
    ),
)
