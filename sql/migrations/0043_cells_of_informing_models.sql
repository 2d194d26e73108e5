-- As it was (0013), but for minutes and cohorts of models that only inform: older programs have written them, newer ones
-- write totals by tier and variant alone. What is left of them stands still, whatever is reversed or erased later.
CREATE OR REPLACE VIEW {database}.named_cells AS
SELECT
    run, shard, kind AS family, campaign_id, label, at AS coordinate, lag, model, model = '' AS decides, chapter,
    measures[1] AS touches,
    measures[2] AS reached,
    measures[3] AS conversion_millionths,
    measures[4] AS converters,
    toInt128(measures[5]) AS cost_minor,
    toInt128(measures[6]) AS return_minor,
    toInt128(measures[7]) AS aum_minor
FROM {database}.ledger FINAL
WHERE kind IN ('tier', 'variant') OR kind IN ('minute', 'cohort') AND model = '';
