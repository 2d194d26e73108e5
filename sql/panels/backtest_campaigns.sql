-- the campaigns with the most money after a firing come first, each with the rules side by side
WITH rows AS (
    SELECT *, max(cost_after_firing_minor) OVER (PARTITION BY campaign_id) AS most
    FROM backtest_campaigns
    WHERE name = if(${backtest:singlequote} = '', (SELECT argMax(name, (kept_at, name)) FROM backtest_rules), ${backtest:singlequote})
)
SELECT
    -- only what the stream knows has a board to lead to: campaigns of an export may not, nor those of another run
    if(rows.campaign_id IN (SELECT campaign_id FROM campaign_totals WHERE run = 'live'), rows.campaign_id, '') AS campaign_id,
    if(plans.name = '', rows.campaign_id, plans.name) AS name,
    rows.rule AS rule,
    multiIf(
        rows.fired_at IS NULL AND rows.settled_ratio IS NULL, 'unsettled',
        rows.fired_at IS NULL, if(assumeNotNull(rows.settled_ratio) < rows.min_return_ratio, 'missed', 'left_alone'),
        rows.fired_right IS NULL, 'fired_unsettled',
        assumeNotNull(rows.fired_right), 'fired_rightly', 'fired_wrongly') AS fate,
    rows.hours_to_fire / 24 AS days_to_fire,
    rows.fired_at AS fired_at,
    rows.resolved_at AS resolved_at,
    rows.settled_ratio AS settled_ratio,
    rows.min_return_ratio AS min_return_ratio,
    rows.cost_after_firing_minor AS cost_after_minor,
    rows.return_after_firing_minor AS return_after_minor,
    if(rows.fired_at IS NULL OR rows.settled_ratio IS NULL, NULL,
       rows.min_return_ratio * rows.cost_after_firing_minor - rows.return_after_firing_minor) AS gain_minor,
    rows.reason AS reason_en,
    rows.reason_zh AS reason_zh
FROM rows
LEFT JOIN (SELECT campaign_id, name FROM run_plans WHERE run = 'live') AS plans ON rows.campaign_id = plans.campaign_id
ORDER BY rows.most DESC, rows.campaign_id, rows.place
LIMIT 2000
