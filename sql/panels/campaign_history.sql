WITH
    -- asked once: a subquery that is named is worked out at every place that names it
    (SELECT groupArray(campaign_id) FROM (
        SELECT toString(campaign_id) AS campaign_id FROM ledger FINAL
        WHERE run = ${run:singlequote} AND kind = 'tier' AND model = ''
            AND $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)
        GROUP BY campaign_id ORDER BY sum(toInt128(measures[5])) DESC, campaign_id LIMIT 5
    )) AS chosen
SELECT
    changes.changed_at AS changed_at,
    if(plans.name = '', changes.campaign_id, plans.name) AS name,
    nullIf(changes.previous_state, '') AS previous_state,
    changes.state AS state,
    changes.event AS event,
    changes.by AS by,
    changes.note_en AS note_en,
    changes.note_zh AS note_zh,
    changes.alert_id AS alert_id
FROM board_alert_changes AS changes
LEFT JOIN campaign_plans AS plans ON changes.campaign_id = plans.campaign_id
WHERE ${run:singlequote} = 'live' AND changes.campaign_id IN (SELECT arrayJoin(chosen))
ORDER BY changed_at DESC, changes.change_id
LIMIT 200
