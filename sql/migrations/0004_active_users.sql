-- Active users: the ledger holds, per tier and business day, by how much the rolling counts change from one day to the
-- next; running sums over the days give dau, wau and mau (pipeline/state/activity.py derives the changes).
CREATE OR REPLACE VIEW {database}.active_users AS
WITH
    changes AS (
        SELECT run, at, label AS tier, sumForEach(measures) AS total
        FROM {database}.ledger FINAL
        WHERE kind = 'activity'
        GROUP BY run, at, tier
    ),
    span AS (
        SELECT run, minIf(at, total[4] > 0) AS first_day, maxIf(at, total[4] > 0) AS last_day
        FROM changes
        GROUP BY run
    ),
    tiers AS (
        SELECT DISTINCT run, tier FROM changes
    ),
    calendar AS (
        SELECT run, tier, at
        FROM (
            SELECT tiers.run AS run, tiers.tier AS tier, range(span.first_day, span.last_day + 1) AS days
            FROM tiers INNER JOIN span ON tiers.run = span.run
        )
        ARRAY JOIN days AS at
    ),
    daily AS (
        SELECT
            calendar.run AS run, calendar.tier AS tier, calendar.at AS at,
            if(empty(changes.total), arrayWithConstant(6, toInt64(0)), changes.total) AS total
        FROM calendar
        LEFT JOIN changes ON calendar.run = changes.run AND calendar.tier = changes.tier AND calendar.at = changes.at
    ),
    rolled AS (
        SELECT
            run, tier, at, total[1] AS dau, total[6] AS reactivated,
            sum(total[2]) OVER (PARTITION BY run, tier ORDER BY at) AS wau,
            sum(total[3]) OVER (PARTITION BY run, tier ORDER BY at) AS mau,
            sum(total[5]) OVER (PARTITION BY run, tier ORDER BY at) AS mau_gross
        FROM daily
    ),
    segments AS (
        SELECT run, at, tier, dau, wau, mau, mau_gross, reactivated FROM rolled
        UNION ALL
        SELECT run, at, '' AS tier, sum(dau), sum(wau), sum(mau), sum(mau_gross), sum(reactivated)
        FROM rolled GROUP BY run, at
    )
SELECT
    run, toDate(at) AS day, tier, dau, wau, mau, mau_gross, reactivated,
    if(mau = 0, NULL, dau / mau) AS stickiness
FROM segments;
