SELECT
    campaign_id,
    sum(touches) AS touches,
    sum(reached) AS reached,
    sum(cost_minor) AS cost_minor
FROM
(
    SELECT campaign_id, count() AS touches, uniqExact(customer_id) AS reached, sum(cost_minor) AS cost_minor
    FROM alone.touches FINAL
    GROUP BY campaign_id
    UNION ALL
    SELECT campaign_id, 0, 0, sum(amount_minor)
    FROM alone.costs FINAL
    GROUP BY campaign_id
)
GROUP BY campaign_id
ORDER BY campaign_id
