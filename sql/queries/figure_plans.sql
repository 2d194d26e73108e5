-- Plans in force, the newest periods first.
SELECT figure, toString(period_kind) AS period_kind, period_start, target
FROM {database}.figure_plans FINAL
WHERE target IS NOT NULL
ORDER BY period_start DESC, period_kind, figure
