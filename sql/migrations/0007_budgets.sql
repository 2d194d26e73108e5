-- Budgets and incentives: what campaigns have spent, on what, and where that leads. All money in minor units.

-- campaign_costs: Cost(c) by category. Cost events keep theirs; touches stand under `touch_` and their kind.
--   cost_minor = sum of the entries' cost; entries = touches or cost events (count)
--   cost_share = cost_minor / cost of all categories of the campaign (ratio)
--   source: touches (creditable or not), cost events. Categories add up to campaign_totals.cost_minor
CREATE OR REPLACE VIEW {database}.campaign_costs AS
SELECT
    run, campaign_id, cost_category AS category, entries, cost_minor,
    if(sum(cost_minor) OVER (PARTITION BY run, campaign_id) = 0, NULL,
       cost_minor / sum(cost_minor) OVER (PARTITION BY run, campaign_id)) AS cost_share
FROM (
    SELECT
        run, campaign_id, if(kind = 'touch', concat('touch_', category), toString(category)) AS cost_category,
        count() AS entries, sum(measures[1]) AS cost_minor
    FROM {database}.ledger FINAL
    WHERE kind IN ('touch', 'cost')
    GROUP BY run, campaign_id, cost_category
);

-- campaign_vouchers: vouchers handed out and used.
--   issued, issued_minor       touches of kind voucher_issue and their cost; redeemed, redeemed_minor those of voucher_redeem
--   open                       issued vouchers that no redemption has closed. A redemption closes the oldest open voucher that
--                              its customer has from the campaign (one each; at one instant issues go first); one that finds
--                              none open closes nothing and counts in unmatched_redemptions
--   open_liability_minor       cost of the open vouchers
--   redemption_rate            = (issued - open) / issued (ratio)
--   source: touches, creditable or not
CREATE OR REPLACE VIEW {database}.campaign_vouchers AS
SELECT
    run, campaign_id,
    sum(customer_issued) AS issued,
    sum(customer_issued_minor) AS issued_minor,
    sum(customer_redeemed) AS redeemed,
    sum(customer_redeemed_minor) AS redeemed_minor,
    sum(customer_open) AS open,
    sum(arraySum(arraySlice(newest_first, 1, customer_open))) AS open_liability_minor,
    redeemed - (issued - open) AS unmatched_redemptions,
    if(issued = 0, NULL, (issued - open) / issued) AS redemption_rate
FROM (
    SELECT
        run, campaign_id,
        arrayReverseSort(groupArray((at, if(category = 'voucher_issue', 0, 1), id, measures[1]))) AS latest_first,
        countIf(category = 'voucher_issue') AS customer_issued,
        sumIf(measures[1], category = 'voucher_issue') AS customer_issued_minor,
        countIf(category = 'voucher_redeem') AS customer_redeemed,
        sumIf(measures[1], category = 'voucher_redeem') AS customer_redeemed_minor,
        arrayMap(voucher -> voucher.4, arrayFilter(voucher -> voucher.2 = 0, latest_first)) AS newest_first,
        -- a queue that cannot fall below empty holds, at the end, the greatest sum of any of its last steps
        greatest(0, arrayMax(arrayCumSum(arrayMap(voucher -> if(voucher.2 = 0, 1, -1), latest_first)))) AS customer_open
    FROM {database}.ledger FINAL
    WHERE kind = 'touch' AND category IN ('voucher_issue', 'voucher_redeem')
    GROUP BY run, campaign_id, customer
)
GROUP BY run, campaign_id;

-- campaign_budget: one row per run and campaign that is defined or has any touch or cost.
--   as_of           the largest watermark of the run: how far event time has come, not the clock on the wall
--   spent_minor     = Cost(c), whenever it was spent
--   spent_share     = spent_minor / budget_minor (ratio)
--   elapsed_share   = (as_of - starts_at) / (ends_at - starts_at), kept within 0..1 (ratio; null without ends_at)
--   pace            = spent_share / elapsed_share (1 = as planned, above 1 = the budget ends before the campaign)
--   projected_minor = spent_minor / elapsed_share (spend at the campaign's end at today's pace; null before it starts)
--   remaining_minor = budget_minor - spent_minor
--   source: campaign definitions, campaign_totals, campaign_vouchers, positions
CREATE OR REPLACE VIEW {database}.campaign_budget AS
WITH
    spending AS (
        SELECT run, campaign_id, sum(cost_minor) AS spent
        FROM {database}.segment_totals
        WHERE segment = 'tier' AND model = ''
        GROUP BY run, campaign_id
    ),
    clock AS (
        SELECT run, max(watermark_ms) AS now_ms
        FROM {database}.positions
        WHERE watermark_ms > -4611686018427387904  -- the watermark of a partition that has had no event
        GROUP BY run
    ),
    plans AS (
        SELECT
            campaign_id,
            JSONExtract(definition, 'budget_minor', 'Nullable(Int64)') AS budget,
            parseDateTime64BestEffortOrNull(upper(JSONExtractString(definition, 'starts_at')), 3, 'UTC') AS starts,
            parseDateTime64BestEffortOrNull(upper(JSONExtractString(definition, 'ends_at')), 3, 'UTC') AS ends
        FROM {database}.campaign_definitions
    ),
    campaigns AS (
        SELECT run, toString(campaign_id) AS campaign FROM spending
        UNION DISTINCT
        SELECT runs.run, plans.campaign_id FROM (SELECT run FROM {database}.runs FINAL) AS runs CROSS JOIN plans
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
LEFT JOIN plans ON campaigns.campaign = plans.campaign_id
LEFT JOIN clock ON campaigns.run = clock.run
LEFT JOIN {database}.campaign_vouchers AS vouchers
    ON campaigns.run = vouchers.run AND campaigns.campaign = vouchers.campaign_id;
