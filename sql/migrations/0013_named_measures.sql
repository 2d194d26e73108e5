-- Measures by name: what later views read, instead of positions within the ledger's arrays. The names and their order are
-- those of CellMeasure and DayMeasure (pipeline/state/rows.py). The deciding model carries the empty label: `decides` is 1
-- there. A cell is stored once per chapter, so its numbers are sums of these rows; money is Int128, whose sums do not wrap.

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
WHERE kind IN ('tier', 'variant', 'minute', 'cohort');

CREATE OR REPLACE VIEW {database}.named_days AS
SELECT
    run, shard, label AS tier, at AS day_number, chapter,
    measures[1] AS dau,
    measures[2] AS wau_change,
    measures[3] AS mau_change,
    measures[4] AS gross_day,
    measures[5] AS gross_mau_change,
    measures[6] AS reactivated
FROM {database}.ledger FINAL
WHERE kind = 'activity';
