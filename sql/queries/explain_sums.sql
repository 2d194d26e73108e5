-- the cell anew from the evidence alone: all of it, whatever the lists above show of it
WITH evidence AS (
    SELECT kind, id, at, label, tier, customer, bitTest(flags, 2) AS creditable, measures
    FROM {database}.ledger FINAL
    WHERE run = {run:String} AND kind IN ('touch', 'cost', 'credit') AND campaign_id = {campaign:String} AND model = ''
      AND (kind != 'credit' OR measures[1] != 0)
      AND ({by_variant:UInt8} = 0 OR label = {variant:String})
      AND ({customer:String} = '' OR customer = {customer:String})
),
chosen AS (
    SELECT * FROM evidence WHERE {by_tier:UInt8} = 0 OR tier = {tier:String}
),
-- a customer is reached and converted once, under the tier of the first time; of touches at one time the tier decides
firsts AS (
    SELECT kind, customer, argMin(tier, (at, if(kind = 'touch', toString(tier), id))) AS first_tier
    FROM evidence
    WHERE kind = 'credit' OR (kind = 'touch' AND creditable)
    GROUP BY kind, customer
)
SELECT
    countIf(kind = 'touch' AND creditable) AS touches,
    (SELECT countIf(kind = 'touch' AND ({by_tier:UInt8} = 0 OR first_tier = {tier:String})) FROM firsts) AS reached,
    sumIf(measures[1], kind = 'credit') AS conversion_millionths,
    (SELECT countIf(kind = 'credit' AND ({by_tier:UInt8} = 0 OR first_tier = {tier:String})) FROM firsts) AS converters,
    sumIf(toInt128(measures[1]), kind != 'credit') AS cost_minor,
    sumIf(toInt128(measures[2]), kind = 'credit') AS return_minor,
    sumIf(toInt128(measures[3]), kind = 'credit') AS aum_minor,
    countIf(kind = 'touch') AS touch_rows,
    countIf(kind = 'cost') AS cost_rows,
    countIf(kind = 'credit') AS credit_rows
FROM chosen
