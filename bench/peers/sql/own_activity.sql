SELECT
    toInt32(toDate32(day)) AS day,
    mau
FROM roi.active_users
WHERE run = 'live' AND tier = ''
ORDER BY day
