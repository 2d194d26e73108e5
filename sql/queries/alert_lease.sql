-- The newest sign of life of the newest claim; a claim without one is somebody who takes over just now.
SELECT epoch, owner, max(beat) AS last_beat, argMax(body, beat) AS last_body,
    toUnixTimestamp64Milli(now64(3)) - toUnixTimestamp64Milli(max(at)) AS age_ms
FROM {database}.alert_leases
WHERE epoch = (SELECT max(epoch) FROM {database}.alert_leases)
GROUP BY epoch, owner
ORDER BY last_beat DESC
LIMIT 1
FORMAT JSONCompactEachRow
