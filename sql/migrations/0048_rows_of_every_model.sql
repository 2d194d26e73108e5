-- Which rows there are of the models that only inform depends on nothing but the events. A block writes what it changed of their
-- cells, so a credit given in one block and taken back in a later one left a row of zeros, which one block with both did not
-- write; and a campaign with costs or touches alone had a row of the deciding model only, though its cost and reach are those of
-- all. The deciding model has a cell wherever a touch or a cost event has been counted, and credits come to no other: every model
-- of the run has a row where it has one, zeros where it was given nothing.

-- As it was (0012), but for that. What is asked of the deciding model alone reads the cells themselves (below): a view less.
CREATE OR REPLACE VIEW {database}.segment_totals AS
WITH arrayDistinct(arrayConcat(given.1, arraySlice(runs.models, 2))) AS names
SELECT
    sums.run AS run, segment, campaign_id, label, toLowCardinality(shown) AS model,
    own.2 AS touches,
    own.3 AS reached,
    own.4 AS conversion_millionths,
    own.5 AS converters,
    own.6 AS cost_minor,
    own.7 AS return_minor,
    own.8 AS aum_minor
FROM (
    SELECT
        run, segment, campaign_id, label,
        groupArray((model, touches, reached, millionths, converters, cost, returned, aum)) AS given
    FROM (
        SELECT
            run, kind AS segment, campaign_id, label, model,
            sum(measures[1]) AS touches,
            sum(measures[2]) AS reached,
            sum(measures[3]) AS millionths,
            sum(measures[4]) AS converters,
            sum(toInt128(measures[5])) AS cost,
            sum(toInt128(measures[6])) AS returned,
            sum(toInt128(measures[7])) AS aum
        FROM {database}.ledger FINAL
        WHERE kind IN ('tier', 'variant')
        GROUP BY run, segment, campaign_id, label, model
    )
    GROUP BY run, segment, campaign_id, label
) AS sums
LEFT JOIN (SELECT run, models FROM {database}.runs FINAL) AS runs ON sums.run = runs.run
-- what no row tells of a model is past the end of the array: zeros
ARRAY JOIN names AS shown, arrayMap(name -> given[indexOf(given.1, name)], names) AS own;

-- As it was (0035), but for that, and from the cells themselves.
CREATE OR REPLACE VIEW {database}.campaign_model_totals AS
WITH arrayDistinct(arrayConcat(given.1, arraySlice(runs.models, 2))) AS names
SELECT
    totals.run AS run,
    campaign_id,
    if(shown = '', runs.models[1], shown) AS model,
    shown = '' AS decides,
    base_touches AS touches,
    base_reached AS reached,
    own.2 / 1000000 AS conversions,
    own.3 AS converters,
    base_cost_minor AS cost_minor,
    own.4 AS return_minor,
    own.5 AS aum_minor,
    if(reached = 0, NULL, converters / reached) AS conversion_rate,
    if(converters = 0, NULL, cost_minor / converters) AS cpa_minor,
    if(cost_minor = 0, NULL, return_minor / cost_minor) AS return_ratio,
    if(cost_minor = 0, NULL, (return_minor - cost_minor) / cost_minor) AS net_roi
FROM (
    SELECT
        run, campaign_id,
        groupArray((model, millionths, given_converters, returned, aum)) AS given,
        sumIf(own_touches, model = '') AS base_touches,
        sumIf(own_reached, model = '') AS base_reached,
        sumIf(own_cost, model = '') AS base_cost_minor
    FROM (
        SELECT
            run, campaign_id, model,
            sum(measures[1]) AS own_touches,
            sum(measures[2]) AS own_reached,
            sum(measures[3]) AS millionths,
            sum(measures[4]) AS given_converters,
            sum(toInt128(measures[5])) AS own_cost,
            sum(toInt128(measures[6])) AS returned,
            sum(toInt128(measures[7])) AS aum
        FROM {database}.ledger FINAL
        WHERE kind = 'tier'
        GROUP BY run, campaign_id, model
    )
    GROUP BY run, campaign_id
) AS totals
LEFT JOIN (SELECT run, models FROM {database}.runs FINAL) AS runs ON totals.run = runs.run
ARRAY JOIN names AS shown, arrayMap(name -> given[indexOf(given.1, name)], names) AS own;

-- As it was (0012), from the cells themselves.
CREATE OR REPLACE VIEW {database}.campaign_totals AS
SELECT
    run, campaign_id, touches, reached, millionths / 1000000 AS conversions,
    converters, cost_minor, return_minor, aum_minor,
    if(reached = 0, NULL, converters / reached) AS conversion_rate,
    if(converters = 0, NULL, cost_minor / converters) AS cpa_minor,
    if(cost_minor = 0, NULL, return_minor / cost_minor) AS return_ratio,
    if(cost_minor = 0, NULL, (return_minor - cost_minor) / cost_minor) AS net_roi,
    freshness.updated_at AS updated_at
FROM (
    SELECT
        run, campaign_id,
        sum(measures[1]) AS touches,
        sum(measures[2]) AS reached,
        sum(measures[3]) AS millionths,
        sum(measures[4]) AS converters,
        sum(toInt128(measures[5])) AS cost_minor,
        sum(toInt128(measures[6])) AS return_minor,
        sum(toInt128(measures[7])) AS aum_minor
    FROM {database}.ledger FINAL
    WHERE kind = 'tier' AND model = ''
    GROUP BY run, campaign_id
) AS totals
LEFT JOIN {database}.freshness USING (run);

-- As it was (0012), from the cells themselves.
CREATE OR REPLACE VIEW {database}.campaign_variant_totals AS
SELECT
    run, campaign_id, variant, touches, reached, millionths / 1000000 AS conversions,
    converters, cost_minor, return_minor, aum_minor,
    if(reached = 0, NULL, converters / reached) AS conversion_rate,
    if(converters = 0, NULL, cost_minor / converters) AS cpa_minor,
    if(cost_minor = 0, NULL, return_minor / cost_minor) AS return_ratio,
    if(cost_minor = 0, NULL, (return_minor - cost_minor) / cost_minor) AS net_roi,
    freshness.updated_at AS updated_at
FROM (
    SELECT
        run, campaign_id, label AS variant,
        sum(measures[1]) AS touches,
        sum(measures[2]) AS reached,
        sum(measures[3]) AS millionths,
        sum(measures[4]) AS converters,
        sum(toInt128(measures[5])) AS cost_minor,
        sum(toInt128(measures[6])) AS return_minor,
        sum(toInt128(measures[7])) AS aum_minor
    FROM {database}.ledger FINAL
    WHERE kind = 'variant' AND model = ''
    GROUP BY run, campaign_id, variant
) AS totals
LEFT JOIN {database}.freshness USING (run);

-- As it was (0012), from the cells themselves.
CREATE OR REPLACE VIEW {database}.campaign_tier_totals AS
SELECT
    run, campaign_id, tier, touches, reached, millionths / 1000000 AS conversions,
    converters, cost_minor, return_minor, aum_minor,
    if(reached = 0, NULL, converters / reached) AS conversion_rate,
    if(converters = 0, NULL, cost_minor / converters) AS cpa_minor,
    if(cost_minor = 0, NULL, return_minor / cost_minor) AS return_ratio,
    if(cost_minor = 0, NULL, (return_minor - cost_minor) / cost_minor) AS net_roi,
    freshness.updated_at AS updated_at
FROM (
    SELECT
        run, campaign_id, label AS tier,
        sum(measures[1]) AS touches,
        sum(measures[2]) AS reached,
        sum(measures[3]) AS millionths,
        sum(measures[4]) AS converters,
        sum(toInt128(measures[5])) AS cost_minor,
        sum(toInt128(measures[6])) AS return_minor,
        sum(toInt128(measures[7])) AS aum_minor
    FROM {database}.ledger FINAL
    WHERE kind = 'tier' AND model = ''
    GROUP BY run, campaign_id, tier
) AS totals
LEFT JOIN {database}.freshness USING (run);

-- As it was (0045), from the cells themselves.
CREATE OR REPLACE VIEW {database}.campaign_budget AS
WITH
    spending AS (
        SELECT run, campaign_id, sum(toInt128(measures[5])) AS spent
        FROM {database}.ledger FINAL
        WHERE kind = 'tier' AND model = ''
        GROUP BY run, campaign_id
    ),
    clock AS (
        SELECT
            positions.run AS run,
            max(if(
                bounded.run = '', positions.watermark_ms, least(positions.watermark_ms, assumeNotNull(bounded.to_ms) - 1)
            )) AS now_ms
        FROM {database}.positions AS positions
        LEFT JOIN (SELECT run, to_ms FROM {database}.replays FINAL WHERE to_ms IS NOT NULL) AS bounded
            ON positions.run = bounded.run
        WHERE positions.watermark_ms > -4611686018427387904  -- the watermark of a partition that has had no event
        GROUP BY run
    ),
    plans AS (
        SELECT
            run,
            campaign_id,
            JSONExtract(definition, 'budget_minor', 'Nullable(Int64)') AS budget,
            parseDateTime64BestEffortOrNull(
                replaceRegexpOne(upper(JSONExtractString(definition, 'starts_at')), '([.][0-9]{3})[0-9]+', '\\1'), 3, 'UTC'
            ) AS starts,
            parseDateTime64BestEffortOrNull(
                replaceRegexpOne(upper(JSONExtractString(definition, 'ends_at')), '([.][0-9]{3})[0-9]+', '\\1'), 3, 'UTC'
            ) AS ends
        FROM {database}.run_definitions
    ),
    campaigns AS (
        SELECT toString(run) AS run, toString(campaign_id) AS campaign FROM spending
        UNION DISTINCT
        SELECT run, campaign_id FROM plans WHERE run IN (SELECT run FROM {database}.runs)
    )
SELECT
    campaigns.run AS run, campaigns.campaign AS campaign_id,
    plans.starts AS starts_at, plans.ends AS ends_at,
    if(clock.run = '', NULL, fromUnixTimestamp64Milli(clock.now_ms, 'UTC')) AS as_of,
    plans.budget AS budget_minor,
    spending.spent AS spent_minor,
    budget_minor - spent_minor AS remaining_minor,
    if(budget_minor = 0, NULL, spent_minor / budget_minor) AS spent_share,
    if(ends_at > starts_at,
       greatest(0, least(1, (toUnixTimestamp64Milli(as_of) - toUnixTimestamp64Milli(starts_at))
                            / (toUnixTimestamp64Milli(ends_at) - toUnixTimestamp64Milli(starts_at)))), NULL) AS elapsed_share,
    if(elapsed_share = 0, NULL, spent_share / elapsed_share) AS pace,
    if(elapsed_share = 0, NULL, spent_minor / elapsed_share) AS projected_minor,
    vouchers.open_liability_minor AS open_liability_minor
FROM campaigns
LEFT JOIN spending ON campaigns.run = spending.run AND campaigns.campaign = spending.campaign_id
LEFT JOIN plans ON campaigns.run = plans.run AND campaigns.campaign = plans.campaign_id
LEFT JOIN clock ON campaigns.run = clock.run
LEFT JOIN {database}.campaign_vouchers AS vouchers
    ON campaigns.run = vouchers.run AND campaigns.campaign = vouchers.campaign_id;
