-- Everything that happened to one alert, oldest first, each entry with what was known then.
SELECT
    change_id, changed_at, event, previous_state, state, by, note,
    JSONExtract(record, 'note_by_language', 'Map(String, String)') AS note_by_language,
    parseDateTime64BestEffortOrNull(JSONExtractString(record, 'record', 'as_of'), 3, 'UTC') AS as_of,
    JSONExtract(record, 'record', 'return_ratio', 'Nullable(Float64)') AS return_ratio,
    JSONExtract(record, 'record', 'upper_bound', 'Nullable(Float64)') AS upper_bound,
    JSONExtract(record, 'record', 'decision', 'Nullable(String)') AS decision
FROM {database}.alert_changes
WHERE alert_id = {alert:String}
ORDER BY JSONExtractUInt(record, 'number'), changed_at
