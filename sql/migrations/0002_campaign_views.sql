-- The campaign views of the public contract (section 5). A zero denominator gives null.
-- Rows of the deciding attribution model carry the empty model and hold touches, reach and cost too.

CREATE OR REPLACE VIEW {database}.campaign_definitions AS
SELECT campaign_id, definition, updated_at
FROM {database}.campaign_log FINAL
WHERE definition != '';

-- When the latest block of a run was written: how fresh its numbers are.
CREATE OR REPLACE VIEW {database}.freshness AS
SELECT run, fromUnixTimestamp64Milli(max(measures[6]), 'UTC') AS updated_at
FROM {database}.ledger FINAL
WHERE kind = 'position'
GROUP BY run;

-- Ratios of contract section 4 over summed measures, one row per run, campaign, segment and model.
CREATE OR REPLACE VIEW {database}.segment_totals AS
SELECT
    run, kind AS segment, campaign_id, label, model,
    total[1] AS touches,
    total[2] AS reached,
    total[3] AS conversion_millionths,
    total[4] AS converters,
    total[5] AS cost_minor,
    total[6] AS return_minor,
    total[7] AS aum_minor
FROM (
    SELECT run, kind, campaign_id, label, model, sumForEach(measures) AS total
    FROM {database}.ledger FINAL
    WHERE kind IN ('tier', 'variant')
    GROUP BY run, kind, campaign_id, label, model
);

CREATE OR REPLACE VIEW {database}.campaign_totals AS
SELECT
    run, campaign_id,
    sum(touches) AS touches,
    sum(reached) AS reached,
    sum(conversion_millionths) / 1000000 AS conversions,
    sum(converters) AS converters,
    sum(cost_minor) AS cost_minor,
    sum(return_minor) AS return_minor,
    sum(aum_minor) AS aum_minor,
    if(reached = 0, NULL, converters / reached) AS conversion_rate,
    if(converters = 0, NULL, cost_minor / converters) AS cpa_minor,
    if(cost_minor = 0, NULL, return_minor / cost_minor) AS return_ratio,
    if(cost_minor = 0, NULL, (return_minor - cost_minor) / cost_minor) AS net_roi,
    any(freshness.updated_at) AS updated_at
FROM {database}.segment_totals
LEFT JOIN {database}.freshness USING (run)
WHERE segment = 'tier' AND model = ''
GROUP BY run, campaign_id;

CREATE OR REPLACE VIEW {database}.campaign_variant_totals AS
SELECT
    run, campaign_id, label AS variant, touches, reached,
    conversion_millionths / 1000000 AS conversions,
    converters, cost_minor, return_minor, aum_minor,
    if(reached = 0, NULL, converters / reached) AS conversion_rate,
    if(converters = 0, NULL, cost_minor / converters) AS cpa_minor,
    if(cost_minor = 0, NULL, return_minor / cost_minor) AS return_ratio,
    if(cost_minor = 0, NULL, (return_minor - cost_minor) / cost_minor) AS net_roi,
    freshness.updated_at AS updated_at
FROM {database}.segment_totals
LEFT JOIN {database}.freshness USING (run)
WHERE segment = 'variant' AND model = '';

CREATE OR REPLACE VIEW {database}.campaign_tier_totals AS
SELECT
    run, campaign_id, label AS tier, touches, reached,
    conversion_millionths / 1000000 AS conversions,
    converters, cost_minor, return_minor, aum_minor,
    if(reached = 0, NULL, converters / reached) AS conversion_rate,
    if(converters = 0, NULL, cost_minor / converters) AS cpa_minor,
    if(cost_minor = 0, NULL, return_minor / cost_minor) AS return_ratio,
    if(cost_minor = 0, NULL, (return_minor - cost_minor) / cost_minor) AS net_roi,
    freshness.updated_at AS updated_at
FROM {database}.segment_totals
LEFT JOIN {database}.freshness USING (run)
WHERE segment = 'tier' AND model = '';

-- Event view: return dated to the transaction, cost and touches to their own time.
CREATE OR REPLACE VIEW {database}.campaign_minutes AS
SELECT
    run, campaign_id, toDateTime(at * 60, 'UTC') AS minute,
    total[1] AS touches,
    total[2] AS new_reached,
    total[3] / 1000000 AS conversions,
    total[4] AS new_converters,
    total[5] AS cost_minor,
    total[6] AS return_minor,
    total[7] AS aum_minor
FROM (
    SELECT run, campaign_id, at, sumForEach(measures) AS total
    FROM {database}.ledger FINAL
    WHERE kind = 'minute' AND model = ''
    GROUP BY run, campaign_id, at
)
WHERE arrayExists(measure -> measure != 0, total);

-- Cohort view: return dated to the credited touch, by lag; reached and cost stand at lag 0.
CREATE OR REPLACE VIEW {database}.campaign_cohorts AS
SELECT
    run, campaign_id, toDate(at) AS touch_day, lag AS lag_day,
    total[3] / 1000000 AS conversions,
    total[6] AS return_minor,
    total[7] AS aum_minor,
    total[5] AS cost_minor,
    total[2] AS reached
FROM (
    SELECT run, campaign_id, at, lag, sumForEach(measures) AS total
    FROM {database}.ledger FINAL
    WHERE kind = 'cohort' AND model = ''
    GROUP BY run, campaign_id, at, lag
)
WHERE arrayExists(measure -> measure != 0, total);

-- Every credit in force: the evidence behind each conversion.
CREATE OR REPLACE VIEW {database}.credits AS
SELECT
    ledger.run AS run,
    ledger.id AS transaction_event_id,
    ledger.other_id AS touch_event_id,
    ledger.campaign_id AS campaign_id,
    ledger.label AS variant,
    if(ledger.model = '', runs.models[1], ledger.model) AS model,
    ledger.customer AS customer_hash,
    ledger.tier AS tier,
    ledger.measures[1] AS credit_millionths,
    ledger.measures[2] AS return_minor,
    ledger.measures[3] AS aum_minor,
    fromUnixTimestamp64Milli(ledger.measures[4], 'UTC') AS touched_at,
    fromUnixTimestamp64Milli(ledger.at, 'UTC') AS converted_at
FROM {database}.ledger FINAL
LEFT JOIN {database}.runs FINAL ON ledger.run = runs.run
WHERE ledger.kind = 'credit' AND ledger.measures[1] != 0;
