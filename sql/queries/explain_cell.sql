-- the cell as users see it: campaign_totals, or one row of its split by variant or by tier
SELECT
    touches, reached, toInt64(round(conversions * 1000000)) AS conversion_millionths, converters, cost_minor,
    return_minor, aum_minor
FROM (
    SELECT touches, reached, conversions, converters, cost_minor, return_minor, aum_minor
    FROM {database}.campaign_totals
    WHERE run = {run:String} AND campaign_id = {campaign:String} AND {by_variant:UInt8} = 0 AND {by_tier:UInt8} = 0
    UNION ALL
    SELECT touches, reached, conversions, converters, cost_minor, return_minor, aum_minor
    FROM {database}.campaign_variant_totals
    WHERE run = {run:String} AND campaign_id = {campaign:String} AND {by_variant:UInt8} = 1
      AND variant = {variant:String}
    UNION ALL
    SELECT touches, reached, conversions, converters, cost_minor, return_minor, aum_minor
    FROM {database}.campaign_tier_totals
    WHERE run = {run:String} AND campaign_id = {campaign:String} AND {by_tier:UInt8} = 1 AND tier = {tier:String}
)
