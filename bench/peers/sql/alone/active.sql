SELECT
    day,
    uniqExact(customer_id) AS mau
FROM
(
    SELECT DISTINCT customer_id, toInt32(toDate32(at, 'Asia/Shanghai')) AS login_day
    FROM alone.logins
    WHERE NOT automated AND ifNull(session_seconds, 5) >= 5
)
ARRAY JOIN arrayMap(later -> login_day + later, range(30)) AS day
GROUP BY day
ORDER BY day
