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
    JSONExtract(body, 'money_at_risk_minor', 'Nullable(Int64)') AS money_at_risk_minor,
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
