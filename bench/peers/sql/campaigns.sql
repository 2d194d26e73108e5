SELECT
    campaign_id,
    sum(touches) AS touches,
    sum(reached) AS reached,
    sum(conversions) AS conversions,
    sum(converters) AS converters,
    sum(cost_minor) AS cost_minor,
    sum(return_minor) AS return_minor
FROM roi.peer_campaigns
GROUP BY campaign_id
ORDER BY campaign_id
