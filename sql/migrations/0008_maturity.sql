-- What the conversion lag tells about returns still to come (pipeline/metrics/lag_curve.py has formula and source).

-- The business day a run has got to: that of its newest transaction. Cohorts age by transactions, so a transaction topic
-- that stands still does not make them look old.
CREATE OR REPLACE VIEW {database}.run_days AS
SELECT
    positions.run AS run,
    max(toDate(formatDateTime(fromUnixTimestamp64Milli(positions.watermark_ms, 'UTC'), '%F', runs.zone))) AS as_of
FROM {database}.positions AS positions
INNER JOIN (SELECT run, zone FROM {database}.runs FINAL) AS runs ON positions.run = runs.run
WHERE positions.topic = 'bank.transactions.v1' AND positions.watermark_ms > 0
GROUP BY run;

-- Conversion-lag curve under right truncation: each lag only over cohorts that have lived through it completely.
-- share(l) = product over later lags k of 1 - at_lag(k) / through_lag(k); it ends at 1 with the longest lag known.
CREATE OR REPLACE VIEW {database}.campaign_lag_curve AS
WITH
    cells AS (
        SELECT
            cohorts.run AS run, cohorts.campaign_id AS campaign_id, cohorts.touch_day AS touch_day,
            toInt64(cohorts.lag_day) AS lag_day, cohorts.conversions AS conversions,
            cohorts.return_minor AS return_minor,
            dateDiff('day', cohorts.touch_day, run_days.as_of) - 2 AS age
        FROM {database}.campaign_cohorts AS cohorts
        INNER JOIN {database}.run_days AS run_days ON cohorts.run = run_days.run
        WHERE age >= 0
    ),
    cohorts AS (
        SELECT
            run, campaign_id, age,
            sumMapIf([lag_day], [conversions], lag_day <= age) AS conversions_at,
            sumMapIf([lag_day], [return_minor], lag_day <= age) AS return_at,
            maxIf(lag_day, lag_day <= age) AS longest
        FROM cells
        GROUP BY run, campaign_id, touch_day, age
    ),
    spans AS (
        SELECT run, campaign_id, range(max(longest) + 1) AS lags
        FROM cohorts
        GROUP BY run, campaign_id
    ),
    lags AS (
        SELECT run, campaign_id, lag_day FROM spans ARRAY JOIN lags AS lag_day
    ),
    sums AS (
        SELECT
            lags.run AS run, lags.campaign_id AS campaign_id, lags.lag_day AS lag_day, count() AS cohorts,
            sum(conversions_at.2[indexOf(conversions_at.1, lag_day)]) AS conversions_at_lag,
            sum(arraySum((lag, amount) -> if(lag <= lag_day, amount, 0), conversions_at.1, conversions_at.2))
                AS conversions_through_lag,
            sum(return_at.2[indexOf(return_at.1, lag_day)]) AS return_at_lag_minor,
            sum(arraySum((lag, amount) -> if(lag <= lag_day, amount, 0), return_at.1, return_at.2))
                AS return_through_lag_minor
        FROM lags
        INNER JOIN cohorts ON lags.run = cohorts.run AND lags.campaign_id = cohorts.campaign_id
        WHERE cohorts.age >= lags.lag_day
        GROUP BY run, campaign_id, lag_day
    )
SELECT
    run, campaign_id, lag_day, cohorts,
    conversions_at_lag, conversions_through_lag, return_at_lag_minor, return_through_lag_minor,
    arrayProduct(arrayPushFront(groupArray(if(conversions_through_lag = 0, 1.,
        (conversions_through_lag - conversions_at_lag) / conversions_through_lag)) OVER later, 1.)) AS conversion_share,
    arrayProduct(arrayPushFront(groupArray(if(return_through_lag_minor = 0, 1.,
        (return_through_lag_minor - return_at_lag_minor) / return_through_lag_minor)) OVER later, 1.)) AS return_share
FROM sums
WINDOW later AS (PARTITION BY run, campaign_id ORDER BY lag_day ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING);

-- How unevenly a campaign's return is spread over its converters: what the forecast's band is made from.
CREATE OR REPLACE VIEW {database}.campaign_converters AS
SELECT
    run, campaign_id, count() AS converters, sum(total) AS return_minor, sum(toFloat64(total) * total) AS squared_return
FROM (
    SELECT run, campaign_id, customer, sum(measures[2]) AS total
    FROM {database}.ledger FINAL
    WHERE kind = 'credit' AND model = '' AND measures[1] != 0
    GROUP BY run, campaign_id, customer
)
GROUP BY run, campaign_id;
