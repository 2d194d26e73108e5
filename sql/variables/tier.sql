SELECT DISTINCT toString(tier) AS value, value AS text
FROM campaign_tier_totals WHERE run = ${run:singlequote} AND tier != '' ORDER BY value
