-- The sum of squares of what converters brought, as a whole number before it is rounded: a sum of floating-point numbers
-- depends on the order of its parts, which is another one wherever rows lie otherwise. Squares of 10^21 need 140 bits.
CREATE OR REPLACE VIEW {database}.campaign_converters AS
SELECT
    run, campaign_id, count() AS converters, sum(total) AS return_minor,
    toFloat64(sum(toInt256(total) * toInt256(total))) AS squared_return
FROM (
    SELECT run, campaign_id, customer, sum(toInt128(measures[2])) AS total
    FROM {database}.ledger FINAL
    WHERE kind = 'credit' AND model = '' AND measures[1] != 0
    GROUP BY run, campaign_id, customer
)
GROUP BY run, campaign_id;
