"""Definitions of the bank's assessment figures, budgets and incentives."""

from __future__ import annotations

from typing import Final

from pipeline.metrics.definitions import COUNT, MINOR, RATIO, MetricDefinition, columns

_FIGURES: Final = "0006_bank_figures.sql"
_BUDGETS: Final = "0007_budgets.sql"
_BOARDS: Final = "0022_campaign_boards.sql"
_TRANSACTIONS: Final = "transaction_figures"
_CUSTOMERS: Final = "customer_figures"


def _figure(  # noqa: PLR0913 - a row of a table
    view: str,
    column: str,
    label: str,
    formula: str,
    unit: str,
    *,
    name: str | None = None,
    also: tuple[str, ...] = (),
    source: str = _FIGURES,
) -> MetricDefinition:
    return MetricDefinition(name or column, label, formula, unit, source, "figure", (*columns(column, view), *also))


_EACH_TRANSACTION: Final = (
    _figure(
        "transaction_days", "effective_minor", "Effective amount", "amount_minor less its reversals, not below 0", MINOR
    ),
    _figure("touch_days", "touch_cost_minor", "Touch cost", "cost_minor of one touch", MINOR),
    _figure("credit_days", "credited_aum_minor", "Credited AUM delta", "AUM delta of one credit", MINOR),
    _figure(
        "cost_days",
        "day_cost_minor",
        "Cost of the day",
        "cost of all touches and cost events of the business day",
        MINOR,
    ),
)

_TRANSACTION_FIGURES: Final = (
    _figure(
        _TRANSACTIONS,
        "transactions",
        "Transactions",
        "transactions of the period that reversals have left anything of; in channel_mix those of the channel",
        COUNT,
        also=columns("transactions", "channel_mix"),
    ),
    _figure(
        _TRANSACTIONS,
        "amount_minor",
        "Transaction amount",
        "effective amount of those transactions",
        MINOR,
        also=columns("amount_minor", "channel_mix"),
    ),
    _figure(
        "channel_mix",
        "transaction_share",
        "Share of transactions",
        "transactions of the channel / transactions of the period",
        RATIO,
    ),
    _figure(
        "channel_mix", "amount_share", "Share of amount", "effective amount of the channel / that of the period", RATIO
    ),
    _figure(_TRANSACTIONS, "online_transactions", "Online transactions", "transactions through online channels", COUNT),
    _figure(_TRANSACTIONS, "online_amount_minor", "Online amount", "their effective amount", MINOR),
    _figure(_TRANSACTIONS, "online_share", "Online share", "online_transactions / transactions", RATIO),
    _figure(
        _TRANSACTIONS, "online_amount_share", "Online share of amount", "online_amount_minor / amount_minor", RATIO
    ),
    _figure(_TRANSACTIONS, "payments", "Payments", "transactions of kind payment or transfer", COUNT),
    _figure(_TRANSACTIONS, "payments_amount_minor", "Payment amount", "their effective amount", MINOR),
    _figure(_TRANSACTIONS, "cross_bank_payments", "Cross-bank payments", "payments with cross_bank", COUNT),
    _figure(_TRANSACTIONS, "cross_bank_amount_minor", "Cross-bank amount", "their effective amount", MINOR),
    _figure(_TRANSACTIONS, "cross_bank_share", "Cross-bank share", "cross_bank_payments / payments", RATIO),
    _figure(
        _TRANSACTIONS,
        "cross_bank_amount_share",
        "Cross-bank share of amount",
        "cross_bank_amount_minor / payments_amount_minor",
        RATIO,
    ),
    _figure(_TRANSACTIONS, "wealth_purchases", "Wealth purchases", "transactions of kind wealth_purchase", COUNT),
    _figure(_TRANSACTIONS, "wealth_amount_minor", "Wealth amount", "their effective amount", MINOR),
    _figure(
        _TRANSACTIONS,
        "wealth_online_purchases",
        "Online wealth purchases",
        "wealth purchases through online channels",
        COUNT,
    ),
    _figure(_TRANSACTIONS, "wealth_online_amount_minor", "Online wealth amount", "their effective amount", MINOR),
    _figure(
        _TRANSACTIONS,
        "wealth_online_share",
        "Wealth bought online",
        "wealth_online_purchases / wealth_purchases",
        RATIO,
    ),
    _figure(
        _TRANSACTIONS,
        "wealth_online_amount_share",
        "Wealth amount bought online",
        "wealth_online_amount_minor / wealth_amount_minor",
        RATIO,
    ),
    _figure(_TRANSACTIONS, "scenario_transactions", "Scenario transactions", "transactions with a scenario", COUNT),
    _figure(_TRANSACTIONS, "scenario_share", "Scenario share", "scenario_transactions / transactions", RATIO),
)

_CUSTOMER_FIGURES: Final = (
    _figure(
        _CUSTOMERS,
        "high_value_customers",
        "High-value customers",
        "customers whose profile names a high-value tier",
        "customers",
    ),
    _figure(
        _CUSTOMERS,
        "high_value_covered",
        "High-value customers online",
        "those with an online transaction or an engaged login in the period",
        "customers",
    ),
    _figure(
        _CUSTOMERS,
        "high_value_coverage",
        "High-value online coverage",
        "high_value_covered / high_value_customers",
        RATIO,
    ),
    _figure(
        _CUSTOMERS,
        "long_tail_customers",
        "Long-tail customers",
        "customers seen before the period without an engaged day in the 90 days before it",
        "customers",
    ),
    _figure(
        _CUSTOMERS,
        "long_tail_activated",
        "Long tail activated",
        "those of them with an engaged day in the period",
        "customers",
    ),
    _figure(
        _CUSTOMERS,
        "long_tail_activation_rate",
        "Long-tail activation",
        "long_tail_activated / long_tail_customers",
        RATIO,
    ),
)

_CAMPAIGN_FIGURES: Final = (
    _figure(
        "campaign_new_customers",
        "new_customers",
        "New customers",
        "distinct customers with credit from an account_open, by the first of them",
        "customers",
    ),
    _figure(
        "campaign_new_customers",
        "cost_minor",
        "Cost of the period",
        "cost by its own time",
        MINOR,
        name="period_cost_minor",
    ),
    _figure(
        "campaign_new_customers", "cac_minor", "CAC", "period_cost_minor / new_customers", "minor units per customer"
    ),
    _figure("campaign_recommendations", "sends", "Sends", "creditable touches of kind send", COUNT),
    _figure("campaign_recommendations", "clicks", "Clicks", "creditable touches of kind click", COUNT),
    _figure("campaign_recommendations", "click_through_rate", "Click-through", "clicks / sends", RATIO),
    _figure("campaign_recommendations", "sent_customers", "Customers sent to", "customers with a send", "customers"),
    _figure(
        "campaign_recommendations", "clicking_customers", "Clicking customers", "those with a click too", "customers"
    ),
    _figure(
        "campaign_recommendations",
        "customer_click_through_rate",
        "Customer click-through",
        "clicking_customers / sent_customers",
        RATIO,
    ),
    _figure(
        "campaign_touch_kinds",
        "customers",
        "Customers by kind",
        "distinct customers with a creditable touch of the kind",
        "customers",
        name="kind_customers",
        source=_BOARDS,
    ),
    _figure(
        "campaign_channel_totals",
        "cost_minor",
        "Cost by channel",
        "cost of the touches of the channel; cost events name none",
        MINOR,
        name="channel_cost_minor",
        source=_BOARDS,
    ),
    _figure(
        "campaign_automation",
        "reached",
        "Reached in the period",
        "customers with a creditable touch in the period",
        "customers",
        name="period_reached",
    ),
    _figure(
        "campaign_automation",
        "automated_only",
        "Reached by machines only",
        "those whose creditable touches in the period were all automated",
        "customers",
    ),
    _figure(
        "campaign_automation", "automated_reach_share", "Automated reach", "automated_only / period_reached", RATIO
    ),
    _figure(
        "campaign_aum",
        "aum_minor",
        "AUM contribution",
        "AUM delta of the credits of the period, by tier",
        MINOR,
        name="period_aum_minor",
    ),
    _figure(
        "campaign_aum",
        "converters",
        "Converters in the period",
        "customers with credit in the period",
        "customers",
        name="period_converters",
    ),
    _figure(
        "campaign_aum_costs",
        "cost_minor",
        "Cost by channel class",
        "cost of the touches of the class; under `all` with the cost events",
        MINOR,
        name="class_cost_minor",
    ),
    _figure(
        "campaign_aum_costs",
        "aum_minor",
        "AUM by channel class",
        "AUM delta credited to touches of the class",
        MINOR,
        name="class_aum_minor",
    ),
    _figure(
        "campaign_aum_costs",
        "cost_per_10k_aum_minor",
        "Cost per 10,000 of AUM",
        "class_cost_minor / class_aum_minor * 1,000,000; null unless AUM came in",
        "minor units per 10,000 currency units",
    ),
)


def _budget(  # noqa: PLR0913 - a row of a table
    view: str, column: str, label: str, formula: str, unit: str, *, name: str | None = None, also: tuple[str, ...] = ()
) -> MetricDefinition:
    return _figure(view, column, label, formula, unit, name=name, also=also, source=_BUDGETS)


_BUDGET_FIGURES: Final = (
    _budget("campaign_costs", "entries", "Entries", "touches or cost events of the category", COUNT),
    _budget(
        "campaign_costs", "cost_minor", "Cost by category", "cost of those entries", MINOR, name="category_cost_minor"
    ),
    _budget("campaign_costs", "cost_share", "Share of cost", "category_cost_minor / cost of the campaign", RATIO),
    _budget("campaign_vouchers", "issued", "Vouchers issued", "touches of kind voucher_issue", COUNT),
    _budget("campaign_vouchers", "issued_minor", "Value issued", "their cost", MINOR),
    _budget("campaign_vouchers", "redeemed", "Vouchers redeemed", "touches of kind voucher_redeem", COUNT),
    _budget("campaign_vouchers", "redeemed_minor", "Value redeemed", "their cost", MINOR),
    _budget(
        "campaign_vouchers",
        "open",
        "Open vouchers",
        "issued vouchers that no redemption of the customer has closed, the oldest first",
        COUNT,
    ),
    _budget(
        "campaign_vouchers",
        "open_liability_minor",
        "Open liability",
        "cost of the open vouchers",
        MINOR,
        also=columns("open_liability_minor", "campaign_budget"),
    ),
    _budget(
        "campaign_vouchers",
        "unmatched_redemptions",
        "Unmatched redemptions",
        "redemptions that found no open voucher",
        COUNT,
    ),
    _budget("campaign_vouchers", "redemption_rate", "Redemption rate", "(issued - open) / issued", RATIO),
    _budget(
        "campaign_budget",
        "budget_minor",
        "Budget",
        "budget_minor of the campaign's definition",
        MINOR,
        also=columns("budget_minor", "campaign_plans", "run_plans"),
    ),
    _budget("campaign_budget", "spent_minor", "Spent", "cost of the campaign, whenever it was spent", MINOR),
    _budget("campaign_budget", "remaining_minor", "Remaining", "budget_minor - spent_minor", MINOR),
    _budget("campaign_budget", "spent_share", "Share of budget", "spent_minor / budget_minor", RATIO),
    _budget(
        "campaign_budget",
        "elapsed_share",
        "Share of calendar",
        "(as_of - starts_at) / (ends_at - starts_at), within 0..1",
        RATIO,
    ),
    _budget("campaign_budget", "pace", "Pace", "spent_share / elapsed_share; 1 = as planned", RATIO),
    _budget("campaign_budget", "projected_minor", "Projected spend", "spent_minor / elapsed_share", MINOR),
)

BANK_METRICS: Final = (
    *_EACH_TRANSACTION,
    *_TRANSACTION_FIGURES,
    *_CUSTOMER_FIGURES,
    *_CAMPAIGN_FIGURES,
    *_BUDGET_FIGURES,
)
