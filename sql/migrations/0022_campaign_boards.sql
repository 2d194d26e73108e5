-- The newest alert of each campaign, its verdict by name: what boards show beside a campaign's numbers.
-- A record's `number` counts the campaign's alerts from 1. Only the live run has alerts.
CREATE OR REPLACE VIEW {database}.campaign_alerts AS
SELECT
    campaign_id, alert_id, state,
    parseDateTime64BestEffortOrNull(JSONExtractString(record, 'opened_at'), 3, 'UTC') AS opened_at,
    parseDateTime64BestEffortOrNull(JSONExtractString(record, 'changed_at'), 3, 'UTC') AS changed_at,
    parseDateTime64BestEffortOrNull(JSONExtractString(record, 'as_of'), 3, 'UTC') AS as_of,
    JSONExtract(record, 'return_ratio', 'Nullable(Float64)') AS return_ratio,
    JSONExtract(record, 'rule', 'min_return_ratio', 'Float64') AS min_return_ratio,
    JSONExtract(record, 'rule', 'confidence', 'Float64') AS confidence,
    JSONExtract(record, 'forecast_ratio', 'low', 'Nullable(Float64)') AS forecast_low,
    JSONExtract(record, 'forecast_ratio', 'value', 'Nullable(Float64)') AS forecast_ratio,
    JSONExtract(record, 'forecast_ratio', 'high', 'Nullable(Float64)') AS forecast_high,
    JSONExtract(record, 'upper_bound', 'Nullable(Float64)') AS upper_bound,
    JSONExtract(record, 'matured_share', 'Nullable(Float64)') AS matured_share,
    JSONExtract(record, 'converters', 'UInt64') AS converters,
    JSONExtract(record, 'converters_expected', 'Nullable(Float64)') AS converters_expected,
    JSONExtract(record, 'converters_needed', 'Nullable(Float64)') AS converters_needed,
    JSONExtract(record, 'money_at_risk_minor', 'Nullable(Int64)') AS money_at_risk_minor,
    JSONExtract(record, 'advice', 'segment', 'Nullable(String)') AS advice_segment,
    JSONExtract(record, 'advice', 'label', 'Nullable(String)') AS advice_label,
    JSONExtract(record, 'advice', 'ratio_without', 'Nullable(Float64)') AS ratio_without,
    JSONExtract(record, 'decision', 'Nullable(String)') AS decision,
    JSONExtract(record, 'decided_by', 'Nullable(String)') AS decided_by,
    arrayStringConcat(JSONExtract(record, 'reasons', 'Array(String)'), '; ') AS reason,
    record
FROM (
    SELECT
        alert_log.campaign_id AS campaign_id,
        argMax((id, alert_log.state, body), JSONExtractUInt(body, 'number')) AS newest,
        newest.1 AS alert_id, newest.2 AS state, newest.3 AS record
    FROM {database}.alert_log FINAL
    WHERE kind = 'alert'
    GROUP BY campaign_id
);

-- A campaign's touches by kind (creditable ones), and by channel with what they earned: read for single campaigns, for they
-- are counted from the facts. Cost events name no channel. An erased customer's touches are counted nowhere here.
CREATE OR REPLACE VIEW {database}.campaign_touch_kinds AS
SELECT run, campaign_id, kind, touches, customers
FROM (
    SELECT
        ledger.run AS run, ledger.campaign_id AS campaign_id, ledger.category AS kind,
        count() AS touches, uniqExact(customer) AS customers
    FROM {database}.ledger FINAL
    WHERE ledger.kind = 'touch' AND bitTest(flags, 2)
    GROUP BY run, campaign_id, category
);

CREATE OR REPLACE VIEW {database}.campaign_channel_totals AS
SELECT
    run, campaign_id, channel,
    sum(is_touch) AS touches,
    uniqExactIf(customer, is_touch) AS reached,
    sum(credit) / 1000000 AS conversions,
    uniqExactIf(customer, credit > 0) AS converters,
    sum(cost) AS cost_minor,
    sum(returned) AS return_minor
FROM (
    SELECT
        run, campaign_id, channel, customer, bitTest(flags, 2) AS is_touch, toInt128(measures[1]) AS cost,
        0 AS credit, toInt128(0) AS returned
    FROM {database}.ledger FINAL
    WHERE kind = 'touch'
    UNION ALL
    SELECT credit.run, credit.campaign_id, touch.channel, credit.customer, 0, toInt128(0), credit.millionths, credit.returned
    FROM (
        SELECT
            run, shard, campaign_id, other_id AS touch_id, customer,
            measures[1] AS millionths, toInt128(measures[2]) AS returned
        FROM {database}.ledger FINAL
        WHERE kind = 'credit' AND model = '' AND measures[1] != 0
    ) AS credit
    INNER JOIN (
        SELECT run, shard, campaign_id, id AS touch_id, channel
        FROM {database}.ledger FINAL
        WHERE kind = 'touch'
    ) AS touch
    ON credit.run = touch.run AND credit.shard = touch.shard AND credit.campaign_id = touch.campaign_id
        AND credit.touch_id = touch.touch_id
)
GROUP BY run, campaign_id, channel;
