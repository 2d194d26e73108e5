SELECT
    campaign_id,
    touches,
    reached,
    round(conversions) AS conversions,
    converters,
    cost_minor,
    return_minor
FROM roi.campaign_totals
WHERE run = 'live'
ORDER BY campaign_id
