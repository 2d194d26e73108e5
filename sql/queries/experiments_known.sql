-- experiments of a run, by metric: those whose definition plans variants (metric ''), and those that were analysed before, with what
-- was asked then; and how far the run's event time has come, epoch milliseconds, 0 = not at all. What is planned is finished when its
-- campaign has ended, what was analysed when every window was over then
SELECT
    campaign_id, metric, asked, control, window_days, as_of_ms,
    toUInt8(ifNull(ends_at_ms <= clock_ms, is_finished)) AS is_finished,
    (
        SELECT maxIf(watermark_ms, watermark_ms > 0) FROM {database}.positions WHERE run = {run:String}
    ) AS clock_ms
FROM (
    SELECT
        toString(campaign_id) AS campaign_id, '' AS metric, '' AS asked, '' AS control, 0. AS window_days,
        toInt64(0) AS as_of_ms, toUInt8(0) AS is_finished,
        toUnixTimestamp64Milli(parseDateTime64BestEffortOrNull(
            replaceRegexpOne(upper(JSONExtractString(definition, 'ends_at')), '([.][0-9]{3})[0-9]+', '\\1'), 3, 'UTC'
        )) AS ends_at_ms
    FROM {database}.run_definitions
    WHERE run = {run:String} AND length(JSONExtractKeys(definition, 'variant_shares')) > 1
    UNION ALL
    SELECT
        toString(campaign_id), toString(metric), argMax(JSONExtractRaw(details, 'asked'), version),
        argMax(JSONExtractString(details, 'control'), version), argMax(window_days, version),
        argMax(toUnixTimestamp64Milli(as_of), version), argMax(toUInt8(JSONExtract(details, 'is_finished', 'Bool')), version), NULL
    FROM {database}.ab_log
    WHERE run = {run:String} AND kind = 'result'
    GROUP BY campaign_id, metric
)
FORMAT JSONCompactEachRow
