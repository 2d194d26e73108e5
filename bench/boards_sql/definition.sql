-- campaigns: {campaigns} of three owners
INSERT INTO {database}.campaign_log (campaign_id, definition, version)
SELECT
    concat('campaign-', leftPad(toString(number), 3, '0')) AS campaign,
    concat('{{"campaign_id": "', campaign, '", "name": "Campaign ', toString(number), '", "owner": "owner-', toString(number % 3),
           '", "starts_at": "', formatDateTime(toDateTime({begin_day} * 86400, 'UTC'), '%FT%TZ'),
           '", "ends_at": "', formatDateTime(toDateTime(({begin_day} + {days} + 30) * 86400, 'UTC'), '%FT%TZ'),
           '", "budget_minor": 100000000, "goal": {{"kinds": ["payment", "deposit", "wealth_purchase"]}}}}'),
    1
FROM numbers({campaigns})
