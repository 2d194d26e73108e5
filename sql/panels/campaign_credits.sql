WITH
    -- asked once: a subquery that is named is worked out at every place that names it
    (SELECT groupArray(campaign_id) FROM (
        SELECT toString(campaign_id) AS campaign_id FROM ledger FINAL
        WHERE run = ${run:singlequote} AND kind = 'tier' AND model = ''
            AND $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
        GROUP BY campaign_id ORDER BY sum(toInt128(measures[5])) DESC, campaign_id LIMIT 5
    )) AS chosen
SELECT
    credits.converted_at AS converted_at,
    if(plans.name = '', credits.campaign_id, plans.name) AS name,
    credits.customer_hash AS customer_hash,
    credits.transaction_event_id AS transaction_event_id,
    credits.touch_event_id AS touch_event_id,
    credits.touched_at AS touched_at,
    credits.variant AS variant,
    credits.tier AS tier,
    credits.credit_millionths / 1000000 AS credit_share,
    credits.return_minor AS return_minor,
    credits.aum_minor AS aum_minor
FROM credits
LEFT JOIN (SELECT campaign_id, name FROM run_plans WHERE run = ${run:singlequote}) AS plans ON credits.campaign_id = plans.campaign_id
WHERE credits.run = ${run:singlequote} AND credits.campaign_id IN (SELECT arrayJoin(chosen))
    AND $__timeFilter_ms(credits.converted_at)
ORDER BY converted_at DESC, transaction_event_id, touch_event_id
LIMIT 100
