WITH
    chosen AS (
        SELECT campaign_id FROM segment_totals
        WHERE run = ${run:singlequote} AND segment = 'tier' AND model = ''
            AND $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
        GROUP BY campaign_id ORDER BY sum(cost_minor) DESC, campaign_id LIMIT 5
    ),
    steps AS (
        SELECT
            campaign_id, toString(kind) AS step, toInt64(customers) AS customers, toInt64(touches) AS touches,
            indexOf(['send', 'view', 'click', 'call', 'visit', 'voucher_issue', 'voucher_redeem'], step) AS place
        FROM campaign_touch_kinds
        WHERE run = ${run:singlequote} AND campaign_id IN (SELECT campaign_id FROM chosen)
        UNION ALL
        SELECT campaign_id, step.1, toInt64(step.2), toInt64(step.3), step.4
        FROM campaign_totals
        ARRAY JOIN [('touched', reached, touches, 0), ('converted', converters, 0, 100)] AS step
        WHERE run = ${run:singlequote} AND campaign_id IN (SELECT campaign_id FROM chosen)
    )
SELECT
    if(plans.name = '', steps.campaign_id, plans.name) AS name,
    steps.step AS step,
    steps.customers AS customers,
    if(steps.step = 'converted', NULL, steps.touches) AS touches
FROM steps
LEFT JOIN (SELECT * FROM run_plans WHERE run = ${run:singlequote}) AS plans ON steps.campaign_id = plans.campaign_id
ORDER BY name, steps.place, step
