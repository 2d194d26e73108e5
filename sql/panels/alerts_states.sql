SELECT every_state.1 AS alert_state, countIf(newest = every_state.1) AS campaigns
FROM (
    SELECT campaign_id, argMax(state, changed_at) AS newest
    FROM alerts
    WHERE $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
        AND $__conditionalAll(owner IN (${owner:singlequote}), $owner)
    GROUP BY campaign_id
)
ARRAY JOIN [
    ('firing', 1), ('acknowledged', 2), ('pending', 3), ('decided', 4),
    ('blocked', 5), ('watching', 6), ('immature', 7), ('resolved', 8)
] AS every_state
GROUP BY every_state
ORDER BY every_state.2
