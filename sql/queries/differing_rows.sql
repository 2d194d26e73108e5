-- the first rows that two runs do not have equally often; made like compare_rows
SELECT {exact}, left_rows, right_rows, left_numbers, right_numbers
FROM (
    SELECT
        {exact},
        countIf(is_left) AS left_rows,
        countIf(NOT is_left) AS right_rows,
        sumForEach(arrayMap(number -> if(is_left, ifNull(number, 0), 0), numbers)) AS left_numbers,
        sumForEach(arrayMap(number -> if(is_left, 0, ifNull(number, 0)), numbers)) AS right_numbers,
        sumForEach(arrayMap(number -> if(is_left, 1, -1) * isNull(number), numbers)) AS nulls
    FROM (
        SELECT {exact}, CAST([{inexact}] AS Array(Nullable(Float64))) AS numbers, true AS is_left
        FROM {database}.{view} WHERE run = {left:String}
        UNION ALL
        SELECT {exact}, CAST([{inexact}] AS Array(Nullable(Float64))) AS numbers, false AS is_left
        FROM {database}.{view} WHERE run = {right:String}
    )
    GROUP BY {exact}
    HAVING (left_rows != right_rows OR arrayExists(more -> more != 0, nulls)
        OR arrayExists((l, r) -> abs(l - r) > 1e-12 * greatest(abs(l), abs(r)), left_numbers, right_numbers))
        AND NOT ({erases:Bool} AND right_rows = 0 AND {nothing} AND arrayAll(number -> number = 0, left_numbers))
)
ORDER BY {exact}
LIMIT {limit:UInt32}
SETTINGS max_bytes_before_external_group_by = 268435456
