SELECT pair.1 AS value, pair.2 AS text
FROM (
    SELECT arrayJoin([
        ('converted', 'Conversion · 转化'), ('return', 'Return · 收益'), ('aum', 'AUM · 资产'), ('logins', 'Engaged days · 活跃天数')
    ]) AS pair
)
