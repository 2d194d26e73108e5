SELECT DISTINCT owner AS value, owner AS text FROM campaign_plans WHERE owner != '' ORDER BY value
