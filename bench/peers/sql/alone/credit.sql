SELECT
    touched.campaign_id AS campaign_id,
    count() AS conversions,
    uniqExact(paid.customer_id) AS converters,
    sum(paid.revenue_minor) AS return_minor
FROM (SELECT customer_id, at, revenue_minor FROM alone.transactions FINAL) AS paid
ASOF INNER JOIN (SELECT customer_id, at, campaign_id FROM alone.touches FINAL) AS touched
    ON paid.customer_id = touched.customer_id AND touched.at <= paid.at
WHERE paid.at - touched.at <= 7 * 86400
GROUP BY campaign_id
ORDER BY campaign_id
SETTINGS join_algorithm = 'full_sorting_merge'
