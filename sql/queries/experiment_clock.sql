-- how far a run's event time has come: of any topic, and of those that outcomes come from; epoch milliseconds, 0 = not at all
SELECT
    maxIf(watermark_ms, watermark_ms > 0) AS as_of,
    maxIf(watermark_ms, watermark_ms > 0 AND topic = 'bank.transactions.v1') AS transactions_until,
    maxIf(watermark_ms, watermark_ms > 0 AND topic = 'bank.logins.v1') AS logins_until,
    (SELECT any(zone) FROM {database}.runs FINAL WHERE run = {run:String}) AS zone
FROM {database}.positions
WHERE run = {run:String}
FORMAT JSONCompactEachRow
