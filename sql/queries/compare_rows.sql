-- how many rows of a view each of two runs has, how many of all are not in both equally often, and how many of the left
-- run alone hold nothing: of an erased customer's share they are what is left
SELECT
    sum(left_rows) AS left_rows, sum(right_rows) AS right_rows,
    countIf(differs AND NOT is_nothing) AS differing, countIf(differs AND is_nothing) AS left_out
FROM (
    SELECT
        {exact},
        countIf(is_left) AS left_rows,
        countIf(NOT is_left) AS right_rows,
        sumForEach(arrayMap(number -> if(is_left, ifNull(number, 0), 0), numbers)) AS left_numbers,
        sumForEach(arrayMap(number -> if(is_left, 0, ifNull(number, 0)), numbers)) AS right_numbers,
        sumForEach(arrayMap(number -> if(is_left, 1, -1) * isNull(number), numbers)) AS nulls,
        left_rows != right_rows OR arrayExists(more -> more != 0, nulls)
            OR arrayExists((l, r) -> abs(l - r) > 1e-12 * greatest(abs(l), abs(r)), left_numbers, right_numbers) AS differs,
        {erases:Bool} AND right_rows = 0 AND {nothing} AND arrayAll(number -> number = 0, left_numbers) AS is_nothing
    FROM (
        SELECT {exact}, CAST([{inexact}] AS Array(Nullable(Float64))) AS numbers, true AS is_left
        FROM {database}.{view} WHERE run = {left:String}
        UNION ALL
        SELECT {exact}, CAST([{inexact}] AS Array(Nullable(Float64))) AS numbers, false AS is_left
        FROM {database}.{view} WHERE run = {right:String}
    )
    GROUP BY {exact}
)
SETTINGS max_bytes_before_external_group_by = 268435456
