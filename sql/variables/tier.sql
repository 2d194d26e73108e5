SELECT DISTINCT toString(tier) AS value, value AS text
FROM (
    SELECT tier FROM campaign_tier_totals WHERE run = ${run:singlequote} AND tier != ''
    UNION DISTINCT
    SELECT tier FROM named_days WHERE run = ${run:singlequote}
)
ORDER BY value
