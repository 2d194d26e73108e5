-- the shares and the pace are those of campaign_budget, whose vouchers would be counted a second time
WITH
    (SELECT toUnixTimestamp64Milli(as_of) FROM run_clocks WHERE run = ${run:singlequote}) AS now_ms,
    -- asked once: a subquery that is named is worked out at every place that names it
    (SELECT groupArray((campaign_id, spent_minor)) FROM (
        SELECT toString(campaign_id) AS campaign_id, sum(toInt128(measures[5])) AS spent_minor FROM ledger FINAL
        WHERE run = ${run:singlequote} AND kind = 'tier' AND model = ''
            AND $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
        GROUP BY campaign_id ORDER BY spent_minor DESC, campaign_id LIMIT 5
    )) AS chosen
SELECT
    spending.campaign_id AS campaign_id,
    if(plans.name = '', spending.campaign_id, plans.name) AS name,
    plans.budget_minor AS budget_minor,
    spending.spent_minor AS spent_minor,
    budget_minor - spent_minor AS remaining_minor,
    if(budget_minor = 0, NULL, spent_minor / budget_minor) AS spent_share,
    if(plans.ends_at > plans.starts_at AND now_ms IS NOT NULL,
       greatest(0, least(1, (now_ms - toUnixTimestamp64Milli(plans.starts_at))
                            / (toUnixTimestamp64Milli(plans.ends_at) - toUnixTimestamp64Milli(plans.starts_at)))),
       NULL) AS elapsed_share,
    if(elapsed_share = 0, NULL, spent_share / elapsed_share) AS pace,
    if(elapsed_share = 0, NULL, spent_minor / elapsed_share) AS projected_minor,
    vouchers.issued AS issued,
    vouchers.redeemed AS redeemed,
    vouchers.redemption_rate AS redemption_rate,
    vouchers.open_liability_minor AS open_liability_minor
FROM (SELECT arrayJoin(chosen) AS one, one.1 AS campaign_id, one.2 AS spent_minor) AS spending
LEFT JOIN (SELECT campaign_id, name, starts_at, ends_at, budget_minor FROM run_plans WHERE run = ${run:singlequote}) AS plans ON spending.campaign_id = plans.campaign_id
LEFT JOIN (
    SELECT campaign_id, issued, redeemed, redemption_rate, open_liability_minor
    FROM campaign_vouchers
    WHERE run = ${run:singlequote} AND campaign_id IN (SELECT arrayJoin(chosen.1))
) AS vouchers ON spending.campaign_id = vouchers.campaign_id
ORDER BY name
