-- logarithms of what transactions that a goal matches return, in billionths, so that sums do not depend on their order
SELECT count(), sum(logarithm), sum(logarithm * logarithm)
FROM (
    SELECT toInt128(round(log(toFloat64(returned)) * 1e9)) AS logarithm
    FROM (
        SELECT if(
            bitTest(flags, 5), measures[2],
            intDiv(
                toInt128(measures[1]) * transform(category, {priced:Array(String)}, {margins:Array(Int64)}, toInt64(0)),
                10000
            )
        ) AS returned
        FROM {database}.ledger FINAL
        WHERE run = {run:String} AND kind = 'transaction' AND other_id = '' AND at > {since:Int64} AND at <= {until:Int64}
          AND measures[1] >= {least:Int64}
          AND (empty({kinds:Array(String)}) OR category IN {kinds:Array(String)})
          AND (empty({products:Array(String)}) OR product IN {products:Array(String)})
    )
    WHERE returned > 0
)
FORMAT JSONCompactEachRow
