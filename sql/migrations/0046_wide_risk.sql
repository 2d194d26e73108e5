-- As they were (0026, 0029), but for money at risk beyond 64 bits, which read as unknown: a campaign that spends 10^15 an hour until
-- 9999 has no budget to bound it.

-- The reason of an alert: why it was decided, beside decision and decided_by, while it is decided; else what the rule and the
-- data's faults say. What they say is in record.reasons at any time. A stop that waits for a second person is a proposal: who
-- made it, and why; both null without one. changed_at is of the state and the decision: a note or a proposal leaves it.
CREATE OR REPLACE VIEW {database}.alerts AS
SELECT
    id AS alert_id, campaign_id, state,
    parseDateTime64BestEffortOrNull(JSONExtractString(body, 'opened_at'), 3, 'UTC') AS opened_at,
    parseDateTime64BestEffortOrNull(JSONExtractString(body, 'changed_at'), 3, 'UTC') AS changed_at,
    JSONExtract(body, 'return_ratio', 'Nullable(Float64)') AS return_ratio,
    JSONExtract(body, 'upper_bound', 'Nullable(Float64)') AS upper_bound,
    JSONExtract(body, 'matured_share', 'Nullable(Float64)') AS matured_share,
    JSONExtract(body, 'money_at_risk_minor', 'Nullable(Int128)') AS money_at_risk_minor,
    JSONExtract(body, 'decision', 'Nullable(String)') AS decision,
    JSONExtract(body, 'decided_by', 'Nullable(String)') AS decided_by,
    if(
        state = 'decided' AND JSONExtractString(body, 'decision_reason') != '',
        JSONExtractString(body, 'decision_reason'),
        arrayStringConcat(JSONExtract(body, 'reasons', 'Array(String)'), '; ')
    ) AS reason,
    JSONExtractString(body, 'campaign_name') AS campaign_name,
    JSONExtract(body, 'owner', 'Nullable(String)') AS owner,
    parseDateTime64BestEffortOrNull(JSONExtractString(body, 'as_of'), 3, 'UTC') AS as_of,
    JSONExtract(body, 'proposal', 'by', 'Nullable(String)') AS proposed_by,
    JSONExtract(body, 'proposal', 'reason', 'Nullable(String)') AS proposal_reason,
    body AS record
FROM {database}.alert_log FINAL
WHERE kind = 'alert';

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
    JSONExtract(record, 'money_at_risk_minor', 'Nullable(Int128)') AS money_at_risk_minor,
    JSONExtract(record, 'advice', 'segment', 'Nullable(String)') AS advice_segment,
    JSONExtract(record, 'advice', 'label', 'Nullable(String)') AS advice_label,
    JSONExtract(record, 'advice', 'ratio_without', 'Nullable(Float64)') AS ratio_without,
    JSONExtract(record, 'decision', 'Nullable(String)') AS decision,
    JSONExtract(record, 'decided_by', 'Nullable(String)') AS decided_by,
    arrayStringConcat(JSONExtract(record, 'reasons', 'Array(String)'), '; ') AS reason,
    ifNull(nullIf(arrayStringConcat(JSONExtract(record, 'reasons_by_language', 'en', 'Array(String)'), '; '), ''), reason) AS reason_en,
    ifNull(nullIf(arrayStringConcat(JSONExtract(record, 'reasons_by_language', 'zh', 'Array(String)'), '; '), ''), reason) AS reason_zh,
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

CREATE OR REPLACE VIEW {database}.board_alerts AS
SELECT
    * EXCEPT (reasons_en, reasons_zh),
    if(reasons_en = '' OR (state = 'decided' AND JSONExtractString(record, 'decision_reason') != ''), reason, reasons_en) AS reason_en,
    if(reasons_zh = '' OR (state = 'decided' AND JSONExtractString(record, 'decision_reason') != ''), reason, reasons_zh) AS reason_zh
FROM (
    SELECT
        *,
        arrayStringConcat(JSONExtract(record, 'reasons_by_language', 'en', 'Array(String)'), '; ') AS reasons_en,
        arrayStringConcat(JSONExtract(record, 'reasons_by_language', 'zh', 'Array(String)'), '; ') AS reasons_zh
    FROM {database}.alerts
) AS alerts;
