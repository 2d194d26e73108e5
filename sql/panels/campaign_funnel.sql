WITH
    -- asked once: a subquery that is named is worked out at every place that names it
    (SELECT groupArray(campaign_id) FROM (
        SELECT toString(campaign_id) AS campaign_id FROM ledger FINAL
        WHERE run = ${run:singlequote} AND kind = 'tier' AND model = ''
            AND $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
        GROUP BY campaign_id ORDER BY sum(toInt128(measures[5])) DESC, campaign_id LIMIT 5
    )) AS chosen,
    steps AS (
        SELECT
            campaign_id, toString(kind) AS step, toInt64(customers) AS customers, toInt64(touches) AS touches,
            indexOf(['send', 'view', 'click', 'call', 'visit', 'voucher_issue', 'voucher_redeem'], step) AS place
        FROM campaign_touch_kinds
        WHERE run = ${run:singlequote} AND campaign_id IN (SELECT arrayJoin(chosen))
        UNION ALL
        SELECT campaign_id, step.1, toInt64(step.2), toInt64(step.3), step.4
        FROM (
            SELECT campaign_id, sum(touches) AS touches, sum(reached) AS reached, sum(converters) AS converters
            FROM named_cells
            WHERE run = ${run:singlequote} AND family = 'tier' AND decides AND campaign_id IN (SELECT arrayJoin(chosen))
            GROUP BY campaign_id
        )
        ARRAY JOIN [('touched', reached, touches, 0), ('converted', converters, 0, 100)] AS step
    )
SELECT
    if(plans.name = '', steps.campaign_id, plans.name) AS name,
    steps.step AS step,
    steps.customers AS customers,
    if(steps.step = 'converted', NULL, steps.touches) AS touches
FROM steps
LEFT JOIN (SELECT campaign_id, name FROM run_plans WHERE run = ${run:singlequote}) AS plans ON steps.campaign_id = plans.campaign_id
ORDER BY name, steps.place, step
