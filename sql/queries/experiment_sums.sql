-- An experiment's outcomes, as sums over customers by variant, tier, day of the assignment and day the window ends.
-- Outcomes, in this order everywhere: converted, return, aum, logins. y is the outcome in the window from the assignment
-- (both ends included), x the same in as long a time before it, by amounts before any reversal: a reversal may come after
-- the assignment, and must not carry what the campaign did into what was before.
WITH
    -- a pseudonym is 128 bits: as a number it is joined and grouped by in a third of the time
    units AS (
        SELECT
            customer,
            minIf(at, decides) AS assigned_at,
            argMinIf(label, (at, id), decides) AS variant,
            argMinIf(tier, (at, id), decides) AS tier,
            minIf(label, decides) != maxIf(label, decides) AS in_two,
            sum(toInt128(measures[1])) AS cost
        FROM (
            SELECT
                reinterpretAsUInt128(unhex(customer)) AS customer, at, id, label, tier, measures,
                if({by_assignment:UInt8} = 1, category = 'assign', bitTest(flags, 2)) AS decides
            FROM {database}.ledger FINAL
            PREWHERE run = {run:String} AND kind = 'touch' AND campaign_id = {campaign:String}
            WHERE ledger.customer NOT IN (
                SELECT id FROM {database}.ledger FINAL
                WHERE run = {run:String} AND kind = 'erased' AND measures[1] = 2
            )
        )
        GROUP BY customer
        HAVING countIf(decides) > 0
    ),
    goals AS (
        SELECT
            facts.customer AS customer, facts.at AS at, facts.amount AS amount,
            if(adjustments.is_known, toInt128(adjustments.effective), facts.amount) AS effective,
            NOT adjustments.is_known OR adjustments.effective > 0 AS has_effect,
            facts.is_moneyless AS is_moneyless,
            facts.base AS base, facts.delta AS delta
        FROM (
            SELECT
                reinterpretAsUInt128(unhex(customer)) AS customer, at, shard, id, toInt128(measures[1]) AS amount,
                category IN ('account_open', 'card_activation') AS is_moneyless,  -- done, they are all that was wanted
                amount * transform(category, {margin_kinds:Array(String)}, {margins_bps:Array(Int64)}, toInt64(0))
                    AS scaled,
                -- floored towards minus infinity: a margin may be negative
                if(bitTest(flags, 5), toInt128(measures[2]), intDiv(scaled - if(scaled < 0, 9999, 0), 10000)) AS base,
                multiIf(
                    bitTest(flags, 6), toInt128(measures[3]), category = 'deposit', amount,
                    category = 'withdrawal', -amount, toInt128(0)) AS delta
            FROM {database}.ledger FINAL
            PREWHERE run = {run:String} AND kind = 'transaction'
                AND at BETWEEN {first_at:Int64} - {window:Int64} AND {last_at:Int64} + {window:Int64}
            WHERE other_id = ''
                AND ({any_kind:UInt8} = 1 OR category IN {kinds:Array(String)})
                AND ({any_product:UInt8} = 1 OR product IN {products:Array(String)})
                AND measures[1] >= {least_amount:Int64}
        ) AS facts
        LEFT JOIN (
            SELECT shard, id, at, measures[1] AS effective, true AS is_known
            FROM {database}.ledger FINAL
            PREWHERE run = {run:String} AND kind = 'adjustment'
                AND at BETWEEN {first_at:Int64} - {window:Int64} AND {last_at:Int64} + {window:Int64}
        ) AS adjustments
        ON facts.shard = adjustments.shard AND facts.id = adjustments.id AND facts.at = adjustments.at
    ),
    earned AS (
        SELECT
            goals.customer AS customer,
            goals.at >= units.assigned_at AS is_after,
            if(is_after, has_effect, true) AS counts,
            is_moneyless OR if(is_after, effective, amount) > 0 AS converts,
            multiIf(
                NOT is_after OR effective = amount, base, amount = 0, toInt128(0),
                intDiv(base * effective - if(base < 0, amount - 1, toInt128(0)), amount)) AS returned,
            multiIf(
                NOT is_after OR effective = amount, delta, amount = 0, toInt128(0),
                sign(delta) * intDiv(abs(delta) * effective, amount)) AS moved
        FROM goals
        INNER JOIN units ON goals.customer = units.customer
        WHERE abs(goals.at - units.assigned_at) <= {window:Int64}
            AND (goals.at >= units.assigned_at OR units.assigned_at - goals.at <= {window:Int64})
    ),
    visited AS (
        SELECT
            logins.customer AS customer,
            logins.day >= units.first_day AS is_after
        FROM (
            SELECT reinterpretAsUInt128(unhex(id)) AS customer, toInt32(at) AS day
            FROM {database}.ledger FINAL
            PREWHERE run = {run:String} AND kind = 'login' AND at BETWEEN {first_day:Int64} AND {last_day:Int64}
            WHERE bitTest(flags, 3)
        ) AS logins
        INNER JOIN (
            SELECT
                customer,
                toInt32(toDate32(fromUnixTimestamp64Milli(assigned_at, 'UTC'), {zone:String})) AS first_day,
                toInt32(toDate32(fromUnixTimestamp64Milli(assigned_at + {window:Int64}, 'UTC'), {zone:String}))
                    AS last_day
            FROM units
        ) AS units ON logins.customer = units.customer
        WHERE logins.day BETWEEN units.first_day - (units.last_day - units.first_day + 1) AND units.last_day
    ),
    customers AS (
        SELECT
            customer,
            max(assigned) AS assigned_at,
            max(arm) AS variant,
            max(level) AS tier,
            max(two) AS in_two,
            sum(spent) AS cost,
            max(converted_after) AS c,
            sum(return_after) AS r,
            sum(aum_after) AS a,
            sum(days_after) AS l,
            max(converted_before) AS cx,
            sum(return_before) AS rx,
            sum(aum_before) AS ax,
            sum(days_before) AS lx
        FROM (
            SELECT
                customer, assigned_at AS assigned, variant AS arm, tier AS level, in_two AS two, cost AS spent,
                false AS converted_after, toInt128(0) AS return_after, toInt128(0) AS aum_after, 0 AS days_after,
                false AS converted_before, toInt128(0) AS return_before, toInt128(0) AS aum_before, 0 AS days_before
            FROM units
            UNION ALL
            SELECT
                customer, -9223372036854775808, '', '', false, toInt128(0),
                is_after AND converts, if(is_after, returned, 0), if(is_after, moved, 0), 0,
                NOT is_after AND converts, if(is_after, 0, returned), if(is_after, 0, moved), 0
            FROM earned
            WHERE counts
            UNION ALL
            SELECT
                customer, -9223372036854775808, '', '', false, toInt128(0),
                false, toInt128(0), toInt128(0), is_after, false, toInt128(0), toInt128(0), NOT is_after
            FROM visited
        )
        GROUP BY customer
    )
SELECT
    variant,
    tier,
    in_two,
    toInt32(toDate32(fromUnixTimestamp64Milli(assigned_at, 'UTC'), {zone:String})) AS assigned_day,
    toInt32(toDate32(fromUnixTimestamp64Milli(assigned_at + {window:Int64}, 'UTC'), {zone:String})) AS end_day,
    assigned_at + {window:Int64} < {as_of:Int64} AS is_over,
    count() AS customers,
    [countIf(c), countIf(r != 0), countIf(a != 0), countIf(l != 0)] AS nonzero,
    [toString(countIf(c)), toString(sum(r)), toString(sum(a)), toString(sum(l))] AS y,
    [toString(countIf(c)), toString(sum(toInt256(r) * r)), toString(sum(toInt256(a) * a)), toString(sum(l * l))] AS yy,
    [toString(countIf(cx)), toString(sum(rx)), toString(sum(ax)), toString(sum(lx))] AS x,
    [toString(countIf(cx)), toString(sum(toInt256(rx) * rx)), toString(sum(toInt256(ax) * ax)), toString(sum(lx * lx))]
        AS xx,
    [toString(countIf(c AND cx)), toString(sum(toInt256(r) * rx)), toString(sum(toInt256(a) * ax)), toString(sum(l * lx))]
        AS xy,
    toString(sum(cost)) AS cost_minor,
    toString(sum(toInt256(cost) * cost)) AS cost_squares,
    toString(sum(toInt256(cost) * r)) AS cost_returns
FROM customers
GROUP BY variant, tier, in_two, assigned_day, end_day, is_over
ORDER BY variant, tier, in_two, assigned_day, end_day, is_over
FORMAT JSONCompactEachRow
