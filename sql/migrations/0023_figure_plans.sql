-- What the bank has planned of its figures, for boards to hold the actual ones against. Insert (figure, period_kind,
-- period_start, target) to set a plan: the last word on a figure and period counts, and a target that is null takes it away.
CREATE TABLE IF NOT EXISTS {database}.figure_plans
(
    figure       LowCardinality(String) COMMENT 'a column of the views of 0006 (docs/metrics.md), or contributed_aum_minor',
    period_kind  Enum8('month' = 1, 'quarter' = 2, 'year' = 3),
    period_start Date COMMENT 'first day of the period',
    target       Nullable(Float64) COMMENT 'minor units, a count, or a share of 1',
    set_at       DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(set_at)
ORDER BY (figure, period_kind, period_start);
