-- a customer's days of activity are joined to spans of thirty days and more; only where one begins or ends is counted
SELECT
    edge.1 AS day,
    sum(edge.2) AS change
FROM
(
    SELECT arraySort(groupUniqArray(toInt32(toDate32(at, 'Asia/Shanghai')))) AS days
    FROM alone.logins
    WHERE NOT automated AND ifNull(session_seconds, 5) >= 5
    GROUP BY customer_id
)
ARRAY JOIN arrayFlatten(arrayMap(
    (login_day, before) -> [(greatest(login_day, before + 30), 1), (login_day + 30, -1)],
    days,
    arrayPushFront(arrayPopBack(days), -30)
)) AS edge
GROUP BY day
ORDER BY day
