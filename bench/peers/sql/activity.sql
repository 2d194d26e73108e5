SELECT
    day,
    sum(change) AS change
FROM roi.peer_activity
GROUP BY day
ORDER BY day
