WITH
    chosen AS (
        SELECT campaign_id FROM segment_totals
        WHERE run = ${run:singlequote} AND segment = 'tier' AND model = ''
            AND $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
        GROUP BY campaign_id ORDER BY sum(cost_minor) DESC, campaign_id LIMIT 5
    )
SELECT
    budget.campaign_id AS campaign_id,
    if(plans.name = '', budget.campaign_id, plans.name) AS name,
    budget.budget_minor AS budget_minor,
    budget.spent_minor AS spent_minor,
    budget.remaining_minor AS remaining_minor,
    budget.spent_share AS spent_share,
    budget.elapsed_share AS elapsed_share,
    budget.pace AS pace,
    budget.projected_minor AS projected_minor,
    vouchers.issued AS issued,
    vouchers.redeemed AS redeemed,
    vouchers.redemption_rate AS redemption_rate,
    budget.open_liability_minor AS open_liability_minor
FROM campaign_budget AS budget
LEFT JOIN (SELECT * FROM run_plans WHERE run = ${run:singlequote}) AS plans ON budget.campaign_id = plans.campaign_id
LEFT JOIN campaign_vouchers AS vouchers ON budget.campaign_id = vouchers.campaign_id AND budget.run = vouchers.run
WHERE budget.run = ${run:singlequote} AND budget.campaign_id IN (SELECT campaign_id FROM chosen)
ORDER BY name
